"""Paths: their deepest falls, calendar periods, what each trade gained, and the same trades otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.engine.reference import value_after_costs
from backtest.measures import drawdowns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Days, Floats, Ints


@dataclass(frozen=True)
class Fall:
    """A stretch from a highest value to its recovery.

    ``peak``, ``trough`` and ``recovery`` count values, 0 being the starting one. ``depth`` is negative;
    ``recovery`` is the first value at or above the peak's, None where none is.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None


def worst_falls(returns: Floats, n: int = 10) -> list[Fall]:
    """Return the ``n`` deepest falls of (n,) simple returns, the deepest first."""
    depth = drawdowns(returns)
    # Where it goes under and where it is back alternate; a fall without recovery ends with the last value.
    edges = np.flatnonzero(np.diff(np.r_[False, depth < 0.0, False]))
    falls = []
    for start, stop in edges.reshape(-1, 2).tolist():
        trough = start + int(depth[start:stop].argmin())
        recovery = stop if stop < len(depth) else None
        falls.append(Fall(float(depth[trough]), start - 1, trough, recovery))
    return sorted(falls, key=lambda fall: fall.depth)[:n]


def by_period(dates: Days, returns: Floats, unit: str) -> tuple[Days, Floats]:
    """Compound returns by calendar period.

    Parameters
    ----------
    dates
        (n,) datetime64[D], increasing: the day on which each return ends.
    returns
        (n,) or (n, k) float64, simple, decimal.
    unit
        ``Y`` for years, ``M`` for months.

    Returns
    -------
    (m,) datetime64 of that unit and (m,) or (m, k) float64: the periods that hold a return, which may be
    only a part of the first and of the last, and the compound return of each.
    """
    periods = dates.astype(f"datetime64[{unit}]")
    starts = np.flatnonzero(np.r_[True, periods[1:] != periods[:-1]])
    return periods[starts], np.multiply.reduceat(1.0 + returns, starts, axis=0) - 1.0


def switch_gains(returns: Floats, weights: Floats, trades: Ints, costs: Floats) -> Floats:
    """Return what each trade gained against keeping what was held, up to the next trade, after its cost.

    Parameters
    ----------
    returns
        (n_bars, n_sleeves) float64: the sleeves' returns; that of the first bar is not earned.
    weights
        (n_bars - 1, n_sleeves) float64: the weights that earned each return from the second bar on.
    trades
        (n_trades,) int64: the bars at whose close was traded; the first is 0, the first purchase.
    costs
        (n_trades,) float64: the part of the value that each trade cost.

    Returns
    -------
    (n_trades,) float64, decimal: value with the trade over value without it, minus 1, at the next trade or at
    the last bar. NaN for the first purchase, and where what was held before has no return.
    """
    gains = np.full(len(trades), np.nan)
    ends = np.r_[trades[1:], len(returns) - 1]
    for i in range(1, len(trades)):
        bar, end = trades[i], ends[i]
        ahead = 1.0 + returns[bar + 1 : end + 1]
        kept = weights[bar - 1] * np.where(weights[bar - 1] > 0.0, 1.0 + returns[bar], 0.0)
        kept /= kept.sum()
        grown = ahead.prod(axis=0)
        with_it = float(np.sum(grown[weights[bar] > 0.0] * weights[bar][weights[bar] > 0.0]))
        without = float(np.sum(grown[kept > 0.0] * kept[kept > 0.0]))
        gains[i] = (1.0 - costs[i]) * with_it / without - 1.0
    return gains


def later(fills: Ints, weights: Floats, bars: int, last: int) -> tuple[Ints, Floats]:
    """Return the trades ``bars`` later, the first purchase excepted; those at or past ``last`` fall away."""
    moved = np.r_[fills[:1], fills[1:] + bars]
    kept = moved < last
    return moved[kept], weights[kept]


def returns_of(returns: Floats, fills: Ints, weights: Floats, costs: Sequence[float]) -> Floats:
    """Return the portfolio's returns after costs, (n_bars - 1,) float64, if it is traded at given fills.

    Parameters
    ----------
    returns
        (n_bars, n_sleeves) float64; that of the first bar is not earned. A missing one counts as 0: what the
        sleeves have no return for must not be held.
    fills, weights
        (n_trades,) int64, the first 0, and (n_trades, n_sleeves) float64: when to trade, and to what.
    costs
        (n_sleeves,) cost a side, as a fraction of the notional traded.

    Notes
    -----
    Between trades holdings drift, so that the value is a sum of the sleeves' growth: no loop over bars. The
    engine's definition of a trade is used; a test holds this function against the reference engine.
    """
    growth = np.cumprod(1.0 + np.where(np.isnan(returns), 0.0, returns), axis=0)
    value = np.empty(len(returns))
    ends = np.r_[fills[1:], len(returns) - 1]
    holdings = np.zeros(returns.shape[1])
    before = 1.0
    for fill, end, target in zip(fills.tolist(), ends.tolist(), weights, strict=True):
        if fill == fills[0]:
            bought = np.asarray(costs) @ target
            after = before / (1.0 + bought)
        else:
            after = value_after_costs(holdings.tolist(), target.tolist(), costs)
        path = (growth[fill : end + 1] / growth[fill]) * (target * after)
        value[fill : end + 1] = path.sum(axis=1)
        holdings = path[-1]
    # The first purchase's cost falls into the first return.
    return value[1:] / np.r_[1.0, value[1:-1]] - 1.0
