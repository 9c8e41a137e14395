"""The plane: every point is what a run there gives, over the window that all of them share."""

from __future__ import annotations

import numpy as np
import pytest

from backtest import MarketData, load_strategy, run
from backtest.errors import UsageError
from backtest.explore.plane import STEPS, axes_of, plane_of
from backtest.terms import Terms, read_terms

RATE_CUT = load_strategy("rate_cut")


@pytest.mark.parametrize("axes", [("delay", "hold"), ("hold", "delay"), ("quiet", "min_cut")])
def test_a_point_is_what_a_run_gives(embedded: MarketData, axes: tuple[str, str]) -> None:
    terms, values = read_terms({"cost_bps": 20.0}), RATE_CUT.bind({"hold": 18})
    plane = plane_of(RATE_CUT, embedded, terms, values, axes, "sharpe")
    assert plane.values.shape == (len(plane.up.values), len(plane.across.values))
    start, end = plane.window
    random = np.random.default_rng(0)
    for row, column in random.integers(plane.values.shape, size=(6, 2)).tolist():
        own = {**values, axes[0]: plane.across.values[column], axes[1]: plane.up.values[row]}
        expected = run(RATE_CUT, embedded, cost_bps=20.0, start=start, end=end, **own)
        assert plane.values[row, column] == pytest.approx(expected.metrics["sharpe"], rel=1e-9)
    row, column = plane.here
    assert (plane.across.values[column], plane.up.values[row]) == (values[axes[0]], values[axes[1]])
    assert plane.values[plane.best] == np.nanmax(plane.values)
    assert len(plane.points) == plane.values.size
    assert len(plane.sample) >= 2


def test_less_is_better_where_the_measure_says_so(embedded: MarketData) -> None:
    plane = plane_of(RATE_CUT, embedded, Terms(), RATE_CUT.bind({}), ("delay", "hold"), "turnover")
    assert plane.values[plane.best] == np.nanmin(plane.values)


def test_the_position_is_a_point_even_between_two_steps(embedded: MarketData) -> None:
    values = RATE_CUT.bind({"min_cut": 0.3217})
    plane = plane_of(RATE_CUT, embedded, Terms(), values, ("min_cut", "hold"), "sharpe")
    assert plane.across.values[plane.here[1]] == 0.3217
    assert len(plane.across.values) <= STEPS + 1


@pytest.mark.parametrize(
    ("axes", "objective", "said"),
    [
        (("hold", "hold"), "sharpe", "a plane needs two parameters, not hold twice"),
        (("hold", "holt"), "sharpe", "a plane has no axis 'holt'; did you mean 'hold'?"),
        (("hold", "delay"), "sharp", "there is no measure 'sharp' to tune by; did you mean 'sharpe'?"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    embedded: MarketData, axes: tuple[str, str], objective: str, said: str
) -> None:
    with pytest.raises(UsageError) as error:
        plane_of(RATE_CUT, embedded, Terms(), RATE_CUT.bind({}), axes, objective)
    assert said in str(error.value)


def test_a_word_is_no_axis() -> None:
    assert "measure" not in axes_of(load_strategy("valuation_discount"))
