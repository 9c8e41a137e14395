"""The probability of backtest overfitting, by combinatorially symmetric cross-validation over all trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled
from backtest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Floats, Ints

N_BLOCKS = 16
"""Blocks of bars; half of them choose and the other half judge, in each of 12,870 ways."""

_GROUP = 256  # trials whose half sums are kept at a time: they fit a processor's own memory
_SAME = 1e-12  # ratios this close are the same: equal trials may differ by rounding
_TIES = 8  # different ratios in the other half that are told apart among winners that tie


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What choosing the best in one half of the blocks gives in the other half.

    Where several trials tie for the best of a half, each is the winner to an equal part: what is told of a
    split is the mean over them.

    Parameters
    ----------
    probability
        The share of splits in which the winner of one half is no better than the median of the other: PBO.
    behind
        The share of splits in which its Sharpe ratio in the other half is below the benchmark's there.
    chosen
        (n_splits,) int64: the trial that wins in each split's first half; the first of those that tie.
    inside, outside
        (n_splits,) float64: its Sharpe ratio a bar in the half that chose it, and in the other.
    ranks
        (n_splits,) float64 in 0 to 1: its relative rank in the other half, 1 for the best; ties share.
    trials, undefined
        How many trials took part, and how many could not, because a ratio of theirs is not defined.
    """

    probability: float
    behind: float
    chosen: Ints
    inside: Floats
    outside: Floats
    ranks: Floats
    trials: int
    undefined: int


def splits(n_blocks: int = N_BLOCKS) -> Ints:
    """Return all halves of the blocks as bit masks, (n_splits,) int64: first the first, and so on.

    The complement of the i-th is the i-th from the end.
    """
    if n_blocks < 2 or n_blocks % 2 or n_blocks > 20:
        raise UsageError(f"the number of blocks must be even, from 2 to 20, not {n_blocks}")
    masks = [sum(1 << b for b in half) for half in combinations(range(n_blocks), n_blocks // 2)]
    return np.array(masks, dtype=np.int64)


@compiled
def _half_sums(blocks: Floats, sums: Floats) -> None:
    """Write the sums of every subset of (n_half, n) blocks into (2^n_half, n); subset 0 is nothing."""
    sums[0] = 0.0
    for subset in range(1, len(sums)):
        lowest = 0
        while not (subset >> lowest) & 1:
            lowest += 1
        for trial in range(blocks.shape[1]):
            sums[subset, trial] = sums[subset & (subset - 1), trial] + blocks[lowest, trial]


@compiled
def _ratios(
    first: Floats, second: Floats, first_squares: Floats, second_squares: Floats, n: float, out: Floats
) -> None:
    """Write the Sharpe ratios a bar of sums that are each given in two parts; an undefined one is NaN."""
    for trial in range(len(out)):
        total = first[trial] + second[trial]
        squares = first_squares[trial] + second_squares[trial]
        variance = (squares - total * total / n) / (n - 1.0)
        # What rounding leaves of the squares is no variance.
        out[trial] = total / n / math.sqrt(variance) if variance > 1e-13 * squares / n else math.nan


class _Winners(NamedTuple):
    """The winner of each split, or several where they tie.

    Parameters
    ----------
    best, chosen
        (n_splits,) its ratio in the half that chose it, and which trial it is.
    judged, parts
        (n_splits, n_ties) the ratios of those that tie in the other half, each once, and how many have each.
    below
        (n_splits, n_ties) float64: how many trials each of them beats there.
    """

    best: Floats
    chosen: Ints
    judged: Floats
    parts: Floats
    below: Floats


@compiled
def _pass(
    part: tuple[int, int],
    group: tuple[int, int],
    masks: Ints,
    bars: Floats,
    halves: Floats,
    winners: _Winners,
    counting: bool,
) -> None:
    """Go through one group of trials and the splits of a part: find the winners, or count whom they beat.

    ``halves`` is (4, 2^n_half, n): sums and sums of squares of the subsets of the first half of the blocks,
    and of the second. Split i and its complement are done together.
    """
    n_half = 0
    while (1 << n_half) < halves.shape[1]:
        n_half += 1
    low = (1 << n_half) - 1
    n = group[1] - group[0]
    one, other = np.empty(n), np.empty(n)
    last = len(masks) - 1
    for split in range(part[0], part[1]):
        mask, rest = masks[split], masks[last - split]
        a, b, c, d = mask & low, mask >> n_half, rest & low, rest >> n_half
        _ratios(halves[0, a], halves[1, b], halves[2, a], halves[3, b], bars[split], one)
        _ratios(halves[0, c], halves[1, d], halves[2, c], halves[3, d], bars[last - split], other)
        if counting:
            _count(other, winners, split)
            _count(one, winners, last - split)
        else:
            _best(one, other, group[0], winners, split)
            _best(other, one, group[0], winners, last - split)


@compiled
def _count(outside: Floats, winners: _Winners, split: int) -> None:
    """Add to each of a split's winners the trials of a group it beats, and half of those it ties with."""
    judged, parts, below = winners.judged[split], winners.parts[split], winners.below[split]
    for tie in range(len(judged)):
        if parts[tie] == 0.0:
            return
        reach = _SAME * (1.0 + abs(judged[tie]))
        beaten = 0.0
        for trial in range(len(outside)):
            value = outside[trial]
            if value < judged[tie] - reach:
                beaten += 1.0
            elif value <= judged[tie] + reach:
                beaten += 0.5
        below[tie] += beaten


@compiled
def _best(inside: Floats, outside: Floats, begin: int, winners: _Winners, split: int) -> None:
    """Keep the best trials of a group for a split: the first, and the ratios of all in the other half."""
    best, chosen, judged, parts = winners.best, winners.chosen, winners.judged[split], winners.parts[split]
    for trial in range(len(inside)):
        value = inside[trial]
        reach = _SAME * (1.0 + abs(value))
        if value > best[split] + reach:
            best[split], chosen[split] = value, begin + trial
            judged[0], parts[0] = outside[trial], 1.0
            parts[1:] = 0.0
        elif value >= best[split] - reach:
            for tie in range(len(judged)):
                if parts[tie] == 0.0 or abs(judged[tie] - outside[trial]) <= reach:
                    judged[tie] = judged[tie] if parts[tie] > 0.0 else outside[trial]
                    parts[tie] += 1.0
                    break


def _each_group(sums: Floats, squares: Floats, work: Callable[[tuple[int, int], Floats], None]) -> None:
    n_blocks, n_trials = sums.shape
    half = n_blocks // 2
    for begin in range(0, n_trials, _GROUP):
        end = min(begin + _GROUP, n_trials)
        halves = np.empty((4, 1 << half, end - begin))
        for which, table in enumerate((sums, squares)):
            part = np.ascontiguousarray(table[:, begin:end])
            _half_sums(part[:half], halves[2 * which])
            _half_sums(part[half:], halves[2 * which + 1])
        work((begin, end), halves)


def _of_benchmark(members: Ints, n_bars: Floats, benchmark: Floats | None) -> Floats:
    """Return the benchmark's Sharpe ratio a bar in the other half of every split, (n_splits,); 0 for cash."""
    if benchmark is None:
        return np.zeros(len(members))
    # The other half of a split is the half of its complement, which is as far from the end.
    sums, squares = benchmark @ members[::-1].T
    n = n_bars[::-1]
    variance = np.maximum((squares - sums**2 / n) / (n - 1.0), 0.0)
    return np.divide(sums / n, np.sqrt(variance), out=np.zeros(len(n)), where=variance > 1e-13 * squares / n)


def overfitting(
    sums: Floats,
    squares: Floats,
    bars: Ints,
    benchmark: Floats | None = None,
    share: Callable[..., object] | None = None,
) -> Overfitting:
    """Return the probability of backtest overfitting by the Sharpe ratio.

    Parameters
    ----------
    sums, squares
        (n_trials, n_blocks) float64: sum of each trial's excess returns in each block of consecutive bars,
        and of their squares.
    bars
        (n_blocks,) int64: the number of bars of each block.
    benchmark
        (2, n_blocks) float64: the same sums of the benchmark; by default it is cash, which has none.
    share
        What spreads a loop over splits among threads, as ``engine.parallel.share``; by default none.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu (2017), The probability of backtest overfitting, Journal of
    Computational Finance 20(4). A trial without variance in some half has no Sharpe ratio there: it is left
    out and counted. A split's rank is the number of trials the winner beats in the other half, with half of
    those it ties with, over the number of trials plus 1.

    Raises
    ------
    UsageError
        When fewer than two trials can be ranked, or the blocks are not even in number.
    """
    masks = splits(sums.shape[1])
    usable = (squares > 0.0).sum(axis=1) > sums.shape[1] // 2
    usable &= np.isfinite(sums).all(axis=1) & np.isfinite(squares).all(axis=1)
    where = np.flatnonzero(usable)
    if len(where) < 2:
        raise UsageError("the probability of overfitting needs at least two trials with a Sharpe ratio")
    sums, squares = np.ascontiguousarray(sums[where].T), np.ascontiguousarray(squares[where].T)
    members = (masks[:, None] >> np.arange(len(bars))) & 1
    n_bars = (members @ np.asarray(bars)).astype(np.float64)
    n_splits = len(masks)
    best, chosen = np.full(n_splits, -np.inf), np.zeros(n_splits, dtype=np.int64)
    judged, parts, below = (np.zeros((n_splits, _TIES)) for _ in range(3))
    winners = _Winners(best, chosen, judged, parts, below)

    for counting in (False, True):

        def group(extent: tuple[int, int], halves: Floats, counting: bool = counting) -> None:
            def work(start: int, stop: int) -> None:
                _pass((start, stop), extent, masks, n_bars, halves, winners, counting)

            share(work, n_splits // 2) if share else work(0, n_splits // 2)

        _each_group(sums, squares, group)
    parts /= parts.sum(axis=1, keepdims=True)
    hurdle = _of_benchmark(members, n_bars, benchmark)
    ranks = (below + 0.5) / (len(where) + 1.0)
    return Overfitting(
        probability=float((parts * (ranks <= 0.5)).sum(axis=1).mean()),
        behind=float((parts * (judged < hurdle[:, None])).sum(axis=1).mean()),
        chosen=where[chosen],
        inside=best,
        outside=(parts * judged).sum(axis=1),
        ranks=(parts * ranks).sum(axis=1),
        trials=len(where),
        undefined=len(usable) - len(where),
    )
