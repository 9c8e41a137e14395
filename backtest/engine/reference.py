"""The reference engine: one bar after another in plain Python; the definition of what is true.

Money is kept as the value held in each sleeve, in units of the starting value. At every bar the holdings
first grow by the bar's returns; then, if a decision falls on this bar's close or a rebalancing is due, they
are traded to the target weights of the value that is left after costs.

One thing holds to the last bit, and the measures rely on it: where nothing is traded, the return of a
portfolio that holds a single sleeve is that sleeve's return. A portfolio that is its benchmark therefore has
a tracking error of exactly 0 and an information ratio that is not defined, in every engine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.engine.lots import Account, Tax, Taxes
from backtest.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Bools, Floats, Ints
    from backtest.decisions import Targets
    from backtest.market.data import Bars


ON_TARGET = 1e-9
"""A portfolio whose weights are all this near to their targets is on target: rounding must not decide it."""


@dataclass(frozen=True)
class Rebalance:
    """When to trade back to the target between two decisions; by default never.

    Parameters
    ----------
    every_months
        Trade at the first bar whose calendar month is this many or more after the month of the last trade;
        0 for never.
    band
        Trade when the weight of any sleeve is further than this from its target; 0.05 is 5% of the value,
        infinite is never.

    Both may be set. A trade of either kind, or of a decision, starts the count of months anew.
    """

    every_months: int = 0
    band: float = math.inf

    def __post_init__(self) -> None:
        if self.every_months < 0:
            raise UsageError(f"rebalancing must be every 1 month or more, not {self.every_months}")
        if not (0.0 <= self.band < 1.0 or self.band == math.inf):
            raise UsageError(f"a rebalancing band must lie in 0 to 1 (0.05 is 5%), not {self.band:g}")

    def due(self, months: int, weights: Sequence[float], target: Sequence[float]) -> bool:
        """Return whether to trade, ``months`` after the last trade and with these weights.

        Holdings that are on target, as a single sleeve is, are left alone.
        """
        furthest = max(abs(weight - wanted) for weight, wanted in zip(weights, target, strict=True))
        if furthest <= ON_TARGET:
            return False
        return 0 < self.every_months <= months or furthest > self.band


NEVER = Rebalance()


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
    switched
        (n_trades,) bool: whether the target changed; False for a rebalancing. The first purchase is True.
    tax
        (n_trades,) float64: the part of that value that was withheld as tax; 0 where none is.
    """

    bars: Ints
    before: Floats
    after: Floats
    value: Floats
    cost: Floats
    switched: Bools
    tax: Floats

    @property
    def turnover(self) -> Floats:
        """One-way traded notional over value, (n_trades,): 1 for a full switch."""
        return np.abs(self.after - self.before).sum(axis=1) / 2.0

    @property
    def switches(self) -> int:
        """The number of changes of the target after the first purchase."""
        return int(self.switched[1:].sum())


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
    taxes
        What taxes came to; None where there are none.
    """

    equity: Floats
    returns: Floats
    weights: Floats
    trades: Trades
    taxes: Taxes | None = None


def value_after_costs(holdings: Sequence[float], weights: Sequence[float], costs: Sequence[float]) -> float:
    """Return the value V' that is left when holdings are traded to weights of V' itself.

    V' solves ``V' = V - sum_i c_i |w_i V' - h_i|``. The right side minus the left falls with V', and is
    straight between the points where a sleeve turns from bought to sold: with the directions known the
    solution is closed. Starting from V itself, where every direction is as much "buy" as it can be, each
    step can only turn purchases into sales, so the directions settle after at most two steps a sleeve.
    A sleeve that is on target is not traded: where all are, V' is V to the last bit.
    """
    value = total(holdings)
    after = value
    while True:
        fixed, slope = value, 1.0
        for held, weight, cost in zip(holdings, weights, costs, strict=True):
            direction = float(weight * after > held) - float(weight * after < held)
            fixed += cost * direction * held
            slope += cost * direction * weight
        if fixed / slope >= after:
            return after
        after = fixed / slope


def total(amounts: Sequence[float]) -> float:
    """Return the sum from left to right, rounded at each step as compiled code does it.

    Python's own ``sum`` compensates for rounding from 3.12 on, so that its last bit depends on the version.
    """
    result = 0.0
    for amount in amounts:
        result += amount
    return result


def grow(holdings: Sequence[float], returns: Sequence[float]) -> list[float]:
    """Return the holdings after a bar; what is not held does not need a return."""
    return [
        held * (1.0 + earned) if held != 0.0 else 0.0 for held, earned in zip(holdings, returns, strict=True)
    ]


def simulate(
    bars: Bars,
    targets: Targets,
    costs: Sequence[float],
    rebalance: Rebalance = NEVER,
    tax: Tax | None = None,
) -> Path:
    """Run a portfolio through the bars.

    Parameters
    ----------
    bars
        The bars from the first fill to the last; the return of the first is not earned.
    targets
        What to hold; the first at bar 0, none at the last bar. A target that repeats the one before it is a
        trade back to it, not a switch.
    costs
        (n_sleeves,) proportional cost a side, as a fraction of the notional traded.
    rebalance
        When to trade back to the target between decisions; never at the last bar.
    tax
        How gains are taxed; by default they are not.

    Raises
    ------
    DataError
        When a sleeve that is held has no return; the sentence names sleeve and date.
    """
    decided = {int(fill): row.tolist() for fill, row in zip(targets.fills, targets.weights, strict=True)}
    months = bars.dates.astype("datetime64[M]").astype(int).tolist()
    returns = bars.returns.tolist()
    last = len(returns) - 1

    holdings = [float(sleeve == "cash") for sleeve in bars.sleeves]
    account = None if tax is None else Account(tax, bars.sleeves)
    target: list[float] = []
    traded_in = months[0]
    value = 1.0
    kept = 1.0  # the part of the value that the costs of the last trade left, if not yet in a return
    equity, net, weights, trades = [1.0], [], [], []
    for bar in range(last + 1):
        if bar > 0:
            weights.append([held / value for held in holdings])
            gross = total([w * r for w, r in zip(weights[-1], returns[bar], strict=True) if w != 0.0])
            if gross != gross:
                raise no_return(bars, bar, weights[-1])
            holdings = grow(holdings, returns[bar])
            if account is not None:
                account.grow(returns[bar])
            value = total(holdings)

        before = [held / value for held in holdings]
        due = 0 < bar < last and rebalance.due(months[bar] - traded_in, before, target)
        if bar in decided or due:
            wanted = decided.get(bar, target)
            if account is None:
                after, taxed = value_after_costs(holdings, wanted, costs), 0.0
            else:
                after, taxed = account.trade(holdings, wanted, costs, bar)
            cost = 1.0 - (after + taxed) / value
            trades.append((bar, before, wanted, value, cost, wanted != target, taxed / value))
            holdings = [weight * after for weight in wanted]
            kept *= after / value
            target, traded_in, value = wanted, months[bar], after

        if bar > 0:
            equity.append(value)
            net.append(gross if kept == 1.0 else (1.0 + gross) * kept - 1.0)
            kept = 1.0

    columns = [np.array(column) for column in zip(*trades, strict=True)]
    held = np.array(weights).reshape(-1, len(bars.sleeves))
    taxes = None if account is None else account.taxes(holdings, costs, last)
    return Path(np.array(equity), np.array(net), held, Trades(*columns), taxes)


def no_return(bars: Bars, bar: int, weights: Sequence[float]) -> DataError:
    """Return the error for a bar at which a sleeve is held that has no return."""
    held = next(s for s, weight in enumerate(weights) if weight != 0.0 and math.isnan(bars.returns[bar, s]))
    return DataError(
        f"{bars.sleeves[held]} has no return on {bars.dates[bar]}, but is held then; give the value that is "
        "missing, or start after that day with --start"
    )
