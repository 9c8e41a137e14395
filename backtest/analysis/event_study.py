"""Event study: what two series earned before and after given bars, and how far chance explains it.

A case is the bar in which something became known. Its months after are the bars after that one, its months
before those before it; the bar itself belongs to neither. ``first`` and ``second`` are (n,) float64 of
simple, decimal returns over the same bars, without missing values.

Two questions are asked of a mean over few cases whose windows may overlap: is it other than zero, and other
than after ordinary bars? The error of the mean comes from how far the cases lie apart, and from nothing
else: were they all in wild times, so is the error. Where no windows overlap the first is the t test of the
cases, which stays safe where their variances differ (Ibragimov and Mueller 2010). Windows that overlap share
their bars: two of them are taken to be correlated by the part that they share, in the variance, in what it
is expected to be and in the degrees of freedom (Bell and McCaffrey 2002). The second adds the error of the
bars outside all windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.long_run import cosine_covariance, critical, two_sided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Bools, Floats, Ints

NAN = float("nan")


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
        The 95% interval of what is to be expected after such a case.
    pvalue, pvalue_zero, pvalue_ordinary
        Two-sided; the first is the larger of the other two, and so at most their size.
    ordinary, n_ordinary
        The mean of the same difference over every bar that could have been a case, and their number.
    without_low, without_high, heaviest
        The lowest and highest mean when one case is left out, and the index of the case whose absence moves
        the mean most (-1 where there are fewer than two).
    halves
        The mean of the first half of the cases and of the rest.
    carrying, without_carrying
        The index of the case that lies farthest on the mean's side of zero (-1 where there are fewer than
        two), and ``pvalue`` without it.
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
    pvalue_ordinary: float = NAN
    ordinary: float = NAN
    n_ordinary: int = 0
    without_low: float = NAN
    without_high: float = NAN
    heaviest: int = -1
    halves: tuple[float, float] = (NAN, NAN)
    carrying: int = -1
    without_carrying: float = NAN


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


def mean_error(values: Floats, at: Ints, bars: int) -> tuple[float, float]:
    """Return the standard error of the mean of cases, and the degrees of freedom of a t made with it.

    Parameters
    ----------
    values
        (n_cases,) of windows of ``bars`` bars that begin (or end) at the increasing ``at``.

    Returns
    -------
    tuple
        NaN and 0 for fewer than two cases, or cases that do not differ.
    """
    n = len(values)
    off = values - values.sum() / max(1, n)
    if n < 2 or off @ off <= 1e-24 * (values @ values):
        return NAN, 0.0
    shared = np.maximum(0.0, 1.0 - np.abs(at[:, None] - at) / abs(bars))
    centred = shared - shared.mean(axis=0) - shared.mean(axis=1)[:, None] + shared.mean()
    # What the sum of squares is expected to be, and the square of its spread, were a bar's returns all alike.
    expected = float((shared * centred).sum())
    both = centred @ shared
    spread = float((both * both.T).sum())
    variance = float(shared.sum()) / n**2 * float(off @ shared @ off) / expected
    return math.sqrt(variance), expected**2 / spread


def _ordinary_error(
    first: Floats, second: Floats, at: Ints, bars: int, start: int
) -> tuple[float, float, float]:
    """Return the part of the bars outside all windows, the error of a window's mean there and its freedom.

    ``start`` is the first bar of the first window there could have been. The error is that of the sum of log
    differences, in the size that they have after a window's growth; 0, NaN, 0 where hardly a bar is outside.
    """
    stop = len(first) if bars > 0 else len(first) - 1
    marks = np.zeros(len(first) + 1, dtype=np.int64)
    begins = at + 1 if bars > 0 else at + bars
    np.add.at(marks, begins, 1)
    np.add.at(marks, begins + abs(bars), -1)
    outside = np.cumsum(marks)[start:stop] == 0
    n = int(outside.sum())
    if n < 2 * abs(bars):
        return 0.0, NAN, 0.0
    logs = (np.log1p(first) - np.log1p(second))[start:stop][outside]
    covariance, freedom = cosine_covariance(logs[:, None])
    windows = np.arange(start - 1, stop - abs(bars))
    growth = 1.0 + 0.5 * (compounded(first, windows, abs(bars)) + compounded(second, windows, abs(bars)))
    size = float(np.mean(growth**2))
    return n / (stop - start), abs(bars) * math.sqrt(size * float(covariance[0, 0]) / n), float(freedom)


def _tested(
    values: Floats, at: Ints, bars: int, ordinary: float, outside: tuple[float, float, float]
) -> tuple[float, float, float, float]:
    """Return the interval of the mean of cases, and its p-values against zero and the ordinary mean.

    ``outside`` as ``_ordinary_error`` gives it.
    """
    error, freedom = mean_error(values, at, bars)
    if not error > 0.0:
        return NAN, NAN, NAN, NAN
    mean = float(values.mean())
    reach = critical(freedom) * error
    share, other, other_freedom = outside
    # Where windows are everywhere there are no ordinary bars that these could differ from.
    unlike = 1.0
    if share > 0.0:
        # The ordinary mean has these windows in it too: taken out, the distance grows.
        both = error**2 + other**2
        welch = both**2 / (error**4 / freedom + other**4 / other_freedom)
        unlike = two_sided((mean - ordinary) / share / math.sqrt(both), welch)
    return mean - reach, mean + reach, two_sided(mean / error, freedom), unlike


def _summary(
    bars: int, cases: Floats, at: Ints, first: Floats, second: Floats, possible_from: int
) -> Horizon:
    """Summarise one horizon."""
    whole = np.isfinite(cases)
    n = int(whole.sum())
    candidates = np.arange(possible_from, len(first))
    everywhere = compounded(first, candidates, bars) - compounded(second, candidates, bars)
    everywhere = everywhere[np.isfinite(everywhere)]
    if n == 0 or len(everywhere) == 0:
        return Horizon(bars, n)
    values, where, ordinary = cases[whole], at[whole], float(everywhere.mean())
    mean = float(values.mean())
    start = max(0, possible_from + (1 if bars > 0 else bars))

    def tested(kept: Bools) -> tuple[float, float, float, float]:
        outside = _ordinary_error(first, second, where[kept], bars, start)
        return _tested(values[kept], where[kept], bars, ordinary, outside)

    low, high, zero, unlike = tested(np.ones(n, dtype=np.bool_))
    carrying = int((values * np.sign(mean)).argmax())
    without = (values.sum() - values) / (n - 1) if n > 1 else np.full(n, NAN)
    numbers = np.flatnonzero(whole)
    half = n // 2
    return Horizon(
        bars=bars,
        n=n,
        mean=mean,
        median=float(np.median(values)),
        positive=float((values > 0).mean()),
        worst=float(values.min()),
        best=float(values.max()),
        low=low,
        high=high,
        pvalue=max(zero, unlike),
        pvalue_zero=zero,
        pvalue_ordinary=unlike,
        ordinary=ordinary,
        n_ordinary=len(everywhere),
        without_low=float(without.min()),
        without_high=float(without.max()),
        heaviest=int(numbers[np.abs(without - mean).argmax()]) if n > 1 else -1,
        halves=(float(values[:half].mean()), float(values[half:].mean())) if n > 1 else (NAN, NAN),
        carrying=int(numbers[carrying]) if n > 1 else -1,
        without_carrying=max(tested(np.arange(n) != carrying)[2:]),
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
    first: Floats, second: Floats, at: Ints, horizons: Sequence[int], possible_from: int = 0
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
        The first bar that could have been a case: ordinary bars are those from here on.
    """
    horizons = tuple(horizons)
    at = np.unique(np.asarray(at, dtype=np.int64))
    one = np.column_stack([compounded(first, at, h) for h in horizons])
    two = np.column_stack([compounded(second, at, h) for h in horizons])
    difference = one - two
    possible_from = min(possible_from, int(at.min(initial=possible_from)))
    summary = tuple(
        _summary(bars, difference[:, column], at, first, second, possible_from)
        for column, bars in enumerate(horizons)
    )
    paths = _paths(first, second, at, max(0, -min(horizons)), max(0, *horizons))
    return EventStudy(at, horizons, one, two, difference, summary, paths)
