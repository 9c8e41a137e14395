from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtest.parameters import CountedIn, Parameter
from backtest.tuning.grid import Axis, Grid
from backtest.tuning.plateau import Landscape, pareto


def _grid(*sizes: int, words: int = 0) -> Grid:
    axes = [
        Axis(Parameter(f"p{i}", CountedIn("", whole=True), 0, 0, 10**6, ""), tuple(range(n)))
        for i, n in enumerate(sizes)
    ]
    if words:
        names = tuple("abcdef"[:words])
        axes.insert(0, Axis(Parameter("w", CountedIn(""), "a", 0, 0, "", names), names))
    return Grid(tuple(axes))


def _hill(size: int, at: tuple[int, int], width: float, height: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    inside = (np.abs(y - at[0]) <= width) & (np.abs(x - at[1]) <= width)
    return np.where(inside, height, 0.0)


def test_the_centre_of_a_plateau_is_recommended_and_not_a_spike() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(0.0, 0.01, size=(25, 25)) + _hill(25, (7, 15), 3, 1.0)
    scores[20, 3] = 1.8
    land = Landscape(_grid(25, 25), None, scores.reshape(-1))
    assert np.unravel_index(land.best, (25, 25)) == (20, 3)
    assert np.unravel_index(land.centre(), (25, 25)) == (7, 15)
    spike, centre = land.neighbours(land.best), land.neighbours(land.centre())
    assert spike.count == centre.count == 8
    assert spike.median < 0.1
    assert centre.worst > 0.9


def test_the_middle_of_a_flat_plateau_is_its_centre() -> None:
    land = Landscape(_grid(21, 21), None, _hill(21, (10, 10), 4, 1.0).reshape(-1))
    assert np.unravel_index(land.centre(), (21, 21)) == (10, 10)


def test_noise_has_its_plateau_anywhere_and_not_at_the_edges() -> None:
    random, grid, n = np.random.default_rng(5), _grid(9, 9, 9), 150
    centres = [Landscape(grid, None, random.normal(size=729)).centre() for _ in range(n)]
    digits = np.array(np.unravel_index(centres, (9, 9, 9)))
    ends = ((digits == 0) | (digits == 8)).sum(axis=0)
    # 386 of 729 cells lie at an edge and 8 in a corner; three standard deviations of chance.
    assert abs((ends > 0).mean() - 386 / 729) < 3.0 * np.sqrt(0.25 / n)
    assert (ends == 3).mean() < 0.04


def test_words_have_no_neighbours() -> None:
    scores = np.zeros((3, 9))
    scores[1, 2:7] = 1.0
    land = Landscape(_grid(9, words=3), None, scores.reshape(-1))
    assert land.centre() == 9 + 4
    assert land.neighbours(9 + 4).count == 2
    assert land.neighbours(9 + 4).worst == 1.0


def test_what_cannot_be_chosen_is_no_neighbour_and_no_centre() -> None:
    scores = np.array([0.1, np.nan, 0.9, 0.8, np.nan])
    land = Landscape(_grid(5), None, scores)
    assert land.best == 2
    assert land.centre() in {2, 3}
    assert land.neighbours(2).count == 1
    alone = Landscape(_grid(3), None, np.array([np.nan, 1.0, np.nan]))
    assert alone.centre() == 1
    assert alone.neighbours(1).count == 0
    assert np.isnan(alone.neighbours(1).median)


@given(
    scores=arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4)),
        elements=st.one_of(st.just(np.nan), st.floats(-2, 2)),
    ),
    words=st.booleans(),
)
def test_neighbours_are_those_one_step_away(scores: np.ndarray, words: bool) -> None:
    if not np.isfinite(scores).any():
        return
    grid = _grid(*scores.shape[1:], words=scores.shape[0]) if words else _grid(*scores.shape)
    land = Landscape(grid, None, scores.reshape(-1))
    place = land.best
    own = np.array(np.unravel_index(place, scores.shape))
    expected = [
        scores[other]
        for other in np.ndindex(scores.shape)
        if 0 < np.abs(np.array(other) - own).max() <= 1
        and not (words and other[0] != own[0])
        and np.isfinite(scores[other])
    ]
    found = land.neighbours(place)
    assert found.count == len(expected)
    if expected:
        assert found.median == np.median(expected)
        assert found.worst == min(expected)
    assert np.isfinite(land.scores[land.centre()])


def _around(cell: tuple[int, ...], shape: tuple[int, ...], words: bool) -> list[tuple[int, ...]]:
    """The cells of the grid at most one step away along every axis, the cell among them; words have no steps."""
    steps = [(0,) if words and axis == 0 else (-1, 0, 1) for axis in range(len(shape))]
    cells = [tuple(np.add(cell, step)) for step in itertools.product(*steps)]
    return [c for c in cells if all(0 <= d < n for d, n in zip(c, shape, strict=True))]


def _centres_by_loops(scores: np.ndarray, words: bool) -> list[tuple[int, ...]]:
    """The centre of the best plateau as ``Landscape.centre`` describes it, cell by cell; all that tie for it."""
    shape = scores.shape
    middle = np.nanmedian(scores)
    near = {
        cell: [scores[c] - middle for c in _around(cell, shape, words) if np.isfinite(scores[c])]
        for cell in np.ndindex(shape)
    }
    most = max(map(len, near.values()))
    average = {
        cell: middle + np.mean(found) * np.sqrt(len(found) / most)
        for cell, found in near.items()
        if np.isfinite(scores[cell])
    }
    peak = max(average, key=lambda cell: average[cell])
    least = average[peak] - 0.1 * (average[peak] - np.median(list(average.values())))
    region, found = set(), [peak]
    while found:
        cell = found.pop()
        if cell not in region and average.get(cell, -np.inf) >= least:
            region.add(cell)
            found += _around(cell, shape, words)
    inner = [cell for cell in region if set(_around(cell, shape, words)) <= region]
    centre = np.mean(list(region), axis=0)
    distance = {cell: np.sum((np.array(cell) - centre) ** 2) for cell in inner or region}
    nearest = [cell for cell, d in distance.items() if d <= min(distance.values()) + 1e-9]
    # Two cells with the same neighbours have the same average, but for rounding.
    return [cell for cell in nearest if average[cell] >= max(average[c] for c in nearest) - 1e-9]


SHAPES = [(7,), (5, 6), (4, 3, 5), (1, 6), (6, 1, 4), (2, 5), (3, 2, 4)]


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.booleans())
@example(seed=0, shape=(2, 5), words=False)  # an axis of two values is a scale
@example(seed=1, shape=(4, 3, 5), words=False)  # two cells are as near to the middle
@example(seed=12, shape=(5, 6), words=False)  # the cell nearest to the middle lies at the plateau's edge
def test_the_centre_is_the_one_found_cell_by_cell(seed: int, shape: tuple[int, ...], words: bool) -> None:
    random = np.random.default_rng(seed)
    middle = [random.integers(n) for n in shape]
    away = np.sum([(i - m) ** 2 for i, m in zip(np.indices(shape), middle, strict=True)], axis=0)
    # Hills of every height over noise, some wide enough for a plateau, with holes in them.
    scores = random.normal(0.0, 0.3, shape) + random.choice([0.0, 1.0, 5.0]) * (
        away <= random.choice([1, 5, 20])
    )
    scores[random.random(shape) < random.choice([0.0, 0.2])] = np.nan
    if not np.isfinite(scores).any():
        return
    words &= len(shape) > 1
    grid = _grid(*shape[1:], words=shape[0]) if words else _grid(*shape)
    found = Landscape(grid, None, scores.reshape(-1)).centre()
    assert tuple(np.unravel_index(found, shape)) in _centres_by_loops(scores, words)


def test_a_plateau_may_hang_together_by_a_corner() -> None:
    # Found among noises: here the best plateau is one only if cells that touch at a corner belong together.
    scores = np.random.default_rng(98).normal(0, 1, (5, 6))
    found = Landscape(_grid(5, 6), None, scores.reshape(-1)).centre()
    assert np.unravel_index(found, (5, 6)) in _centres_by_loops(scores, words=False)


def test_the_middle_of_what_is_alike_everywhere() -> None:
    for level in (0.0, 3.0, -3.0):
        assert Landscape(_grid(5, 5), None, np.full(25, level)).centre() == 12


def test_a_cell_without_neighbours_is_judged_by_its_own_score() -> None:
    nan = np.nan
    # From their median, 0.35, 0.65 over the root of 3 is more than 0.7 over the root of 2 times 3.
    scores = np.array([1.0, nan, 0.0, 0.0, 0.0, 0.7, 0.7])
    assert Landscape(_grid(7), None, scores).centre() == 0


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_sample_is_its_distances_and_its_neighbours(seed: int, words: bool) -> None:
    random = np.random.default_rng(seed)
    grid = _grid(2, 11, 64, words=2) if words else _grid(2, 11, 64)
    size, n = grid.size, 24
    numbers = np.sort(random.permutation(size)[:n])
    scores = np.where(random.random(n) < 0.1, np.nan, random.normal(size=n))
    land = Landscape(grid, numbers, scores)
    at = np.column_stack(grid.digits(numbers)).astype(float)
    apart = np.abs(at[:, None] - at[None, :])
    # One step along the numbers, none along the words.
    for place in range(n):
        near = (apart[place].max(axis=1) == 1.0) & ~(words & (apart[place][:, 0] != 0.0))
        found = land.neighbours(place)
        assert found.count == (near & np.isfinite(scores)).sum()
        if found.count:
            assert found.worst == np.nanmin(scores[near])
        else:
            assert np.isnan([found.median, found.worst]).all()
    for number in (0, int(numbers[3]), size - 1):
        expected = scores[numbers == number]
        assert land.score_of(number) == pytest.approx(expected[0] if len(expected) else np.nan, nan_ok=True)
    # Every axis of numbers is as long as any other; to another word it is farther than to anything.
    long = np.array([1.0, 10.0, 63.0])
    square = ((apart[:, :, -3:] / long) ** 2).sum(axis=2) + (100.0 * apart[:, :, 0] * words if words else 0.0)
    usable = np.flatnonzero(np.isfinite(scores))
    n_near, averages, sure = 2 * len(grid.free) + 1, {}, True
    for place in usable:
        order = usable[np.argsort(square[place][usable], kind="stable")]
        reach = square[place][order]
        sure &= bool(reach[n_near] - reach[n_near - 1] > 1e-9)
        kept = [other for other in order[:n_near] if not words or at[other, 0] == at[place, 0]]
        averages[place] = scores[kept].mean()
    if sure:
        assert averages[land.centre()] >= max(averages.values()) - 1e-9


def test_the_score_of_a_combination_of_the_whole_grid_is_its_own() -> None:
    land = Landscape(_grid(3), None, np.array([1.0, 2.0, np.nan]))
    assert [land.score_of(0), land.score_of(1)] == [1.0, 2.0]
    assert np.isnan(land.score_of(2))


@given(st.integers(0, 2**32 - 1))
def test_of_a_sample_the_centre_has_the_best_average_with_its_two_nearest(seed: int) -> None:
    random = np.random.default_rng(seed)
    # No two of these numbers are as far apart as two others, so that there is no doubt who is near.
    at = np.array([0, 1, 4, 9, 15, 22, 32, 34])
    scores = random.normal(size=8)
    scores[random.random(8) < 0.2] = np.nan
    usable = [i for i in range(8) if np.isfinite(scores[i])]
    if len(usable) < 3:
        return
    average = {
        i: np.mean([scores[j] for j in sorted(usable, key=lambda j: abs(at[j] - at[i]))[:3]]) for i in usable
    }
    found = Landscape(_grid(40), at, scores).centre()
    assert found == max(average, key=lambda i: average[i])


def test_a_sample_of_words_is_averaged_within_a_word_and_axes_count_alike() -> None:
    grid = _grid(11, 101, words=2)
    rows = [(0, 0, 0), (0, 1, 0), (0, 0, 9), (0, 5, 50), (1, 0, 0), (1, 0, 20), (1, 9, 90)]
    numbers = np.array([int(grid.number(list(row))) for row in rows])
    order = np.argsort(numbers)
    # The first three lie within a tenth of each other along both axes; their word's other one is far away.
    scores = np.array([1.0, 1.0, 1.0, 0.0, 9.0, -9.0, -9.0])
    found = Landscape(grid, numbers[order], scores[order]).centre()
    assert rows[int(order[found])] in rows[:3]
    # In a sample a neighbour is one step away, as in a grid; what was not drawn is none.
    near = Landscape(grid, numbers[order], scores[order]).neighbours(int(np.flatnonzero(order == 0)[0]))
    assert near.count == 1
    assert near.worst == 1.0


def test_a_sample_is_judged_by_its_nearest_trials() -> None:
    random = np.random.default_rng(1)
    grid = _grid(100, 100)
    numbers = np.sort(random.permutation(10_000)[:800])
    y, x = grid.digits(numbers)
    scores = np.exp(-((y - 30) ** 2 + (x - 60) ** 2) / 300.0) + random.normal(0, 0.02, size=800)
    spike = int(np.argmax((y > 80) & (x < 20)))
    scores[spike] = 3.0
    land = Landscape(grid, numbers, scores)
    assert land.best == spike
    centre = land.centre()
    assert abs(int(y[centre]) - 30) < 12
    assert abs(int(x[centre]) - 60) < 12


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_the_front_is_what_nothing_betters(points: list[tuple[int, int]]) -> None:
    first, second = np.array(points, dtype=float).T
    found = pareto(first, second)
    kept = {points[i] for i in found}
    assert len(kept) == len(found)
    for point in points:
        bettered = any(a >= point[0] and b >= point[1] and (a, b) != point for a, b in points)
        assert (point in kept) is not bettered
    assert (np.diff(second[found]) > 0).all()


def test_trials_without_a_score_are_not_on_the_front() -> None:
    assert pareto(np.array([np.nan, 1.0]), np.array([5.0, 1.0])).tolist() == [1]


@pytest.mark.parametrize("n", [1, 2])
def test_the_smallest_grids_have_a_centre(n: int) -> None:
    assert Landscape(_grid(n), None, np.arange(n, dtype=float)).centre() in range(n)
