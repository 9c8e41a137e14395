"""Volatility ratios, leads and turns against hand-made series and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from backtest.analysis.lead_lag import lead, share_interval, sign_test, turns, volatility_ratio
from benchmarks.calibration.processes import PROCESSES, World


def test_the_volatility_ratio_is_that_of_the_deviations() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 0.06, 900), rng.normal(0, 0.04, 900)
    found = volatility_ratio(a, b)
    assert found.ratio == pytest.approx(np.std(a, ddof=1) / np.std(b, ddof=1))
    assert found.low < 1.5 < found.high
    assert found.pvalue < 0.01


@pytest.mark.parametrize("name", PROCESSES)
def test_a_ratio_lies_in_its_interval_nineteen_times_in_twenty(name: str) -> None:
    world = World("105 months", 105, 12.0)
    missed = []
    for seed in range(400):
        market = world.draw(PROCESSES[name], np.random.default_rng(seed))
        found = volatility_ratio(1.3 * market.small[0], market.large[0])
        missed.append(not found.low <= 1.3 <= found.high)
    assert abs(np.mean(missed) - 0.05) < 3 * (0.05 * 0.95 / 400) ** 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_bound_is_a_ratio_that_is_just_not_rejected(seed: int) -> None:
    """The interval is made of a quadratic; here the scaled series are tested against 1 instead."""
    a, b = np.random.default_rng(seed).normal(0, 0.05, (2, 300))
    found = volatility_ratio(a, b)
    assert volatility_ratio(a, found.low * b).pvalue == pytest.approx(0.05, abs=1e-6)
    assert volatility_ratio(a, found.high * b).pvalue == pytest.approx(0.05, abs=1e-6)
    turned = volatility_ratio(b, a)
    assert (1 / turned.high, 1 / turned.low) == pytest.approx((found.low, found.high))


@given(st.integers(0, 12), st.integers(0, 12))
def test_the_interval_of_a_share_is_that_of_scipy(wins: int, losses: int) -> None:
    if wins + losses:
        oracle = binomtest(wins, wins + losses).proportion_ci(0.95)
        assert share_interval(wins, losses) == pytest.approx((oracle.low, oracle.high))


def test_what_follows_a_bar_later_is_led() -> None:
    rng = np.random.default_rng(3)
    news = rng.normal(0, 1, 2001)
    first, second = news[1:], news[:-1]  # second repeats what first was a bar before
    found = lead(first, second)
    assert found.first_leads == pytest.approx(1.0, abs=0.01)
    assert found.difference > 0.9
    assert found.pvalue < 1e-6
    assert lead(second, first).difference == pytest.approx(-found.difference)


def test_turns_of_a_hand_made_downturn() -> None:
    market = np.array([0.1, 0.1, -0.1, -0.2, -0.1, 0.3, 0.5, 0.1, -0.05, 0.2])
    small = np.array([0.1, -0.1, -0.1, -0.2, 0.2, 0.3, 0.5, 0.1, -0.05, 0.2])  # turns a bar before the market
    large = np.array([0.1, 0.1, 0.1, -0.3, -0.1, -0.1, 0.9, 0.1, -0.05, 0.2])  # and this one a bar after it
    found = turns(market, small, large, 0.2, 3)
    assert [x.tolist() for x in (found.market_peak, found.market_trough)] == [[2], [5]]
    assert [x.tolist() for x in (found.first_peak, found.second_peak)] == [[1], [3]]
    assert [x.tolist() for x in (found.first_trough, found.second_trough)] == [[4], [6]]


def test_a_fall_that_is_not_deep_enough_is_no_downturn() -> None:
    market = np.array([0.1, -0.1, -0.05, 0.3])
    assert len(turns(market, market, market, 0.2, 3).market_peak) == 0


@given(st.integers(0, 1000), st.sampled_from([0.1, 0.2]))
def test_every_downturn_of_the_market_is_found_once(seed: int, depth: float) -> None:
    returns = np.random.default_rng(seed).normal(0.004, 0.06, 200)
    value = np.concatenate([[1.0], np.cumprod(1 + returns)])
    expected, top, low, deep = [], 0, 0, False
    for i in range(1, len(value)):
        if value[i] >= value[top]:
            if deep:
                expected.append((top, low))
            top, low, deep = i, i, False
        elif value[i] < value[low]:
            low = i
            deep = deep or value[i] / value[top] - 1 <= -depth
    if deep:
        expected.append((top, low))
    found = turns(returns, returns, returns, depth, 12)
    assert list(zip(found.market_peak.tolist(), found.market_trough.tolist(), strict=True)) == expected


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_sign_test_is_the_exact_binomial_one(wins: int, losses: int) -> None:
    if wins + losses == 0:
        assert np.isnan(sign_test(0, 0))
    else:
        assert sign_test(wins, losses) == pytest.approx(binomtest(wins, wins + losses).pvalue)
