"""One alpha of several markets, with an error that knows that their months are the same months."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.long_run import Error, long_run_variance, newey_west_lags, prewhitened_error
from backtest.analysis.regression import NO_ERROR

if TYPE_CHECKING:
    from backtest.dates import Floats


@dataclass(frozen=True)
class PooledAlpha:
    """An alpha that all markets have in common, each with a beta of its own.

    Parameters
    ----------
    alpha
        Of a bar, decimal.
    tstat
        After Driscoll and Kraay (1998): sums by month, Bartlett weights, no small-sample correction.
    error
        On which the p-value and the interval rest: sums by month, prewhitened, as in ``regression.Fit``.
    months, cells
        Months in which a market has a return, and months of markets.
    """

    alpha: float
    tstat: float
    error: Error
    months: int
    cells: int

    @property
    def pvalue(self) -> float:
        """Two-sided, against 0."""
        return self.error.pvalue(self.alpha)


def pooled_alpha(excess: Floats, against: Floats) -> PooledAlpha:
    """Return the alpha of several markets.

    Parameters
    ----------
    excess, against
        (n_months, n_markets) of a strategy in each market and of its benchmark there, both less cash, simple,
        decimal; NaN where there is none. Least squares on one constant and a slope for each market.
    """
    there = np.isfinite(excess) & np.isfinite(against)
    y, x = np.where(there, excess, 0.0), np.where(there, against, 0.0)
    squares = (x * x).sum(axis=0)

    def without_slopes(values: Floats) -> Floats:
        slope = np.divide((x * values).sum(axis=0), squares, out=np.zeros_like(squares), where=squares > 0.0)
        return values - slope * x

    design, left = without_slopes(there.astype(np.float64)), without_slopes(y)
    bottom = float((design**2).sum())
    seen = there.any(axis=1)
    months = int(np.count_nonzero(seen))
    if not bottom > 1e-9 * max(1.0, there.sum()) or months < 2:
        return PooledAlpha(math.nan, math.nan, NO_ERROR, months, int(there.sum()))
    alpha = float((design * left).sum()) / bottom
    scores = (design * (left - alpha * design)).sum(axis=1)[seen] * months / bottom
    size = math.sqrt(max(float(long_run_variance(scores, newey_west_lags(months))), 0.0) / months)
    error = prewhitened_error(scores)
    exact = not float(scores @ scores) > 1e-24 * float((y * y).sum())
    return PooledAlpha(
        alpha, math.nan if exact else alpha / size, NO_ERROR if exact else error, months, int(there.sum())
    )
