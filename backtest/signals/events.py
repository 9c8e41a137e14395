"""Events: days on which something became known, and the windows of months after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months
from backtest.signals.reasons import Fact
from backtest.signals.rows import distinct, sets_of, whole
from backtest.signals.signal import Signal, unite

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Fills, Floats, Ints


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
        (n_rows, n_days) bool: whether the day is an event.
    known_from
        (n_rows,) datetime64[D]: the day on which the history needed to tell is complete.
    which
        (n_sets,) int64: which row each parameter set uses.
    story
        What they are called; None where nobody has said.
    """

    fills: Fills
    known_at: Days
    counts: Bools
    known_from: Days
    which: Ints
    story: Story | None = None

    @property
    def n_sets(self) -> int:
        """The number of parameter sets."""
        return len(self.which)

    def take(self, which: Ints) -> Events:
        """Return the events of so many of the sets, in this order."""
        return replace(self, which=self.which[which])

    def dates(self, which: int = 0) -> Days:
        """Return the days of the events under one parameter set."""
        return self.known_at[self.counts[self.which[which]]]

    def within(self, after: Any, until: Any) -> Signal:
        """Return yes from ``after`` to ``until`` months after an event; windows unite.

        An event known on day k is yes for the fills f with ``k + after < f <= k + until``, calendar
        months by date offset. ``after`` and ``until`` are whole months, one value or a row of them.
        """
        after, until = whole(after, "after"), whole(until, "until")
        n_sets = sets_of(len(after), len(until), self.n_sets)
        which = np.broadcast_to(self.which, n_sets)
        delays, delay = distinct(np.broadcast_to(after, n_sets))
        ends, end = distinct(np.broadcast_to(until, n_sets))
        starts = self.fills.first_after(add_months(self.known_at, delays[:, None]))
        stops = self.fills.first_past(add_months(self.known_at, ends[:, None]))
        return unite(
            self.fills,
            (self.counts, which),
            (starts, delay),
            (stops, end),
            self.fills.first_after(self.known_from)[which],
            Window(self, starts[delay[0]], stops[end[0]], int(after[0])) if self.story else None,
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
            self.events.counts[self.events.which[0]]
            & (self.events.fills.first_after(self.events.known_at) <= fill)
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

    def series(self) -> set[str]:
        """Return the series that can bring an event."""
        return set(self._story().series)


def by_hand(fills: Fills, days: Days) -> Events:
    """Return days that somebody has chosen as events: known on their day, and with hindsight."""
    days = np.unique(days)
    story = Story("day chosen by hand", "another day chosen by hand", "", (), np.zeros(len(days)))
    counts, first = np.ones((1, len(days)), dtype=np.bool_), fills.dates[:1] - np.timedelta64(1, "D")
    return Events(fills, days, counts, first, np.zeros(1, dtype=np.int64), story)
