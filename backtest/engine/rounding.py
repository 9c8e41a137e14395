"""Measures from five sums over a path, and only where rounding has left every one of them good."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from backtest.compiling import inlined
from backtest.engine.curves import Held, Yardstick, finish

if TYPE_CHECKING:
    from backtest.dates import Floats

N_SUMS = 5
FiveSums = tuple[float, float, float, float, float]
"""The sums over bars: of the return less a constant, its square, and the squares of the excess return, of the
excess return where negative, and of the difference from the benchmark."""

ULP = 2.3e-16
_GOOD = 1e-11  # how well a measure must be determined, relative
_SHALLOW = -1e-3  # a drawdown less deep than this is too near to rounding for a ratio over it
_FEW = 8  # bars: fewer are walked


@inlined
def terms(earned: float, centre: float, risk_free: float, benchmark: float) -> FiveSums:
    """Return what one bar adds to the five sums."""
    above, excess, active = earned - centre, earned - risk_free, earned - benchmark
    below = min(0.0, excess)
    return above, above * above, excess * excess, below * below, active * active


@inlined
def five(row: Floats, at: int) -> FiveSums:
    """Return five figures of a row from a place on."""
    return row[at], row[at + 1], row[at + 2], row[at + 3], row[at + 4]


@inlined
def plus(sums: FiveSums, times: float, more: Any) -> FiveSums:
    """Return the sums with ``times`` others added, which may be the first five figures of a row."""
    return (
        sums[0] + times * more[0],
        sums[1] + times * more[1],
        sums[2] + times * more[2],
        sums[3] + times * more[3],
        sums[4] + times * more[4],
    )


@inlined
def conclude(
    out: Floats,
    acc: FiveSums,
    path: tuple[float, float],
    n: int,
    centre: float,
    error: tuple[float, int, FiveSums],
    yardstick: Yardstick,
    held: Held,
) -> bool:
    """Write the measures from the sums; return whether rounding left every one of them good.

    Parameters
    ----------
    out
        (n_measures,) float64; see ``curves.finish``.
    acc, path, held
        The five sums over ``n`` bars; and as ``curves.finish`` takes them.
    centre
        The constant of the first sum.
    error
        What rounding can have done: a part of each sum and of a size that each can have had on the way, the
        number of terms that the first sum adds up, and these sizes.
    """
    noise, n_terms, (far_total, far_square, far_excess, far_downside, far_active) = error
    total, square, excess, downside, active = acc
    n_years, squares_x, (sum_rf, sum_x, sum_xx) = yardstick.n_years, yardstick.squares, yardstick.totals
    sum_e = total + n * centre - sum_rf
    sum_a = sum_e - sum_x
    squares_r = square - total * total / n
    squares_e = excess - sum_e * sum_e / n
    squares_a = active - sum_a * sum_a / n
    product = (excess + sum_xx - active) / 2.0 - sum_e * sum_x / n

    of_sum = noise * (far_total + math.sqrt(n_terms * (far_square + square)))
    of_sum += ULP * (n * abs(centre) + abs(sum_rf) + abs(sum_x))
    of_product = far_excess + excess + far_active + active + sum_xx + abs(sum_e * sum_x) / n
    smallest = min(squares_r, squares_e, squares_a)
    good = (
        n >= _FEW
        and path[1] < _SHALLOW
        and noise * (far_square + square + total * total / n) < _GOOD * squares_r
        and noise * (far_excess + excess) + 3.0 * of_sum * abs(sum_e) / n < _GOOD * squares_e
        and noise * (far_active + active) + 3.0 * of_sum * abs(sum_a) / n < _GOOD * squares_a
        and noise * (far_downside + downside) < _GOOD * downside
        and of_sum / math.sqrt(n_years) < _GOOD * math.sqrt(smallest)
        and noise * of_product <= _GOOD * squares_x
    )
    if good:
        means = ((total / n) + centre, sum_e / n, sum_a / n)
        squares, line = (squares_r, squares_e, squares_a), (product / squares_x, yardstick.mean)
        finish(out, (n, n_years), path, means, squares, downside, line, held)
    return good
