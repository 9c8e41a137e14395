"""The path engine with taxes: the loop of the reference over the bars and its account of lots, compiled.

Its lots lie in the order in which they are sold, in units that grow with their sleeve, so that a bar costs
nothing for each lot and a sale takes from the front. It is the arithmetic of ``lots`` in another order: the
two agree to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled, copy
from backtest.engine.lots import NEAR, Tax, Taxes
from backtest.engine.reference import ON_TARGET, Path, Rebalance
from backtest.engine.trading import earn, furthest, months_of, net_of, note, note_costs, room, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.decisions import Targets
    from backtest.market.data import Bars

_PAID, _SHORT, _LONG, _LOSSES, _SOLD = range(5)  # of the account


class _Lots(NamedTuple):
    """The lots of all sleeves, a row each, in the order in which they are sold.

    Parameters
    ----------
    bought
        (n_sleeves, n_lots) int64: the bar at which each was bought.
    units, paid
        (n_sleeves, n_lots) float64: how many units, and what was paid for them.
    ends
        (n_sleeves, 2) int64: the first lot that is left, and the place behind the last.
    unit
        (n_sleeves,) float64: what a unit is worth.
    """

    bought: Ints
    units: Floats
    paid: Floats
    ends: Ints
    unit: Floats


class _Rules(NamedTuple):
    """Costs a side, rates of tax, whether the dearest lots go first, and from when a lot is long."""

    costs: Floats
    short: float
    long: float
    highest: bool
    long_from: Ints


@compiled
def _due(short: float, long: float, carried: float, rules: _Rules) -> tuple[float, float]:
    """Return the tax and the losses that are carried forward; see ``lots.due``."""
    if short < 0.0 < long or long < 0.0 < short:
        both = short + long
        short, long = (min(both, 0.0), max(both, 0.0)) if short < 0.0 else (max(both, 0.0), min(both, 0.0))
    lost = -min(short, 0.0) - min(long, 0.0)
    against_short = min(carried, max(short, 0.0))
    against_long = min(carried - against_short, max(long, 0.0))
    taxed = rules.short * (max(short, 0.0) - against_short) + rules.long * (max(long, 0.0) - against_long)
    return taxed, carried + lost - against_short - against_long


@compiled
def _realised(
    after: float, holdings: Floats, wanted: Floats, lots: _Lots, rules: _Rules, bar: int
) -> tuple[float, float]:
    """Return the short and the long gains of a trade that leaves ``after``."""
    short, long = 0.0, 0.0
    for sleeve in range(len(holdings)):
        left, whole = holdings[sleeve] - wanted[sleeve] * after, wanted[sleeve] == 0.0
        if left <= 0.0:
            continue
        for lot in range(lots.ends[sleeve, 0], lots.ends[sleeve, 1]):
            held = lots.units[sleeve, lot] * lots.unit[sleeve]
            if held <= 0.0:
                continue
            part = held if whole else min(held, left)
            gain = part * (1.0 - rules.costs[sleeve]) - lots.paid[sleeve, lot] * (part / held)
            if rules.long_from[lots.bought[sleeve, lot]] <= bar:
                long += gain
            else:
                short += gain
            left -= part
            if left <= 0.0 and not whole:
                break
    return short, long


@compiled
def _gap(
    after: float, holdings: Floats, wanted: Floats, lots: _Lots, rules: _Rules, bar: int, carried: float
) -> float:
    """Return what is left of the value after costs and tax, less what is said to be left."""
    kept = 0.0
    for sleeve in range(len(holdings)):
        kept += holdings[sleeve] - rules.costs[sleeve] * abs(wanted[sleeve] * after - holdings[sleeve])
    short, long = _realised(after, holdings, wanted, lots, rules, bar)
    return kept - _due(short, long, carried, rules)[0] - after


@compiled
def _left(
    value: float, holdings: Floats, wanted: Floats, lots: _Lots, rules: _Rules, bar: int, carried: float
) -> float:
    """Return what is left after costs and tax; see ``lots.root``."""
    low, high, side = 0.0, value, 0
    above = _gap(low, holdings, wanted, lots, rules, bar, carried)
    below = _gap(high, holdings, wanted, lots, rules, bar, carried)
    if below >= 0.0:
        return high
    middle = high
    for _ in range(200):
        middle = low + (high - low) * (above / (above - below))
        found = _gap(middle, holdings, wanted, lots, rules, bar, carried)
        if abs(found) <= NEAR * value or not low < middle < high:
            return middle
        if found > 0.0:
            low, above = middle, found
            below, side = (0.5 * below if side > 0 else below), 1
        else:
            high, below = middle, found
            above, side = (0.5 * above if side < 0 else above), -1
    return middle


@compiled
def _take(lots: _Lots, sleeve: int, amount: float, whole: bool) -> None:
    """Take what is sold out of the lots, from the front."""
    first, last = lots.ends[sleeve]
    if whole:
        lots.ends[sleeve, 0] = last
        return
    while first < last and amount > 0.0:
        held = lots.units[sleeve, first] * lots.unit[sleeve]
        if held <= amount:
            amount -= held
            first += 1
        else:
            lots.paid[sleeve, first] *= 1.0 - amount / held
            lots.units[sleeve, first] *= 1.0 - amount / held
            amount = 0.0
    lots.ends[sleeve, 0] = first


@compiled
def _enter(lots: _Lots, sleeve: int, amount: float, cost: float, bar: int, highest: bool) -> None:
    """Enter a purchase at the place at which it will be sold."""
    first, last = lots.ends[sleeve]
    if first == last:
        lots.unit[sleeve] = 1.0
    units, paid, at = amount / lots.unit[sleeve], amount * (1.0 + cost), last
    while highest and at > first and lots.paid[sleeve, at - 1] / lots.units[sleeve, at - 1] < paid / units:
        lots.bought[sleeve, at] = lots.bought[sleeve, at - 1]
        lots.units[sleeve, at] = lots.units[sleeve, at - 1]
        lots.paid[sleeve, at] = lots.paid[sleeve, at - 1]
        at -= 1
    lots.bought[sleeve, at], lots.units[sleeve, at], lots.paid[sleeve, at] = bar, units, paid
    lots.ends[sleeve, 1] = last + 1


@compiled
def _trade(
    value: float, holdings: Floats, wanted: Floats, lots: _Lots, rules: _Rules, bar: int, account: Floats
) -> tuple[float, float]:
    """Trade to weights of what is left after costs and tax; return that, and the tax."""
    after = _left(value, holdings, wanted, lots, rules, bar, account[_LOSSES])
    short, long = _realised(after, holdings, wanted, lots, rules, bar)
    taxed, account[_LOSSES] = _due(short, long, account[_LOSSES], rules)
    account[_PAID] += taxed
    account[_SHORT] += short
    account[_LONG] += long
    for sleeve in range(len(holdings)):
        amount = wanted[sleeve] * after - holdings[sleeve]
        if amount > 0.0:
            _enter(lots, sleeve, amount, rules.costs[sleeve], bar, rules.highest)
        elif amount < 0.0:
            _take(lots, sleeve, -amount, wanted[sleeve] == 0.0)
        holdings[sleeve] = wanted[sleeve] * after
    return after, taxed


@compiled
def _walk(
    columns: Floats,
    months: Ints,
    schedule: tuple[Ints, Floats, int, float],
    holdings: Floats,
    lots: _Lots,
    rules: _Rules,
    into: tuple[Floats, Floats, Floats, Floats],
    account: Floats,
) -> int:
    """Walk a portfolio through the bars, and write all of its path; return the number of trades."""
    (fills, weights, every, band), (net, equity, held, log) = schedule, into
    n_sleeves, last = len(columns), len(equity) - 1
    wanted = np.full(n_sleeves, -1.0)
    value, kept, gross = 1.0, 1.0, 0.0
    n_trades, following, traded_in = 0, 0, 0
    for bar in range(last + 1):
        if bar > 0:
            copy(held[bar - 1], holdings / value)
            for sleeve in range(n_sleeves):
                if holdings[sleeve] != 0.0:
                    lots.unit[sleeve] *= 1.0 + columns[sleeve, bar]
            gross, value = earn(columns, bar, holdings, value)
        decided = following < len(fills) and fills[following] == bar
        drift = furthest(holdings, value, wanted)
        waited = months[bar] - traded_in
        due = 0 < bar < last and drift > ON_TARGET and ((0 < every <= waited) or drift > band)
        if decided or due:
            target = weights[following] if decided else wanted
            following += int(decided)
            note(log[n_trades], bar, holdings, value, target)
            after, taxed = _trade(value, holdings, target, lots, rules, bar, account)
            note_costs(log[n_trades], after, taxed, (target != wanted).any())
            n_trades += 1
            kept *= after / value
            copy(wanted, target)
            value, traded_in = after, months[bar]
        equity[bar] = value if bar > 0 else 1.0
        if bar > 0:
            net[bar - 1] = net_of(gross, kept)
            kept = 1.0
    account[_SOLD] = _gap(0.0, holdings, np.zeros(n_sleeves), lots, rules, last, account[_LOSSES])
    return n_trades


def simulate(bars: Bars, targets: Targets, costs: Sequence[float], rebalance: Rebalance, tax: Tax) -> Path:
    """Run a portfolio through the bars; what ``reference.simulate`` returns, to rounding, and its errors."""
    n_bars, n_sleeves = bars.returns.shape
    cash = bars.sleeves.index("cash")
    shape = (n_sleeves, n_bars + 1)
    bought, ends = np.zeros(shape, np.int64), np.zeros((n_sleeves, 2), np.int64)
    lots = _Lots(bought, np.zeros(shape), np.zeros(shape), ends, np.ones(n_sleeves))
    lots.units[cash, 0] = lots.paid[cash, 0] = 1.0
    lots.ends[cash, 1] = 1
    rules = _Rules(np.asarray(costs, dtype=np.float64), *tax)
    holdings = np.zeros(n_sleeves)
    holdings[cash] = 1.0
    schedule = (targets.fills, np.ascontiguousarray(targets.weights), rebalance.every_months, rebalance.band)
    columns, into, account = np.ascontiguousarray(bars.returns.T), room(n_bars, n_sleeves), np.zeros(5)
    n_trades = _walk(columns, months_of(bars), schedule, holdings, lots, rules, into, account)
    return written(bars, into, n_trades, Taxes(*account.tolist()))
