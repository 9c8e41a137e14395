"""Long-run variance, and least squares with errors made of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.analysis.regression import newey_west_lags

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
