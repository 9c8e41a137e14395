"""Margin arithmetic: what a gain of profit margin does to earnings when sales stay as they are."""

from __future__ import annotations

from backtest.errors import UsageError


def earnings_change(margin: float, gain: float) -> float:
    """Return the change of earnings, as a fraction, when the net margin rises by ``gain``; both decimal.

    Raises
    ------
    UsageError
        When the margin is not above 0 (a loss has no percentage change) or not below 1.
    """
    if not 0.0 < margin < 1.0:
        raise UsageError(f"the margin must lie between 0 and 1, such as 0.06, not {margin:g}")
    return gain / margin


def implied_margin(gain: float, change: float) -> float:
    """Return the net margin at which a gain of ``gain`` changes earnings by ``change``; all decimal.

    Raises
    ------
    UsageError
        When no margin between 0 and 1 does.
    """
    if change == 0.0 or not 0.0 < gain / change < 1.0:
        raise UsageError(
            f"no margin turns a gain of {gain * 1e4:g} basis points into {change:+.0%} of earnings"
        )
    return gain / change
