"""Event study: what two series earned before and after given bars, and how far chance explains it.

A case is the bar in which something became known. Its months after are the bars after that one, its months
before those before it; the bar itself belongs to neither. ``first`` and ``second`` are (n,) float64 of
simple, decimal returns over the same bars, without missing values.

Two questions are asked of a mean over few cases whose windows may overlap. Would a market without any effect
give a mean as far from zero? The returns are drawn anew in circular blocks (Politis and Romano 1992) and
the cases stay where they are, so that their number and overlap are kept. Is the mean other than after
ordinary bars? The cases are moved to random bars, with the gaps between them kept but shuffled around a
ring, so that they lie as far apart as before. The p-value that counts is the larger of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Bools, Floats, Ints

NAN = float("nan")


@dataclass(frozen=True)
class Chance:
    """How chance is measured: number of draws, seed, and the bars of a block of the bootstrap."""

    draws: int = 2000
    seed: int = 20261121
    block: int = 24


@dataclass(frozen=True)
class Horizon:
    """The differences (first minus second) of all complete cases at one horizon.

    Parameters
    ----------
    bars
        Bars after the case, negative for before it.
    n
        The number of complete cases; with none everything else is NaN.
    mean, median, positive, worst, best
        Of the differences; ``positive`` is a share.
    low, high
        The 95% interval of the mean.
    pvalue, pvalue_zero, pvalue_placebo
        Two-sided; the first is the larger of the other two.
    ordinary, n_ordinary
        The mean of the same difference over every bar that could have been a case, and their number.
    without_low, without_high, heaviest
        The lowest and highest mean when one case is left out, and the index of the case whose absence moves
        the mean most (-1 where there are fewer than two).
    """

    bars: int
    n: int
    mean: float = NAN
    median: float = NAN
    positive: float = NAN
    worst: float = NAN
    best: float = NAN
    low: float = NAN
    high: float = NAN
    pvalue: float = NAN
    pvalue_zero: float = NAN
    pvalue_placebo: float = NAN
    ordinary: float = NAN
    n_ordinary: int = 0
    without_low: float = NAN
    without_high: float = NAN
    heaviest: int = -1


@dataclass(frozen=True, eq=False)
class EventStudy:
    """Every case at every horizon, and their summaries.

    Parameters
    ----------
    at
        (n_cases,) int64, increasing: the bar of each case; it may lie before the first bar.
    horizons
        The bars after (before, where negative) a case.
    first, second, difference
        (n_cases, n_horizons) compounded returns and the first minus the second; NaN where a window is not
        whole.
    summary
        One ``Horizon`` for each of ``horizons``.
    paths
        (n_cases, before + after + 1): first minus second, each compounded from the case's close; 0 at the
        case, NaN outside the data. ``before`` and ``after`` are the longest horizons.
    """

    at: Ints
    horizons: tuple[int, ...]
    first: Floats
    second: Floats
    difference: Floats
    summary: tuple[Horizon, ...]
    paths: Floats


def compounded(returns: Floats, at: Ints, bars: int) -> Floats:
    """Return each case's compounded return over the ``bars`` after it (before it, where negative).

    ``returns`` (..., n), ``at`` (n_cases,); the result is (..., n_cases), NaN where the window is not whole.
    """
    n = returns.shape[-1]
    level = np.concatenate(
        [np.zeros((*returns.shape[:-1], 1)), np.cumsum(np.log1p(returns), axis=-1)], axis=-1
    )
    start, stop = (at + 1, at + 1 + bars) if bars > 0 else (at + bars, at)
    whole = (start >= 0) & (stop <= n)
    growth = level[..., np.where(whole, stop, 0)] - level[..., np.where(whole, start, 0)]
    return np.where(whole, np.expm1(growth), NAN)


def block_rows(rng: np.random.Generator, n: int, block: int, draws: int) -> Ints:
    """Return (draws, n) int64 indices of bars: circular blocks of ``block`` bars, drawn with replacement."""
    blocks = -(-n // block)
    starts = rng.integers(0, n, size=(draws, blocks, 1))
    return ((starts + np.arange(block)) % n).reshape(draws, -1)[:, :n]


def _ring(rng: np.random.Generator, positions: Ints, size: int, draws: int) -> Ints:
    """Return (draws, n_cases) positions on a ring of ``size``, the gaps of ``positions`` shuffled."""
    gaps = np.diff(positions, append=positions[0] + size)
    shuffled = rng.permuted(np.broadcast_to(gaps, (draws, len(gaps))), axis=1)
    starts = rng.integers(0, size, size=(draws, 1))
    return (starts + np.cumsum(shuffled, axis=1)) % size


def _share_as_far(draws: Floats, value: float) -> float:
    # A hair of tolerance: what is equal but for the order of its sums counts as equal.
    return float((1 + np.count_nonzero(np.abs(draws) >= abs(value) * (1.0 - 1e-9))) / (1 + len(draws)))


def _placebo(ordinary: Floats, positions: Ints, value: float, chance: Chance) -> float:
    """Return how often cases at random, as far apart, lie as far from the ordinary mean as these do."""
    rng = np.random.default_rng([chance.seed, 1])
    means = ordinary[_ring(rng, positions, len(ordinary), chance.draws)].mean(axis=1)
    return _share_as_far(means - ordinary.mean(), value - float(ordinary.mean()))


def _deviations(
    first: Floats, second: Floats, at: Ints, horizons: Sequence[int], whole: Bools, chance: Chance
) -> list[Floats]:
    """Return for each horizon (draws,) how far the mean strays when the returns are drawn anew in blocks."""
    rng = np.random.default_rng([chance.seed, 2])
    means: list[list[Floats]] = [[] for _ in horizons]
    for part in np.array_split(np.arange(chance.draws), max(1, chance.draws * len(first) // 400_000)):
        rows = block_rows(rng, len(first), chance.block, len(part))
        a, b = first[rows], second[rows]
        for column, bars in enumerate(horizons):
            cases = at[whole[:, column]]
            if len(cases):
                drawn = compounded(a, cases, bars) - compounded(b, cases, bars)
                means[column].append(drawn.mean(axis=1))
    return [np.concatenate(m) - np.concatenate(m).mean() if m else np.empty(0) for m in means]


def _summary(bars: int, cases: Floats, everywhere: Floats, at: Ints, off: Floats, chance: Chance) -> Horizon:
    """Summarise one horizon; ``everywhere`` are the differences of every bar that could have been a case."""
    whole = np.isfinite(cases)
    n = int(whole.sum())
    possible = np.flatnonzero(np.isfinite(everywhere))
    if n == 0 or len(possible) == 0:
        return Horizon(bars, n)
    values, ordinary = cases[whole], everywhere[possible]
    mean = float(values.mean())
    positions = np.unique(np.clip(at[whole] - possible[0], 0, len(possible) - 1))
    placebo = _placebo(ordinary, positions, mean, chance)
    zero = _share_as_far(off, mean)
    without = (values.sum() - values) / (n - 1) if n > 1 else np.full(n, NAN)
    return Horizon(
        bars=bars,
        n=n,
        mean=mean,
        median=float(np.median(values)),
        positive=float((values > 0).mean()),
        worst=float(values.min()),
        best=float(values.max()),
        low=mean - float(np.quantile(off, 0.975)),
        high=mean - float(np.quantile(off, 0.025)),
        pvalue=max(zero, placebo),
        pvalue_zero=zero,
        pvalue_placebo=placebo,
        ordinary=float(ordinary.mean()),
        n_ordinary=len(possible),
        without_low=float(without.min()),
        without_high=float(without.max()),
        heaviest=int(np.flatnonzero(whole)[np.abs(without - mean).argmax()]) if n > 1 else -1,
    )


def _paths(first: Floats, second: Floats, at: Ints, before: int, after: int) -> Floats:
    steps = at[:, None] + np.arange(-before, after + 1)
    inside = (steps >= -1) & (steps < len(first)) & (at[:, None] >= -1) & (at[:, None] < len(first))
    paths = np.zeros(steps.shape)
    for sign, returns in ((1.0, first), (-1.0, second)):
        level = np.concatenate([[0.0], np.cumsum(np.log1p(returns))])
        base = level[np.clip(at + 1, 0, len(first))][:, None]
        paths += sign * np.expm1(level[np.clip(steps + 1, 0, len(first))] - base)
    return np.where(inside, paths, NAN)


def event_study(
    first: Floats,
    second: Floats,
    at: Ints,
    horizons: Sequence[int],
    possible_from: int = 0,
    chance: Chance | None = None,
) -> EventStudy:
    """Study what ``first`` and ``second`` earned around cases.

    Parameters
    ----------
    first, second
        (n,) simple returns.
    at
        (n_cases,) int64: the bar of each case. Two cases in one bar are one.
    horizons
        Bars after a case, negative for before it.
    possible_from
        The first bar that could have been a case: ordinary bars are those from here on, and the blocks are
        drawn from the bars that their windows cover.
    chance
        Draws, seed and block of the two tests.
    """
    chance = chance or Chance()
    horizons = tuple(horizons)
    at = np.unique(np.asarray(at, dtype=np.int64))
    one = np.column_stack([compounded(first, at, h) for h in horizons])
    two = np.column_stack([compounded(second, at, h) for h in horizons])
    difference = one - two

    reach = max(0, -min(horizons))
    possible_from = min(possible_from, int(at.min(initial=possible_from)))
    begin = max(0, possible_from - reach)
    candidates = np.arange(possible_from, len(first))
    off = _deviations(first[begin:], second[begin:], at - begin, horizons, np.isfinite(difference), chance)
    summary = tuple(
        _summary(
            bars,
            difference[:, column],
            compounded(first, candidates, bars) - compounded(second, candidates, bars),
            at - possible_from,
            off[column],
            chance,
        )
        for column, bars in enumerate(horizons)
    )
    paths = _paths(first, second, at, reach, max(0, *horizons))
    return EventStudy(at, horizons, one, two, difference, summary, paths)
