"""Events: days on which something became known, and the windows of months after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months
from backtest.signals.rows import distinct, sets_of, whole
from backtest.signals.spells import Spells, unite

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Fills, Ints


@dataclass(frozen=True, eq=False)
class EventDays:
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
    """

    fills: Fills
    known_at: Days
    counts: Bools
    known_from: Days
    which: Ints

    @property
    def n_sets(self) -> int:
        """The number of parameter sets."""
        return len(self.which)

    def take(self, which: Ints) -> EventDays:
        """Return the events of so many of the sets, in this order."""
        return replace(self, which=self.which[which])

    def dates(self, which: int = 0) -> Days:
        """Return the days of the events under one parameter set."""
        return self.known_at[self.counts[self.which[which]]]

    def within(self, after: Any, until: Any) -> Spells:
        """Return the windows after events as ``rules.expressions.Events.within`` defines them.

        ``after`` and ``until`` are whole months, one value or a row of them.
        """
        after, until = whole(after, "after"), whole(until, "until")
        n_sets = sets_of(len(after), len(until), self.n_sets)
        which = np.broadcast_to(self.which, n_sets)
        delays, delay = distinct(np.broadcast_to(after, n_sets))
        ends, end = distinct(np.broadcast_to(until, n_sets))
        starts = self.fills.first_after(add_months(self.known_at, delays[:, None]))
        stops = self.fills.first_past(add_months(self.known_at, ends[:, None]))
        first = self.fills.first_after(self.known_from)[which]
        return unite(self.fills, (self.counts, which), (starts, delay), (stops, end), first)


def by_hand(fills: Fills, days: Days) -> EventDays:
    """Return days that somebody has chosen as events: known on their day, and with hindsight."""
    days = np.unique(days)
    counts, first = np.ones((1, len(days)), dtype=np.bool_), fills.dates[:1] - np.timedelta64(1, "D")
    return EventDays(fills, days, counts, first, np.zeros(1, dtype=np.int64))
