"""Events: days on which something became known, and the windows of months after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months
from backtest.signals.signal import Signal, unite
from backtest.signals.windows import for_sweeps

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Fills


@dataclass(frozen=True, eq=False)
class Events:
    """Days on which something became known, for each parameter set.

    Parameters
    ----------
    fills
        The fills at which a strategy may act on them.
    known_at
        (n_days,) datetime64[D], strictly increasing: the candidate days.
    counts
        (n_sets, n_days) bool: whether the day is an event under each parameter set.
    known_from
        (n_sets,) datetime64[D]: the day on which the history needed to tell is complete.
    """

    fills: Fills
    known_at: Days
    counts: Bools
    known_from: Days

    def dates(self, which: int = 0) -> Days:
        """Return the days of the events under one parameter set."""
        return self.known_at[self.counts[which]]

    @for_sweeps
    def within(self, after: Any, until: Any) -> Signal:
        """Return yes from ``after`` to ``until`` months after an event; windows unite.

        An event known on day k is yes for the fills f with ``k + after < f <= k + until``, calendar
        months by date offset. ``after`` and ``until`` are whole months, one value or a row of them.
        """
        after = np.atleast_1d(after)[:, None]
        until = np.atleast_1d(until)[:, None]
        n_sets = max(len(after), len(until), len(self.counts))
        starts = self.fills.first_after(add_months(self.known_at, after))
        stops = self.fills.first_past(add_months(self.known_at, until))
        shape = (n_sets, len(self.known_at))
        return unite(
            self.fills,
            np.broadcast_to(starts, shape),
            np.broadcast_to(stops, shape),
            np.broadcast_to(self.counts, shape),
            np.broadcast_to(self.fills.first_after(self.known_from), (n_sets,)),
        )
