"""Errors of a mean: against statsmodels, scipy's cosines, plain loops and what is known of an autoregression."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct
from scipy.stats import t as student

from backtest.analysis.long_run import (
    WAVES,
    Error,
    cosine_covariance,
    critical,
    long_run_variance,
    newey_west_lags,
    prewhitened_error,
    slow_error,
    two_sided,
)


@pytest.mark.parametrize("lags", [0, 1, 7])
def test_the_error_of_a_mean_is_that_of_statsmodels(lags: int) -> None:
    values = np.convolve(np.random.default_rng(1).normal(0, 1, 310), np.ones(5), "valid")
    oracle = sm.OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    error = (long_run_variance(values - values.mean(), lags) / len(values)) ** 0.5
    assert error == pytest.approx(oracle.bse[0])


@pytest.mark.parametrize("lags", [0, 1, 4, 30])
def test_the_covariance_is_the_weighted_sum_over_all_pairs_of_bars(lags: int) -> None:
    scores = np.random.default_rng(4).normal(size=(20, 3))
    expected = np.zeros((3, 3))
    for i in range(20):
        for j in range(20):
            # No pair is farther apart than the series is long, and so are the weights.
            weight = 1.0 - abs(i - j) / (lags + 1.0)
            if weight > 0.0:
                expected += weight * np.outer(scores[i], scores[j]) / 20.0
    np.testing.assert_allclose(long_run_variance(scores, lags), expected)
    assert long_run_variance(scores[:, 0], lags) == pytest.approx(expected[0, 0])


@pytest.mark.parametrize(("n", "freedom"), [(3, 1), (8, 1), (27, 3), (100, 8), (900, 37)])
def test_cosine_sums_are_those_of_scipys_transform(n: int, freedom: int) -> None:
    scores = np.random.default_rng(5).normal(2.0, 1.0, (n, 2))
    sums = dct(scores, type=2, norm="ortho", axis=0)[1 : freedom + 1]
    found, count = cosine_covariance(scores)
    assert count == freedom
    np.testing.assert_allclose(found, sums.T @ sums / freedom)


def test_more_lags_than_bars_are_as_many_as_there_are() -> None:
    values = np.array([1.0, -1.0, 2.0])
    assert np.isfinite(long_run_variance(values, 10))


def test_cosine_sums_of_white_bars_have_their_variance_and_the_degrees_of_freedom_of_their_number() -> None:
    drawn = np.random.default_rng(2).normal(0.0, 2.0, (4000, 216))
    found = np.array([float(cosine_covariance(row[:, None] + 5.0)[0][0, 0]) for row in drawn])
    freedom = cosine_covariance(drawn[:1].T)[1]
    assert freedom == int(0.4 * 36)
    assert found.mean() == pytest.approx(4.0, rel=0.03)
    assert 2.0 * found.mean() ** 2 / found.var() == pytest.approx(freedom, rel=0.1)


@pytest.mark.parametrize("freedom", [1.0, 4.3, 30.0])
def test_student_is_that_of_scipy(freedom: float) -> None:
    assert critical(freedom) == pytest.approx(student.ppf(0.975, freedom))
    assert two_sided(-1.7, freedom) == pytest.approx(2 * student.sf(1.7, freedom))
    assert np.isnan(two_sided(float("nan"), freedom))


def slowly(values: np.ndarray) -> tuple[float, float]:
    """The prewhitened error, bar by bar, and its degrees of freedom."""
    n = len(values)
    kept = sum(a * b for a, b in zip(values[1:], values[:-1], strict=True)) / sum(v * v for v in values[:-1])
    kept = min(0.9, max(-0.9, kept + (1 + 3 * kept) / n))
    left = [b - kept * a for a, b in itertools.pairwise(values)]
    lags = newey_west_lags(n)
    total = sum(v * v for v in left)
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * sum(left[i] * left[i - lag] for i in range(lag, len(left)))
    size = math.sqrt(max(total, 0.0) / n / (n - 1)) / (1 - kept)
    fourth = sum(v**4 for v in values)
    return size, max(3 * sum(v * v for v in values) ** 2 / fourth - 2, 3)


@given(st.integers(24, 300), st.integers(0, 2**32 - 1), st.floats(-0.6, 0.95))
def test_the_prewhitened_error_is_that_of_plain_loops(n: int, seed: int, kept: float) -> None:
    values = np.random.default_rng(seed).standard_t(4, n)
    for i in range(1, n):
        values[i] += kept * values[i - 1]
    values -= values.mean()
    ours = prewhitened_error(values)
    assert (ours.size, ours.freedom) == pytest.approx(slowly(values), rel=1e-9)


def test_the_prewhitened_error_of_an_autoregression_is_what_is_known_of_it() -> None:
    random = np.random.default_rng(3)
    n, kept = 20_000, 0.4
    values = random.normal(size=n)
    for i in range(1, n):
        values[i] += kept * values[i - 1]
    ours = prewhitened_error(values - values.mean())
    assert ours.size * math.sqrt(n) == pytest.approx(1 / (1 - kept), rel=0.05)
    # The kurtosis of normal values is 3: all of them count.
    assert ours.freedom == pytest.approx(n, rel=0.1)


def test_a_mean_that_hangs_on_one_episode_has_few_degrees_of_freedom() -> None:
    values = np.zeros(400)
    values[100:124] = np.random.default_rng(5).normal(size=24)
    assert prewhitened_error(values).freedom < 40


def test_the_slow_error_is_that_of_scipys_cosines() -> None:
    values = np.random.default_rng(4).normal(size=333)
    values -= values.mean()
    products = dct(values, type=2, norm="ortho")[1 : WAVES + 1]
    ours = slow_error(values)
    assert ours.size == pytest.approx(math.sqrt(np.mean(products**2) / 333))
    assert ours.freedom == WAVES


def test_an_error_gives_students_interval_pvalue_and_power() -> None:
    error = Error(0.5, 7.0)
    assert error.reach() == pytest.approx(0.5 * student.ppf(0.975, 7))
    assert error.pvalue(-1.2) == pytest.approx(2 * student.sf(2.4, 7))
    assert error.visible() == pytest.approx(0.5 * (student.ppf(0.975, 7) + student.ppf(0.8, 7)))
    assert math.isnan(Error(0.0, 7.0).pvalue(1.0))


def test_what_does_not_vary_or_is_too_short_has_no_error() -> None:
    assert math.isnan(prewhitened_error(np.zeros(100)).size)
    assert math.isnan(prewhitened_error(np.array([1.0, -1.0] * 3)).size)
    assert math.isnan(slow_error(np.array([1.0, -1.0] * 3)).size)


def test_the_shortest_series_with_an_error_and_those_without_one() -> None:
    values = np.random.default_rng(11).normal(0.0, 1e-3, 10)
    for n in (8, 9, 10):
        found = prewhitened_error(values[:n])
        assert (found.size, found.freedom) == pytest.approx(slowly(values[:n]))
    assert np.isnan(prewhitened_error(values[:7])).all()
    for n in (9, 10):
        products = dct(values[:n], norm="ortho")[1:4]
        assert slow_error(values[:n]) == pytest.approx((math.sqrt(np.mean(products**2) / n), 3.0))
    assert np.isnan(slow_error(values[:8])).all()


def test_what_lingers_for_ever_or_turns_at_every_bar_is_bounded() -> None:
    for sign in (1.0, -1.0):
        values = sign ** np.arange(40) * (1.0 + 0.01 * np.random.default_rng(12).normal(size=40))
        found = prewhitened_error(values)
        assert (found.size, found.freedom) == pytest.approx(slowly(values))
    # One value that outweighs all others leaves three degrees of freedom, and no fewer.
    assert prewhitened_error(np.r_[np.full(20, 0.01), 5.0]).freedom == 3.0
