"""The policy rate: its changes as they became known, and the first cut after a pause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months
from backtest.signals.events import Events
from backtest.signals.windows import once_each

if TYPE_CHECKING:
    from backtest.dates import Fills
    from backtest.observations import Observations

# Targets are published in decimals: 1.6 - 1.5 must count as a cut of 0.1.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class PolicyRate:
    """A central bank's target, in percent, as it became known.

    Parameters
    ----------
    fills
        The fills at which a strategy may act.
    target
        The target's observations: its first level, then at least every change.
    """

    fills: Fills
    target: Observations

    @once_each
    def first_cuts(self, quiet: Any, at_least: Any) -> Events:
        """Return the cuts that no other cut precedes by less than ``quiet`` months.

        A first cut is a fall of the target of at least ``at_least`` percentage points (any fall where
        that is 0) on day k, with no such fall on a day after ``k - quiet`` months, all of those months
        observed. With ``quiet`` 0 every cut counts. It needs ``quiet`` months of history.

        ``quiet`` (whole months) and ``at_least`` are one value or a row of them.
        """
        quiet = np.atleast_1d(quiet)[:, None]
        at_least = np.atleast_1d(at_least)[:, None]
        fall = -np.diff(self.target.values)
        known_at = self.target.known_at[1:]
        cut = (fall > 0) & (fall >= at_least - _ROUNDING)

        never = np.datetime64("0001-01-01")
        latest = np.maximum.accumulate(np.where(cut, known_at, never), axis=1)
        previous = np.c_[np.full(len(cut), never), latest[:, :-1]]
        quiet_since = add_months(known_at, -quiet)
        beginning = self.target.known_at[0]
        first = cut & (previous <= quiet_since) & (beginning <= quiet_since)
        known_from = np.broadcast_to(add_months(beginning, quiet)[:, 0], (len(first),))
        return Events(self.fills, known_at, first, known_from)
