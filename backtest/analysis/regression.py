"""Regressions of returns: alpha, loadings, means by group, with errors that respect autocorrelation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.long_run import Error, long_run_variance, newey_west_lags, prewhitened_error

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints


@dataclass(frozen=True)
class Alpha:
    """An intercept and a slope.

    ``alpha`` is a year's; ``tstat`` (Newey-West), ``pvalue`` (two-sided, see ``Fit``) and ``error``, also a
    year's, are those of the intercept.
    """

    alpha: float
    beta: float
    tstat: float
    pvalue: float
    error: Error


NO_ERROR = Error(float("nan"), float("nan"))


@dataclass(frozen=True, eq=False)
class Fit:
    """An ordinary least-squares fit.

    Parameters
    ----------
    coefficients, errors
        (k,) float64: one of each for every column of the design; all errors NaN where the fit is exact. The
        errors are those of Newey and West, as everybody prints them.
    tested
        For each coefficient the error on which p-values and intervals rest: prewhitened, with degrees of
        freedom. The errors of Newey and West with normal quantiles reject too often, 7 to 9% at 5%, where
        returns are autocorrelated.
    r_squared
        The part of the variance of y around its mean that the fit explains; NaN where y never moves.
    n
        The number of observations.
    """

    coefficients: Floats
    errors: Floats
    tested: tuple[Error, ...]
    r_squared: float
    n: int

    @property
    def tstats(self) -> Floats:
        """Coefficients over their errors, (k,); NaN where an error is 0 or NaN."""
        nan = np.full(len(self.errors), np.nan)
        return np.divide(self.coefficients, self.errors, out=nan, where=self.errors > 0.0)

    @property
    def pvalues(self) -> Floats:
        """Two-sided, (k,); NaN where there is no error."""
        pairs = zip(self.tested, self.coefficients.tolist(), strict=True)
        return np.array([error.pvalue(value) for error, value in pairs])


def least_squares(y: Floats, design: Floats) -> Fit:
    """Regress ``y`` (n,) on the columns of ``design`` (n, k); a constant is a column of ones.

    The covariance is that of Newey and West (1987): Bartlett weights, ``newey_west_lags`` lags, no
    small-sample correction, as ``statsmodels`` gives it with ``cov_type="HAC"``.

    Returns
    -------
    Fit
        All NaN where the columns depend on each other or are more than the observations; errors NaN where
        nothing is left over.
    """
    n, k = design.shape
    nan = np.full(k, np.nan)
    none = (NO_ERROR,) * k
    if n < k or np.linalg.matrix_rank(design) < k:
        return Fit(nan, nan, none, float("nan"), n)
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ (design.T @ y)
    residuals = y - design @ coefficients
    left = float(residuals @ residuals)
    around = float(np.sum((y - y.mean()) ** 2))
    r_squared = 1.0 - left / around if around > 0.0 else float("nan")
    if n <= k or left <= 1e-24 * float(y @ y):
        return Fit(coefficients, nan, none, r_squared, n)
    scores = design * residuals[:, None]
    meat = n * long_run_variance(scores, newey_west_lags(n))
    # Where next to nothing is left, rounding may take a variance below 0: it is no error then.
    errors = np.sqrt(np.maximum(np.diag(bread @ meat @ bread), 0.0))
    tested = tuple(prewhitened_error(column) for column in n * (scores @ bread).T)
    return Fit(coefficients, errors, tested, r_squared, n)


def ordinary_errors(y: Floats, design: Floats) -> Floats:
    """Return the errors of least squares as if residuals were independent and of one variance, (k,).

    For figures that others print; our own rest on ``least_squares``. As ``statsmodels`` gives them with
    ``cov_type="nonrobust"``, but NaN where the columns depend on each other or are as many as the rows.
    """
    n, k = design.shape
    if n <= k or np.linalg.matrix_rank(design) < k:
        return np.full(k, np.nan)
    bread = np.linalg.inv(design.T @ design)
    residuals = y - design @ (bread @ (design.T @ y))
    return np.sqrt(residuals @ residuals / (n - k) * np.diag(bread))


def alpha(returns: Floats, benchmark: Floats, risk_free: Floats, ppy: float) -> Alpha:
    """Regress excess returns on the benchmark's excess returns.

    Ordinary least squares; the t-statistic's error after Newey and West (1987), Bartlett weights, no
    small-sample correction, as ``statsmodels`` gives it with ``cov_type="HAC"``; the p-value as in ``Fit``.

    Returns
    -------
    Alpha
        All NaN for fewer than two returns or a benchmark that never moves. A series that is the benchmark
        has alpha 0 and beta 1; where the fit is exact there is no error to test against, and ``tstat`` and
        ``pvalue`` are NaN.
    """
    nan = float("nan")
    if np.array_equal(returns, benchmark):
        return Alpha(0.0, 1.0, nan, nan, NO_ERROR)
    y, x = returns - risk_free, benchmark - risk_free
    fit = least_squares(y, np.column_stack([np.ones(len(x)), x]))
    intercept, slope = fit.coefficients.tolist()
    error = Error(fit.tested[0].size * ppy, fit.tested[0].freedom)
    return Alpha(intercept * ppy, slope, float(fit.tstats[0]), float(fit.pvalues[0]), error)


def factor_alpha(returns: Floats, risk_free: Floats, factors: Floats) -> Fit:
    """Regress excess returns on a constant and factors, (n, k): returns of portfolios that cost nothing.

    The first coefficient is alpha a bar. With the market's excess return, SMB and HML this is the regression
    of Fama and French (1993); with momentum that of Carhart (1997).
    """
    return least_squares(returns - risk_free, np.column_stack([np.ones(len(returns)), factors]))


def group_means(values: Floats, groups: Ints, n_groups: int) -> Fit:
    """Return the mean of ``values`` (n,) in each group, with errors that respect autocorrelation.

    ``groups`` (n,) int64 counts from 0; a bar of group -1 belongs to none. It is the regression on one
    indicator a group. An empty group's mean and error are NaN, and so is the error of
    a group of one bar.
    """
    inside = groups >= 0
    counts = np.bincount(groups[inside])
    present = np.flatnonzero(counts)
    indicators = (groups[:, None] == present).astype(np.float64)
    fit = least_squares(np.where(inside, values, 0.0), indicators)
    means, errors = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    means[present] = fit.coefficients
    # A group of one bar is met exactly: nothing is left over, which ``tested`` takes for no error by itself.
    errors[present] = np.where(counts[present] > 1, fit.errors, np.nan)
    tested = [NO_ERROR] * n_groups
    for group, error in zip(present.tolist(), fit.tested, strict=True):
        tested[group] = error
    return Fit(means, errors, tuple(tested), fit.r_squared, int(inside.sum()))
