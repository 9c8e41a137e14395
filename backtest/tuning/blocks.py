"""Sums over blocks of bars for many sets of runs, compiled: what cross-validation over all trials needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled, inlined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.market.data import Bars


def block_edges(first: int, last: int, n_blocks: int) -> Ints:
    """Return the bars that divide a window into blocks of equal length, to within one bar; (n_blocks + 1,).

    Block b holds the returns of the bars after ``edges[b]`` up to and with ``edges[b + 1]``.
    """
    return first + np.round(np.linspace(0, last - first, n_blocks + 1)).astype(np.int64)


@inlined
def _edge(starts: Ints, stops: Ints, which: int) -> int:
    return stops[which >> 1] if which & 1 else starts[which >> 1]


@compiled
def _add(
    sums: Floats, squares: Floats, blocks: Ints, bar: int, gross: float, left: float, risk_free: float
) -> None:
    """Put what trading leaves of a bar's return in place of the whole."""
    net = (1.0 + gross) * left - 1.0
    sums[blocks[bar]] += net - gross
    squares[blocks[bar]] += (net - risk_free) ** 2 - (gross - risk_free) ** 2


@compiled
def _sums(
    runs: tuple[Ints, Ints, Ints],
    window: tuple[int, int],
    edges: Ints,
    blocks: Ints,
    returns: Floats,
    risk_free: Floats,
    prefix: Floats,
    kept: Floats,
    first_kept: Floats,
    out: Floats,
) -> None:
    offsets, starts, stops = runs
    first, last = window
    for which in range(len(offsets) - 1):
        begin, end = 2 * offsets[which], 2 * offsets[which + 1]
        while begin < end and _edge(starts, stops, begin) <= first:
            begin += 1
        while begin < end and _edge(starts, stops, end - 1) >= last:
            end -= 1
        sums, squares = out[0, which], out[1, which]
        sums[:] = 0.0
        squares[:] = 0.0
        sleeve, since, block, left = begin & 1, first, 0, first_kept[begin & 1]
        for change in range(begin, end + 1):
            until = _edge(starts, stops, change) if change < end else last
            bar = since + 1
            while since < until:
                stop = min(until, edges[block + 1])
                sums[block] += prefix[0, sleeve, stop] - prefix[0, sleeve, since]
                squares[block] += prefix[1, sleeve, stop] - prefix[1, sleeve, since]
                since = stop
                if since == edges[block + 1]:
                    block += 1
            if left != 1.0 and (until > bar or change == end):
                _add(sums, squares, blocks, bar, returns[sleeve, bar], left, risk_free[bar])
                left = 1.0
            if change < end:
                left *= kept[sleeve]
                _add(sums, squares, blocks, until, returns[sleeve, until], left, risk_free[until])
                left = 1.0
            sleeve = 1 - sleeve


def block_sums(
    bars: Bars,
    pair: tuple[str, str],
    runs: tuple[Ints, Ints, Ints],
    edges: Ints,
    costs: Sequence[float],
) -> Floats:
    """Return the sums of excess returns over cash, and of their squares, after costs.

    Parameters
    ----------
    bars
        All bars.
    pair
        The sleeve held while a signal says no, and the one for yes.
    runs
        Offsets, starts and stops, as in ``Spells``; known over the window.
    edges
        ``block_edges``; the first purchase is at the first of them, and no trade at the last.
    costs
        (n_sleeves,) cost a side of each of the bars' sleeves.

    Returns
    -------
    (2, n_sets, n_blocks) float64: sums, and sums of squares.
    """
    returns = np.ascontiguousarray([bars.column(name) for name in pair])
    risk_free = bars.column("cash").copy()
    excess = np.nan_to_num(returns - risk_free)
    prefix = np.array([excess.cumsum(axis=1), (excess**2).cumsum(axis=1)])
    cost = [costs[bars.sleeves.index(name)] for name in pair]
    cash = costs[bars.sleeves.index("cash")]
    kept = np.array([(1.0 - cost[0]) / (1.0 + cost[1]), (1.0 - cost[1]) / (1.0 + cost[0])])
    if pair[0] == pair[1]:
        offsets, none = np.zeros_like(runs[0]), np.empty(0, dtype=np.int64)
        runs = (offsets, none, none)
    first_kept = np.array(
        [1.0 if name == "cash" else (1.0 - cash) / (1.0 + c) for name, c in zip(pair, cost, strict=True)]
    )
    blocks = np.clip(np.searchsorted(edges, np.arange(len(bars.dates)), "left") - 1, 0, len(edges) - 2)
    out = np.empty((2, len(runs[0]) - 1, len(edges) - 1))
    window = (int(edges[0]), int(edges[-1]))
    _sums(runs, window, edges, blocks, returns, risk_free, prefix, kept, first_kept, out)
    return out
