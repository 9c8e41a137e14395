"""What the compiled engines do to holdings at a bar: let them grow, see how far they drift, trade them.

``holdings`` and ``wanted`` are (n_sleeves,) float64: the value in each sleeve, and fractions of the value. Of
each trade a row is written: the bar, the value before it, what costs and tax took of that, whether the target
changed; then the weights before and after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled, copy, higher, inlined
from backtest.engine.reference import Path, Trades, no_return

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints
    from backtest.engine.lots import Taxes
    from backtest.market.data import Bars

_BAR, _VALUE, _COST, _TAX, _SWITCHED, _BEFORE = range(6)  # columns of the row of a trade; the last of many


def months_of(bars: Bars) -> Ints:
    """Return each bar's calendar month, counted on."""
    return bars.dates.astype("datetime64[M]").astype(np.int64)


def room(n_bars: int, n_sleeves: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return where a path is written: (n,) returns, (n + 1,) values, (n, n_sleeves) weights, and trades."""
    n = n_bars - 1
    log = np.empty((n_bars, _BEFORE + 2 * n_sleeves))
    return np.empty(n), np.empty(n_bars), np.empty((n, n_sleeves)), log


@inlined
def note(row: Floats, bar: int, holdings: Floats, value: float, target: Floats) -> None:
    """Write down a trade to a target, before it is made."""
    row[_BAR], row[_VALUE] = bar, value
    copy(row[_BEFORE:], holdings / value)
    copy(row[_BEFORE + len(holdings) :], target)


@inlined
def note_costs(row: Floats, after: float, tax: float, switched: bool) -> None:
    """Write down what is left after the trade, and the tax on it."""
    row[_COST], row[_TAX], row[_SWITCHED] = 1.0 - (after + tax) / row[_VALUE], tax / row[_VALUE], switched


def written(
    bars: Bars, into: tuple[Floats, Floats, Floats, Floats], n_trades: int, taxes: Taxes | None = None
) -> Path:
    """Return the path that was written; DataError where a sleeve that is held has no return."""
    net, equity, held, log = into
    if np.isnan(net).any():
        bad = int(np.isnan(net).argmax())
        raise no_return(bars, 1 + bad, held[bad])
    log = log[:n_trades]
    before, after = np.split(log[:, _BEFORE:], [len(bars.sleeves)], axis=1)
    at, switched = log[:, _BAR].astype(np.int64), log[:, _SWITCHED].astype(bool)
    trades = Trades(at, before, after, log[:, _VALUE], log[:, _COST], switched, log[:, _TAX])
    return Path(equity, net, held, trades, taxes)


@compiled
def value_after_costs(holdings: Floats, wanted: Floats, costs: Floats) -> float:
    """Return the value left when holdings are traded to weights; see the function in ``reference``."""
    value = 0.0
    for sleeve in range(len(holdings)):
        value += holdings[sleeve]
    after = value
    while True:
        fixed, slope = value, 1.0
        for sleeve in range(len(holdings)):
            amount = wanted[sleeve] * after
            direction = float(int(amount > holdings[sleeve]) - int(amount < holdings[sleeve]))
            fixed += costs[sleeve] * direction * holdings[sleeve]
            slope += costs[sleeve] * direction * wanted[sleeve]
        if not fixed / slope < after:  # or there is a NaN, which the caller finds
            return after
        after = fixed / slope


@compiled
def only_sleeve(holdings: Floats) -> int:
    """Return the sleeve that holds everything, -1 where several do."""
    found = -1
    for sleeve in range(len(holdings)):
        if holdings[sleeve] != 0.0:
            if found >= 0:
                return -1
            found = sleeve
    return found


@inlined
def furthest(holdings: Floats, value: float, wanted: Floats) -> float:
    """Return how far the weight that has drifted most is from its target."""
    found = 0.0
    for sleeve in range(len(holdings)):
        found = higher(abs(holdings[sleeve] / value - wanted[sleeve]), found)
    return found


@inlined
def earn(columns: Floats, bar: int, holdings: Floats, value: float) -> tuple[float, float]:
    """Let the holdings grow by a bar's returns; return the portfolio's return and its new value."""
    gross, grown = 0.0, 0.0
    for sleeve in range(len(holdings)):
        if holdings[sleeve] != 0.0:
            gross += holdings[sleeve] / value * columns[sleeve, bar]
            holdings[sleeve] *= 1.0 + columns[sleeve, bar]
        grown += holdings[sleeve]
    return gross, grown


@compiled
def net_of(gross: float, kept: float) -> float:
    """Return a bar's return after costs that left so much of the value."""
    return gross if kept == 1.0 else (1.0 + gross) * kept - 1.0
