"""The test of two Sharpe ratios: its error against others' formulas, its size by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.analysis.comparison import agreement, sharpe_difference
from backtest.measures import Sums, values_of


def pair(n: int, seed: int, correlation: float = 0.5, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    common = random.normal(size=n)
    a, b = (np.sqrt(correlation) * common + np.sqrt(1 - correlation) * random.normal(size=n) for _ in "ab")
    return 0.005 + shift + 0.04 * a, 0.005 + 0.04 * b


def test_the_error_of_independent_normal_returns_is_memmels() -> None:
    # Jobson and Korkie (1981) as corrected by Memmel (2003), for independent normal returns.
    n = 200_000
    a, b = pair(n, 1, correlation=0.6, shift=0.002)
    sa, sb = a.mean() / a.std(), b.mean() / b.std()
    rho = np.corrcoef(a, b)[0, 1]
    variance = 2 - 2 * rho + 0.5 * (sa**2 + sb**2 - 2 * sa * sb * rho**2)
    found = sharpe_difference(a, b, 1.0)
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(np.sqrt(variance / n), rel=0.02)


@settings(max_examples=25)
@given(st.integers(30, 300), st.integers(0, 2**32 - 1))
def test_the_difference_is_that_of_the_measures_and_turns_with_the_pair(n: int, seed: int) -> None:
    a, b = pair(n, seed)
    ours, turned = sharpe_difference(a, b, 12.0), sharpe_difference(b, a, 12.0)
    zero = np.zeros(n)
    one, other = (values_of(Sums.of(x, zero, zero, n / 12.0), x)["sharpe"] for x in (a, b))
    apart = one - other
    assert ours.difference == pytest.approx(apart, rel=1e-9, abs=1e-12)
    assert turned.difference == pytest.approx(-apart, rel=1e-9, abs=1e-12)
    assert turned.pvalue == pytest.approx(ours.pvalue)
    assert (turned.low, turned.high) == pytest.approx((-ours.high, -ours.low))
    assert (ours.low + ours.high) / 2.0 == pytest.approx(ours.difference)


def test_without_a_difference_one_test_in_twenty_says_there_is_one() -> None:
    trials = 200
    pvalues = [sharpe_difference(*pair(240, seed), 12.0).pvalue for seed in range(trials)]
    rejected = np.mean(np.array(pvalues) <= 0.05)
    # Four standard errors of a share of 200 are 6.2 points.
    assert rejected < 0.112
    assert np.quantile(pvalues, 0.5) == pytest.approx(0.5, abs=0.1)


def test_a_large_difference_is_found() -> None:
    found = sharpe_difference(*pair(600, 7, correlation=0.9, shift=0.01), 12.0)
    assert found.pvalue < 0.01
    assert found.low > 0.0


def test_what_cannot_be_tested_is_nan() -> None:
    a, b = pair(100, 1)
    still = sharpe_difference(np.full(100, 0.01), b, 12.0)
    assert np.isnan([still.difference, still.low, still.high, still.pvalue]).all()
    same = sharpe_difference(a, a, 12.0)
    assert same.difference == 0.0
    assert np.isnan([same.low, same.high, same.pvalue]).all()
    few = sharpe_difference(a[:20], b[:20], 12.0)
    assert np.isfinite(few.difference)
    assert np.isnan(few.pvalue)


def test_agreement_counts_the_value_held_alike() -> None:
    a = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    b = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert agreement(a, b).tolist() == [1.0, 0.5, 0.0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("apart", [1e-17, 1e-3])
def test_series_that_differ_in_one_bar_have_no_interval(apart: float) -> None:
    a = np.random.default_rng(6).normal(0.01, 0.04, 200)
    b = a.copy()
    b[0] -= apart
    found = sharpe_difference(a, b, 12.0)
    assert abs(found.difference) < 0.01
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("n", [24, 200])
def test_two_dozen_bars_that_differ_can_be_judged_and_one_less_cannot(n: int) -> None:
    a, other = pair(n, 8)
    for differing in (23, 24):
        b = np.where(np.arange(n) < differing, other, a)
        found = sharpe_difference(a, b, 12.0)
        assert np.isfinite(found.difference)
        assert (np.isfinite([found.low, found.high, found.pvalue]) == (differing == 24)).all()


@pytest.mark.parametrize("unit", [1e-8, 1e4])
def test_the_test_does_not_hang_on_the_unit_of_the_returns(unit: float) -> None:
    a, b = pair(120, 9)
    one, other = sharpe_difference(a, b, 12.0), sharpe_difference(unit * a, unit * b, 12.0)
    assert (other.difference, other.low, other.high) == pytest.approx((one.difference, one.low, one.high))
    assert other.pvalue == pytest.approx(one.pvalue)
