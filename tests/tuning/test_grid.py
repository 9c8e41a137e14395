from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import UsageError
from backtest.parameters import CountedIn, Parameter
from backtest.tuning.grid import Axis, Grid, axis_of, make_grid
from backtest.tuning.objective import all_hold, read_constraint
from backtest.tuning.search import Search

MONTHS = Parameter("hold", CountedIn("months", whole=True), 24, 1, 60, "hold this long")
POINTS = Parameter("cut", CountedIn("percentage points"), 0.25, 0.0, 1.0, "smallest cut")
FREE = Parameter("free", CountedIn("percent"), 5.0, float("-inf"), float("inf"), "no range")
WORDS = Parameter("how", CountedIn(""), "level", 0, 0, "how to tell", ("level", "percentile", "none"))


@pytest.mark.parametrize(
    ("parameter", "text", "values"),
    [
        (MONTHS, "6:48:6", (6, 12, 18, 24, 30, 36, 42, 48)),
        (MONTHS, "6:20:6", (6, 12, 18)),
        (MONTHS, "24,6,12,6", (6, 12, 24)),
        (POINTS, "0:0.3:0.1", (0.0, 0.1, 0.2, 0.3)),
        (POINTS, "0.1:0.9:lin3", (0.1, 0.5, 0.9)),
        (MONTHS, "1:16:log5", (1, 2, 4, 8, 16)),
        (POINTS, "0.01:1:log3", (0.01, 0.1, 1.0)),
        (MONTHS, "1:9", (1, 2, 3, 4, 5, 6, 7, 8, 9)),
        (WORDS, "none,level", ("none", "level")),
        (WORDS, None, ("level", "percentile", "none")),
        (FREE, "-1:1:1", (-1.0, 0.0, 1.0)),
    ],
)
def test_an_axis_is_what_is_written(
    parameter: Parameter, text: str | None, values: tuple[object, ...]
) -> None:
    assert axis_of(parameter, text).values == values


def test_a_declared_range_has_its_ends_and_its_default() -> None:
    values = axis_of(MONTHS, None).values
    assert values[0] == 1
    assert values[-1] == 60
    assert 24 in values


@pytest.mark.parametrize(
    ("parameter", "text", "said"),
    [
        (MONTHS, "6:48:-1", "rise from low to high"),
        (MONTHS, "48:6:1", "rise from low to high"),
        (MONTHS, "6:48:6:1", "low:high:step or a,b,c"),
        (MONTHS, "six", "must be a number"),
        (MONTHS, "6:x:1", "the grid of hold must be a number, not 'x'"),
        (MONTHS, "6:inf:1", "the grid of hold must be a number, not 'inf'"),
        (MONTHS, "6:99:1", "hold must lie in 1 to 60 months"),
        (MONTHS, "6:7:0.5", "whole number"),
        (POINTS, "0:1:log4", "must rise from above 0"),
        (POINTS, "0:1:lin1", "must lie in 2 to 1000000 values, not 1"),
        (POINTS, "0:1:1e-9", "more than 1,000,000 values"),
        (WORDS, "levl", "did you mean 'level'"),
        (FREE, None, "has no declared range"),
    ],
)
def test_what_cannot_be_an_axis_is_refused_in_a_sentence(
    parameter: Parameter, text: str | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        axis_of(parameter, text)


def test_every_combination_has_a_number_and_back() -> None:
    grid = make_grid((MONTHS, POINTS, WORDS), {"hold": "6:24:6", "how": None}, {"cut": 0.5}, "it")
    assert grid.shape == (4, 1, 3)
    assert grid.size == 12
    seen = [tuple(grid.values(number).values()) for number in range(grid.size)]
    assert len(set(seen)) == 12
    assert seen[0] == (6, 0.5, "level")
    assert seen[1] == (6, 0.5, "percentile")
    numbers = np.arange(12)
    np.testing.assert_array_equal(grid.number(grid.digits(numbers)), numbers)
    rows = grid.rows(numbers)
    assert rows["hold"].dtype == np.int64
    assert [tuple(rows[name][i].item() for name in rows) for i in numbers] == seen
    assert [axis.name for axis in grid.free] == ["hold", "how"]


def test_a_grid_nobody_named_spans_the_declared_ranges_and_stays_small() -> None:
    many = tuple(Parameter(f"p{i}", CountedIn("months", whole=True), 24, 1, 60, "") for i in range(7))
    grid = make_grid((*many, FREE), {}, {"p0": 3}, "it")
    assert grid.size <= 20_000
    assert grid.axes[0].values == (3,)
    assert all(len(axis.values) > 1 for axis in grid.axes[1:7])
    assert grid.axes[7].values == (5.0,)


@pytest.mark.parametrize(
    ("grid", "fixed", "said"),
    [
        ({"hold": "1,2"}, {"hold": 3}, "cannot both vary and be set"),
        ({"hald": "1,2"}, {}, "did you mean 'hold'"),
        ({}, {"x": 1}, "has no parameter 'x'"),
        ({}, {}, "no parameters, so there is nothing to tune"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(
    grid: dict[str, str], fixed: dict[str, int], said: str
) -> None:
    parameters = (MONTHS,) if grid or fixed else ()
    with pytest.raises(UsageError, match=said):
        make_grid(parameters, grid, fixed, "it")


def test_a_grid_too_large_to_number_is_refused() -> None:
    many = tuple(Parameter(f"p{i}", CountedIn("percent"), 0.0, 0.0, 100.0, "") for i in range(3))
    with pytest.raises(UsageError, match="combinations"):
        make_grid(many, {p.name: "0:100:0.001" for p in many}, {}, "it")


def _grid(*sizes: int) -> Grid:
    return Grid(
        tuple(
            Axis(Parameter(f"p{i}", CountedIn("", whole=True), 0, 0, 10**6, ""), tuple(range(n)))
            for i, n in enumerate(sizes)
        )
    )


@given(
    kind=st.sampled_from(["random", "sobol"]),
    trials=st.integers(2, 300),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    seed=st.integers(0, 5),
)
def test_a_sample_is_drawn_once_each_from_the_grid_and_the_same_again(
    kind: str, trials: int, sizes: list[int], seed: int
) -> None:
    grid = _grid(*sizes, 2)
    search = Search(kind, trials, seed)
    numbers = search.numbers(grid)
    if trials >= grid.size:
        assert numbers is None
        assert search.count(grid) == grid.size
        return
    assert numbers is not None
    assert len(numbers) == trials
    assert (np.diff(numbers) > 0).all()
    assert numbers[0] >= 0
    assert numbers[-1] < grid.size
    np.testing.assert_array_equal(numbers, Search(kind, trials, seed).numbers(grid))


def test_a_quasi_random_sample_fills_every_axis_evenly() -> None:
    grid = _grid(64, 64)
    numbers = Search("sobol", 64).numbers(grid)
    assert numbers is not None
    for digits in grid.digits(numbers):
        assert np.bincount(digits // 8, minlength=8).tolist() == [8] * 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gird",), "did you mean 'grid'"),
        (("random",), "needs --trials"),
        (("grid", 5), "takes no --trials"),
        (("sobol", 1), "2 trials or more"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(arguments: tuple[object, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Search(*arguments)  # type: ignore[arg-type]


NAMES = {"wide": (), "closed": (), "how": ("level", "percentile")}
MEASURES = ("turnover", "sharpe", "switches")


def test_constraints_compare_names_numbers_and_words() -> None:
    columns = {
        "wide": np.array([1.0, 2.0, 3.0]),
        "closed": np.array([2.0, 2.0, 2.0]),
        "how": np.array(["level", "percentile", "level"]),
        "turnover": np.array([0.5, np.nan, 1.0]),
    }
    for text, expected in {
        "closed<=wide": [False, True, True],
        "closed != wide": [True, False, True],
        "wide>1.5": [False, True, True],
        "how==level": [True, False, True],
        "how!=level": [False, True, False],
        "turnover<1": [True, False, False],
        "turnover>=0.5": [True, False, True],
    }.items():
        constraint = read_constraint(text, NAMES, MEASURES)
        assert constraint.holds(columns).tolist() == expected
        assert constraint.of_parameters is (constraint.left != "turnover")
        assert read_constraint(constraint.text, NAMES, MEASURES) == constraint
    both = [read_constraint(text, NAMES, MEASURES) for text in ("wide>1", "how==level")]
    assert all_hold(both, columns, 3).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("turnover", "a constraint is written as"),
        ("turnovr<1", "did you mean 'turnover'"),
        ("turnover<lots", "names 'lots'"),
        ("how<level", "^how is a word: write how==... or how!=..., with one of: level, percentile$"),
        ("how==1", "how is a word"),
    ],
)
def test_a_constraint_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_constraint(text, NAMES, MEASURES)
