"""The same trades at other costs, or some bars later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.engine.reference import value_after_costs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints


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
