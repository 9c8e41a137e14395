"""What the best of many trials is worth: the deflated Sharpe ratio and the effective number of trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.superior import persistence
from backtest.errors import UsageError

if TYPE_CHECKING:
    from backtest.dates import Floats


@dataclass(frozen=True)
class Deflated:
    """A Sharpe ratio held against the best that luck alone would give among as many trials.

    Parameters
    ----------
    sharpe
        The winner's Sharpe ratio a bar, not annualised.
    threshold
        The Sharpe ratio a bar to expect of the best of ``trials`` worthless trials.
    probability
        The probability that the true Sharpe ratio lies above the threshold; NaN where not defined.
    trials
        How many trials were counted.
    """

    sharpe: float
    threshold: float
    probability: float
    trials: float


def skewness(values: Floats) -> float:
    """Return the third standardised moment of (n,) values; NaN where they do not vary."""
    return _moment(values, 3)


def kurtosis(values: Floats) -> float:
    """Return the fourth standardised moment of (n,) values, 3 for the normal; NaN where they do not vary."""
    return _moment(values, 4)


def _moment(values: Floats, order: int) -> float:
    deviations = values - values.mean()
    spread = math.sqrt(float((deviations**2).mean()))
    return float((deviations**order).mean()) / spread**order if spread > 0.0 else math.nan


def expected_maximum(trials: float, deviation: float) -> float:
    """Return the largest of so many independent normal draws with mean 0, in expectation.

    Parameters
    ----------
    trials
        How many draws, 1 or more, whole or not; one draw has expectation 0, and more never less.
    deviation
        Their standard deviation.

    Notes
    -----
    Equation 1 of Bailey and Lopez de Prado (2014), The deflated Sharpe ratio, Journal of Portfolio Management
    40(5): an approximation from extreme value theory, good for more than a handful of draws.
    """
    from scipy.special import ndtri

    if trials < 1:
        raise UsageError(f"the number of trials must be 1 or more, not {trials:g}")
    if trials == 1:
        return 0.0
    gamma = float(np.euler_gamma)
    upper, further = -float(ndtri(1.0 / trials)), -float(ndtri(1.0 / (trials * math.e)))
    # Close to one draw the approximation falls below 0, without a bound: it is for more.
    return deviation * max((1.0 - gamma) * upper + gamma * further, 0.0)


def probabilistic_sharpe(sharpe: float, threshold: float, n: float, skew: float, kurt: float) -> float:
    """Return the probability that the true Sharpe ratio exceeds a threshold.

    Both ratios are a bar, not annualised, estimated from ``n`` returns (or what they amount to) with this
    skewness and kurtosis (3 for normal returns). Bailey and Lopez de Prado (2012), The Sharpe ratio efficient
    frontier, Journal of Risk 15(2). NaN where it is not defined.
    """
    from scipy.special import ndtr

    variance = 1.0 - skew * sharpe + (kurt - 1.0) / 4.0 * sharpe**2
    if not variance > 0.0 or n < 2:
        return math.nan
    return float(ndtr((sharpe - threshold) * math.sqrt((n - 1) / variance)))


def deflated_sharpe(winner: Floats, deviation: float, trials: float) -> Deflated:
    """Return the deflated Sharpe ratio of the best of many trials.

    Parameters
    ----------
    winner
        (n,) returns of the winner above the benchmark's. Above cash a rise of the whole market would count as
        an edge, and the best of worthless rotations have one nearly always.
    deviation
        Standard deviation of the same ratio, a bar, across all trials.
    trials
        How many trials there were.

    Notes
    -----
    Bailey and Lopez de Prado (2014). The null hypothesis is that no trial has any edge. Where each return
    keeps a part r of the one before, n of them tell no more than n (1 - r) / (1 + r) that do not (Lo 2002,
    The statistics of Sharpe ratios, Financial Analysts Journal 58(4)).
    """
    spread = float(winner.std(ddof=1)) if len(winner) > 1 else 0.0
    threshold = expected_maximum(trials, deviation)
    if not spread > 0.0:
        return Deflated(math.nan, threshold, math.nan, trials)
    sharpe = float(winner.mean()) / spread
    lingers = max(float(persistence(winner[None])[0]), 0.0)
    n = len(winner) * (1.0 - lingers) / (1.0 + lingers)
    probability = probabilistic_sharpe(sharpe, threshold, n, skewness(winner), kurtosis(winner))
    return Deflated(sharpe, threshold, probability, trials)


def effective_trials(returns: Floats) -> float:
    """Return how many independent trials the correlated ones amount to.

    Parameters
    ----------
    returns
        (n_trials, n) returns; trials that do not vary are left out.

    Returns
    -------
    float
        From 1 (all trials are one) to their number (no two have anything in common); 0 without any.

    Notes
    -----
    ``(sum of sqrt(l))^2 / sum of l`` over the eigenvalues l of the trials' correlation matrix (Galwey 2009,
    A new measure of the effective number of tests, Genetic Epidemiology 33). k groups of identical trials,
    no two groups alike, count as k, if the groups are of one size. It cannot exceed
    the number of returns less 1.
    """
    centred = returns - returns.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).sum(axis=1))
    size = np.abs(returns).max(axis=1) * math.sqrt(returns.shape[1])
    standard = centred[spread > 1e-12 * size] / spread[spread > 1e-12 * size, None]
    if len(standard) == 0:
        return 0.0
    # The eigenvalues of the correlation matrix are the squares of these; the smaller matrix is decomposed.
    gram = standard @ standard.T if len(standard) <= standard.shape[1] else standard.T @ standard
    eigenvalues = np.linalg.eigvalsh(gram)
    eigenvalues = eigenvalues[eigenvalues > 1e-12 * eigenvalues.max()]
    return float(np.sqrt(eigenvalues).sum() ** 2 / eigenvalues.sum())
