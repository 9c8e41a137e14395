"""Long-run variance: how far the mean of values that hang together over time strays from the truth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

if TYPE_CHECKING:
    from backtest.dates import Floats

LEVEL = 0.95
"""What an interval is to cover."""

WAVES = 16
"""Cosines of ``slow_error``: what turns more slowly than once in an eighth of the sample is seen as such."""


def newey_west_lags(n: int) -> int:
    """Return floor(4 (n / 100)^(2/9)), the number of lags (Newey and West 1994)."""
    return math.floor(4.0 * (n / 100.0) ** (2.0 / 9.0))


def long_run_variance(scores: Floats, lags: int) -> Any:
    """Return the long-run variance of (n,) or (n, k) scores with Bartlett weights (Newey and West 1987).

    A float, or (k, k). The scores are not demeaned.
    """
    n = len(scores)
    total = scores.T @ scores
    for lag in range(1, min(lags, n - 1) + 1):
        cross = scores[lag:].T @ scores[:-lag]
        total = total + (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    return total / n


def cosine_covariance(scores: Floats, cosines: int | None = None) -> tuple[Floats, int]:
    """Return the long-run covariance (k, k) of (n, k) scores, and the degrees of freedom of a t made with it.

    The mean of the squares of ``freedom`` cosine-weighted sums (Mueller 2004), as many as ``cosines`` or,
    after Lazarus, Lewis, Stock and Watson (2018), 0.4 n^(2/3). The slowest cosines have no mean, so the
    scores need not be demeaned.
    """
    n = len(scores)
    freedom = cosines or max(1, math.floor(0.4 * n ** (2.0 / 3.0)))
    steps = (np.arange(n) + 0.5) / n
    sums = np.cos(np.pi * np.outer(np.arange(1, freedom + 1), steps)) @ scores * math.sqrt(2.0 / n)
    return sums.T @ sums / freedom, freedom


def two_sided(tstat: float, freedom: float) -> float:
    """Return the two-sided p-value of a statistic with Student's t distribution; NaN stays NaN."""
    return float(2.0 * stdtr(freedom, -abs(tstat)))


def critical(freedom: float) -> float:
    """Return how many errors to either side hold 95% of Student's t distribution."""
    return float(stdtrit(freedom, 0.975))


class Error(NamedTuple):
    """A standard error and the degrees of freedom of its t distribution; NaN where there is none."""

    size: float
    freedom: float

    def reach(self) -> float:
        """Return half the width of the interval."""
        return self.size * float(stdtrit(self.freedom, (1.0 + LEVEL) / 2.0))

    def pvalue(self, estimate: float) -> float:
        """Return the two-sided p-value of an estimate against zero; NaN where the error is 0 or NaN."""
        if not self.size > 0.0:
            return math.nan
        return two_sided(estimate / self.size, self.freedom)

    def visible(self) -> float:
        """Return the smallest effect that a two-sided test would have found four times in five."""
        return self.reach() + self.size * float(stdtrit(self.freedom, 0.8))


def prewhitened_error(values: Floats) -> Error:
    """Return the standard error of the mean of (n,) values of mean 0.

    What each value keeps of the one before is taken out first and put back into the variance afterwards
    (Andrews and Monahan 1992; the coefficient is relieved of its bias, Kendall 1954); what is left has the
    variance of Newey and West (1987). The degrees of freedom are those of so many normal values as have the
    kurtosis of these: a mean that hangs on a few bars has few.
    """
    n = len(values)
    squares = values * values
    total = float(squares.sum())
    if n < 8 or not total > 0.0:
        return Error(math.nan, math.nan)
    kept = float(values[1:] @ values[:-1]) / float(values[:-1] @ values[:-1] or math.inf)
    kept = min(max(kept + (1.0 + 3.0 * kept) / n, -0.9), 0.9)
    fresh = values[1:] - kept * values[:-1]
    variance = float(long_run_variance(fresh, newey_west_lags(n))) * len(fresh) / n
    # A fit has used up degrees of freedom that its residuals no longer show.
    size = math.sqrt(max(variance, 0.0) / (n - 1.0)) / (1.0 - kept)
    effective = 3.0 * total**2 / float(squares @ squares)
    return Error(size, max(effective - 2.0, 3.0))


def slow_error(values: Floats) -> Error:
    """Return the standard error of the mean of (n,) values of mean 0 by its slowest movements.

    The variance is the mean square of the values' products with ``WAVES`` cosines of half a turn, one turn,
    one and a half and so on (Lazarus, Lewis, Stock and Watson 2018, HAR inference, JBES 36): clusters that
    last for years are seen, where Newey and West look a few bars back. With few episodes in the values it
    sees too little.
    """
    n = len(values)
    waves = min(WAVES, n // 3)
    if waves < 3:
        return Error(math.nan, math.nan)
    variance, freedom = cosine_covariance(values[:, None], waves)
    return Error(math.sqrt(float(variance[0, 0]) / n), float(freedom))
