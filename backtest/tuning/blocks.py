"""Sums over blocks of bars for many sets of runs, compiled: what cross-validation over all trials needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled
from backtest.engine.segments import edge, inside, left_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.market.data import Bars


def block_edges(first: int, last: int, n_blocks: int) -> Ints:
    """Return the bars that divide a window into blocks of equal length, to within one bar; (n_blocks + 1,).

    Block b holds the returns of the bars after ``edges[b]`` up to and with ``edges[b + 1]``.
    """
    return first + np.round(np.linspace(0, last - first, n_blocks + 1)).astype(np.int64)


class _Sleeves(NamedTuple):
    """Two sleeves over all bars.

    Parameters
    ----------
    returns, risk_free
        (2, n_bars) and (n_bars,) float64.
    prefix
        (2, 2, n_bars) float64: the sums of the excess returns up to each bar, and of their squares.
    kept, first_kept
        ``left_by``.
    edges, blocks
        ``block_edges``, and (n_bars,) int64, the block of each bar.
    """

    returns: Floats
    risk_free: Floats
    prefix: Floats
    kept: Floats
    first_kept: Floats
    edges: Ints
    blocks: Ints


@compiled
def _add(sums: Floats, squares: Floats, of: _Sleeves, sleeve: int, bar: int, left: float) -> None:
    """Put what trading leaves of a bar's return in place of the whole."""
    gross, risk_free, block = of.returns[sleeve, bar], of.risk_free[bar], of.blocks[bar]
    net = (1.0 + gross) * left - 1.0
    sums[block] += net - gross
    squares[block] += (net - risk_free) ** 2 - (gross - risk_free) ** 2


@compiled
def _sums(runs: tuple[Ints, Ints, Ints], of: _Sleeves, out: Floats) -> None:
    _, starts, stops = runs
    edges, prefix = of.edges, of.prefix
    first, last = edges[0], edges[-1]
    for which in range(out.shape[1]):
        begin, end = inside(runs, which, first, last)
        sums, squares = out[0, which], out[1, which]
        sums[:] = 0.0
        squares[:] = 0.0
        sleeve, since, block, left = begin & 1, first, 0, of.first_kept[begin & 1]
        for change in range(begin, end + 1):
            until = edge(starts, stops, change) if change < end else last
            bar = since + 1
            while since < until:
                stop = min(until, edges[block + 1])
                sums[block] += prefix[0, sleeve, stop] - prefix[0, sleeve, since]
                squares[block] += prefix[1, sleeve, stop] - prefix[1, sleeve, since]
                since = stop
                if since == edges[block + 1]:
                    block += 1
            if left != 1.0 and (until > bar or change == end):
                _add(sums, squares, of, sleeve, bar, left)
                left = 1.0
            if change < end:
                left *= of.kept[sleeve]
                _add(sums, squares, of, sleeve, until, left)
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
    if pair[0] == pair[1]:
        offsets, none = np.zeros_like(runs[0]), np.empty(0, dtype=np.int64)
        runs = (offsets, none, none)
    blocks = np.clip(np.searchsorted(edges, np.arange(len(bars.dates)), "left") - 1, 0, len(edges) - 2)
    out = np.empty((2, len(runs[0]) - 1, len(edges) - 1))
    _sums(runs, _Sleeves(returns, risk_free, prefix, *left_by(bars, pair, costs), edges, blocks), out)
    return out
