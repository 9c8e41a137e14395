"""The reference engine: one bar after another in plain Python; the definition of what is true.

Money is kept as the value held in each sleeve, in units of the starting value. At every bar the holdings
first grow by the bar's returns; then, if a decision falls on this bar's close, they are traded to the
target weights of the value that is left after costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.decisions import Targets
    from backtest.market.data import Bars


@dataclass(frozen=True, eq=False)
class Trades:
    """What was traded, one row a trade; the first one is the first purchase.

    Parameters
    ----------
    bars
        (n_trades,) int64: the index of the bar at whose close it was made.
    before, after
        (n_trades, n_sleeves) float64: weights before it (of the value before costs) and after it. Before
        the first purchase everything is in ``cash``.
    value
        (n_trades,) float64: the portfolio's value before costs.
    cost
        (n_trades,) float64: the part of that value that went into costs.
    """

    bars: Ints
    before: Floats
    after: Floats
    value: Floats
    cost: Floats

    @property
    def turnover(self) -> Floats:
        """One-way traded notional over value, (n_trades,): 1 for a full switch."""
        return np.abs(self.after - self.before).sum(axis=1) / 2.0


@dataclass(frozen=True, eq=False)
class Path:
    """A portfolio's path.

    Parameters
    ----------
    equity
        (n_bars,) float64: the value at each bar's close after its trade; but the first is 1, before the
        first purchase, so that the purchase's cost falls into the first return.
    returns
        (n_bars - 1,) float64: simple returns after costs. Where nothing is traded the return of a single
        sleeve is its bar's return to the last bit, so that a portfolio that is its benchmark has no
        tracking error.
    weights
        (n_bars - 1, n_sleeves) float64: the weights that earned each return.
    trades
        The trades made.
    """

    equity: Floats
    returns: Floats
    weights: Floats
    trades: Trades


def value_after_costs(holdings: Sequence[float], weights: Sequence[float], costs: Sequence[float]) -> float:
    """Return the value V' that is left when holdings are traded to weights of V' itself.

    V' solves ``V' = V - sum_i c_i |w_i V' - h_i|``. The right side minus the left falls with V', and is
    straight between the points where a sleeve turns from bought to sold: with the directions known the
    solution is closed. Starting from V itself, where every direction is as much "buy" as it can be, each
    step can only turn purchases into sales, so the directions settle after at most one step a sleeve.
    """
    value = sum(holdings)
    after = value
    while True:
        fixed, slope = value, 1.0
        for held, weight, cost in zip(holdings, weights, costs, strict=True):
            direction = 1.0 if weight * after > held else -1.0
            fixed += cost * direction * held
            slope += cost * direction * weight
        if fixed / slope >= after:
            return after
        after = fixed / slope


def simulate(bars: Bars, targets: Targets, costs: Sequence[float]) -> Path:
    """Run a portfolio through the bars.

    Parameters
    ----------
    bars
        The bars from the first fill to the last; the return of the first is not earned.
    targets
        What to hold; the first at bar 0, none at the last bar.
    costs
        (n_sleeves,) proportional cost a side, as a fraction of the notional traded.

    Raises
    ------
    DataError
        When a sleeve that is held has no return; the sentence names sleeve and date.
    """
    n_sleeves = len(bars.sleeves)
    cash = bars.sleeves.index("cash")
    decided = {int(fill): row.tolist() for fill, row in zip(targets.fills, targets.weights, strict=True)}
    returns = bars.returns.tolist()

    holdings = [0.0] * n_sleeves
    holdings[cash] = 1.0
    kept = 1.0  # the part of the value that the costs of the last trade left, if not yet in a return
    equity, net, weights, trades = [], [], [], []
    for bar in range(len(returns)):
        value = sum(holdings)
        if bar > 0:
            weights.append([held / value for held in holdings])
            gross = 0.0
            for sleeve, held in enumerate(holdings):
                if held != 0.0:
                    gross += held / value * returns[bar][sleeve]
                    holdings[sleeve] = held * (1.0 + returns[bar][sleeve])
            if gross != gross:
                sleeve = next(s for s, h in enumerate(holdings) if h != h)
                raise DataError(
                    f"{bars.sleeves[sleeve]} has no return on {bars.dates[bar]}, but is held then"
                )
            value = sum(holdings)
        after = value
        if bar in decided:
            target = decided[bar]
            after = value_after_costs(holdings, target, costs)
            before = [held / value for held in holdings]
            trades.append((bar, before, target, value, 1.0 - after / value))
            holdings = [weight * after for weight in target]
            kept *= after / value
        equity.append(after if bar > 0 else 1.0)
        if bar > 0:
            net.append(gross if kept == 1.0 else (1.0 + gross) * kept - 1.0)
            kept = 1.0

    columns = [np.array(column) for column in zip(*trades, strict=True)]
    return Path(
        np.array(equity),
        np.array(net),
        np.array(weights).reshape(-1, n_sleeves),
        Trades(*columns),
    )
