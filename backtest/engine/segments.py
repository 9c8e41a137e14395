"""The segments engine: one sleeve at a time, a handful of table look-ups a switch, whatever the bars between.

A rotation is a chain of stretches in one sleeve or the other. Each is looked up in ``tables`` rather than
walked; the bar that carries a trade's cost is an element of its own, so the answer is exact. Every sum
comes with a bound on what rounding can have done to it. Where a measure would not be good to a part in 10^11,
as when a portfolio barely differs from its benchmark, the set is walked bar by bar instead; the same walk
decides whether a deviation is exactly 0 and a ratio therefore not defined.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled, copy, inlined, lower
from backtest.engine.curves import N_MEASURES, Held, Yardstick, measure
from backtest.engine.parallel import share
from backtest.engine.reference import no_return
from backtest.engine.rounding import N_SUMS, ULP, FiveSums, conclude, plus, terms
from backtest.engine.tables import SleevePair, Stretch, Tables, get, mark, one_bar
from backtest.engine.trading import net_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.market.data import Bars

_SMALL_SLEEVE = "small"


Fall = tuple[float, float, float]
"""A path so far, in logarithms: its growth, how far it is below its peak, and its worst fall."""


class _Shared(NamedTuple):
    """What the sets of a window share.

    Parameters
    ----------
    kept, first_kept
        (2,) float64: what a switch from each sleeve leaves of the value, and the purchase of each with cash.
    unmoved
        (2, n_measures) float64: the measures of a set that never switches.
    shares
        (2,) float64: how much of each sleeve is in small.
    yardstick
        The window, and what the sets are held against.
    """

    kept: Floats
    first_kept: Floats
    unmoved: Floats
    shares: Floats
    yardstick: Yardstick


@inlined
def edge(starts: Ints, stops: Ints, which: int) -> int:
    """Return the fill of the which-th change of all sets' runs: start, stop, start, ...

    A set's changes begin at an even number, so that even ones enter the second sleeve and odd ones leave it.
    """
    return stops[which >> 1] if which & 1 else starts[which >> 1]


@inlined
def inside(runs: tuple[Ints, Ints, Ints], which: int, first: int, last: int) -> tuple[int, int]:
    """Return the changes of a set strictly between a window's first and last bar, from one up to another."""
    offsets, starts, stops = runs
    begin, end = 2 * offsets[which], 2 * offsets[which + 1]
    while begin < end and edge(starts, stops, begin) <= first:
        begin += 1
    while begin < end and edge(starts, stops, end - 1) >= last:
        end -= 1
    return begin, end


@inlined
def _follow(so_far: Fall, stretch: Stretch) -> Fall:
    """Return the fall after a further stretch."""
    (total, below, worst), (growth, tail, low, fall) = so_far, stretch
    return total + growth, lower(below + growth, tail), lower(lower(worst, fall), below + low)


@inlined
def _hold(so_far: Fall, tables: Tables, sleeve: int, start: int, stop: int) -> Fall:
    """Follow the elements from ``start`` up to, not including, ``stop`` of one sleeve's table."""
    if start >= stop:
        return so_far
    final = stop - 1
    sparse, level = tables.sparse, tables.levels[start ^ final]
    so_far = _follow(so_far, get(sparse[sleeve, level, start]))
    return so_far if start == final else _follow(so_far, get(sparse[sleeve, level, final]))


@compiled
def _walk(
    out: Floats,
    net: Floats,
    starts: Ints,
    stops: Ints,
    edges: tuple[int, int],
    held: Held,
    returns: Floats,
    shared: _Shared,
) -> None:
    """Write a set's measures by walking its bars; ``net`` is room for its (n,) returns."""
    first, (begin, end) = shared.yardstick.first, edges
    sleeve = begin & 1
    bar, left = first + 1, shared.first_kept[sleeve]
    for which in range(begin, end + 1):
        until = edge(starts, stops, which) if which < end else shared.yardstick.last
        for plain in range(bar, until + 1):
            net[plain - first - 1] = returns[sleeve, plain]
        net[bar - first - 1] = net_of(returns[sleeve, bar], left)
        if which < end:
            left = (left if until == bar else 1.0) * shared.kept[sleeve]
            net[until - first - 1] = net_of(returns[sleeve, until], left)
            left = 1.0
        sleeve, bar = 1 - sleeve, until + 1
    measure(out, net, held, shared.yardstick)


@inlined
def _accumulate(
    starts: Ints, stops: Ints, edges: tuple[int, int], pair: SleevePair, tables: Tables, shared: _Shared
) -> tuple[FiveSums, Fall]:
    """Return a set's five sums and its fall."""
    begin, end = edges
    prefix, point_of, kept = pair.sums, tables.point_of, shared.kept
    sleeve, following, bar = begin & 1, begin, shared.yardstick.first + 1

    # The first bar carries the cost of the first purchase, and perhaps that of a switch as well.
    gross, left = pair.returns[sleeve, bar], shared.first_kept[sleeve]
    switch_now = begin < end and edge(starts, stops, begin) == bar
    if switch_now:
        left *= kept[sleeve]
    so_far = _follow((0.0, 0.0, 0.0), one_bar(pair.logs[sleeve, bar] + math.log(left)))
    costly = terms(net_of(gross, left), pair.centre, pair.risk_free[bar], pair.benchmark[bar])
    sums = plus(costly, -1.0, terms(gross, pair.centre, pair.risk_free[bar], pair.benchmark[bar]))
    sums = plus(sums, -1.0, prefix[sleeve, shared.yardstick.first])
    if switch_now:
        sums = plus(sums, 1.0, prefix[sleeve, bar])
        sums = plus(sums, -1.0, prefix[1 - sleeve, bar])
        sleeve, following = 1 - sleeve, begin + 1

    point = point_of[bar]
    for which in range(following, end):
        here = point_of[edge(starts, stops, which)]
        so_far = _hold(so_far, tables, sleeve, point, here - 1)
        row = tables.switches[sleeve, here]
        so_far = _follow(so_far, get(row, N_SUMS))
        sums = plus(sums, 1.0, row)
        sleeve, point = 1 - sleeve, here
    sums = plus(sums, 1.0, prefix[sleeve, shared.yardstick.last])
    return sums, _hold(so_far, tables, sleeve, point, point_of[shared.yardstick.last])


@compiled
def _measure_sets(
    out: Floats,
    part: tuple[int, int],
    runs: tuple[Ints, Ints, Ints],
    pair: SleevePair,
    tables: Tables,
    shared: _Shared,
) -> tuple[int, int]:
    """Write the measures of the sets of a part.

    Returns the first set that holds a sleeve without a return (-1: none), and how many sets were walked.
    """
    _, starts, stops = runs
    first, last, shares = shared.yardstick.first, shared.yardstick.last, shared.shares
    n, n_walked, missing = last - first, 0, pair.missing
    gaps = missing[0, last] > missing[0, first] or missing[1, last] > missing[1, first]
    net = np.empty(n)
    for which in range(part[0], part[1]):
        edges = inside(runs, which, first, last)
        begin, end = edges
        if gaps and _held_gap(starts, stops, edges, (first, last), missing):
            return which, n_walked
        if begin == end:
            copy(out[which], shared.unmoved[begin & 1])
            continue
        bars_of_yes, changes = _bars_of_yes(starts, stops, edges, (first, last)), float(end - begin)
        held = (changes, changes, (shares[0] * (n - bars_of_yes) + shares[1] * bars_of_yes) / n)
        sums, path = _accumulate(starts, stops, edges, pair, tables, shared)
        # A term is a difference of prefix sums, or what a cost changes: of the size of either.
        error = (ULP * (end - begin + 4), end - begin + 1, pair.reach)
        grown = (math.exp(path[0]), math.expm1(path[2]))
        if not conclude(out[which], sums, grown, n, pair.centre, error, shared.yardstick, held):
            n_walked += 1
            _walk(out[which], net, starts, stops, edges, held, pair.returns, shared)
    return -1, n_walked


@inlined
def _bars_of_yes(starts: Ints, stops: Ints, edges: tuple[int, int], window: tuple[int, int]) -> int:
    """Return how many of a window's returns are earned in the second sleeve."""
    bars = window[1] if edges[1] & 1 else 0
    bars -= window[0] if edges[0] & 1 else 0
    for which in range(edges[0], edges[1]):
        bar = edge(starts, stops, which)
        bars += bar if which & 1 else -bar
    return bars


@compiled
def _held_gap(
    starts: Ints, stops: Ints, edges: tuple[int, int], window: tuple[int, int], missing: Ints
) -> bool:
    """Return whether a set holds a sleeve on a bar that has no return for it."""
    since = window[0]
    for which in range(edges[0], edges[1] + 1):
        until = edge(starts, stops, which) if which < edges[1] else window[1]
        if missing[which & 1, until] > missing[which & 1, since]:
            return True
        since = until
    return False


def _left_after(sold: float, bought: float) -> float:
    """Return what a full switch leaves of the value."""
    return (1.0 - sold) / (1.0 + bought)


def left_by(bars: Bars, pair: tuple[str, str], costs: Sequence[float]) -> tuple[Floats, Floats]:
    """Return what is left by a switch from each of two sleeves, and by buying each with cash; (2,) both."""
    cost = [costs[bars.sleeves.index(name)] for name in pair]
    cash = costs[bars.sleeves.index("cash")]
    bought = [1.0 if name == "cash" else _left_after(cash, c) for name, c in zip(pair, cost, strict=True)]
    return np.array([_left_after(*cost), _left_after(*cost[::-1])]), np.array(bought)


@dataclass(frozen=True, eq=False)
class Segments:
    """Two sleeves of a market, ready for sweeps.

    Parameters
    ----------
    bars, otherwise, into
        All bars; the sleeve held while a signal says no, and the one for yes.
    pair
        The tables over all bars.
    """

    bars: Bars
    otherwise: str
    into: str
    pair: SleevePair

    @classmethod
    def of(cls, bars: Bars, otherwise: str, into: str, benchmark: str) -> Segments:
        """Return the tables of a pair of sleeves against a benchmark."""
        pair = np.ascontiguousarray([bars.column(otherwise), bars.column(into)])
        risk_free, held_against = bars.column("cash").copy(), bars.column(benchmark).copy()
        return cls(bars, otherwise, into, SleevePair.of(pair, risk_free, held_against))

    def sweep(
        self,
        runs: tuple[Ints, Ints, Ints],
        costs: Sequence[float],
        yardsticks: Sequence[Yardstick],
        threads: int | None = None,
    ) -> Floats:
        """Measure many sets of runs over one window or several; a page of ``path.sweep`` for each window.

        ``runs`` are offsets, starts and stops of the sets' runs, as in ``Spells``. A set buys what its runs
        say at a window's first bar, and trades no more at its last. The rest as for ``path.sweep``.
        """
        offsets, starts, stops = runs
        if self.otherwise == self.into:
            offsets, starts, stops = np.zeros_like(offsets), starts[:0], stops[:0]
        kept, first_kept = left_by(self.bars, (self.otherwise, self.into), costs)
        marked = np.zeros(len(self.bars.dates), dtype=np.bool_)
        mark(marked, starts, stops)
        for yardstick in yardsticks:
            marked[[yardstick.first, yardstick.first + 1, yardstick.last]] = True
        tables = Tables.of(self.pair, marked, kept)
        out = np.empty((len(yardsticks), len(offsets) - 1, N_MEASURES))
        for page, yardstick in zip(out, yardsticks, strict=True):
            self._window(page, (offsets, starts, stops), tables, kept, first_kept, yardstick, threads)
        return out

    def _window(
        self,
        out: Floats,
        runs: tuple[Ints, Ints, Ints],
        tables: Tables,
        kept: Floats,
        first_kept: Floats,
        yardstick: Yardstick,
        threads: int | None,
    ) -> None:
        pair, first, last = self.pair, yardstick.first, yardstick.last
        shares = np.array([float(name == _SMALL_SLEEVE) for name in (self.otherwise, self.into)])

        unmoved = np.empty((2, N_MEASURES))
        for sleeve in range(2):
            net = pair.returns[sleeve, first + 1 : last + 1].copy()
            net[0] = net_of(net[0], first_kept[sleeve])
            measure(unmoved[sleeve], net, (0.0, 0.0, shares[sleeve]), yardstick)
        shared = _Shared(kept, first_kept, unmoved, shares, yardstick)

        def work(start: int, stop: int) -> tuple[int, int]:
            return _measure_sets(out, (start, stop), runs, pair, tables, shared)

        for bad, _ in share(work, len(out), threads, smallest=256):
            if bad >= 0:
                part = slice(runs[0][bad], runs[0][bad + 1])
                self._refuse(runs[1][part], runs[2][part], first, last)

    def _refuse(self, starts: Ints, stops: Ints, first: int, last: int) -> None:
        """Raise the error for a set that holds a sleeve without a return."""
        for bar in range(first + 1, last + 1):
            yes = bool(((starts < bar) & (stops >= bar)).any())
            if math.isnan(self.pair.returns[int(yes), bar]):
                held = self.into if yes else self.otherwise
                raise no_return(self.bars, bar, [float(name == held) for name in self.bars.sleeves])
