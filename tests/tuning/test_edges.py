"""Edges of a grid: found where the winner is the last of a line, and the way on is a grid that can be read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backtest.parameters import Months, Parameter, Percent
from backtest.tuning.edges import edges
from backtest.tuning.grid import Grid, axis_of
from backtest.tuning.plateau import Landscape
from backtest.tuning.sentences import edge_in_words

WHOLE, PART = Months.__metadata__[0], Percent.__metadata__[0]


def _hold(low: float = 1.0, high: float = 60.0) -> Parameter:
    return Parameter("hold", WHOLE, 24, low, high, "months held")


@pytest.mark.parametrize(
    ("parameter", "written", "scores", "highest", "wider"),
    [
        (_hold(), "6:48:6", range(8), True, "hold=6:60:6"),
        (_hold(high=math.inf), "6:48:6", range(8), True, "hold=6:72:6"),
        (_hold(), "12:48:6", range(7, 0, -1), False, "hold=6:48:6"),
        (_hold(), "6:60:6", range(10), True, None),
        (_hold(high=50), "6:48:6", range(8), True, "hold=42,48,50"),
        (_hold(), "4:48:4", range(12, 0, -1), False, "hold=1,4,8"),
        (_hold(), "12,24", (1, 2), True, "hold=12:36:12"),
        (Parameter("cut", PART, 0.5, 0, 2, ""), "0.1:0.5:0.1", range(5), True, "cut=0.1:0.7:0.1"),
    ],
)  # fmt: skip
def test_the_way_on_is_in_the_same_steps_and_within_the_range(
    parameter: Parameter, written: str, scores: object, highest: bool, wider: str | None
) -> None:
    grid = Grid((axis_of(parameter, written),))
    land = Landscape(grid, None, np.array(list(scores), dtype=float))  # type: ignore[call-overload]
    (edge,) = edges(land, land.best)
    assert (edge.name, edge.highest, edge.wider) == (parameter.name, highest, wider)
    assert edge.value == grid.axes[0].values[-1 if highest else 0]
    said = edge_in_words(edge)
    if wider is None:
        assert said == "Its hold of 60 is the highest that the strategy allows."
    else:
        further = axis_of(parameter, wider.partition("=")[2]).values
        assert max(further) > edge.value if highest else min(further) < edge.value
        assert said.endswith(f"look beyond with --grid {wider}.")


def test_inside_a_grid_and_where_it_does_not_matter_is_no_edge() -> None:
    words = Parameter("kind", WHOLE, "a", -math.inf, math.inf, "", ("a", "b"))
    axes = (axis_of(_hold(), "6,12,18"), axis_of(words, None), axis_of(_hold(), "9"))
    scores = np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 0.0]]).reshape(-1)
    land = Landscape(Grid(axes), None, scores)
    assert edges(land, land.best) == ()
    level = Landscape(Grid(axes), None, np.ones(6))
    assert edges(level, level.best) == ()


def test_of_a_sample_the_next_inwards_may_be_unknown() -> None:
    grid = Grid((axis_of(_hold(), "6:60:6"),))
    for scores, found in ((np.array([1.0, 2.0, 3.0]), 1), (np.array([1.0, 3.0, 3.0]), 0)):
        land = Landscape(grid, np.array([0, 8, 9]), scores)
        assert len(edges(land, 2)) == found
    assert len(edges(Landscape(grid, np.array([0, 9]), np.array([1.0, 1.0])), 1)) == 1
