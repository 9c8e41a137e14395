"""Superior predictive ability held against Hansen's definition, written out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap

from backtest.analysis.superior import long_run_deviations, superior

if TYPE_CHECKING:
    from backtest.dates import Floats


def hansen(gains: Floats, block: int, repetitions: int, seed: int) -> float:
    """Return the consistent p-value of Hansen (2005): every mean over its own standard error."""
    n = gains.shape[1]
    mean = gains.mean(axis=1)
    around = gains - mean[:, None]
    variance = (around**2).sum(axis=1) / n
    for lag in range(1, n):
        stay = 1.0 - 1.0 / block
        weight = (n - lag) / n * stay**lag + lag / n * stay ** (n - lag)
        variance += 2.0 * weight * (around[:, lag:] * around[:, :-lag]).sum(axis=1) / n
    error = np.sqrt(variance)
    ratios = math.sqrt(n) * mean / error
    observed = max(0.0, ratios.max())
    centre = np.where(ratios >= -math.sqrt(2.0 * math.log(math.log(n))), mean, 0.0)
    source = StationaryBootstrap(block, np.empty(n), seed=np.random.default_rng(seed))
    more = 0
    for _ in range(repetitions):
        drawn = gains[:, source.update_indices()].mean(axis=1) - centre
        more += max(0.0, (math.sqrt(n) * drawn / error).max()) > observed
    return more / repetitions


def noisy_and_steady(seed: int = 3) -> tuple[Floats, Floats]:
    """Return a benchmark, and a strategy that is steadily a little better beside wild ones that are not."""
    random = np.random.default_rng(seed)
    benchmark = random.normal(0.005, 0.04, 400)
    steady = benchmark + random.normal(0.001, 0.005, 400)
    wild = benchmark + random.normal(0.0, 0.08, (20, 400))
    return benchmark, np.vstack([wild, steady])


def test_is_the_statistic_of_hansen() -> None:
    benchmark, strategies = noisy_and_steady()
    found = superior(benchmark, strategies, repetitions=1000)
    assert found.pvalue == pytest.approx(hansen(strategies - benchmark, 20, 1000, 0), abs=0.02)


def test_a_steady_gain_does_not_drown_among_wild_ones() -> None:
    benchmark, strategies = noisy_and_steady()
    found = superior(benchmark, strategies)
    assert found.pvalue < 0.05
    assert found.better.tolist() == [20]


def test_strategies_on_another_scale_do_not_matter() -> None:
    benchmark, strategies = noisy_and_steady()
    scaled = benchmark + (strategies - benchmark) * np.geomspace(0.01, 3.0, 21)[:, None]
    assert superior(benchmark, scaled).pvalue == superior(benchmark, strategies).pvalue


def test_the_deviation_is_that_of_resampled_means() -> None:
    gains = np.random.default_rng(1).normal(size=(3, 120)).cumsum(axis=1) / 10
    source = StationaryBootstrap(10, np.empty(120), seed=np.random.default_rng(2))
    means = [gains[:, source.update_indices()].mean(axis=1) for _ in range(20_000)]
    drawn = np.std(means, axis=0) * math.sqrt(120)
    np.testing.assert_allclose(long_run_deviations(gains, 10), drawn, rtol=0.03)


def test_what_is_the_benchmark_itself_is_left_out() -> None:
    benchmark, strategies = noisy_and_steady()
    found = superior(benchmark, np.vstack([benchmark, strategies]))
    assert found.better.tolist() == [21]
    assert math.isnan(superior(benchmark, benchmark[None]).pvalue)


def test_few_draws_make_no_pvalue_of_nothing() -> None:
    gains = np.random.default_rng(1).normal(0.05, 0.01, (3, 100))
    found = superior(np.zeros(100), gains, repetitions=99)
    assert found.lower == found.pvalue == found.upper == pytest.approx(0.01)


def test_a_few_months_say_nothing() -> None:
    gains = np.random.default_rng(1).normal(0.05, 0.01, (3, 24))
    assert superior(np.zeros(24), gains).pvalue < 0.05
    few = superior(np.zeros(23), gains[:, :23])
    assert math.isnan(few.pvalue)
    assert len(few.better) == 0
