"""Influences are the derivatives of their measures, and the estimates are the measures themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.analysis.intervals import (
    COMPARED,
    INTERVALS,
    Influences,
    difference,
    intervals,
)
from backtest.analysis.long_run import prewhitened_error, slow_error
from backtest.runs import measured

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
    table = measured(own.returns, own.benchmark, own.risk_free, own.n_years)
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
    assert np.isnan(own.interval("volatility").low)
    assert np.isnan(own.interval("turnover").value)
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
    assert np.isnan(intervals(still)["alpha"].value)
    ruined = Influences(np.r_[own.returns[:-1], -1.0], own.benchmark, own.risk_free, 5.0)
    assert ruined.interval("cagr").value == -1.0
    assert np.isnan(ruined.interval("cagr").low)
