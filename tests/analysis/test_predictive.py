"""Overlapping regressions against plain loops, statsmodels and simulated markets."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from backtest.analysis.predictive import _out_of_sample, forward_sums, hodrick_error, predictive


def noise(seed: int, n: int, rho: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    returns, shocks = rng.normal(0.0, 0.03, n), rng.normal(0.0, 1.0, n)
    level = np.zeros(n)
    for t in range(1, n):
        level[t] = rho * level[t - 1] + shocks[t]
    return returns, level


def test_forward_sums_are_the_returns_after_each_bar() -> None:
    assert forward_sums(np.array([1.0, 2.0, 4.0, 8.0]), 2).tolist() == [6.0, 12.0]


@given(st.integers(0, 10_000), st.sampled_from([1, 3, 12]))
def test_slope_and_r2_are_those_of_least_squares(seed: int, bars: int) -> None:
    returns, level = noise(seed, 150)
    found = predictive(returns, level, bars)
    x = level[: 150 - bars]
    oracle = sm.OLS(forward_sums(returns, bars), sm.add_constant((x - x.mean()) / x.std())).fit()
    assert found.slope == pytest.approx(oracle.params[1])
    assert found.r2 == pytest.approx(oracle.rsquared)
    assert (found.n, found.windows) == (150 - bars, 150 // bars)


def hodrick_by_hand(returns: np.ndarray, level: np.ndarray, bars: int) -> float:
    """Hodrick (1992), equation 8: sums of the last ``bars`` regressors times the next one-bar surprise."""
    n = len(returns)
    mean = sum(returns[1:]) / (n - 1)
    meat = np.zeros((2, 2))
    for t in range(bars - 1, n - 1):
        summed = np.zeros(2)
        for i in range(bars):
            summed += np.array([1.0, level[t - i]])
        score = summed * (returns[t + 1] - mean)
        meat += np.outer(score, score)
    bread = np.zeros((2, 2))
    for t in range(n - bars):
        bread += np.outer([1.0, level[t]], [1.0, level[t]])
    inverse = np.linalg.inv(bread)
    return math.sqrt((inverse @ meat @ inverse)[1, 1])


@pytest.mark.parametrize("bars", [1, 4, 12])
def test_hodricks_error_agrees_with_its_equation(bars: int) -> None:
    returns, level = noise(3, 120)
    assert hodrick_error(returns, level, bars) == pytest.approx(hodrick_by_hand(returns, level, bars))


def test_for_one_bar_it_is_whites_error_under_the_hypothesis() -> None:
    returns, level = noise(9, 400, rho=0.0)
    white = sm.OLS(returns[1:], sm.add_constant(level[:-1])).fit(cov_type="HC0").bse[1]
    assert hodrick_error(returns, level, 1) == pytest.approx(white, rel=0.02)


@pytest.mark.parametrize("bars", [1, 6])
def test_forecasts_use_only_pairs_that_were_complete_and_agree_with_a_loop(bars: int) -> None:
    returns, level = noise(21, 130)
    future, x = forward_sums(returns, bars), level[: 130 - bars]
    history = 40 + bars
    errors, errors_mean, gains = [], [], []
    for t in range(history, len(future)):
        seen = slice(0, t - bars + 1)
        slope, intercept = np.polyfit(x[seen], future[seen], 1)
        forecast, mean = intercept + slope * x[t], future[seen].mean()
        errors.append(future[t] - forecast)
        errors_mean.append(future[t] - mean)
        gains.append(errors_mean[-1] ** 2 - (errors[-1] ** 2 - (mean - forecast) ** 2))
    r2, n, pvalue = _out_of_sample(future, x, bars, history)
    assert n == len(errors)
    assert r2 == pytest.approx(1 - np.sum(np.square(errors)) / np.sum(np.square(errors_mean)))
    oracle = sm.OLS(gains, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": bars})
    assert pvalue == pytest.approx(0.5 * math.erfc(oracle.tvalues[0] / math.sqrt(2)), rel=1e-6)


def test_a_forecast_does_not_change_when_its_future_does() -> None:
    returns, level = noise(2, 200)
    changed = returns.copy()
    changed[150:] += 1.0  # what lies behind the last pair that the first 150 bars complete

    def early(values: np.ndarray) -> float:
        return _out_of_sample(forward_sums(values[:150], 12), level[:138], 12, 60)[0]

    assert early(returns) == early(changed)


def test_a_level_that_is_not_known_at_first_is_left_out() -> None:
    returns, level = noise(7, 300)
    late = level.copy()
    late[:50] = np.nan
    assert predictive(returns, late, 12, 60) == predictive(returns[50:], level[50:], 12, 60)


def test_too_little_data_gives_no_number() -> None:
    returns, level = noise(7, 60)
    assert math.isnan(predictive(returns, level, 24).slope)
    assert math.isnan(predictive(returns, np.ones(60), 6).slope)
    assert math.isnan(predictive(returns, np.full(60, np.nan), 6).pvalue)


@pytest.mark.parametrize("bars", [12, 36, 60])
def test_on_noise_few_regressions_reject_although_windows_overlap(bars: int) -> None:
    """300 markets of a century, a level as sticky as a valuation; ordinary errors would reject in most."""
    rejected = [predictive(*noise(seed, 1190, rho=0.98), bars).pvalue < 0.05 for seed in range(300)]
    assert np.mean(rejected) <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5


def test_a_planted_forecast_is_found_in_the_sample_and_out_of_it() -> None:
    returns, level = noise(5, 1190, rho=0.98)
    returns[1:] += 0.002 * level[:-1]
    found = predictive(returns, level, 36)
    assert found.pvalue < 0.01
    assert found.slope > 0
    assert found.oos_r2 > 0.1
    assert found.clark_west < 0.05
