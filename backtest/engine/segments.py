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
from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled
from backtest.engine.curves import N_MEASURES, finish, measure
from backtest.engine.parallel import share
from backtest.engine.reference import no_return
from backtest.engine.tables import N_SUMS, Columns, Element, Tables, get, mark, one_bar, terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.engine.yardstick import Yardstick
    from backtest.market.data import Bars

_GOOD = 1e-11  # how well a measure must be determined, relative
_SHALLOW = -1e-3  # a drawdown less deep than this is too near to rounding for a ratio over it
_FEW = 8  # bars: fewer are walked
_ULP = 2.3e-16

_SMALL_SLEEVE = "small"


@compiled
def _edge(starts: Ints, stops: Ints, which: int) -> int:
    """Return the fill of the which-th change of a set's runs: start, stop, start, ..."""
    return starts[which // 2] if which % 2 == 0 else stops[which // 2]


@compiled
def _edges(starts: Ints, stops: Ints, window: tuple[int, int]) -> tuple[int, int]:
    """Return the first change after a window's first bar, and the first not before its last bar."""
    begin, n = 0, 2 * len(starts)
    while begin < n and _edge(starts, stops, begin) <= window[0]:
        begin += 1
    end = begin
    while end < n and _edge(starts, stops, end) < window[1]:
        end += 1
    return begin, end


@compiled
def _top_bit(number: int) -> int:
    """Return the place of the highest bit of a positive number below 2^52."""
    return math.frexp(float(number))[1] - 1


@compiled
def _follow(so_far: Element, stretch: Element) -> Element:
    """Return (growth, below the peak, worst fall, unused) after a further stretch."""
    growth, below, worst, unused = so_far
    return (
        growth + stretch[0],
        min(below + stretch[0], stretch[1]),
        min(worst, stretch[3], below + stretch[2]),
        unused,
    )


@compiled
def _hold(so_far: Element, sparse: Floats, start: int, stop: int) -> Element:
    """Follow the elements from ``start`` up to, not including, ``stop`` of one sleeve's table."""
    if start >= stop:
        return so_far
    final = stop - 1
    if start == final:
        return _follow(so_far, get(sparse[0, start]))
    level = _top_bit(start ^ final)
    return _follow(_follow(so_far, get(sparse[level, start])), get(sparse[level, final]))


@compiled
def _net(gross: float, kept: float) -> float:
    """Return a bar's return after costs."""
    return gross if kept == 1.0 else (1.0 + gross) * kept - 1.0


@compiled
def _walk(
    out: Floats,
    net: Floats,
    starts: Ints,
    stops: Ints,
    edges: tuple[int, int],
    window: tuple[int, int],
    returns: Floats,
    kept: Floats,
    first_kept: Floats,
    yardstick: tuple[Floats, Floats, Floats, float],
) -> None:
    """Write a set's measures by walking its bars; ``net`` is room for its (n,) returns."""
    (first, last), (begin, end) = window, edges
    sleeve = begin % 2
    bar, left = first + 1, first_kept[sleeve]
    for which in range(begin, end + 1):
        until = _edge(starts, stops, which) if which < end else last
        for plain in range(bar, until + 1):
            net[plain - first - 1] = returns[sleeve, plain]
        if until >= bar:
            net[bar - first - 1] = _net(returns[sleeve, bar], left)
        if which < end:
            left = (left if until == bar else 1.0) * kept[sleeve]
            net[until - first - 1] = _net(returns[sleeve, until], left)
            left = 1.0
        sleeve, bar = 1 - sleeve, until + 1
    measure(out, net, *yardstick)


@compiled
def _accumulate(
    acc: Floats,
    starts: Ints,
    stops: Ints,
    edges: tuple[int, int],
    window: tuple[int, int],
    columns: tuple[Floats, Floats, Floats, Floats, Floats, float],
    tables: tuple[Ints, Floats, Floats],
    kept: Floats,
    first_kept: Floats,
) -> Element:
    """Add up a set's five sums into ``acc``; return its growth, and its worst fall as the third figure."""
    (first, last), (begin, end) = window, edges
    returns, risk_free, benchmark, sums, logs, centre = columns
    index, sparse, switches = tables
    sleeve, following = begin % 2, begin
    bar = first + 1

    # The first bar carries the cost of the first purchase, and perhaps that of a switch as well.
    gross, left = returns[sleeve, bar], first_kept[sleeve]
    switch_now = begin < end and _edge(starts, stops, begin) == bar
    if switch_now:
        left *= kept[sleeve]
    so_far = _follow((0.0, 0.0, 0.0, 0.0), one_bar(logs[sleeve, bar] + math.log(left)))
    costly = terms(_net(gross, left), centre, risk_free[bar], benchmark[bar])
    free = terms(gross, centre, risk_free[bar], benchmark[bar])
    for term in range(N_SUMS):
        acc[term] = costly[term] - free[term] - sums[sleeve, first, term]
    if switch_now:
        for term in range(N_SUMS):
            acc[term] += sums[sleeve, bar, term] - sums[1 - sleeve, bar, term]
        sleeve, following = 1 - sleeve, begin + 1

    point = index[bar]
    for which in range(following, end):
        here = index[_edge(starts, stops, which)]
        so_far = _hold(so_far, sparse[sleeve], point, here - 1)
        row = switches[sleeve, here]
        for term in range(N_SUMS):
            acc[term] += row[term]
        so_far = _follow(so_far, get(row[N_SUMS:]))
        sleeve, point = 1 - sleeve, here
    for term in range(N_SUMS):
        acc[term] += sums[sleeve, last, term]
    return _hold(so_far, sparse[sleeve], point, index[last])


@compiled
def _conclude(
    out: Floats,
    acc: Floats,
    path: Element,
    n: int,
    n_switches: int,
    centre: float,
    reach: Floats,
    window_sums: tuple[float, float, float, float, float, float],
) -> bool:
    """Write the measures from the sums; return whether rounding left every one of them good."""
    n_years, mean_x, squares_x, sum_rf, sum_x, sum_xx = window_sums
    sum_e = acc[0] + n * centre - sum_rf
    sum_a = sum_e - sum_x
    squares_r = acc[1] - acc[0] * acc[0] / n
    squares_e = acc[2] - sum_e * sum_e / n
    squares_a = acc[4] - sum_a * sum_a / n
    product = (acc[2] + sum_xx - acc[4]) / 2.0 - sum_e * sum_x / n

    noise = _ULP * (n_switches + 4)
    of_sum = noise * reach[0] + _ULP * (n * abs(centre) + abs(sum_rf) + abs(sum_x))
    smallest = min(squares_r, squares_e, squares_a)
    worst = math.expm1(path[2])
    good = (
        n >= _FEW
        and worst < _SHALLOW
        and noise * (reach[1] + acc[0] * acc[0] / n) < _GOOD * squares_r
        and noise * reach[2] + 3.0 * of_sum * abs(sum_e) / n < _GOOD * squares_e
        and noise * reach[4] + 3.0 * of_sum * abs(sum_a) / n < _GOOD * squares_a
        and noise * reach[3] < _GOOD * acc[3]
        and of_sum / math.sqrt(n_years) < _GOOD * math.sqrt(smallest)
        and noise * (reach[2] + reach[4] + sum_xx + abs(sum_e * sum_x) / n) <= _GOOD * squares_x
    )
    if good:
        means = ((acc[0] / n) + centre, sum_e / n, sum_a / n)
        finish(
            out, n, n_years, math.exp(path[0]), worst, means, (squares_r, squares_e, squares_a),
            acc[3], product / squares_x, mean_x,
        )  # fmt: skip
    return good


@compiled
def _measure_sets(
    out: Floats,
    part: tuple[int, int],
    runs: tuple[Ints, Ints, Ints],
    window: tuple[int, int],
    columns: tuple[Floats, Floats, Floats, Floats, Floats, float],
    tables: tuple[Ints, Floats, Floats],
    missing: Ints,
    reach: Floats,
    kept: Floats,
    first_kept: Floats,
    unmoved: Floats,
    yardstick: tuple[Floats, Floats, Floats, float],
    window_sums: tuple[float, float, float, float, float, float],
    shares: Floats,
) -> tuple[int, int]:
    """Write the measures of the sets of a part.

    Returns the first set that holds a sleeve without a return (-1: none), and how many sets were walked.
    """
    offsets, all_starts, all_stops = runs
    first, last = window
    n = last - first
    n_walked = 0
    gaps = missing[0, last] > missing[0, first] or missing[1, last] > missing[1, first]
    acc, net = np.empty(N_SUMS), np.empty(n)
    for which in range(part[0], part[1]):
        here = slice(offsets[which], offsets[which + 1])
        starts, stops = all_starts[here], all_stops[here]
        edges = _edges(starts, stops, window)
        begin, end = edges
        if gaps and _held_gap(starts, stops, edges, window, missing):
            return which, n_walked
        if begin == end:
            out[which] = unmoved[begin % 2]
        else:
            path = _accumulate(acc, starts, stops, edges, window, columns, tables, kept, first_kept)
            good = _conclude(out[which], acc, path, n, end - begin, columns[5], reach, window_sums)
            if not good:
                n_walked += 1
                _walk(out[which], net, starts, stops, edges, window, columns[0], kept, first_kept, yardstick)
        bars_of_yes = _bars_of_yes(starts, stops, edges, window)
        out[which, 11] = (end - begin) / yardstick[3]
        out[which, 12] = end - begin
        out[which, 13] = (shares[0] * (n - bars_of_yes) + shares[1] * bars_of_yes) / n
    return -1, n_walked


@compiled
def _bars_of_yes(starts: Ints, stops: Ints, edges: tuple[int, int], window: tuple[int, int]) -> int:
    """Return how many of a window's returns are earned in the second sleeve."""
    bars, since = 0, window[0]
    for which in range(edges[0], edges[1]):
        edge = _edge(starts, stops, which)
        bars += edge - since if which % 2 == 1 else 0
        since = edge
    return bars + (window[1] - since if edges[1] % 2 == 1 else 0)


@compiled
def _held_gap(
    starts: Ints, stops: Ints, edges: tuple[int, int], window: tuple[int, int], missing: Ints
) -> bool:
    """Return whether a set holds a sleeve on a bar that has no return for it."""
    since = window[0]
    for which in range(edges[0], edges[1] + 1):
        until = _edge(starts, stops, which) if which < edges[1] else window[1]
        if missing[which % 2, until] > missing[which % 2, since]:
            return True
        since = until
    return False


def _left_after(sold: float, bought: float) -> float:
    """Return what a full switch leaves of the value."""
    return (1.0 - sold) / (1.0 + bought)


@dataclass(frozen=True, eq=False)
class Segments:
    """Two sleeves of a market, ready for sweeps.

    Parameters
    ----------
    bars, otherwise, into
        All bars; the sleeve held while a signal says no, and the one for yes.
    columns
        The tables over all bars.
    """

    bars: Bars
    otherwise: str
    into: str
    columns: Columns

    @classmethod
    def of(cls, bars: Bars, otherwise: str, into: str, benchmark: str) -> Segments:
        """Return the tables of a pair of sleeves against a benchmark."""
        pair = np.ascontiguousarray([bars.column(otherwise), bars.column(into)])
        risk_free, held_against = bars.column("cash").copy(), bars.column(benchmark).copy()
        return cls(bars, otherwise, into, Columns.of(pair, risk_free, held_against))

    def sweep(
        self,
        offsets: Ints,
        starts: Ints,
        stops: Ints,
        costs: Sequence[float],
        yardsticks: Sequence[Yardstick],
        threads: int | None = None,
    ) -> Floats:
        """Measure many sets of runs over one window or several.

        Parameters
        ----------
        offsets, starts, stops
            The runs of the sets, as in ``Signal``: yes from one fill up to, not including, another.
        costs
            (n_sleeves,) cost a side of each of the bars' sleeves, as a fraction of the notional traded.
        yardsticks
            The windows; a set buys what its runs say at a window's first bar, and trades no more at its last.
        threads
            How many threads share the sets; by default as many as there are processors. The answer is the
            same to the last bit.

        Returns
        -------
        (n_windows, n_sets, n_measures) float64 in the order of ``MEASURES``.

        Raises
        ------
        DataError
            When a sleeve that is held has no return; the sentence names sleeve and date.
        """
        if self.otherwise == self.into:
            offsets, starts, stops = np.zeros_like(offsets), starts[:0], stops[:0]
        cost = [costs[self.bars.sleeves.index(name)] for name in (self.otherwise, self.into)]
        cash = costs[self.bars.sleeves.index("cash")]
        names = (self.otherwise, self.into)
        kept = np.array([_left_after(cost[0], cost[1]), _left_after(cost[1], cost[0])])
        first_kept = np.array(
            [1.0 if name == "cash" else _left_after(cash, c) for name, c in zip(names, cost, strict=True)]
        )
        marked = np.zeros(len(self.bars.dates), dtype=np.bool_)
        mark(marked, starts, stops)
        for yardstick in yardsticks:
            marked[[yardstick.first, yardstick.first + 1, yardstick.last]] = True
        tables = Tables.of(self.columns, marked, kept)
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
        of, first, last = self.columns, yardstick.first, yardstick.last
        columns = (of.returns, of.risk_free, of.benchmark, of.sums, of.logs, of.centre)
        lookups = (tables.index, tables.sparse, tables.switches)
        x = yardstick.benchmark - yardstick.risk_free
        window_sums = (
            yardstick.n_years, *yardstick.about.tolist(),
            float(yardstick.risk_free.sum()), float(x.sum()), float(x @ x),
        )  # fmt: skip
        shares = np.array([float(name == _SMALL_SLEEVE) for name in (self.otherwise, self.into)])

        unmoved = np.empty((2, N_MEASURES))
        for sleeve in range(2):
            net = of.returns[sleeve, first + 1 : last + 1].copy()
            net[0] = _net(net[0], first_kept[sleeve])
            measure(unmoved[sleeve], net, *yardstick.arrays)

        def work(start: int, stop: int) -> tuple[int, int]:
            return _measure_sets(
                out, (start, stop), runs, (first, last), columns, lookups, of.missing, of.reach,
                kept, first_kept, unmoved, yardstick.arrays, window_sums, shares,
            )  # fmt: skip

        for bad, _ in share(work, len(out), threads):
            if bad >= 0:
                part = slice(runs[0][bad], runs[0][bad + 1])
                self._refuse(runs[1][part], runs[2][part], first, last)

    def _refuse(self, starts: Ints, stops: Ints, first: int, last: int) -> None:
        """Raise the error for a set that holds a sleeve without a return."""
        for bar in range(first + 1, last + 1):
            yes = bool(((starts < bar) & (stops >= bar)).any())
            if math.isnan(self.columns.returns[int(yes), bar]):
                held = self.into if yes else self.otherwise
                raise no_return(self.bars, bar, [float(name == held) for name in self.bars.sleeves])
