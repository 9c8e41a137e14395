"""Further paths: what the deepest fall of another stretch as long as this one may be.

The deepest fall is no parameter: a path has it by chance. What is given is the range into which that of the
*next* path falls, drawn by the stationary bootstrap (Politis and Romano 1994), with the mean and the size
of the returns as uncertain as the sample leaves them. Where volatility comes in clusters the next path may
hold a storm that this one has not seen: ``HELD`` says how often the range held in simulation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.analysis.intervals import FEWEST, Influence, log_growth
from backtest.analysis.long_run import LEVEL, prewhitened_error, slow_error

if TYPE_CHECKING:
    from backtest.dates import Floats

DRAWS, FEWER, MANY_BARS = 1000, 500, 5000
"""Paths that are drawn; of more than ``MANY_BARS`` bars fewer, so that a century of days takes a second."""

SEED = 20260101

HELD = {"max_drawdown": (72, 96), "calmar": (86, 97)}
"""Percent of the next paths that the range of 95% held in simulation, from the worst process to the best."""

_AT_ONCE = 1 << 20  # values of a chunk of paths


class Ranges(NamedTuple):
    """The ranges of 95% of the next path's measures, (low, high) each, and how they were drawn."""

    max_drawdown: tuple[float, float]
    calmar: tuple[float, float]
    draws: int
    block: float


def deviation(values: Floats) -> Influence:
    """Return the standard deviation of a bar and what each bar adds to it."""
    centred = values - values.mean()
    variance = float((centred**2).mean())
    root = math.sqrt(variance)
    n = len(values)
    return Influence(root * math.sqrt(n / (n - 1.0)), (centred**2 - variance) / (2.0 * root))


def drawn_paths(logs: Floats, block: float, means: Floats, sizes: Floats, rng: np.random.Generator) -> Floats:
    """Return (paths, n) running log values; after the last bar a block goes on with the first."""
    n, paths = len(logs), len(means)
    begins = rng.random((paths, n)) < 1.0 / block
    at = np.arange(n)
    # Where no block has begun yet, the one that the path begins with goes on: its first bar is 0.
    last = np.maximum.accumulate(np.where(begins, at, 0), axis=1)
    starts = rng.integers(0, n, (paths, n))
    bars = (np.take_along_axis(starts, last, axis=1) + at - last) % n
    mean = logs.mean()
    drawn = mean + means[:, None] + (logs - mean)[bars] * sizes[:, None]
    return np.cumsum(drawn, axis=1)


def next_path(returns: Floats, n_years: float) -> Ranges | None:
    """Return the ranges of the next path's deepest fall and Calmar ratio.

    ``returns`` (n,) simple, decimal, without missing values. None for fewer than 24 bars, returns that never
    move, or a total loss. Blocks are a fortieth of the bars long on average.
    """
    n = len(returns)
    if n < FEWEST or (returns <= -1.0).any() or np.ptp(returns) <= 1e-12:
        return None
    logs = np.log1p(returns)
    draws = FEWER if n > MANY_BARS else DRAWS
    block = max(n / 40.0, 2.0)
    rng = np.random.default_rng(SEED)
    centre, size = prewhitened_error(log_growth(returns).values), deviation(logs)
    spread = slow_error(size.values / size.estimate)
    means = centre.size * rng.standard_t(centre.freedom, draws)
    # The size is never blown up or shrunk threefold: a few bars could ask for that.
    sizes = np.exp((spread.size * rng.standard_t(spread.freedom, draws)).clip(-1.1, 1.1))
    falls, growths = np.empty(draws), np.empty(draws)
    step = max(1, _AT_ONCE // n)
    for begin in range(0, draws, step):
        part = slice(begin, begin + step)
        value = drawn_paths(logs, block, means[part], sizes[part], rng)
        highest = np.maximum(np.maximum.accumulate(value, axis=1), 0.0)
        falls[part] = np.expm1((value - highest).min(axis=1))
        growths[part] = np.expm1(value[:, -1] / n_years)
    calmar = np.divide(growths, -falls, out=np.full(draws, math.inf), where=falls < 0.0)
    tails = [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]
    # A path that never falls has an infinite Calmar ratio, with which nothing can be interpolated.
    low, high = (np.quantile(x, tails, method="inverted_cdf") for x in (falls, calmar))
    return Ranges((float(low[0]), float(low[1])), (float(high[0]), float(high[1])), draws, block)
