"""Each measure against an independent library, and by hand where none shares the definition."""

from __future__ import annotations

import warnings

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtest.analysis.capture import down_capture, up_capture
from backtest.dates import to_days
from backtest.measures import (
    BY_KEY,
    MEASURES,
    SWEPT,
    Sums,
    drawdowns,
    entry,
    listed,
    measure_of,
    squares,
    time_in,
    values_of,
    years,
)

RETURNS = arrays(np.float64, st.integers(3, 60), elements=st.floats(-0.5, 0.5, width=32))
MONTHLY, DAILY = 12.0, 252.1


def measured(
    returns: np.ndarray, benchmark: np.ndarray, risk_free: np.ndarray, n_years: float
) -> dict[str, float]:
    return values_of(Sums.of(returns, benchmark, risk_free, n_years), returns)


@given(RETURNS, st.sampled_from([MONTHLY, DAILY]))
def test_measures_are_empyricals(returns: np.ndarray, ppy: float) -> None:
    risk_free = np.linspace(0.0, 0.004, len(returns))
    excess = returns - risk_free
    if np.ptp(returns) < 1e-6 or np.ptp(excess) < 1e-6 or not (excess < -1e-6).any():
        return
    ours = measured(returns, risk_free, risk_free, len(returns) / ppy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # empyrical divides by zero where we answer NaN
        theirs = {
            "total_return": empyrical.cum_returns_final(returns),
            "cagr": empyrical.annual_return(returns, annualization=ppy),
            "volatility": empyrical.annual_volatility(returns, annualization=ppy),
            "sharpe": empyrical.sharpe_ratio(returns, risk_free, annualization=ppy),
            "sortino": empyrical.sortino_ratio(excess, 0.0, annualization=ppy),
            "max_drawdown": min(empyrical.max_drawdown(returns), 0.0),
            "information_ratio": empyrical.excess_sharpe(returns, risk_free) * np.sqrt(ppy),
        }
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


def test_worked_by_hand() -> None:
    returns = np.array([0.10, -0.20, 0.05])
    benchmark = np.array([0.05, -0.10, 0.00])
    found = measured(returns, benchmark, np.zeros(3), 0.25)
    # 1.1, 0.88, 0.924: total -7.6%; deepest from 1.1 to 0.88: -20%.
    assert found["total_return"] == pytest.approx(-0.076)
    assert found["cagr"] == pytest.approx(0.924**4 - 1.0)
    assert drawdowns(returns) == pytest.approx([0.0, 0.0, -0.2, -0.16])
    assert found["calmar"] == pytest.approx((0.924**4 - 1.0) / 0.2)
    # Martin and McCann (1989): the mean of 0, 0.04 and 0.0256.
    assert found["ulcer_index"] == pytest.approx(np.sqrt(0.0656 / 3.0))
    # Differences 0.05, -0.10, 0.05: mean 0, deviation sqrt((0.0025 + 0.01 + 0.0025) / 2).
    assert found["tracking_error"] == pytest.approx(np.sqrt(0.0075 * 12.0))
    # 0.1167, -0.1833, 0.0667 and 0.0667, -0.0833, 0.0167 from their means: beta 0.0241667 / 0.0116667.
    assert found["beta"] == pytest.approx(0.0241667 / 0.0116667, rel=1e-4)
    # The starting value counts: a first loss is a drawdown.
    assert measured(np.array([-0.1, 0.5]), np.zeros(2), np.zeros(2), 1.0)["max_drawdown"] == pytest.approx(
        -0.1
    )


def test_years_know_their_frequency() -> None:
    dates = to_days(["2000-01-31", "2000-02-29", "2000-03-31", "2000-04-28"])
    assert years(dates, "monthly") == 0.25
    assert years(dates, "daily") == pytest.approx(88 / 365.2425)


def test_two_returns_have_a_deviation_and_one_has_none() -> None:
    # 0.01 and 0.03 lie 0.01 from their mean: sqrt(2 * 0.0001 / 1).
    zeros = np.zeros(2)
    assert measured(np.array([0.01, 0.03]), zeros, zeros, 2.0)["volatility"] == pytest.approx(np.sqrt(0.0002))
    assert np.isnan(measured(np.array([0.01]), zeros[:1], zeros[:1], 1.0)["volatility"])
    assert squares(np.zeros(3)) == 0.0


def test_captures_by_hand() -> None:
    returns, benchmark = np.array([0.1, 0.5, -0.3, 0.2]), np.array([0.21, 0.0, -0.19, 0.0])
    # A bar in which the benchmark stood still is neither up nor down.
    assert up_capture(returns, benchmark) == pytest.approx(0.1 / 0.21)
    assert down_capture(returns, benchmark) == pytest.approx(0.3 / 0.19)
    assert np.isnan(down_capture(returns, np.abs(benchmark)))


def test_what_is_not_defined_is_nan() -> None:
    constant = np.full(5, 0.01)
    found = measured(constant, constant, np.zeros(5), 5 / 12)
    undefined = {key for key, value in found.items() if np.isnan(value)}
    assert undefined == {"sharpe", "sortino", "calmar", "alpha_tstat", "alpha_pvalue", "information_ratio"}
    assert found["tracking_error"] == found["volatility"] == 0.0
    holed = measured(np.array([0.01, np.nan, 0.02]), np.zeros(3), np.zeros(3), 0.25)
    assert all(np.isnan(holed[key]) for key in ("total_return", "sharpe", "max_drawdown", "beta"))


def test_a_portfolio_that_is_lost_has_lost_everything_and_one_nearly_lost_keeps_its_digits() -> None:
    zeros = np.zeros(3)
    lost = measured(np.array([0.1, -1.0, 0.2]), zeros, zeros, 3.0)
    assert lost["total_return"] == lost["cagr"] == lost["max_drawdown"] == -1.0
    nearly = measured(np.array([1e-17 - 1.0 + 1e-16, 0.0, 0.0]), zeros, zeros, 0.5)
    assert nearly["cagr"] == pytest.approx(-1.0)


def test_the_table_has_every_key_once_and_a_benchmark_has_nothing_against_itself() -> None:
    assert len(BY_KEY) == len(MEASURES)
    assert {m.key for m in MEASURES} - set(SWEPT) == {"ulcer_index", "alpha_tstat", "alpha_pvalue"}
    own = np.random.default_rng(3).normal(0.01, 0.04, 40)
    found = measured(own, own, np.full(40, 0.001), 4.0)
    assert (found["alpha"], found["beta"], found["tracking_error"]) == (0.0, 1.0, 0.0)


def test_a_table_has_a_row_for_every_sleeve_that_one_of_its_columns_held() -> None:
    plain = dict.fromkeys((m.key for m in MEASURES), 0.5)
    large, both = {**plain, "time_in_large": 0.25}, {**plain, "time_in_cash": 0.75, "time_in_large": 0.1}
    rows = {m.key: m for m in listed([large, both])}
    assert list(rows) == [*plain, "time_in_large", "time_in_cash"]
    assert [m.label for m in rows.values()][len(plain) :] == ["time in large", "time in cash"]
    assert entry(large, rows["time_in_cash"]) == 0.0
    assert entry(both, rows["time_in_cash"]) == 0.75
    assert entry({**large, "sharpe": None}, rows["sharpe"]) is None
    with pytest.raises(KeyError):
        entry({}, rows["time_in_small"])


def test_a_measure_of_a_sleeve_is_written_as_time_in_small_is() -> None:
    time = measure_of("time_in_60% large, 40% small")
    assert (time.label, time.text(0.25), time.swept) == ("time in 60% large, 40% small", "25.00%", False)
    assert measure_of("sharpe") is BY_KEY["sharpe"]
    weights = np.array([[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])
    assert time_in(weights, ("a", "b", "c")) == {"time_in_b": 0.75, "time_in_c": 0.25}
