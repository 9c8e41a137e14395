"""What each trade gained or lost against not having made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints


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
