"""Events: days on which something became known, and the windows of months after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months
from backtest.signals.reasons import Fact
from backtest.signals.rows import row, sets_of
from backtest.signals.signal import Signal, unite
from backtest.signals.windows import for_sweeps

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Fills, Floats


@dataclass(frozen=True, eq=False)
class Story:
    """What events are called, for ``rotation signal``.

    Parameters
    ----------
    name
        What one is, such as "first cut of FED_TARGET".
    rule
        What the next one would be, such as "a fall of FED_TARGET of at least 0.25".
    unit
        What ``values`` count in.
    series
        The ids of the series that can bring one.
    values
        (n_days,) float64: the value that became known on each candidate day.
    """

    name: str
    rule: str
    unit: str
    series: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, eq=False)
class Events:
    """Days on which something became known, for each parameter set.

    Parameters
    ----------
    fills
        The fills at which a strategy may act on them.
    known_at
        (n_days,) datetime64[D], never decreasing: the candidate days.
    counts
        (n_sets, n_days) bool: whether the day is an event under each parameter set.
    known_from
        (n_sets,) datetime64[D]: the day on which the history needed to tell is complete.
    story
        What they are called; None where nobody has said.
    """

    fills: Fills
    known_at: Days
    counts: Bools
    known_from: Days
    story: Story | None = None

    def dates(self, which: int = 0) -> Days:
        """Return the days of the events under one parameter set."""
        return self.known_at[self.counts[which]]

    @for_sweeps
    def within(self, after: Any, until: Any) -> Signal:
        """Return yes from ``after`` to ``until`` months after an event; windows unite.

        An event known on day k is yes for the fills f with ``k + after < f <= k + until``, calendar
        months by date offset. ``after`` and ``until`` are whole months, one value or a row of them.
        """
        after, until = row(after, "after")[:, None], row(until, "until")[:, None]
        n_sets = sets_of(len(after), len(until), len(self.counts))
        starts = self.fills.first_after(add_months(self.known_at, after))
        stops = self.fills.first_past(add_months(self.known_at, until))
        shape = (n_sets, len(self.known_at))
        return unite(
            self.fills,
            np.broadcast_to(starts, shape),
            np.broadcast_to(stops, shape),
            np.broadcast_to(self.counts, shape),
            np.broadcast_to(self.fills.first_after(self.known_from), (n_sets,)),
            Window(self, starts[0], stops[0], int(after[0, 0])) if self.story else None,
        )


@dataclass(frozen=True, eq=False)
class Window:
    """Yes in the windows of events.

    ``starts`` and ``stops`` (n_days,) are those of every candidate day; ``after`` are the months from an
    event to its window.
    """

    events: Events
    starts: Any
    stops: Any
    after: int

    def _story(self) -> Story:
        assert self.events.story is not None  # noqa: S101 - within() makes no window without one
        return self.events.story

    def _past(self, fill: int) -> Any:
        """Return the indices of the events that the fill may know of."""
        return np.flatnonzero(
            self.events.counts[0] & (self.events.fills.first_after(self.events.known_at) <= fill)
        )

    def facts(self, fill: int) -> list[Fact]:
        """Return the last event before the fill."""
        past, story = self._past(fill), self._story()
        return [
            Fact(
                f"the last {story.name}, to",
                float(story.values[i]),
                story.unit,
                self.events.known_at[i],
                story.series,
            )
            for i in past[-1:]
        ]

    def flips(self, fill: int, *, now: bool) -> list[str]:
        """Return the window's end when there is one; else the beginning of one to come, or the next event."""
        past, story, dates = self._past(fill), self._story(), self.events.fills.dates
        if now:
            over = max((int(self.stops[i]) for i in past if self.starts[i] <= fill), default=fill)
            day = f"on {dates[over]}" if over < len(dates) else f"after {dates[-1]}"
            return [f"the end of the window after the {story.name}, {day} if no other comes before"]
        to_come = [i for i in past if fill < self.starts[i] < min(self.stops[i], len(dates))]
        if to_come:
            i = to_come[0]
            event = f"the {story.name} of {self.events.known_at[i]}"
            return [f"the beginning of the window after {event}, on {dates[self.starts[i]]} without any news"]
        return [f"{story.rule}, {self.after} months after it" if self.after else story.rule]

    def deadlines(self, fill: int) -> list[np.datetime64]:
        """Return the windows' next beginning or end."""
        past, dates = self._past(fill), self.events.fills.dates
        edges = [int(edge) for i in past for edge in (self.starts[i], self.stops[i])]
        later = [edge for edge in edges if fill < edge < len(dates)]
        return [dates[min(later)]] if later else []

    def series(self) -> set[str]:
        """Return the series that can bring an event."""
        return set(self._story().series)
