"""Superior predictive ability: whether any of many strategies beats the benchmark, and which do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints

FEWEST_BLOCKS = 12
"""Blocks with fewer of which nothing is said."""

_GROUP = 1024  # strategies whose resampled statistics are kept at a time
_STEEPEST = 0.9  # the largest autocorrelation, either way, that is taken out
_LEVEL = 0.05  # StepM's chance of naming even one wrongly
_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Superior:
    """What the tests of Hansen and of Romano and Wolf say.

    Parameters
    ----------
    pvalue
        Hansen's consistent p-value: how likely the best would look this good, were none better than the
        benchmark; NaN where no strategy differs from it, and for fewer than 12 blocks.
    better
        (n_better,) int64: those better than the benchmark by StepM, which names even one wrongly with a
        chance of 5%.
    strategies
        How many were tested.
    hurdle
        The t-statistic above which StepM names a strategy in its first step; NaN where ``pvalue`` is.
    """

    pvalue: float
    better: Ints
    strategies: int
    hurdle: float


def persistence(gains: Floats) -> Floats:
    """Return the first autocorrelation of each row of (k, n) gains, (k,), within 0.9 of zero; 0 for none."""
    around = gains - gains.mean(axis=1, keepdims=True)
    square = (around**2).sum(axis=1)
    product = (around[:, 1:] * around[:, :-1]).sum(axis=1)
    there = square > 0.0
    found = np.divide(product, square, out=np.zeros(len(gains)), where=there)
    return found.clip(-_STEEPEST, _STEEPEST)


def settled(gains: Floats) -> Floats:
    """Return what the test needs of gains: their sums over blocks of months, without their own memory.

    Parameters
    ----------
    gains
        (k, n) returns above the benchmark's, decimal, a column a month.

    Returns
    -------
    (k, n_blocks) float64. Each row's first autocorrelation is taken out (``g[t] - r g[t-1]``, which keeps the
    sign of the mean), and what is left is summed over about ``n^(1/3)`` months at a time: so sums of
    different blocks have next to nothing to do with each other, even where returns linger.
    """
    n = gains.shape[1] - 1
    if n < 1:
        return np.zeros((len(gains), 0))
    rest = gains[:, 1:] - persistence(gains)[:, None] * gains[:, :-1]
    n_blocks = max(n // max(round(n ** (1.0 / 3.0)), 1), 1)
    edges = np.round(np.linspace(0, n, n_blocks + 1)).astype(np.int64)
    return np.add.reduceat(rest, edges[:-1], axis=1)


def _resampled(blocks: Floats, draws: Floats) -> Floats:
    """Return the statistic of each row in each resample, as if its mean were zero, (n_draws, k)."""
    around = blocks - blocks.mean(axis=1, keepdims=True)
    # A resample of nothing but blocks apart from which nothing varies has no error to hold its mean against.
    least = _NOTHING * (around**2).sum(axis=1)
    errors = draws @ (around**2).T
    np.sqrt(np.maximum(errors, least, out=errors), out=errors)
    means = draws @ around.T
    means /= errors
    return means


def superior(blocks: Floats, *, repetitions: int = 1000, seed: int = 0) -> Superior:
    """Test whether any of many strategies has a mean gain above zero, and name those that do.

    Parameters
    ----------
    blocks
        (k, n_blocks) float64: ``settled`` gains of all strategies that were tried, whatever they gave: chosen
        by what they gave, the best of more are held against the luck of fewer.
    repetitions, seed
        Of the bootstrap.

    Notes
    -----
    Hansen (2005), A test for superior predictive ability, Journal of Business and Economic Statistics 23;
    Romano and Wolf (2005), Stepwise multiple testing as formalized data snooping, Econometrica 73. Both take
    the highest statistic of all strategies, in the sample and in every resample as if no mean were above
    zero. The statistic is a sum over the root of the summed squares, which rises with the t-statistic of the
    mean. In a resample the squares are those of the resample (Gotze and Kunsch 1996, Second-order correctness
    of the blockwise bootstrap for stationary observations, Annals of Statistics 24): divided by the sample's,
    as Hansen has it, the best of many is called superior too often. A resample draws as many blocks as there
    are, the same for all strategies; the sample itself counts as one. A strategy that never differs from the
    benchmark is left out. Hansen drops from the null those that are worse than the benchmark beyond doubt;
    StepM does not.
    """
    n_blocks = blocks.shape[1]
    squares = (blocks**2).sum(axis=1)
    differs = np.flatnonzero(squares > _NOTHING**2)
    if len(differs) == 0 or n_blocks < FEWEST_BLOCKS:
        return Superior(math.nan, differs[:0], len(blocks), math.nan)
    statistics = blocks[differs].sum(axis=1) / np.sqrt(squares[differs])
    random = np.random.default_rng(seed)
    draws = random.multinomial(n_blocks, np.full(n_blocks, 1.0 / n_blocks), repetitions).astype(np.float64)
    bad = statistics < -math.sqrt(2.0 * math.log(math.log(n_blocks)))
    rest, hopeful = np.ones(len(differs), dtype=bool), np.zeros(repetitions)
    groups = [slice(begin, begin + _GROUP) for begin in range(0, len(differs), _GROUP)]
    highest = np.empty((repetitions, len(groups)))
    for which, group in enumerate(groups):
        drawn = _resampled(blocks[differs[group]], draws)
        highest[:, which] = drawn.max(axis=1)
        drawn[:, bad[group]] = -np.inf
        np.maximum(hopeful, drawn.max(axis=1), out=hopeful)
    best = max(float(statistics.max()), 0.0)
    pvalue = (1.0 + np.count_nonzero(hopeful >= best - _NOTHING)) / (1.0 + repetitions)
    place = -max(int(_LEVEL * (1 + repetitions)), 1)
    first = limit = float(np.sort(highest.max(axis=1))[place])
    while (more := rest & (statistics > limit + _NOTHING)).any():
        rest &= ~more
        if not rest.any():
            break
        for which, group in enumerate(groups):
            if more[group].any():  # the others have lost none of their strategies
                left = differs[group][rest[group]]
                drawn = _resampled(blocks[left], draws)
                highest[:, which] = drawn.max(axis=1, initial=-np.inf)
        limit = float(np.sort(highest.max(axis=1))[place])
    hurdle = first * math.sqrt((n_blocks - 1.0) / max(n_blocks - first**2, _NOTHING))
    return Superior(pvalue, differs[~rest], len(blocks), hurdle)
