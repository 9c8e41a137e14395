"""Regression of excess returns on the benchmark's, with errors that respect autocorrelation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    meat = n * long_run_variance(scores, newey_west_lags(n))
    error = math.sqrt((bread @ meat @ bread)[0, 0])
    tstat = float(intercept) / error
    return Alpha(float(intercept * ppy), float(slope), tstat, math.erfc(abs(tstat) / math.sqrt(2.0)))


@dataclass(frozen=True, eq=False)
class Fit:
    """A least-squares fit with Newey-West errors: one entry for each column of the design.

    ``coefficients``, ``errors``, ``tstats`` and ``pvalues`` (two-sided, normal) are (k,); ``n`` counts rows.
    """

    coefficients: Floats
    errors: Floats
    tstats: Floats
    pvalues: Floats
    n: int


def fit(y: Floats, design: Floats) -> Fit:
    """Regress (n,) ``y`` on the columns of (n, k) ``design``, a constant among them if there is to be one.

    Errors as in ``alpha``. All NaN where the columns do not allow a fit or there are no more rows than
    columns.
    """
    n, k = design.shape
    nans = np.full(k, float("nan"))
    if n <= k or np.linalg.matrix_rank(design) < k:
        return Fit(nans, nans, nans, nans, n)
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ (design.T @ y)
    scores = design * (y - design @ coefficients)[:, None]
    errors = np.sqrt(np.diag(bread @ (n * long_run_variance(scores, newey_west_lags(n))) @ bread))
    tstats = np.divide(coefficients, errors, out=nans.copy(), where=errors > 0)
    pvalues = np.array([math.erfc(abs(t) / math.sqrt(2.0)) for t in tstats])
    return Fit(coefficients, errors, tstats, pvalues, n)
