"""Tables for the segments engine: what any stretch of bars in one sleeve comes to, ready to be looked up.

Two kinds of measures decompose. Sums over bars (of returns, squares and so on) are differences of prefix
sums. The drawdown is not a sum, but four figures of a stretch combine associatively; here all are logarithms
of growth:

    growth   of the whole stretch
    tail     from the highest value in it to its end; 0 or negative
    low      from its start to the lowest value in it; 0 or negative
    fall     the deepest fall within it; 0 or negative

The start of a stretch counts as one of its values. ``join`` combines two stretches, and a disjoint sparse
table holds enough joined stretches that any other one is the join of two of them.

Bars between two points (fills at which some set trades, and the ends of windows) are never told apart, so the
tables are over points, and their size does not depend on the number of bars.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled, inlined
from backtest.engine.rounding import N_SUMS, FiveSums, terms
from backtest.engine.trading import net_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.dates import Floats, Ints

Stretch = tuple[float, float, float, float]
"""A stretch as (growth, tail, low, fall)."""


@compiled
def join(first: Stretch, then: Stretch) -> Stretch:
    """Return the stretch that is one stretch and then another."""
    return (
        first[0] + then[0],
        min(first[1] + then[0], then[1]),
        min(first[2], first[0] + then[2]),
        min(first[3], then[3], first[1] + then[2]),
    )


@compiled
def one_bar(growth: float) -> Stretch:
    """Return a bar as a stretch."""
    below = min(0.0, growth)
    return growth, below, below, below


@compiled
def prefix_sums(columns: Floats, centre: float, risk_free: Floats, benchmark: Floats) -> Floats:
    """Return the five sums from the first bar to each, rounded once.

    (n_columns, n_bars, 5) float64. Each running sum carries what rounding took from it (Knuth's two-sum), so
    that a difference of two is as good as its larger end. Missing returns count as 0.
    """
    n_columns, n_bars = columns.shape
    sums = np.empty((n_columns, n_bars, N_SUMS))
    for column in range(n_columns):
        total, lost = np.zeros(N_SUMS), np.zeros(N_SUMS)
        for bar in range(n_bars):
            added = terms(columns[column, bar], centre, risk_free[bar], benchmark[bar])
            for which in range(N_SUMS):
                term = added[which] if not math.isnan(added[which]) else 0.0
                larger = total[which] + term
                part = larger - total[which]
                lost[which] += (total[which] - (larger - part)) + (term - part)
                total[which] = larger
                sums[column, bar, which] = larger + lost[which]
    return sums


@compiled
def logarithms(columns: Floats) -> Floats:
    """Return log(1 + r) of (n_columns, n_bars) returns, 0 where there is none."""
    logs = np.zeros(columns.shape)
    for column in range(len(columns)):
        for bar in range(columns.shape[1]):
            if not math.isnan(columns[column, bar]):
                logs[column, bar] = math.log1p(columns[column, bar])
    return logs


@compiled
def mark(marked: NDArray[np.bool_], starts: Ints, stops: Ints) -> None:
    """Mark the fills at which runs start and stop; those outside the (n_bars,) bars are passed over."""
    for which in range(len(starts)):
        if starts[which] < len(marked):
            marked[starts[which]] = True
        if stops[which] < len(marked):
            marked[stops[which]] = True


@compiled
def _elements(logs: Floats, points: Ints) -> tuple[Floats, Floats]:
    """Return the stretches between neighbouring points, the last bar included, and not included.

    Each (n_columns, n_points - 1, 4) float64: from the bar after a point to the next point.
    """
    n_columns, n = len(logs), len(points) - 1
    whole, short = np.empty((n_columns, n, 4)), np.empty((n_columns, n, 4))
    for column in range(n_columns):
        for which in range(n):
            stretch = (0.0, 0.0, 0.0, 0.0)
            for bar in range(points[which] + 1, points[which + 1]):
                stretch = join(stretch, one_bar(logs[column, bar]))
            put(short[column, which], stretch)
            put(whole[column, which], join(stretch, one_bar(logs[column, points[which + 1]])))
    return whole, short


@compiled
def put(place: Floats, stretch: Stretch) -> None:
    """Write a stretch into (4,) float64."""
    for which in range(4):
        place[which] = stretch[which]


@inlined
def get(row: Floats, at: int = 0) -> Stretch:
    """Read a stretch from a row; in one of ``Tables.switches`` it stands behind the sums."""
    return row[at], row[at + 1], row[at + 2], row[at + 3]


@compiled
def _sparse(whole: Floats) -> Floats:
    """Return the disjoint sparse table, (n_columns, n_levels, n, 4) float64.

    On level h, elements form blocks of 2^(h+1); an entry joins all between it and its block's middle.
    """
    n_columns, n = whole.shape[0], whole.shape[1]
    n_levels = 1
    while (1 << n_levels) < n:
        n_levels += 1
    table = np.empty((n_columns, n_levels, n, 4))
    for column in range(n_columns):
        for level in range(n_levels):
            half = 1 << level
            for middle in range(half, n + half, 2 * half):
                stretch = (0.0, 0.0, 0.0, 0.0)
                for which in range(min(middle, n) - 1, middle - half - 1, -1):
                    stretch = join(get(whole[column, which]), stretch)
                    put(table[column, level, which], stretch)
                stretch = (0.0, 0.0, 0.0, 0.0)
                for which in range(middle, min(middle + half, n)):
                    stretch = join(stretch, get(whole[column, which]))
                    put(table[column, level, which], stretch)
    return table


@compiled
def _switches(pair: SleevePair, points: Ints, short: Floats, kept: Floats) -> Floats:
    """Return what a switch at each point does, (2, n_points, 9) float64, from the first sleeve and to it.

    The five sums of the sleeve that is left less those of the one that is entered, with the bar's own terms
    replaced by those of its return after costs; then the stretch from the point before to this one, the cost
    included.
    """
    rows = np.zeros((2, len(points), N_SUMS + 4))
    for left in range(2):
        for which in range(1, len(points)):
            bar, row = points[which], rows[left, which]
            for term in range(N_SUMS):
                row[term] = pair.sums[left, bar, term] - pair.sums[1 - left, bar, term]
            gross = pair.returns[left, bar]
            if math.isnan(gross):
                continue
            costly = terms(net_of(gross, kept[left]), pair.centre, pair.risk_free[bar], pair.benchmark[bar])
            free = terms(gross, pair.centre, pair.risk_free[bar], pair.benchmark[bar])
            for term in range(N_SUMS):
                row[term] += costly[term] - free[term]
            last = one_bar(pair.logs[left, bar] + math.log(kept[left]))
            put(row[N_SUMS:], join(get(short[left, which - 1]), last))
    return rows


class SleevePair(NamedTuple):
    """Two sleeves and what they are held against, over all bars; built once for a market.

    Parameters
    ----------
    returns
        (2, n_bars) float64: the sleeve to hold while a signal says no, and the one for yes; NaN if missing.
    risk_free, benchmark
        (n_bars,) float64.
    centre
        A constant near the mean return; sums of squares around it lose nothing when the mean is taken off.
    sums, logs, missing
        ``prefix_sums``, ``logarithms``, and the (2, n_bars) count of missing returns up to each bar.
    reach
        The largest size of each prefix sum; what a difference of two can be wrong by is a
        few units in the last place of it.
    """

    returns: Floats
    risk_free: Floats
    benchmark: Floats
    centre: float
    sums: Floats
    logs: Floats
    missing: Ints
    reach: FiveSums

    @classmethod
    def of(cls, returns: Floats, risk_free: Floats, benchmark: Floats) -> SleevePair:
        """Return the tables of two sleeves' (2, n_bars) returns."""
        known = np.nan_to_num(returns)
        centre = float(known.mean())
        sums = prefix_sums(returns, centre, risk_free, benchmark)
        missing, reach = np.isnan(returns).cumsum(axis=1), tuple(np.abs(sums).max(axis=(0, 1)).tolist())
        return cls(returns, risk_free, benchmark, centre, sums, logarithms(returns), missing, reach)


class Tables(NamedTuple):
    """The stretches between points, for one pair of costs.

    Parameters
    ----------
    point_of
        (n_bars,) int64: which point a bar is, where it is one.
    levels
        (n,) int64: the place of each number's highest bit, which is the level on which two elements part.
    sparse
        (2, n_levels, n_points - 1, 4) float64; see ``_sparse``.
    switches
        (2, n_points, 9) float64: five sums and a stretch; see ``_switches``.
    """

    point_of: Ints
    levels: Ints
    sparse: Floats
    switches: Floats

    @classmethod
    def of(cls, pair: SleevePair, marked: NDArray[np.bool_], kept: Floats) -> Tables:
        """Return the tables over the marked bars, at least two; a switch from a sleeve leaves ``kept``."""
        points = np.flatnonzero(marked)
        whole, short = _elements(pair.logs, points)
        sparse, switches = _sparse(whole), _switches(pair, points, short, kept)
        levels = np.repeat(np.arange(sparse.shape[1]), [2, *(2 << np.arange(sparse.shape[1] - 1))])
        return cls(marked.cumsum() - 1, levels, sparse, switches)
