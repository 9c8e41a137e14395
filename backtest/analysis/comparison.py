"""Two runs side by side: whether their Sharpe ratios differ by more than noise, how alike they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.bootstrap import FEWEST, RESAMPLES, SEED, block_length
from backtest.analysis.regression import newey_west_lags

if TYPE_CHECKING:
    from backtest.dates import Floats


@dataclass(frozen=True)
class SharpeDifference:
    """The Sharpe ratio of one series less that of another, a year, and the p-value of no difference."""

    difference: float
    low: float
    high: float
    pvalue: float


def _gradient(means: Floats) -> Floats:
    """Return the derivative of mean1/sd1 - mean2/sd2 by the moments (m1, m2, s1, s2); s are mean squares."""
    m1, m2, s1, s2 = means
    v1, v2 = (s1 - m1 * m1) ** 1.5, (s2 - m2 * m2) ** 1.5
    return np.array([s1 / v1, -s2 / v2, -0.5 * m1 / v1, 0.5 * m2 / v2])


def _difference(means: Floats) -> float:
    m1, m2, s1, s2 = means
    return float(m1 / np.sqrt(s1 - m1 * m1) - m2 / np.sqrt(s2 - m2 * m2))


def sharpe_error(a: Floats, b: Floats) -> float:
    """Return the standard error of the difference of two Sharpe ratios, a bar, by the delta method.

    ``a`` and ``b`` are (n,) excess returns over the same bars. The covariance of the moments is that of Newey
    and West (1987), as in ``regression`` (Ledoit and Wolf 2008, section 3.1).
    """
    n = len(a)
    columns = np.column_stack([a, b, a * a, b * b])
    means = columns.mean(axis=0)
    y = columns - means
    lags = newey_west_lags(n)
    covariance = y.T @ y / n
    for lag in range(1, lags + 1):
        cross = y[lag:].T @ y[:-lag] / n
        covariance += (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    gradient = _gradient(means)
    return float(np.sqrt(max(gradient @ covariance @ gradient, 0.0) / n))


def sharpe_difference(
    a: Floats, b: Floats, ppy: float, *, resamples: int = RESAMPLES, seed: int = SEED
) -> SharpeDifference:
    """Test whether two Sharpe ratios differ (Ledoit and Wolf 2008, section 3.2).

    The difference over its own standard error is drawn in circular blocks, each resample with an error of its
    own; the p-value is the share of resamples whose distance from the observed difference is as large as that
    one's from zero, and the interval covers 95%. All but the difference is NaN for fewer than 24 bars or
    series that do not differ.

    Parameters
    ----------
    a, b
        (n,) float64: excess returns over the same bars.
    ppy
        Bars a year; the difference and its interval are a year's.
    """
    nan = float("nan")
    n, root = len(a), ppy**0.5
    columns = np.column_stack([a, b, a * a, b * b])
    means = columns.mean(axis=0)
    if min(means[2] - means[0] ** 2, means[3] - means[1] ** 2) <= 1e-14 * max(means[2:]):
        return SharpeDifference(nan, nan, nan, nan)
    # The sample standard deviation has ddof 1, the moments have not.
    observed = _difference(means)
    scale = np.sqrt((n - 1.0) / n) * root
    if n < FEWEST or np.ptp(a - b) <= 1e-12 * np.abs(a).max():
        return SharpeDifference(observed * scale, nan, nan, nan)
    error = sharpe_error(a, b)
    if error == 0.0:
        return SharpeDifference(observed * scale, nan, nan, nan)

    block = max(1, round(block_length([a, b])))
    around = np.concatenate([columns, columns[: block - 1]])
    running = np.concatenate([np.zeros((1, 4)), np.cumsum(around - means, axis=0)])
    sums = running[block:] - running[:-block]  # of each block, around the mean of all bars
    count = n // block
    starts = np.random.default_rng(seed).integers(0, n, size=(resamples, count))
    distances = np.empty(resamples)
    for i, drawn in enumerate(sums[row] for row in starts):
        moved = drawn.mean(axis=0) / block
        centred = (drawn - block * moved) / np.sqrt(block)
        covariance = centred.T @ centred / count
        gradient = _gradient(means + moved)
        own = np.sqrt(max(gradient @ covariance @ gradient, 0.0) / (count * block))
        distances[i] = abs(_difference(means + moved) - observed) / own if own > 0.0 else np.inf
    pvalue = (1.0 + np.sum(distances >= abs(observed) / error)) / (resamples + 1.0)
    with np.errstate(invalid="ignore"):  # series that differ in a few bars only: most resamples have none
        reach = float(np.quantile(distances, 0.95)) * error
    low, high = (observed - reach) * scale, (observed + reach) * scale
    return SharpeDifference(observed * scale, low, high, float(pvalue))


def agreement(a: Floats, b: Floats) -> Floats:
    """Return the part of the value that two portfolios hold alike at each bar, (n_bars,), from 0 to 1.

    ``a`` and ``b`` are (n_bars, n_sleeves) weights of the same sleeves.
    """
    return 1.0 - np.abs(a - b).sum(axis=1) / 2.0
