"""Long-run variance of a series whose terms hang together over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtr, stdtrit

if TYPE_CHECKING:
    from backtest.dates import Floats


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


def cosine_covariance(scores: Floats) -> tuple[Floats, int]:
    """Return the long-run covariance (k, k) of (n, k) scores, and the degrees of freedom of a t made with it.

    The mean of the squares of ``freedom = 0.4 n^(2/3)`` cosine-weighted sums (Mueller 2004; the number after
    Lazarus, Lewis, Stock and Watson 2018). The slowest cosines have no mean, so the scores need not be
    demeaned.
    """
    n = len(scores)
    freedom = max(1, math.floor(0.4 * n ** (2.0 / 3.0)))
    steps = (np.arange(n) + 0.5) / n
    sums = np.cos(np.pi * np.outer(np.arange(1, freedom + 1), steps)) @ scores * math.sqrt(2.0 / n)
    return sums.T @ sums / freedom, freedom


def two_sided(tstat: float, freedom: float) -> float:
    """Return the two-sided p-value of a statistic with Student's t distribution; NaN stays NaN."""
    return float(2.0 * stdtr(freedom, -abs(tstat)))


def critical(freedom: float) -> float:
    """Return how many errors to either side hold 95% of Student's t distribution."""
    return float(stdtrit(freedom, 0.975))
