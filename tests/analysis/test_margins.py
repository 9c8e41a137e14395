"""Margin arithmetic against income statements written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import UsageError
from backtest.analysis.margins import earnings_change, implied_margin


@given(st.floats(0.01, 0.6), st.floats(-0.3, 0.3), st.floats(1.0, 1e9))
def test_it_is_the_change_of_earnings_at_the_same_sales(margin: float, gain: float, sales: float) -> None:
    before, after = sales * margin, sales * (margin + gain)
    assert earnings_change(margin, gain) == pytest.approx(after / before - 1.0, abs=1e-9)


def test_the_figures_of_the_claim_imply_margins_of_6_and_18_percent() -> None:
    assert earnings_change(0.06, 0.02) == pytest.approx(1 / 3)
    assert round(implied_margin(0.02, 0.33), 2) == 0.06
    assert round(implied_margin(0.02, 0.11), 2) == 0.18


@given(st.floats(0.01, 0.9), st.floats(0.001, 0.1))
def test_the_implied_margin_is_the_inverse(margin: float, gain: float) -> None:
    assert implied_margin(gain, earnings_change(margin, gain)) == pytest.approx(margin)


@pytest.mark.parametrize("margin", [0.0, -0.05, 1.0, 6.0])
def test_a_loss_or_a_percentage_is_refused(margin: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        earnings_change(margin, 0.02)


def test_a_change_that_no_margin_gives_is_refused() -> None:
    for change in (0.0, -0.1, 0.01, 0.02, 0.0125):
        with pytest.raises(UsageError, match="no margin turns"):
            implied_margin(0.02, change)
    with pytest.raises(UsageError, match="no margin turns"):
        implied_margin(0.0, 0.5)
    with pytest.raises(
        UsageError, match=r"^no margin turns a gain of 200 basis points into \+1% of earnings$"
    ):
        implied_margin(0.02, 0.01)
