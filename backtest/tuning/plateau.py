"""Plateaus: where in the grid a combination's neighbours are as good as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.dates import Bools, Floats, Ints
    from backtest.tuning.grid import Grid

_WITHIN = 0.1  # of the way down from the best to the median: what still belongs to the best plateau


@dataclass(frozen=True)
class Neighbours:
    """The scores around a combination; NaN where it has no neighbours.

    Parameters
    ----------
    count
        How many neighbours can be chosen: one step away along any of the ordered axes, or along several.
    median, worst
        Of their objective.
    """

    count: int
    median: float
    worst: float


@dataclass(frozen=True, eq=False)
class Landscape:
    """The scores of trials and where they lie in the grid; higher is better, NaN cannot be chosen.

    Parameters
    ----------
    grid
        The grid.
    numbers
        (n,) int64, rising: the combinations; None for all of the grid.
    scores
        (n,) float64.
    """

    grid: Grid
    numbers: Ints | None
    scores: Floats

    @property
    def best(self) -> int:
        """The place of the best; the first of those that tie."""
        return int(np.nanargmax(self.scores))

    def score_of(self, number: int) -> float:
        """Return the score of a combination; NaN where it was not tried or cannot be chosen."""
        if self.numbers is None:
            return float(self.scores[number])
        at = int(np.searchsorted(self.numbers, number))
        there = at < len(self.numbers) and self.numbers[at] == number
        return float(self.scores[at]) if there else np.nan

    def neighbours(self, place: int) -> Neighbours:
        """Return what lies around a trial."""
        found = self.scores[self._around(place)]
        found = found[np.isfinite(found)]
        if len(found) == 0:
            return Neighbours(0, np.nan, np.nan)
        return Neighbours(len(found), float(np.median(found)), float(found.min()))

    def _around(self, place: int) -> Ints:
        number = place if self.numbers is None else int(self.numbers[place])
        own = [int(d[0]) for d in self.grid.digits(np.array([number]))]
        choices = [
            [d for d in (digit - 1, digit, digit + 1) if 0 <= d < len(axis.values)]
            if axis.ordered
            else [digit]
            for digit, axis in zip(own, self.grid.axes, strict=True)
        ]
        near = self.grid.number([m.ravel() for m in np.meshgrid(*choices)])
        near = near[near != number]
        if self.numbers is None:
            return near
        at = np.minimum(np.searchsorted(self.numbers, near), len(self.numbers) - 1)
        return at[self.numbers[at] == near]

    def centre(self) -> int:
        """Return the place of the centre of the best plateau.

        Over a whole grid, each score is averaged with those of its neighbours, and an average of few, as at
        an edge, moved towards the median of all. The best plateau is the connected region around the best
        average in which averages lie within a tenth of the way down to their median. Its centre is the
        combination nearest to its middle, of those whose neighbours all belong to it where there are any. In
        a sample it is the trial with the best average over itself and its nearest trials.
        """
        return self._centre_of_grid() if self.numbers is None else self._centre_of_sample(self.numbers)

    def _centre_of_grid(self) -> int:
        ordered = [axis.ordered and len(axis.values) > 1 for axis in self.grid.axes]
        average = self._averages(ordered)
        top, median = np.nanmax(average), np.nanmedian(average)
        peak = np.array(np.unravel_index(int(np.nanargmax(average)), average.shape))
        # Words are no scale: a plateau lies within one combination of them.
        average = average[tuple(slice(None) if along else peak[i] for i, along in enumerate(ordered))]
        high = average >= top - _WITHIN * (top - median) - 1e-12 * abs(top)
        digits = peak.copy()
        if any(ordered):
            digits[ordered] = _middle(high, average, tuple(peak[ordered]))
        return int(self.grid.number(list(digits)))

    def _averages(self, ordered: list[bool]) -> Floats:
        """Return each score averaged with those of its neighbours, in the grid's shape; NaN stays NaN.

        An average of few strays further than one of many, and would win by it: at the edges and corners. So
        its distance from the median of all shrinks by the root of the share of the neighbours that it has.
        It is this distance, times the root of the most neighbours that any has: nobody asks for more.
        """
        scores = self.scores.reshape(self.grid.shape)
        known, median = np.isfinite(scores), np.nanmedian(scores)
        average = _over_box(np.where(known, scores - median, 0.0), ordered, np.add)
        count = _over_box(known.astype(np.float32), ordered, np.add)
        np.divide(average, np.sqrt(count), out=average, where=known)
        average[~known] = np.nan
        return average

    def _centre_of_sample(self, numbers: Ints) -> int:
        from scipy.spatial import KDTree

        usable = np.flatnonzero(np.isfinite(self.scores))
        columns = [
            digit * (1.0 / max(len(axis.values) - 1, 1) if axis.ordered else 1e6)
            for axis, digit in zip(self.grid.axes, self.grid.digits(numbers[usable]), strict=True)
        ]
        n_near = min(2 * len(self.grid.free) + 1, len(usable))
        points = np.column_stack(columns)
        distance, near = KDTree(points).query(points, k=np.arange(1, n_near + 1))
        scores = np.where(distance < 1e5, self.scores[usable][near], np.nan)
        return int(usable[np.nanargmax(np.nanmean(scores, axis=1))])


def _middle(high: Bools, average: Floats, peak: tuple[Any, ...]) -> Ints:
    """Return the place of the cell in the middle of the connected region of high cells around a peak."""
    from scipy import ndimage

    labels, _ = ndimage.label(high, structure=np.ones((3,) * high.ndim))
    region = labels == labels[peak]
    del labels
    inner = _inside(region)
    box = ndimage.find_objects(region.astype(np.int8))[0]
    region, inner, average = region[box], inner[box], average[box]
    distance = _distances(region)
    distance[~(inner if inner.any() else region)] = np.inf
    # Sums of squares that are equal may differ by rounding.
    nearest = np.argwhere(distance <= distance.min() + 1e-9)
    best = nearest[np.argmax(average[tuple(nearest.T)])]
    return best + [side.start for side in box]


def _distances(region: Bools) -> Floats:
    """Return the square of each cell's distance to the mean of a region's cells."""
    distance = np.zeros(region.shape)
    for axis, size in enumerate(region.shape):
        others = tuple(other for other in range(region.ndim) if other != axis)
        steps = np.arange(size)
        mean = (np.count_nonzero(region, axis=others) * steps).sum() / np.count_nonzero(region)
        distance += np.expand_dims((steps - mean) ** 2, others)
    return distance


def _over_box(values: NDArray[Any], along: list[bool], combine: np.ufunc) -> NDArray[Any]:
    """Combine each cell with those one step away along the axes, and along several of them."""
    for axis, used in enumerate(along):
        if not used:
            continue
        out = values.copy()
        ahead, behind = [slice(None)] * values.ndim, [slice(None)] * values.ndim
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        lower, upper = out[tuple(behind)], out[tuple(ahead)]
        combine(lower, values[tuple(ahead)], out=lower)
        combine(upper, values[tuple(behind)], out=upper)
        values = out
    return values


def _inside(region: Bools) -> Bools:
    """Return the cells of a region all of whose neighbours within the grid belong to it."""
    return ~_over_box(~region, [True] * region.ndim, np.logical_or)


def pareto(first: Floats, second: Floats) -> Ints:
    """Return the places of the trials that no other betters in both scores, by falling first score.

    Higher is better; NaN takes no part. Of equal trials the first stands for all.
    """
    usable = np.flatnonzero(np.isfinite(first) & np.isfinite(second))
    order = usable[np.lexsort((usable, -second[usable], -first[usable]))]
    best = np.maximum.accumulate(np.r_[-np.inf, second[order]])[:-1]
    return order[second[order] > best]
