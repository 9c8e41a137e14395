"""Influences are the derivatives of their measures, and the estimates are the measures themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.analysis.intervals import (
    COMPARED,
    INTERVALS,
    Influence,
    Influences,
    difference,
    intervals,
    log_growth,
)
from backtest.analysis.long_run import prewhitened_error, slow_error
from backtest.measures import values_of

MEASURES = ("cagr", "volatility", "sharpe", "sortino", "alpha", "beta", "tracking_error", "information_ratio")


def sample(n: int, seed: int) -> Influences:
    random = np.random.default_rng(seed)
    benchmark = random.normal(0.007, 0.045, n)
    returns = benchmark + random.normal(0.001, 0.02, n)
    return Influences(returns, benchmark, random.uniform(0.0, 0.004, n), n / 12.0)


def weighed(own: Influences, measure: str, weights: np.ndarray) -> float:
    """A measure of bars that count by weights which sum to 1: the definition of section 5, with ddof 0."""

    def mean(values: np.ndarray) -> float:
        return float(weights @ values)

    def sd(values: np.ndarray) -> float:
        return (mean(values**2) - mean(values) ** 2) ** 0.5

    r, b, excess, against = (
        own.returns,
        own.benchmark,
        own.returns - own.risk_free,
        own.benchmark - own.risk_free,
    )
    beta = (mean(excess * against) - mean(excess) * mean(against)) / sd(against) ** 2
    return {
        "cagr": lambda: float(np.expm1(12.0 * mean(np.log1p(r)))),
        "volatility": lambda: sd(r) * 12.0**0.5,
        "sharpe": lambda: mean(excess) / sd(excess) * 12.0**0.5,
        "sortino": lambda: mean(excess) / mean(np.minimum(excess, 0.0) ** 2) ** 0.5 * 12.0**0.5,
        "alpha": lambda: (mean(excess) - beta * mean(against)) * 12.0,
        "beta": lambda: beta,
        "tracking_error": lambda: sd(r - b) * 12.0**0.5,
        "information_ratio": lambda: mean(r - b) / sd(r - b) * 12.0**0.5,
    }[measure]()  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES)
def test_an_influence_is_the_derivative_by_the_weight_of_a_bar(measure: str) -> None:
    n, step = 60, 1e-6
    own = sample(n, 1)
    found = own.of(measure)
    assert found is not None
    equal = np.full(n, 1.0 / n)
    for bar in range(0, n, 7):
        more = (1.0 - step) * equal
        more[bar] += step
        less = (1.0 + step) * equal
        less[bar] -= step
        slope = (weighed(own, measure, more) - weighed(own, measure, less)) / (2.0 * step)
        assert found.values[bar] == pytest.approx(slope, rel=1e-5, abs=1e-7), bar
    assert found.values.sum() == pytest.approx(0.0, abs=1e-10)


@settings(max_examples=25)
@given(st.integers(24, 300), st.integers(0, 2**32 - 1))
def test_estimates_are_the_measures(n: int, seed: int) -> None:
    own = sample(n, seed)
    table = values_of(own.sums, own.returns)
    for measure in MEASURES:
        found = own.of(measure)
        assert found is not None
        assert found.estimate == pytest.approx(table[measure], rel=1e-9), measure
    for measure, interval in intervals(own).items():
        assert interval.value == pytest.approx(table[measure], rel=1e-9), measure
        assert interval.low < interval.value < interval.high, measure


def test_the_widest_error_counts() -> None:
    own = sample(240, 3)
    sharpe, active = own.of("sharpe"), own.of("information_ratio")
    assert sharpe is not None
    assert active is not None
    assert active.plain is not None
    reaches = {
        sharpe: [prewhitened_error(sharpe.values).reach(), slow_error(sharpe.values).reach()],
        active: [prewhitened_error(x).reach() for x in (active.values, active.plain)],
    }
    for found, each in reaches.items():
        low, high = found.ends()
        assert (high - low) / 2.0 == pytest.approx(max(each))


def test_volatility_has_no_interval_but_two_can_be_told_apart() -> None:
    own = sample(240, 5)
    assert "volatility" not in INTERVALS
    for measure in ("volatility", "tracking_error", "turnover"):
        assert np.isnan(own.interval(measure)).all()
    other = Influences(own.benchmark, own.benchmark, own.risk_free, own.n_years)
    for measure in (*COMPARED, "volatility"):
        apart, back = difference(own, other, measure), difference(other, own, measure)
        assert apart.estimate == pytest.approx(-back.estimate)
        assert apart.ends()[0] == pytest.approx(-back.ends()[1])
        assert apart.pvalue() == pytest.approx(back.pvalue())


def test_too_few_bars_equals_and_constants_have_no_interval() -> None:
    few = sample(23, 1)
    assert all(np.isnan(interval.low) for interval in intervals(few).values())
    own = sample(60, 1)
    same = difference(own, own, "sharpe")
    assert same.estimate == 0.0
    assert np.isnan(same.pvalue())
    still = Influences(np.full(60, 0.01), np.full(60, 0.01), np.zeros(60), 5.0)
    assert np.isnan(intervals(still)["sharpe"].value)
    # A series that is its benchmark has no alpha, and nothing to doubt it by.
    assert intervals(still)["alpha"].value == 0.0
    assert np.isnan(intervals(still)["alpha"].low)
    ruined = Influences(np.r_[own.returns[:-1], -1.0], own.benchmark, own.risk_free, 5.0)
    assert ruined.interval("cagr").value == -1.0
    assert np.isnan(ruined.interval("cagr")[1:]).all()
    lost = ruined.of("cagr")
    assert lost is not None
    assert lost.estimate == -1.0
    assert lost.values.tolist() == [0.0] * 60
    assert np.isnan([*lost.ends(), lost.pvalue()]).all()


def test_growth_of_a_year_and_of_the_window_have_the_same_interval() -> None:
    own = sample(60, 2)
    year, window = own.interval("cagr"), own.interval("total_return")
    assert (1.0 + np.array(year)) ** own.n_years - 1.0 == pytest.approx(window)
    growth = log_growth(own.returns)
    middle = np.log1p(window.low) + np.log1p(window.high)
    assert middle == pytest.approx(2.0 * 60 * growth.estimate)


def test_an_end_beyond_all_numbers_is_infinite() -> None:
    n = 1000
    logs = np.random.default_rng(1).normal(0.0, 1.0, n)
    returns = np.expm1(logs - logs.mean() + 0.69)
    own = Influences(returns, returns, np.zeros(n), 80.0)
    found = own.interval("total_return")
    assert np.isfinite([found.low, found.value]).all()
    assert found.high == np.inf


def test_the_error_of_a_sortino_ratio_looks_back_over_clusters() -> None:
    slower = 0
    for seed in range(8):
        found = sample(240, seed).of("sortino")
        assert found is not None
        quick, slow = prewhitened_error(found.values).reach(), slow_error(found.values).reach()
        low, high = found.ends()
        assert (high - low) / 2.0 == pytest.approx(max(quick, slow))
        slower += slow > quick
    assert 0 < slower < 8


def test_where_a_benchmark_is_seldom_left_the_plain_influence_is_the_wider_one() -> None:
    # A portfolio that leaves its benchmark in one bar of five.
    random = np.random.default_rng(4)
    active = np.where(np.arange(120) % 5 == 0, random.exponential(0.02, 120), 0.0)
    found = Influences(active, np.zeros(120), np.zeros(120), 10.0).of("information_ratio")
    assert found is not None
    assert found.plain is not None
    assert prewhitened_error(found.plain).reach() > prewhitened_error(found.values).reach()


@pytest.mark.parametrize("unit", [1e-30, 1e-14, 1e18, 1e32])
def test_ratio_alpha_and_beta_do_not_hang_on_the_unit(unit: float) -> None:
    own = sample(80, 6)
    scaled = {
        "sharpe": (replace(own, returns=unit * own.returns, risk_free=unit * own.risk_free), 1.0),
        "alpha": (replace(own, benchmark=unit * own.benchmark, risk_free=0.0 * own.risk_free), 1.0),
        "beta": (replace(own, benchmark=unit * own.benchmark, risk_free=0.0 * own.risk_free), 1.0 / unit),
    }
    for measure, (moved, by) in scaled.items():
        one = replace(own, risk_free=own.risk_free if measure == "sharpe" else 0.0 * own.risk_free).of(
            measure
        )
        other = moved.of(measure)
        assert one is not None
        assert other is not None
        assert other.estimate == pytest.approx(by * one.estimate)
        np.testing.assert_allclose(other.values, by * one.values, rtol=1e-6)


@pytest.mark.filterwarnings("error")
def test_what_never_moves_has_no_deviation_and_explains_nothing() -> None:
    still, moving = np.full(60, 0.5), sample(60, 7).returns
    found = Influences(still, moving, np.zeros(60), 5.0).of("volatility")
    assert found is not None
    assert found.estimate == 0.0
    assert found.values.tolist() == [0.0] * 60
    for against in (np.zeros(60), still):
        for measure in ("alpha", "beta"):
            none = Influences(moving, against, np.zeros(60), 5.0).of(measure)
            assert none is not None
            assert np.isnan([none.estimate, *none.ends(), none.pvalue()]).all()
            assert none.values.shape == (60,)


def test_a_small_estimate_has_its_error_all_the_same() -> None:
    values = np.random.default_rng(9).normal(size=100)
    values -= values.mean()
    for size in (1e-3, 1e-9):
        low, high = Influence(1e-6, size * values).ends()
        assert (high - low) / 2.0 == pytest.approx(size * prewhitened_error(values).reach(), rel=1e-9)
    assert np.isnan(Influence(1.0, 1e-14 * values).ends()).all()
