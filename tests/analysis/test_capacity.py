"""The square-root law and what it leaves, checked by its own arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.analysis.capacity import Liquidity, break_even, impact_cost, return_left

HALF = Liquidity(capitalisation=2.52e12, turnover=1.0, volatility=0.02, impact=1.0)  # trades 10 billion a day


def test_an_order_of_a_days_volume_costs_a_days_volatility() -> None:
    assert HALF.daily_volume == pytest.approx(1e10)
    assert float(impact_cost(1e10, HALF)) == pytest.approx(0.02)
    assert float(impact_cost(2.5e9, HALF)) == pytest.approx(0.01)  # a quarter of it half as much


@given(st.floats(1e3, 1e13), st.floats(0.05, 1.0), st.floats(0.1, 12.0))
def test_what_is_left_falls_with_the_sum_and_meets_the_other_at_the_break_even(
    gross_gap: float, traded: float, orders: float
) -> None:
    limit = break_even(0.12, 0.10, traded, orders, HALF)
    left = return_left(0.12, np.array([1.0, limit / 2, limit, 2 * limit]), traded, orders, HALF)
    assert (np.diff(left) < 0).all()
    assert left[2] == pytest.approx(0.10)
    assert float(return_left(0.12, np.array(gross_gap), traded, orders, HALF)) == pytest.approx(
        0.12 - orders * traded * 0.02 * math.sqrt(traded * gross_gap / 1e10)
    )


def test_two_sleeves_with_impact_meet_where_both_have_the_same_left() -> None:
    other = Liquidity(capitalisation=60e12, turnover=1.0, volatility=0.015, impact=1.0)
    limit = break_even(0.12, 0.10, 1.0, 2.0, HALF, other)
    left = [float(return_left(g, np.array(limit), 1.0, 2.0, of)) for g, of in ((0.12, HALF), (0.10, other))]
    assert left[0] == pytest.approx(left[1])
    assert limit > break_even(0.12, 0.10, 1.0, 2.0, HALF)
    assert (
        break_even(0.12, 0.10, 1.0, 2.0, other, HALF) == math.inf
    )  # the cheaper sleeve never loses its lead


def test_without_a_lead_or_without_impact_there_is_no_break_even() -> None:
    assert break_even(0.10, 0.12, 1.0, 1.0, HALF) == 0.0
    larger = Liquidity(capitalisation=60e12, turnover=1.0, volatility=0.015, impact=1.0)
    assert break_even(0.10, 0.10, 1.0, 1.0, larger, HALF) == 0.0
    assert break_even(0.12, 0.10, 1.0, 1.0, Liquidity(1e12, 1.0, 0.02, 0.0)) == math.inf
