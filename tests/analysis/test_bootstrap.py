"""The bootstrap measures every resample as the measures themselves do, and its intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.analysis import measures
from backtest.analysis.bootstrap import (
    RESAMPLED,
    Resamples,
    block_length,
    enough,
    interval,
    resample,
    resampled_bars,
)
from backtest.runs import measured


def sample(n: int, seed: int = 1, k: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    benchmark = random.normal(0.007, 0.045, n)
    returns = benchmark[:, None] + random.normal(0.0, 0.02, (n, k))
    return returns, benchmark, random.uniform(0.0, 0.004, n)


@settings(max_examples=20)
@given(st.integers(24, 200), st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_every_resample_is_measured_as_a_run_is(n: int, seed: int, k: int) -> None:
    returns, benchmark, risk_free = sample(n, seed, k)
    years = n / 12.0
    found = resample(returns, benchmark, risk_free, years, resamples=5, seed=seed)
    assert found is not None
    for i, bars in enumerate(resampled_bars(n, found.block, 5, seed)):
        for series in range(k):
            own = measured(returns[bars, series], benchmark[bars], risk_free[bars], years)
            for name in RESAMPLED:
                assert found.draws[name][i, series] == pytest.approx(own[name], rel=1e-8, abs=1e-10), name


def test_each_series_may_have_its_own_benchmark() -> None:
    returns, benchmark, risk_free = sample(120)
    other = benchmark + 0.01
    each = resample(returns, np.column_stack([benchmark, other]), risk_free, 10.0, resamples=50)
    assert each is not None
    bars = next(resampled_bars(120, each.block, 1, each.seed))
    own = measured(returns[bars, 1], other[bars], risk_free[bars], 10.0)
    assert each.draws["alpha"][0, 1] == pytest.approx(own["alpha"])


def test_a_series_that_is_its_benchmark_has_no_ratio_and_no_interval() -> None:
    _, benchmark, risk_free = sample(60)
    found = resample(benchmark[:, None], benchmark, risk_free, 5.0, resamples=50)
    assert found is not None
    assert np.isnan(found.draws["information_ratio"]).all()
    assert all(np.isnan(found.interval("information_ratio", 0)))
    np.testing.assert_allclose(found.draws["alpha"], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.draws["beta"], 1.0)


def test_too_few_bars_have_no_interval() -> None:
    returns, benchmark, risk_free = sample(23)
    assert resample(returns, benchmark, risk_free, 2.0) is None


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    returns, benchmark, risk_free = sample(300)
    first, again = (resample(returns, benchmark, risk_free, 25.0) for _ in range(2))
    other = resample(returns, benchmark, risk_free, 25.0, seed=2)
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.interval("sharpe", 0) == again.interval("sharpe", 0) != other.interval("sharpe", 0)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    random = np.random.default_rng(3)
    returns = random.normal(0.01, 0.04, (2000, 1))
    found = resample(returns, np.zeros(2000), np.zeros(2000), 2000 / 12, resamples=2000)
    assert found is not None
    low, high = found.interval("sharpe", 0)
    # Lo (2002): the error of a Sharpe ratio of independent returns is sqrt((1 + s^2 / 2) / n).
    sharpe = measures.sharpe(returns[:, 0], np.zeros(2000), 12.0)
    error = np.sqrt((1.0 + sharpe**2 / 24.0) / 2000.0 * 12.0)
    assert (high - low) / 2.0 == pytest.approx(1.96 * error, rel=0.1)
    assert (high + low) / 2.0 == pytest.approx(sharpe, abs=0.2 * error)


def test_the_block_length_is_archs_for_returns_and_their_squares() -> None:
    random = np.random.default_rng(4)
    values = np.zeros(1000)
    for i in range(1, 1000):
        values[i] = 0.7 * values[i - 1] + random.normal()
    squares = (values - values.mean()) ** 2
    table = optimal_block_length(np.column_stack([values, squares]))["stationary"]
    assert block_length([values]) == table.max()
    assert block_length([values]) > 5.0
    assert block_length([np.ones(50)]) == 1.0
    assert block_length([np.arange(40.0)]) <= 10.0


def test_draws_that_are_not_defined_leave_no_interval() -> None:
    draws = np.linspace(0.0, 1.0, 1001)
    assert interval(draws) == pytest.approx((0.025, 0.975))
    draws[:20] = np.nan
    assert all(np.isnan(interval(draws)))


def test_few_draws_cannot_make_a_lead_sure() -> None:
    def leading(draws: int, behind: int = 0) -> float:
        values = np.column_stack([np.full(draws, 2.0), np.full(draws, 1.0)])
        values[:behind] = values[:behind, ::-1]
        values[behind : 2 * behind, 0] = np.nan
        return Resamples({"cagr": values}, 1.0, 0).not_ahead("cagr", 0, 1, 1.0)

    of_twenty = 0.025 / 19
    assert leading(500) == 1 / 501 > of_twenty
    assert leading(7600) < of_twenty
    assert leading(99, behind=10) == 21 / 100
    alike = Resamples({"cagr": np.ones((9, 2))}, 1.0, 0)
    assert alike.not_ahead("cagr", 0, 1, 1.0) == alike.not_ahead("cagr", 0, 1, -1.0) == 1.0
    assert [enough(1000, tail) for tail in (1.0, 0.025, of_twenty)] == [1000, 1000, 7600]
    assert [enough(25_000, tail) for tail in (1.0, 0.025, of_twenty)] == [500, 500, 1520]
