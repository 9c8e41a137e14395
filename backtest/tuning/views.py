"""Views of a sweep's trials for figures: along one parameter, and over two."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backtest.dates import Floats, Ints
    from backtest.tuning.grid import Axis, Grid

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the trials that share a value: what a marginal curve shows, besides the best."""


_PIECE = 1 << 20

_BARS = 60
_CELLS = (150, 52)  # across and up: as many as dots have room for
_STEPS = 5  # of the number of points in a cell


@dataclass(frozen=True, eq=False)
class Pair:
    """The objective over two parameters.

    Parameters
    ----------
    across, up
        The axes, in the order of the columns and rows of the tables.
    best, median, through
        (n_up, n_across) float64: over all values of the other parameters, and with these as in the
        recommended set; NaN where no trial can be chosen.
    """

    across: Axis
    up: Axis
    best: Floats
    median: Floats
    through: Floats


@dataclass(frozen=True, eq=False)
class Views:
    """The trials of a sweep by their parameters.

    Parameters
    ----------
    grid
        The grid.
    chosen
        (n,) int64: the numbers of the combinations tried, in the order of the trials; None for all of the
        grid.
    values
        (n,) float64: the objective of each trial; NaN where it cannot be chosen.
    lower
        Whether less of the objective is better.
    """

    grid: Grid
    chosen: Ints | None
    values: Floats
    lower: bool

    @property
    def _best(self) -> float:
        """The quantile at which the best trial lies."""
        return 0.0 if self.lower else 1.0

    def marginal(self, axis: int) -> Floats:
        """Return ``QUANTILES`` and the best for each value of an axis, (n_values, n_quantiles + 1)."""
        return self._quantiles((axis,), (*QUANTILES, self._best))

    def pair(self, across: int, up: int, through: int) -> Pair:
        """Return the objective over two axes; ``through`` is the number of the recommended combination."""
        tables = self._quantiles((up, across), (self._best, 0.5))
        axes = self.grid.axes
        cut = self._through((up, across), through)
        return Pair(axes[across], axes[up], tables[..., 0], tables[..., 1], cut)

    def _quantiles(self, kept: tuple[int, ...], quantiles: tuple[float, ...]) -> Floats:
        """Return quantiles over all other axes, the kept axes first; NaN where there is no value."""
        shape = tuple(self.grid.shape[axis] for axis in kept)
        n_cells = math.prod(shape)
        if self.chosen is None:
            flat = self._of_grid(kept, n_cells, quantiles)
        else:
            flat = _group_quantiles(self._cells(kept, self.chosen), self.values, n_cells, quantiles)
        return flat.reshape(*shape, len(quantiles))

    def _of_grid(self, kept: tuple[int, ...], n_cells: int, quantiles: tuple[float, ...]) -> Floats:
        table = np.moveaxis(self.values.reshape(self.grid.shape), kept, range(len(kept)))
        n_others = len(self.values) // n_cells
        step = max(_PIECE * len(table) // len(self.values), 1)
        # In pieces, because sorting takes a copy.
        pieces = (table[begin : begin + step] for begin in range(0, len(table), step))
        return np.concatenate([_row_quantiles(piece.reshape(-1, n_others), quantiles) for piece in pieces])

    def _cells(self, kept: tuple[int, ...], numbers: Ints) -> Ints:
        digits = self.grid.digits(numbers)
        return np.ravel_multi_index(
            tuple(digits[axis] for axis in kept), tuple(self.grid.shape[axis] for axis in kept)
        )

    def _through(self, kept: tuple[int, int], number: int) -> Floats:
        """Return the values of the trials that share all other parameters with a combination."""
        shape = (self.grid.shape[kept[0]], self.grid.shape[kept[1]])
        digits = [int(digit[0]) for digit in self.grid.digits(np.array([number]))]
        if self.chosen is None:
            cut = tuple(slice(None) if axis in kept else digit for axis, digit in enumerate(digits))
            plane = self.values.reshape(self.grid.shape)[cut]
            return plane if kept[0] < kept[1] else plane.T
        same = np.ones(len(self.chosen), dtype=bool)
        for axis, digit in enumerate(self.grid.digits(self.chosen)):
            if axis not in kept:
                same &= digit == digits[axis]
        cells = self._cells(kept, self.chosen[same])
        return _group_quantiles(cells, self.values[same], math.prod(shape), (self._best,)).reshape(shape)


def counted(samples: Sequence[Floats], marks: Iterable[float]) -> tuple[Floats, list[Floats]]:
    """Return edges of bars over samples and marks, and how many of each sample lie from an edge to the next.

    NaN are left out; the last edge begins no bar, and has NaN.
    """
    seen = np.concatenate([*samples, np.array([*marks], dtype=np.float64)])
    low, high = float(np.nanmin(seen)), float(np.nanmax(seen))
    pad = 0.1 * (high - low) or 0.01
    edges = np.linspace(low - pad, high + pad, _BARS + 1)
    # numpy counts block by block, without NaN.
    return edges, [np.r_[np.histogram(values, edges)[0], np.nan] for values in samples]


def density(x: Floats, y: Floats) -> Iterator[tuple[Floats, Floats, float]]:
    """Give where many points lie, in cells: those of each step of their number, and that as a part of 1."""
    counts, *edges = np.histogram2d(x, y, bins=_CELLS)
    middles = [(each[1:] + each[:-1]) / 2.0 for each in edges]
    many = np.log(counts, where=counts > 0.0, out=np.full(counts.shape, np.nan))
    level = 1.0 + np.floor((_STEPS - 1) * many / (np.nanmax(many) or 1.0))
    for step in range(1, _STEPS + 1):
        column, row = np.nonzero(level == step)
        yield middles[0][column], middles[1][row], step / _STEPS


def _row_quantiles(rows: Floats, quantiles: tuple[float, ...]) -> Floats:
    """Return quantiles of each row's values that are not NaN, between the two nearest of them."""
    ordered = np.sort(rows, axis=1)  # NaN come last
    last = np.maximum(np.isfinite(rows).sum(axis=1) - 1, 0)
    at = np.outer(last, quantiles)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, last[:, None])
    below, above = np.take_along_axis(ordered, low, axis=1), np.take_along_axis(ordered, high, axis=1)
    return below + (above - below) * (at - low)


def _group_quantiles(cells: Ints, values: Floats, n_cells: int, quantiles: tuple[float, ...]) -> Floats:
    """Return the same for values that have the number of their row each."""
    import pandas as pd

    groups = pd.Series(values).groupby(cells)
    return np.column_stack([groups.quantile(q).reindex(range(n_cells)).to_numpy() for q in quantiles])
