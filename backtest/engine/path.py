"""The path engine: the reference engine's loop over the bars, compiled, for any weights and for many sets.

It does the same arithmetic in the same order as ``reference.simulate``, so the two agree to the last bit as
long as a portfolio is stored. When only measures are asked for, each thread keeps one curve of returns at
a time and measures it before it goes on to the next set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled, copy
from backtest.engine.curves import N_MEASURES, Yardstick, measure
from backtest.engine.parallel import share
from backtest.engine.reference import NEVER, ON_TARGET, Path, Rebalance
from backtest.engine.trading import (
    earn,
    furthest,
    months_of,
    net_of,
    note,
    note_costs,
    only_sleeve,
    room,
    value_after_costs,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.decisions import Targets, Weights
    from backtest.engine.lots import Tax
    from backtest.market.data import Bars

_Room = tuple["Floats", "Floats", "Floats", "Floats"]


class _Market(NamedTuple):
    """The bars, and what trading in them costs.

    Parameters
    ----------
    returns
        (n_sleeves, n_bars) float64.
    months
        (n_bars,) int64: each bar's calendar month, counted on.
    costs
        (n_sleeves,) float64: a side, as a fraction of the notional traded.
    cash, small
        Which sleeve is cash, and which is small (-1: none).
    """

    returns: Floats
    months: Ints
    costs: Floats
    cash: int
    small: int

    @classmethod
    def of(cls, bars: Bars, costs: Sequence[float]) -> _Market:
        """Return the bars as the compiled loops take them."""
        names = bars.sleeves
        return cls(
            np.ascontiguousarray(bars.returns.T),
            months_of(bars),
            np.asarray(costs, dtype=np.float64),
            names.index("cash"),
            names.index("small") if "small" in names else -1,
        )


class Schedules(NamedTuple):
    """What to hold in each of many parameter sets.

    Parameters
    ----------
    offsets
        (n_sets + 1,) int64: the targets of set s are those from ``offsets[s]`` to ``offsets[s + 1]``.
    fills
        (n_targets,) int64: the bar at whose close each target is traded to; within a set they increase.
    rows
        (n_targets,) int64: which row of ``weights`` the target is.
    weights
        (n_rows, n_sleeves) float64: fractions of the value after costs, none negative; each row sums to 1.
    every_months, band
        (n_sets,) int64 and float64: when to trade back to the target between fills, as in
        ``reference.Rebalance``.
    """

    offsets: Ints
    fills: Ints
    rows: Ints
    weights: Floats
    every_months: Ints
    band: Floats

    @classmethod
    def of(cls, mixes: Weights, sleeves: Sequence[str], window: tuple[int, int]) -> Schedules:
        """Return what to hold in a window: the mix in force at first, and each change before the last bar.

        Errors as ``Weights.full``.
        """
        weights, changes = mixes.within(sleeves, *window)
        return cls(changes.offsets, changes.at, changes.rows, weights, mixes.every_months, mixes.band)

    @classmethod
    def one(cls, targets: Targets, rebalance: Rebalance = NEVER) -> Schedules:
        """Return the schedule of a single set."""
        n, every, band = len(targets.fills), [rebalance.every_months], [rebalance.band]
        rows, offsets = np.arange(n), np.array([0, n])
        return cls(offsets, targets.fills, rows, targets.weights, np.array(every), np.array(band))


@compiled
def _due(holdings: Floats, value: float, wanted: Floats, months: int, every: int, band: float) -> bool:
    """Return whether to trade back to the target; see ``reference.Rebalance.due``."""
    drift = furthest(holdings, value, wanted)
    return drift > ON_TARGET and ((0 < every <= months) or drift > band)


@compiled
def _trade(
    holdings: Floats, value: float, wanted: Floats, target: Floats, costs: Floats
) -> tuple[float, float, bool]:
    """Trade to the target, which becomes the wanted one; return value, turnover and whether it is new."""
    after = value_after_costs(holdings, target, costs)
    moved, switched = 0.0, False
    for sleeve in range(len(holdings)):
        moved += abs(target[sleeve] - holdings[sleeve] / value)
        switched = switched or target[sleeve] != wanted[sleeve]
        wanted[sleeve] = target[sleeve]
        holdings[sleeve] = target[sleeve] * after
    return after, moved / 2.0, switched


@compiled
def _glide(column: Floats, bar: int, until: int, kept: float, net: Floats) -> None:
    """Write a single sleeve's returns from ``bar`` to ``until``, the first after a trade's cost."""
    copy(net, column[bar : until + 1])
    net[0] = net_of(column[bar], kept)


@compiled
def _walk(  # noqa: PLR0912 - the loop of the reference, with a way to skip bars on which nothing happens
    market: _Market, window: tuple[int, int], schedules: Schedules, which: int, into: _Room
) -> tuple[int, float, int, float]:
    """Walk one portfolio through the bars and write its returns, NaN where a held sleeve has none.

    Parameters
    ----------
    window
        The bars of the first fill and of the end.
    schedules, which
        What to hold, and in which set.
    into
        ``trading.room``, written: (n,) float64, the returns of the bars after the first; and what else there
        is of a path, unless that is of length 0.

    Returns
    -------
    The number of trades, the turnover and the number of switches after the first purchase, and the sum of
    the weights of small.
    """
    (first, last), (net, equity, held, log) = window, into
    columns, months, costs, cash, small = market
    part = slice(schedules.offsets[which], schedules.offsets[which + 1])
    fills, rows, weights = schedules.fills[part], schedules.rows[part], schedules.weights
    every, band = schedules.every_months[which], schedules.band[which]
    n_sleeves, storing = len(columns), len(equity) > 0
    # Without rebalancing, a single sleeve needs no look between two fills.
    may_glide = not storing and every == 0 and band == np.inf
    holdings = np.zeros(n_sleeves)
    holdings[cash] = 1.0
    wanted = np.full(n_sleeves, -1.0)
    value, kept, gross, turnover, in_small = 1.0, 1.0, 0.0, 0.0, 0.0
    n_trades, switches, following, traded_in, alone = 0, 0, 0, 0, -1
    bar = first
    while bar <= last:
        if bar > first:
            if may_glide and alone >= 0:
                until = fills[following] if following < len(fills) else last
                _glide(columns[alone], bar, until, kept, net[bar - first - 1 :])
                in_small += until - bar + 1 if alone == small else 0
                kept = kept if until == bar else 1.0
                bar, gross = until, columns[alone, until]
            else:
                if small >= 0:
                    in_small += holdings[small] / value
                if storing:
                    copy(held[bar - first - 1], holdings / value)
                gross, value = earn(columns, bar, holdings, value)
                net[bar - first - 1] = net_of(gross, kept)
        decided = following < len(fills) and fills[following] == bar
        if decided or (
            first < bar < last
            and not may_glide
            and _due(holdings, value, wanted, months[bar] - traded_in, every, band)
        ):
            target = weights[rows[following]] if decided else wanted
            following += int(decided)
            if storing:
                note(log[n_trades], bar - first, holdings, value, target)
            after, moved, switched = _trade(holdings, value, wanted, target, costs)
            if storing:
                note_costs(log[n_trades], after, 0.0, switched)
            if n_trades > 0:
                turnover, switches = turnover + moved, switches + int(switched)
            n_trades += 1
            kept *= after / value
            value, traded_in, alone = after, months[bar], only_sleeve(holdings)
            if bar > first:
                net[bar - first - 1] = net_of(gross, kept)
        if bar > first:
            kept = 1.0
        if storing:
            equity[bar - first] = value if bar > first else 1.0
        bar += 1
    return n_trades, turnover, switches, in_small


@compiled
def _measure_sets(
    out: Floats,
    part: tuple[int, int],
    market: _Market,
    schedules: Schedules,
    yardstick: Yardstick,
) -> int:
    """Write the measures of the sets from ``part[0]`` to ``part[1]``; return the first bad one, or -1."""
    window, n = (yardstick.first, yardstick.last), yardstick.last - yardstick.first
    net, none = np.empty(n), np.empty((0, 0))
    for which in range(part[0], part[1]):
        into = (net, np.empty(0), none, none)
        _, turnover, switches, in_small = _walk(market, window, schedules, which, into)
        if not measure(out[which], net, (turnover, float(switches), in_small / n), yardstick):
            return which
    return -1


@compiled
def _write_returns(
    out: Floats,
    market: _Market,
    window: tuple[int, int],
    schedules: Schedules,
) -> None:
    """Write the returns of each set, NaN where a held sleeve has none."""
    none = np.empty((0, 0))
    for which in range(len(out)):
        _walk(market, window, schedules, which, (out[which], np.empty(0), none, none))


def simulate(
    bars: Bars,
    targets: Targets,
    costs: Sequence[float],
    rebalance: Rebalance = NEVER,
    tax: Tax | None = None,
) -> Path:
    """Run a portfolio through the bars; what ``reference.simulate`` returns, bit for bit, and its errors.

    With taxes it is the same to rounding.
    """
    if tax is not None:
        from backtest.engine import taxed  # compiled: most runs have none

        return taxed.simulate(bars, targets, costs, rebalance, tax)
    into, window = room(*bars.returns.shape), (0, len(bars.dates) - 1)
    n_trades, *_ = _walk(_Market.of(bars, costs), window, Schedules.one(targets, rebalance), 0, into)
    return written(bars, into, n_trades)


def sweep(
    bars: Bars,
    schedules: Schedules,
    costs: Sequence[float],
    yardstick: Yardstick,
    threads: int | None = None,
) -> Floats:
    """Measure many portfolios over the same bars.

    Parameters
    ----------
    bars
        All bars.
    schedules
        What to hold in each set: the first target of each at the first bar of the yardstick's window, none
        at its last or outside it.
    costs
        (n_sleeves,) cost a side, as a fraction of the notional traded.
    yardstick
        The window, and what the portfolios are held against.
    threads
        How many threads share the sets; by default as many as there are processors. The answer is the
        same to the last bit.

    Returns
    -------
    (n_sets, n_measures) float64 in the order of ``measures.SWEPT``.

    Raises
    ------
    DataError
        When a sleeve that is held has no return; the sentence names sleeve and date.
    """
    n_sets = len(schedules.offsets) - 1
    out = np.empty((n_sets, N_MEASURES))
    market, window = _Market.of(bars, costs), (yardstick.first, yardstick.last)

    def work(start: int, stop: int) -> int:
        return _measure_sets(out, (start, stop), market, schedules, yardstick)

    bad = [which for which in share(work, n_sets, threads, smallest=4) if which >= 0]
    if bad:
        _refuse(bars, schedules, bad[0], window, costs)
    return out


def returns(bars: Bars, schedules: Schedules, costs: Sequence[float], window: tuple[int, int]) -> Floats:
    """Return the returns after costs of many portfolios over a window, (n_sets, n); errors as ``sweep``."""
    out = np.empty((len(schedules.offsets) - 1, window[1] - window[0]))
    _write_returns(out, _Market.of(bars, costs), window, schedules)
    bad = np.isnan(out).any(axis=1)
    if bad.any():
        _refuse(bars, schedules, int(bad.argmax()), window, costs)
    return out


def _refuse(
    bars: Bars, schedules: Schedules, bad: int, window: tuple[int, int], costs: Sequence[float]
) -> None:
    """Raise the error for a set that holds a sleeve without a return."""
    into = room(1 + window[1] - window[0], len(bars.sleeves))
    n_trades, *_ = _walk(_Market.of(bars, costs), window, schedules, bad, into)
    written(bars.window(*window), into, n_trades)
