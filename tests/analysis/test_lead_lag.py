"""Volatility ratios, leads and turns against hand-made series and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct
from scipy.stats import binomtest, t

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


def test_a_lead_is_the_gap_of_two_correlations_over_its_cosine_error() -> None:
    a, b = np.random.default_rng(6).normal(size=(2, 200))
    b[1:] += 0.3 * a[:-1]
    x, y = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    forward, backward = [x[i] * y[i + 1] for i in range(199)], [y[i] * x[i + 1] for i in range(199)]
    gap = np.subtract(forward, backward)
    freedom = int(0.4 * 199 ** (2 / 3))
    sums = dct(gap, norm="ortho")[1 : freedom + 1]
    found = lead(a, b)
    assert (found.first_leads, found.second_leads) == pytest.approx((np.mean(forward), np.mean(backward)))
    tstat = gap.mean() / np.sqrt(np.mean(sums**2) / 199)
    assert found.tstat == pytest.approx(tstat)
    assert found.pvalue == pytest.approx(2 * t.sf(abs(tstat), freedom))


def test_what_never_moves_or_is_too_short_has_no_ratio_and_no_lead() -> None:
    moving, still = np.array([0.1, -0.2, 0.15, 0.05]), np.full(4, 0.01)
    for first, second in ((moving, still), (still, moving), (moving[:2], moving[1:3])):
        ratio, led = volatility_ratio(first, second), lead(first, second)
        assert np.isnan([ratio.ratio, ratio.low, ratio.high, ratio.pvalue]).all()
        assert np.isnan([led.first_leads, led.second_leads, led.tstat, led.pvalue]).all()
    three = volatility_ratio(moving[:3], moving[1:])
    assert np.isfinite([three.ratio, three.pvalue]).all()
    assert np.isfinite(lead(moving[:3], moving[1:]).first_leads)


def test_where_no_ratio_on_a_side_is_rejected_there_is_no_bound() -> None:
    # Of few bars with one that outweighs all others no ratio is too large, or too small.
    calm = np.random.default_rng(8).normal(0.0, 0.01, 30)
    wild = np.r_[calm[:29], 5.0][::-1]
    found, turned = volatility_ratio(calm, wild), volatility_ratio(wild, calm)
    assert found.low == 0.0 or found.high == np.inf
    assert (found.low == 0.0) == (turned.high == np.inf)
    assert (found.high == np.inf) == (turned.low == 0.0)


def test_a_margin_ends_with_the_data() -> None:
    market = np.array([-0.3, 0.1, 0.1])
    early = np.array([0.1, -0.3, -0.1])
    found = turns(market, early, early[::-1], 0.2, 5)
    assert [x.tolist() for x in (found.market_peak, found.market_trough)] == [[0], [1]]
    # The peak lies before the market's trough, the trough may lie a margin after it.
    assert [x.tolist() for x in (found.first_peak, found.first_trough)] == [[1], [3]]
    assert [x.tolist() for x in (found.second_peak, found.second_trough)] == [[0], [2]]
    # A fall by just the depth is one.
    assert len(turns(np.array([-0.25, 0.5]), early[:2], early[:2], 0.25, 0).market_peak) == 1


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
