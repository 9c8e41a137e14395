"""The path engine: the reference engine's loop over the bars, compiled, for any weights and for many sets.

It does the same arithmetic in the same order as ``reference.simulate``, so the two agree to the last bit as
long as a portfolio is stored. When only measures are asked for, each thread keeps one curve of returns at
a time and measures it before it goes on to the next set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled, copy, inlined
from backtest.decisions import Targets
from backtest.engine.curves import N_MEASURES, SWITCHES, TIME_IN_SMALL, TOTAL_RETURN, TURNOVER, measure
from backtest.engine.parallel import share
from backtest.engine.reference import NEVER, ON_TARGET, Path, Rebalance, Trades, no_return
from backtest.engine.trading import earn, furthest, net_of, only_sleeve, value_after_costs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.engine.lots import Tax
    from backtest.engine.yardstick import Yardstick
    from backtest.market.data import Bars

_BAR, _VALUE, _COST, _SWITCHED, _BEFORE = range(5)  # columns of what is written of a trade; the last of many


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


class _Schedule(NamedTuple):
    """What to hold in one set: fills and rows of weights as in ``Schedules``; 0 and infinite for never."""

    fills: Ints
    rows: Ints
    weights: Floats
    every_months: int
    band: float


class _Room(NamedTuple):
    """Where a walk writes more than its returns; each of length 0 where it does not.

    Parameters
    ----------
    equity, held
        (n + 1,) values; (n, n_sleeves) weights.
    log
        Trades, a row each: the columns above, then the weights before and after.
    """

    equity: Floats
    held: Floats
    log: Floats


@dataclass(frozen=True, eq=False)
class Schedules:
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
        ``reference.Rebalance``; 0 months and an infinite band for never.
    """

    offsets: Ints
    fills: Ints
    rows: Ints
    weights: Floats
    every_months: Ints
    band: Floats

    @property
    def arrays(self) -> tuple[Ints, Ints, Ints, Floats, Ints, Floats]:
        """What the compiled loops take."""
        return self.offsets, self.fills, self.rows, self.weights, self.every_months, self.band

    @classmethod
    def one(cls, targets: Targets, rebalance: Rebalance = NEVER) -> Schedules:
        """Return the schedule of a single set."""
        n = len(targets.fills)
        every, band = _settings(rebalance)
        return cls(
            np.array([0, n]),
            targets.fills,
            np.arange(n),
            targets.weights,
            np.array([every]),
            np.array([band]),
        )


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
    market: _Market, window: tuple[int, int], schedule: _Schedule, net: Floats, room: _Room
) -> tuple[int, float, int, float]:
    """Walk one portfolio through the bars and write its returns, NaN where a held sleeve has none.

    Parameters
    ----------
    window
        The bars of the first fill and of the end.
    net
        (n,) float64, written: the returns of the bars after the first.
    room
        What else to write.

    Returns
    -------
    The number of trades, the turnover and the number of switches after the first purchase, and the sum of
    the weights of small.
    """
    (first, last), (equity, held, log) = window, room
    (columns, months, costs, cash, small), (fills, rows, weights, every, band) = market, schedule
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
                log[n_trades, _VALUE] = value
                copy(log[n_trades, _BEFORE:], holdings / value)
                copy(log[n_trades, _BEFORE + n_sleeves :], target)
            after, moved, switched = _trade(holdings, value, wanted, target, costs)
            if storing:
                log[n_trades, _BAR], log[n_trades, _SWITCHED] = bar - first, switched
                log[n_trades, _COST] = 1.0 - after / value
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


@inlined
def _schedule(schedules: tuple[Ints, Ints, Ints, Floats, Ints, Floats], which: int) -> _Schedule:
    """Return one set of ``Schedules.arrays``."""
    offsets, fills, rows, weights, every_months, band = schedules
    here = slice(offsets[which], offsets[which + 1])
    return _Schedule(fills[here], rows[here], weights, every_months[which], band[which])


@inlined
def _nothing() -> _Room:
    return _Room(np.empty(0), np.empty((0, 0)), np.empty((0, 0)))


@compiled
def _measure_sets(
    out: Floats,
    part: tuple[int, int],
    market: _Market,
    window: tuple[int, int],
    schedules: tuple[Ints, Ints, Ints, Floats, Ints, Floats],
    yardstick: tuple[Floats, Floats, Floats, float],
) -> int:
    """Write the measures of the sets from ``part[0]`` to ``part[1]``; return the first bad one, or -1."""
    n, n_years = window[1] - window[0], yardstick[3]
    net, none = np.empty(n), _nothing()
    for which in range(part[0], part[1]):
        _, turnover, switches, in_small = _walk(market, window, _schedule(schedules, which), net, none)
        measure(out[which], net, *yardstick)
        if math.isnan(out[which, TOTAL_RETURN]):
            return which
        out[which, TURNOVER] = turnover / n_years
        out[which, SWITCHES] = switches
        out[which, TIME_IN_SMALL] = in_small / n
    return -1


@compiled
def _write_returns(
    out: Floats,
    market: _Market,
    window: tuple[int, int],
    schedules: tuple[Ints, Ints, Ints, Floats, Ints, Floats],
) -> None:
    """Write the returns of each set, NaN where a held sleeve has none."""
    none = _nothing()
    for which in range(len(out)):
        _walk(market, window, _schedule(schedules, which), out[which], none)


@compiled
def scheduled(
    offsets: Ints, at: Ints, rows: Ints, window: tuple[int, int], kept: Ints, fills: Ints, held: Ints
) -> int:
    """Write down each set's decisions inside a window: what is in force at its first bar, then each change.

    ``offsets``, ``at`` and ``rows`` are those of ``Weights``, with equal rows where the weights are equal;
    ``kept``, ``fills`` and ``held`` are filled, as in ``Schedules``. Returns how much of the latter is used.
    """
    first, last = window
    used = 0
    for s in range(len(offsets) - 1):
        kept[s] = used
        for d in range(offsets[s], offsets[s + 1]):
            over = d + 1 < offsets[s + 1] and at[d + 1] <= first
            if over or at[d] >= last or (used > kept[s] and held[used - 1] == rows[d]):
                continue
            fills[used] = max(at[d], first)
            held[used] = rows[d]
            used += 1
    kept[len(offsets) - 1] = used
    return used


def months_of(bars: Bars) -> Ints:
    """Return each bar's calendar month, counted on."""
    return bars.dates.astype("datetime64[M]").astype(np.int64)


def _settings(rebalance: Rebalance) -> tuple[int, float]:
    return (rebalance.every_months or 0, np.inf if rebalance.band is None else rebalance.band)


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
    last, n_sleeves = len(bars.dates) - 1, len(bars.sleeves)
    net, equity, held = np.empty(last), np.empty(last + 1), np.empty((last, n_sleeves))
    log = np.empty((last + 1, _BEFORE + 2 * n_sleeves))
    rows = np.arange(len(targets.fills))
    schedule = _Schedule(targets.fills, rows, targets.weights, *_settings(rebalance))
    n_trades, *_ = _walk(_Market.of(bars, costs), (0, last), schedule, net, _Room(equity, held, log))
    if np.isnan(net).any():
        bad = int(np.isnan(net).argmax())
        raise no_return(bars, 1 + bad, held[bad])
    log = log[:n_trades]
    before, after = np.split(log[:, _BEFORE:], [n_sleeves], axis=1)
    switched, at = log[:, _SWITCHED].astype(bool), log[:, _BAR].astype(np.int64)
    trades = Trades(at, before, after, log[:, _VALUE], log[:, _COST], switched, np.zeros(n_trades))
    return Path(equity, net, held, trades)


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
        return _measure_sets(out, (start, stop), market, window, schedules.arrays, yardstick.arrays)

    bad = [which for which in share(work, n_sets, threads, smallest=4) if which >= 0]
    if bad:
        _refuse(bars, schedules, bad[0], window, costs)
    return out


def returns(bars: Bars, schedules: Schedules, costs: Sequence[float], window: tuple[int, int]) -> Floats:
    """Return the returns after costs of many portfolios over a window, (n_sets, n); errors as ``sweep``."""
    out = np.empty((len(schedules.offsets) - 1, window[1] - window[0]))
    _write_returns(out, _Market.of(bars, costs), window, schedules.arrays)
    bad = np.isnan(out).any(axis=1)
    if bad.any():
        _refuse(bars, schedules, int(bad.argmax()), window, costs)
    return out


def _refuse(
    bars: Bars, schedules: Schedules, bad: int, window: tuple[int, int], costs: Sequence[float]
) -> None:
    """Raise the error for a set that holds a sleeve without a return."""
    part = slice(schedules.offsets[bad], schedules.offsets[bad + 1])
    targets = Targets(schedules.fills[part], schedules.weights[schedules.rows[part]])
    every, band = int(schedules.every_months[bad]), float(schedules.band[bad])
    rebalance = Rebalance(every or None, None if band == np.inf else band)
    simulate(bars.window(*window), targets.moved(-window[0]), costs, rebalance)
