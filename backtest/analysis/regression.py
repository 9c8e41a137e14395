"""Regression of excess returns on the benchmark's, with errors that respect autocorrelation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Floats


@dataclass(frozen=True)
class Alpha:
    """An intercept and a slope.

    ``alpha`` is a year's, ``tstat`` and ``pvalue`` (two-sided, normal) are those of the intercept.
    """

    alpha: float
    beta: float
    tstat: float
    pvalue: float


def newey_west_lags(n: int) -> int:
    """Return floor(4 (n / 100)^(2/9)), the number of lags (Newey and West 1994)."""
    return math.floor(4.0 * (n / 100.0) ** (2.0 / 9.0))


def alpha(returns: Floats, benchmark: Floats, risk_free: Floats, ppy: float) -> Alpha:
    """Regress excess returns on the benchmark's excess returns.

    Ordinary least squares; the intercept's standard error after Newey and West (1987), Bartlett weights, no
    small-sample correction, as ``statsmodels`` gives it with ``cov_type="HAC"``.

    Returns
    -------
    Alpha
        All NaN for fewer than two returns or a benchmark that never moves. A series that is the benchmark
        has alpha 0 and beta 1; where the fit is exact there is no error to test against, and ``tstat`` and
        ``pvalue`` are NaN.
    """
    nan = float("nan")
    n = len(returns)
    if np.array_equal(returns, benchmark):
        return Alpha(0.0, 1.0, nan, nan)
    y, x = returns - risk_free, benchmark - risk_free
    design = np.column_stack([np.ones(n), x])
    if n < 2 or np.ptp(x) <= 1e-15 * np.abs(x).max():
        return Alpha(nan, nan, nan, nan)
    bread = np.linalg.inv(design.T @ design)
    intercept, slope = bread @ (design.T @ y)
    residuals = y - intercept - slope * x
    if n < 3 or float(residuals @ residuals) <= 1e-24 * float(y @ y):
        return Alpha(float(intercept * ppy), float(slope), nan, nan)
    scores = design * residuals[:, None]
    meat = scores.T @ scores
    lags = newey_west_lags(n)
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    error = math.sqrt((bread @ meat @ bread)[0, 0])
    tstat = float(intercept) / error
    return Alpha(float(intercept * ppy), float(slope), tstat, math.erfc(abs(tstat) / math.sqrt(2.0)))
