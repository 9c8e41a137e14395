"""Overlapping regressions against plain loops, statsmodels and simulated markets."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from backtest.analysis.predictive import FADING, forward_sums, instrument, out_of_sample, predictive
from benchmarks.calibration.processes import PROCESSES
from benchmarks.calibration.studies import foretelling


def noise(seed: int, n: int, rho: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    returns, shocks = rng.normal(0.0, 0.03, n), rng.normal(0.0, 1.0, n)
    level = np.zeros(n)
    for t in range(1, n):
        level[t] = rho * level[t - 1] + shocks[t]
    return returns, level


def test_forward_sums_are_the_returns_after_each_bar() -> None:
    assert forward_sums(np.array([1.0, 2.0, 4.0, 8.0]), 2).tolist() == [6.0, 12.0]


def test_the_instrument_is_the_sum_of_changes_that_fade() -> None:
    _, level = noise(1, 80)
    kept = 1.0 - 80**-FADING
    by_hand = [sum(kept ** (t - s) * (level[s] - level[s - 1]) for s in range(1, t + 1)) for t in range(80)]
    assert instrument(level) == pytest.approx(by_hand)


@given(st.integers(0, 10_000), st.sampled_from([1, 3, 12]))
def test_slope_error_and_r2_are_those_of_their_equations_in_plain_loops(seed: int, bars: int) -> None:
    """Kostakis, Magdalinos and Stamatogiannis (2015), sections 1 and 2.2, with White's errors."""
    n = 150
    returns, level = noise(seed, n)
    found = predictive(returns, level, bars)
    x = (level - level[: n - bars].mean()) / level[: n - bars].std()
    z = instrument(x)
    told = [sum(z[t - i] for i in range(1, bars + 1)) for t in range(bars, n)]
    mean = sum(returns[bars:]) / (n - bars)
    surprise = [r - mean for r in returns[bars:]]
    strength = sum(z[t] * x[t] for t in range(n - bars)) - sum(z[: n - bars]) * sum(x[: n - bars]) / (
        n - bars
    )
    slope = sum(w * u for w, u in zip(told, surprise, strict=True)) / strength
    average = sum(told) / len(told)
    variance = sum(((w - average) * u) ** 2 for w, u in zip(told, surprise, strict=True))
    centred = level - level.mean()
    innovation = sm.OLS(centred[1:], centred[:-1]).fit().resid[2:]
    around = returns - returns.mean()
    late = np.column_stack([around[3:], around[2:-1], around[1:-2]])
    fit = sm.OLS(innovation, late).fit()
    pushed = 1.0 - fit.ssr / (innovation @ innovation)
    variance += pushed * average**2 * sum(u * u for u in surprise)
    assert found.slope == pytest.approx(slope)
    assert found.tstat == pytest.approx(slope / (variance**0.5 / abs(strength)))
    assert (found.low, found.high) == pytest.approx(
        (slope - 1.959964 * slope / found.tstat, slope + 1.959964 * slope / found.tstat)
    )
    assert found.pvalue == pytest.approx(2 * norm.sf(abs(found.tstat)))
    oracle = sm.OLS(forward_sums(returns, bars), sm.add_constant(x[: n - bars])).fit()
    assert found.r2 == pytest.approx(oracle.rsquared)
    assert (found.n, found.windows) == (n - bars, n // bars)


@pytest.mark.parametrize("bars", [1, 6])
def test_forecasts_use_only_pairs_that_were_complete_and_agree_with_a_loop(bars: int) -> None:
    returns, level = noise(21, 130)
    future, x = forward_sums(returns, bars), level[: 130 - bars]
    history = 40 + bars
    errors, errors_mean = [], []
    for t in range(history, len(future)):
        seen = slice(0, t - bars + 1)
        slope, intercept = np.polyfit(x[seen], future[seen], 1)
        forecast, mean = intercept + slope * x[t], future[seen].mean()
        errors.append(future[t] - forecast)
        errors_mean.append(future[t] - mean)
    r2, n = out_of_sample(returns, level, bars, history)
    assert n == len(errors)
    assert r2 == pytest.approx(1 - np.sum(np.square(errors)) / np.sum(np.square(errors_mean)))


def test_a_forecast_does_not_change_when_its_future_does() -> None:
    returns, level = noise(2, 200)
    changed = returns.copy()
    changed[150:] += 1.0  # what lies behind the last pair that the first 150 bars complete

    def early(values: np.ndarray) -> float:
        return out_of_sample(values[:150], level[:150], 12, 60)[0]

    assert early(returns) == early(changed)


def test_a_level_that_is_not_known_at_first_is_left_out() -> None:
    returns, level = noise(7, 300)
    late = level.copy()
    late[:50] = np.nan
    one, two = predictive(returns, late, 12, 60), predictive(returns[50:], level[50:], 12, 60)
    assert dataclasses.replace(one, carrying=one.carrying - 50) == two


def test_too_little_data_gives_no_number() -> None:
    returns, level = noise(7, 60)
    for x, bars in ((level, 24), (np.ones(60), 6), (np.full(60, np.nan), 6)):
        found = predictive(returns, x, bars)
        assert math.isnan(found.slope)
        assert math.isnan(found.pvalue)


@pytest.mark.parametrize(("name", "pushed"), [("normal", 0.0), ("normal", -0.9), ("GARCH-t", -0.9)])
def test_on_noise_about_one_regression_in_twenty_rejects(name: str, pushed: float) -> None:
    """35 years, a level as sticky as a valuation; the level itself rejects in one of ten where it is pushed."""
    rejected = []
    for seed in range(300):
        returns, level = foretelling(np.random.default_rng(seed), PROCESSES[name], 420, 0.99, pushed)
        rejected.append([predictive(returns, level, bars).pvalue < 0.05 for bars in (12, 60)])
    slack = 3 * (0.05 * 0.95 / 300) ** 0.5
    assert (abs(np.mean(rejected, axis=0) - 0.05) < slack).all()


def test_a_level_that_is_known_late_is_pushed_by_the_returns_before() -> None:
    rejected = []
    for seed in range(300):
        returns, level = foretelling(np.random.default_rng(seed), PROCESSES["normal"], 421, 0.99, -0.9)
        rejected.append(predictive(returns[1:], level[:-1], 12).pvalue < 0.05)
    assert np.mean(rejected) < 0.05 + 2 * (0.05 * 0.95 / 300) ** 0.5


def test_a_planted_forecast_is_found_in_the_sample_and_out_of_it() -> None:
    returns, level = noise(5, 1190, rho=0.98)
    returns[1:] += 0.002 * level[:-1]
    found = predictive(returns, level, 36)
    assert found.pvalue <= 0.01
    assert 0.0 < found.low < found.slope < found.high
    assert min(found.halves) > 0.0
    assert found.oos_r2 > 0.1


def test_a_year_that_carries_a_forecast_is_named_and_without_it_nothing_is_left() -> None:
    returns, level = noise(5, 600, rho=0.9)
    returns[301:313] += 0.15
    level[270:312] += 12.0
    found = predictive(returns, level, 12)
    assert abs(found.carrying - 301) < 12
    assert found.pvalue < 0.1 < found.without_carrying
