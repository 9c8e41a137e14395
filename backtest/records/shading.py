"""Times to shade: when the central bank was cutting, and when there was a recession; both after the fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from backtest.analysis.regimes import cutting_cycles
from backtest.dates import month_start
from backtest.market.catalogue import entry

if TYPE_CHECKING:
    from backtest.dates import Days
    from backtest.market.data import MarketData

Spans: TypeAlias = "list[tuple[np.datetime64, np.datetime64]]"
"""First and last day of each."""


def _inside(spans: Spans, dates: Days) -> Spans:
    first, last = dates[0], dates[-1]
    return [(max(a, first), min(b, last)) for a, b in spans if b >= first and a <= last]


def cuts(market: MarketData, dates: Days) -> Spans:
    """Return the rows of cuts without a rise in between within dates; none without a policy rate."""
    if market.policy is None:
        return []
    target = market.observations[market.policy]
    return _inside(cutting_cycles(target.known_at, target.values), dates)


def recession_turns(market: MarketData) -> tuple[Days, np.ndarray] | None:
    """Return from which days on a recession is on (1) or off (0), as known today; None where nothing says."""
    for id, series in market.hindsight.items():
        # A turning point belongs to what it ends: the recession begins in the month after the peak.
        shift = 1 if entry(id).frequency == "irregular" else 0
        return month_start(series.dates, shift), series.values
    return None


def recessions(market: MarketData, dates: Days) -> Spans:
    """Return the recessions within dates, by the months of their turning points."""
    turns = recession_turns(market)
    if turns is None:
        return []
    begins, values = turns
    changes = np.flatnonzero(np.diff(np.r_[0, values > 0.5]))
    days = [*begins[changes], dates[-1] + 1]
    return _inside([(days[i], days[i + 1] - 1) for i in range(0, len(days) - 1, 2)], dates)
