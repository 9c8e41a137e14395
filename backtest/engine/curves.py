"""Measures of one portfolio's returns against a yardstick, compiled: ``measures.Sums`` in three passes.

The formulas are the table's own; a test holds the sums against those of ``Sums.of``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled, compiled_sums, higher, in_turn, inlined, lower
from backtest.measures import BY_KEY, SWEPT, Sums

if TYPE_CHECKING:
    from backtest.dates import Floats
    from backtest.market.data import Bars

Held = tuple[float, float, float]
"""What was held and traded: turnover, switches and the mean weight of small, as in ``Sums``."""

N_MEASURES = len(SWEPT)
_write = in_turn([BY_KEY[key].formula for key in SWEPT])
_BLOCK = 64  # bars that are searched for a fall at once
_SAME = 1e-15  # values that differ by less than this part of the largest are the same value


@compiled
def spread_out(low: float, high: float) -> bool:
    """Return whether values from ``low`` to ``high`` differ by more than their last bits."""
    return high - low > _SAME * max(abs(low), abs(high))


@compiled
def settled(squares: float, mean: float, values: Floats, times: float, other: Floats) -> float:
    """Return the sum of squares of ``values - times * other`` around their mean; 0 where all are the same.

    ``squares`` is that sum up to rounding. Only where it is next to nothing do the values need a look.
    """
    if squares > len(values) * (1e-9 * mean) ** 2:
        return squares
    low, high = np.inf, -np.inf
    for bar in range(len(values)):
        value = values[bar] - times * other[bar]
        low, high = min(low, value), max(high, value)
    return squares if spread_out(low, high) else 0.0


@compiled_sums
def sums(returns: Floats, risk_free: Floats, benchmark: Floats) -> tuple[float, float, float]:
    """Return the sums of the (n,) returns, of those in excess of cash and of the benchmark."""
    total, excess, active = 0.0, 0.0, 0.0
    for bar in range(len(returns)):
        total += returns[bar]
        excess += returns[bar] - risk_free[bar]
        active += returns[bar] - benchmark[bar]
    return total, excess, active


@compiled_sums
def squared(
    returns: Floats,
    risk_free: Floats,
    benchmark: Floats,
    means: tuple[float, float, float],
    mean_x: float,
) -> tuple[float, float, float, float, float]:
    """Return sums around the means: three of squares, one below cash, one of products with the benchmark."""
    mean_r, mean_e, mean_a = means
    total, excess, active, downside, product = 0.0, 0.0, 0.0, 0.0, 0.0
    for bar in range(len(returns)):
        r, e, a = returns[bar], returns[bar] - risk_free[bar], returns[bar] - benchmark[bar]
        total += (r - mean_r) * (r - mean_r)
        excess += (e - mean_e) * (e - mean_e)
        active += (a - mean_a) * (a - mean_a)
        below = min(0.0, e)
        downside += below * below
        product += (e - mean_e) * (benchmark[bar] - risk_free[bar] - mean_x)
    return total, excess, active, downside, product


class Yardstick(NamedTuple):
    """What the measures of many portfolios share: the window, and what they are held against.

    Parameters
    ----------
    first, last
        The bars of the first fill and of the end.
    n_years
        The years that the returns in between span.
    risk_free, benchmark
        (n,) float64: cash and the benchmark over these bars, without a NaN.
    mean, squares
        Of the benchmark's excess return, and the sum of squares around it: 0 where it never moves.
    totals
        The sums of cash, of the benchmark's excess return and of its square.
    """

    first: int
    last: int
    n_years: float
    risk_free: Floats
    benchmark: Floats
    mean: float
    squares: float
    totals: tuple[float, float, float]

    @classmethod
    def of(cls, bars: Bars, benchmark: str, first: int, last: int, n_years: float) -> Yardstick:
        """Return the yardstick over the bars from ``first`` to ``last``, which span ``n_years``.

        Raises
        ------
        UsageError
            When there is no such benchmark.
        DataError
            When cash or the benchmark lack a return in the window; the sentence names sleeve and date.
        """
        window = bars.window(first, last)
        rf, b = (np.ascontiguousarray(window.earned(name)) for name in ("cash", benchmark))
        mean = sums(b, rf, b)[1] / len(b)
        squares = settled(squared(b, rf, b, (0.0, mean, 0.0), mean)[1], mean, b, 1.0, rf)
        x = b - rf  # summed without BLAS, whose threads take longer to start
        totals = (float(rf.sum()), float(x.sum()), float((x * x).sum()))
        return cls(first, last, n_years, rf, b, mean, squares, totals)


@inlined
def finish(
    out: Floats,
    length: tuple[int, float],
    path: tuple[float, float],
    means: tuple[float, float, float],
    squares: tuple[float, float, float],
    downside: float,
    line: tuple[float, float],
    held: Held,
) -> None:
    """Write the measures of the returns into ``out`` from their sums.

    Parameters
    ----------
    out
        (n_measures,) float64, the columns of ``SWEPT``.
    length
        The number of returns and the years they span.
    path
        What the value grew to, from 1, and the deepest drawdown.
    means, squares
        The mean and the sum of squares around it (exactly 0 where all values are the same) of the return,
        of the excess return and of the difference from the benchmark.
    downside
        The sum of squares of the negative excess returns.
    line
        Beta, and the mean excess return of the benchmark.
    held
        What was held and traded.
    """
    n, growth = length[0], path[0]
    freedom = n - 1.0 if n > 1 else np.nan
    sums = Sums(
        float(n), length[1], freedom, math.log(growth), path[1], *means, *squares, downside, *line, *held,
        np.nan, np.nan,
    )  # fmt: skip
    _write(out, sums)


@compiled
def fall(returns: Floats) -> tuple[float, float]:
    """Return what (n,) returns make of 1, and the deepest drawdown, starting value included."""
    value, peak, depth = 1.0, 1.0, 1.0
    for start in range(0, len(returns), _BLOCK):
        block = returns[start : start + _BLOCK]
        before, low, high = value, value, peak
        pairs = len(block) // 2
        for pair in range(pairs):  # two bars at a step: each product waits for the one before it
            one = 1.0 + block[2 * pair]
            two = one * (1.0 + block[2 * pair + 1])
            low = lower(value * lower(one, two), low)
            high = higher(value * higher(one, two), high)
            value *= two
        if len(block) > 2 * pairs:
            value *= 1.0 + block[2 * pairs]
            low, high = lower(value, low), higher(value, high)
        if low < depth * high:  # there may be a deeper fall in it, so look at each bar
            for earned in block:
                before *= 1.0 + earned
                peak = higher(before, peak)
                depth = lower(before / peak, depth)
        peak = high
    return value, depth - 1.0


@compiled
def measure(out: Floats, returns: Floats, held: Held, yardstick: Yardstick) -> bool:
    """Write the measures of (n,) returns into ``out``; return whether all of the returns are there."""
    n, risk_free, benchmark = len(returns), yardstick.risk_free, yardstick.benchmark
    totals = sums(returns, risk_free, benchmark)
    means, mean_x = (totals[0] / n, totals[1] / n, totals[2] / n), yardstick.mean
    total, excess, active, downside, product = squared(returns, risk_free, benchmark, means, mean_x)
    total = settled(total, means[0], returns, 0.0, risk_free)
    excess = settled(excess, means[1], returns, 1.0, risk_free)
    active = settled(active, means[2], returns, 1.0, benchmark)
    slope = product / yardstick.squares if n > 1 and yardstick.squares > 0.0 else np.nan
    if active == 0.0 and means[2] == 0.0:  # it is its benchmark
        slope, mean_x = 1.0, means[1]
    path, line = fall(returns), (slope, mean_x)
    finish(out, (n, yardstick.n_years), path, means, (total, excess, active), downside, line, held)
    return not math.isnan(path[0])
