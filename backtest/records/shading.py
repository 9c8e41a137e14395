"""Times to shade: when the central bank was cutting, and when there was a recession; both after the fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from backtest.analysis.cycles import cutting_cycles
from backtest.dates import month_start
from backtest.market.catalogue import entry

if TYPE_CHECKING:
    from backtest.dates import Days
    from backtest.runs import Run

Spans: TypeAlias = "list[tuple[np.datetime64, np.datetime64]]"
"""First and last day of each."""


def _inside(spans: Spans, result: Run) -> Spans:
    first, last = np.datetime64(result.start), np.datetime64(result.end)
    return [(max(a, first), min(b, last)) for a, b in spans if b >= first and a <= last]


def cuts(result: Run) -> Spans:
    """Return the rows of cuts without a rise in between that the run saw; none without a policy rate."""
    policy = result.market.policy
    if policy is None:
        return []
    target = result.market.observations[policy]
    return _inside(cutting_cycles(target.known_at, target.values), result)


def recession_turns(result: Run) -> tuple[Days, np.ndarray] | None:
    """Return from which days on a recession is on (1) or off (0), as known today; None where nothing says."""
    for id, series in result.market.hindsight.items():
        # A turning point belongs to what it ends: the recession begins in the month after the peak.
        shift = 1 if entry(id).frequency == "irregular" else 0
        return month_start(series.dates, shift), series.values
    return None


def recessions(result: Run) -> Spans:
    """Return the recessions that the run saw, by the months of their turning points."""
    turns = recession_turns(result)
    if turns is None:
        return []
    dates, values = turns
    changes = np.flatnonzero(np.diff(np.r_[0, values > 0.5]))
    days = [*dates[changes], np.datetime64(result.end) + 1]
    return _inside([(days[i], days[i + 1] - 1) for i in range(0, len(days) - 1, 2)], result)
