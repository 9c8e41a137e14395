"""Each measure against an independent library, and by hand where none shares the definition."""

from __future__ import annotations

import warnings

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtest.analysis import measures
from backtest.dates import to_days

RETURNS = arrays(np.float64, st.integers(3, 60), elements=st.floats(-0.5, 0.5, width=32))
MONTHLY, DAILY = 12.0, 252.1


@given(RETURNS, st.sampled_from([MONTHLY, DAILY]))
def test_measures_are_empyricals(returns: np.ndarray, ppy: float) -> None:
    risk_free = np.linspace(0.0, 0.004, len(returns))
    excess = returns - risk_free
    if np.ptp(returns) < 1e-6 or np.ptp(excess) < 1e-6 or not (excess < -1e-6).any():
        return
    years = len(returns) / ppy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # empyrical divides by zero where we answer NaN
        pairs = {
            "total_return": (measures.total_return(returns), empyrical.cum_returns_final(returns)),
            "cagr": (
                measures.cagr(returns, years),
                empyrical.annual_return(returns, annualization=ppy),
            ),
            "volatility": (
                measures.volatility(returns, ppy),
                empyrical.annual_volatility(returns, annualization=ppy),
            ),
            "sharpe": (
                measures.sharpe(returns, risk_free, ppy),
                empyrical.sharpe_ratio(returns, risk_free, annualization=ppy),
            ),
            "sortino": (
                measures.sortino(returns, risk_free, ppy),
                empyrical.sortino_ratio(excess, 0.0, annualization=ppy),
            ),
            "max_drawdown": (measures.max_drawdown(returns), min(empyrical.max_drawdown(returns), 0.0)),
            "information_ratio": (
                measures.information_ratio(returns, risk_free, ppy),
                empyrical.excess_sharpe(returns, risk_free) * np.sqrt(ppy),
            ),
        }
    for name, (ours, theirs) in pairs.items():
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12), name


def test_worked_by_hand() -> None:
    returns = np.array([0.10, -0.20, 0.05])
    benchmark = np.array([0.05, -0.10, 0.00])
    # 1.1, 0.88, 0.924: total -7.6%; deepest from 1.1 to 0.88: -20%.
    assert measures.total_return(returns) == pytest.approx(-0.076)
    assert measures.cagr(returns, 0.25) == pytest.approx(0.924**4 - 1.0)
    assert measures.drawdowns(returns) == pytest.approx([0.0, 0.0, -0.2, -0.16])
    assert measures.calmar(returns, 0.25) == pytest.approx((0.924**4 - 1.0) / 0.2)
    # Differences 0.05, -0.10, 0.05: mean 0, deviation sqrt((0.0025 + 0.01 + 0.0025) / 2).
    assert measures.tracking_error(returns, benchmark, 12.0) == pytest.approx(np.sqrt(0.0075 * 12.0))
    # The starting value counts: a first loss is a drawdown.
    assert measures.max_drawdown(np.array([-0.1, 0.5])) == pytest.approx(-0.1)


def test_years_know_their_frequency() -> None:
    dates = to_days(["2000-01-31", "2000-02-29", "2000-03-31", "2000-04-28"])
    assert measures.years(dates, "monthly") == 0.25
    assert measures.years(dates, "daily") == pytest.approx(88 / 365.2425)


def test_two_returns_have_a_deviation_and_one_has_none() -> None:
    # 0.01 and 0.03 lie 0.01 from their mean: sqrt(2 * 0.0001 / 1).
    assert measures.deviation(np.array([0.01, 0.03])) == pytest.approx(np.sqrt(0.0002))
    assert np.isnan(measures.deviation(np.array([0.01])))
    assert measures.deviation(np.zeros(3)) == 0.0


def test_captures_by_hand() -> None:
    returns, benchmark = np.array([0.1, 0.5, -0.3, 0.2]), np.array([0.21, 0.0, -0.19, 0.0])
    # A bar in which the benchmark stood still is neither up nor down.
    assert measures.up_capture(returns, benchmark) == pytest.approx(0.1 / 0.21)
    assert measures.down_capture(returns, benchmark) == pytest.approx(0.3 / 0.19)
    assert np.isnan(measures.down_capture(returns, np.abs(benchmark)))


def test_what_is_not_defined_is_nan() -> None:
    constant = np.full(5, 0.01)
    assert measures.deviation(constant) == 0.0
    assert np.isnan(measures.sharpe(constant, np.zeros(5), 12.0))
    assert np.isnan(measures.sortino(constant, np.zeros(5), 12.0))
    assert np.isnan(measures.calmar(constant, 5 / 12))
    assert np.isnan(measures.information_ratio(constant, constant, 12.0))
    assert measures.tracking_error(constant, constant, 12.0) == 0.0
    assert np.isnan(measures.volatility(np.array([0.01]), 12.0))
    holed = np.array([0.01, np.nan, 0.02])
    assert np.isnan(measures.total_return(holed))
    assert np.isnan(measures.sharpe(holed, np.zeros(3), 12.0))
    assert np.isnan(measures.max_drawdown(holed))
