"""Measures of a return series, one pure function each.

Throughout, ``returns``, ``risk_free`` and ``benchmark`` are (n,) float64 of simple, decimal returns over the
same bars, without missing values (a NaN in gives a NaN out), and ``ppy`` is the number of bars a year. A
measure that is not defined, such as a ratio over a deviation of zero, is NaN. Standard deviations have
``ddof=1``. No measure assumes a frequency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Floats


def years(dates: Days, frequency: str) -> float:
    """Return the length in years of the returns between the first and the last of (n + 1,) dates.

    Monthly: n / 12. Daily: calendar days over 365.2425.
    """
    if frequency == "monthly":
        return (len(dates) - 1) / 12.0
    return float((dates[-1] - dates[0]).astype(int)) / 365.2425


def total_return(returns: Floats) -> float:
    """Return product(1 + r) - 1."""
    return float(np.prod(1.0 + returns) - 1.0)


def cagr(returns: Floats, n_years: float) -> float:
    """Return the compound growth a year: (1 + total return)^(1 / years) - 1."""
    # From the product itself: 1 + (product - 1) has lost the digits of a portfolio that is nearly gone.
    return float(np.prod(1.0 + returns) ** (1.0 / n_years) - 1.0)


def deviation(returns: Floats) -> float:
    """Return the sample standard deviation of a bar; NaN for fewer than two returns.

    A series that only differs in its last bits, as a constant one may, deviates by exactly 0.
    """
    if len(returns) < 2:
        return float("nan")
    if np.ptp(returns) <= 1e-15 * np.abs(returns).max():
        return 0.0
    return float(np.std(returns, ddof=1))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator != 0.0 else float("nan")


def volatility(returns: Floats, ppy: float) -> float:
    """Return the annualised standard deviation."""
    return deviation(returns) * ppy**0.5


def sharpe(returns: Floats, risk_free: Floats, ppy: float) -> float:
    """Return the annualised mean excess return over its standard deviation (Sharpe 1994)."""
    excess = returns - risk_free
    return _ratio(float(excess.mean()), deviation(excess)) * ppy**0.5


def sortino(returns: Floats, risk_free: Floats, ppy: float) -> float:
    """Return the annualised mean excess return over the downside deviation, all bars counted."""
    excess = returns - risk_free
    downside = float(np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2)))
    return _ratio(float(excess.mean()), downside) * ppy**0.5


def drawdowns(returns: Floats) -> Floats:
    """Return the (n + 1,) fall from the highest value so far, starting value included; 0 or negative."""
    value = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    return value / np.maximum.accumulate(value) - 1.0


def max_drawdown(returns: Floats) -> float:
    """Return the deepest drawdown; negative, 0 where there is none."""
    return float(drawdowns(returns).min())


def calmar(returns: Floats, n_years: float) -> float:
    """Return the compound growth a year over the size of the deepest drawdown."""
    return _ratio(cagr(returns, n_years), abs(max_drawdown(returns)))


def tracking_error(returns: Floats, benchmark: Floats, ppy: float) -> float:
    """Return the annualised standard deviation of the difference from the benchmark."""
    return volatility(returns - benchmark, ppy)


def information_ratio(returns: Floats, benchmark: Floats, ppy: float) -> float:
    """Return the annualised mean difference from the benchmark over its standard deviation."""
    return sharpe(returns, benchmark, ppy)


def _capture(returns: Floats, benchmark: Floats, chosen: Bools) -> float:
    if not chosen.any():
        return float("nan")
    n = int(chosen.sum())
    return _ratio(cagr(returns[chosen], n), cagr(benchmark[chosen], n))


def up_capture(returns: Floats, benchmark: Floats) -> float:
    """Return the compound return a bar over the benchmark's, over the bars in which that one rose."""
    return _capture(returns, benchmark, benchmark > 0.0)


def down_capture(returns: Floats, benchmark: Floats) -> float:
    """Return the compound return a bar over the benchmark's, over the bars in which that one fell."""
    return _capture(returns, benchmark, benchmark < 0.0)
