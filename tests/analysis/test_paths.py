"""Falls, rolling windows, calendar periods, captures, switches and sensitivities, each against another way."""

from __future__ import annotations

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.analysis.capture import down_capture, up_capture
from backtest.analysis.paths import by_period, later, returns_of, switch_gains, worst_falls
from backtest.analysis.regression import alpha
from backtest.analysis.rolling import rolling
from backtest.dates import to_days
from backtest.decisions import Targets
from backtest.engine.reference import simulate
from backtest.market.data import Bars
from backtest.measures import Sums, drawdowns, values_of


@given(st.lists(st.sampled_from([-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.3]), min_size=1, max_size=80))
def test_falls_are_those_found_by_walking_along(returns: list[float]) -> None:
    value = np.concatenate([[1.0], np.cumprod(1.0 + np.array(returns))])
    walked, peak, trough = [], 0, 0
    for i in range(1, len(value) + 1):
        if i == len(value) or value[i] >= value[peak]:
            if trough > peak:
                walked.append(
                    (value[trough] / value[peak] - 1.0, peak, trough, i if i < len(value) else None)
                )
            peak = trough = i
        elif value[i] < value[trough]:
            trough = i
    walked.sort(key=lambda fall: fall[0])
    found = [(f.depth, f.peak, f.trough, f.recovery) for f in worst_falls(np.array(returns), n=100)]
    assert len(found) == len(walked)
    assert [f[0] for f in found] == pytest.approx([w[0] for w in walked])
    assert sorted(f[1:3] for f in found) == sorted(w[1:3] for w in walked)
    assert {f[3] for f in found} == {w[3] for w in walked}
    deepest = worst_falls(np.array(returns), n=1)
    assert (deepest[0].depth if deepest else 0.0) == pytest.approx(drawdowns(np.array(returns)).min())


def test_the_ten_deepest_falls_are_given_the_deepest_first() -> None:
    depths = np.linspace(0.01, 0.12, 12)
    found = worst_falls(np.column_stack([-depths, 1.0 / (1.0 - depths) - 1.0 + 1e-9]).reshape(-1))
    assert [fall.depth for fall in found] == pytest.approx((-depths[:1:-1]).tolist())


@given(st.integers(2, 40), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_a_moving_window_measures_what_it_holds(window: int, more: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    n = window + more
    benchmark, risk_free = random.normal(0.01, 0.05, n), random.uniform(0.0, 0.004, n)
    returns = 0.8 * benchmark + random.normal(0.0, 0.02, n)
    found = rolling(returns, benchmark, risk_free, window, 12.0)
    assert len(found.cagr) == more + 1
    for i in {0, more // 2, more}:
        part = slice(i, i + window)
        columns = returns[part], benchmark[part], risk_free[part]
        own, due = alpha(*columns, 12.0), values_of(Sums.of(*columns, window / 12.0), returns[part])
        assert found.cagr[i] == pytest.approx(due["cagr"], rel=1e-9)
        assert found.volatility[i] == pytest.approx(due["volatility"], rel=1e-7)
        assert found.beta[i] == pytest.approx(own.beta, rel=1e-6, abs=1e-9)
        assert found.alpha[i] == pytest.approx(own.alpha, rel=1e-6, abs=1e-8)


def test_a_window_longer_than_the_bars_gives_nothing_and_a_still_benchmark_no_beta() -> None:
    assert all(len(x) == 0 for x in rolling(np.ones(3), np.ones(3), np.zeros(3), 4, 12.0))
    still = rolling(np.array([0.1, 0.2, 0.0]), np.full(3, 0.01), np.zeros(3), 3, 12.0)
    assert np.isnan(still.beta).all()


def test_calendar_periods_are_pandas() -> None:
    dates = pd.bdate_range("1999-11-15", "2003-02-10")
    returns = pd.DataFrame(np.random.default_rng(1).normal(0.0, 0.01, (len(dates), 2)), dates)
    for unit, rule in (("Y", "YE"), ("M", "ME")):
        periods, found = by_period(to_days(dates.to_numpy()), returns.to_numpy(), unit)
        theirs = (1.0 + returns).resample(rule).prod() - 1.0
        np.testing.assert_allclose(found, theirs.to_numpy())
        assert (
            periods.astype(str).tolist() == theirs.index.strftime("%Y" if unit == "Y" else "%Y-%m").tolist()
        )


@given(st.integers(3, 200), st.integers(0, 2**32 - 1))
def test_captures_are_empyricals_a_bar(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    dates = pd.bdate_range("2000-01-03", periods=n)
    benchmark = pd.Series(random.normal(0.0, 0.03, n), dates)
    returns = 0.5 * benchmark + random.normal(0.0, 0.01, n)
    if not (benchmark > 0).any() or not (benchmark < 0).any():
        return
    # One bar a year: annualising changes nothing.
    assert up_capture(returns.to_numpy(), benchmark.to_numpy()) == pytest.approx(
        empyrical.up_capture(returns, benchmark, period="yearly")
    )
    assert down_capture(returns.to_numpy(), benchmark.to_numpy()) == pytest.approx(
        empyrical.down_capture(returns, benchmark, period="yearly")
    )
    assert np.isnan(up_capture(returns.to_numpy(), -np.abs(benchmark.to_numpy())))


def traded(seed: int, n_bars: int, n_trades: int) -> tuple[Bars, Targets]:
    random = np.random.default_rng(seed)
    dates = to_days("2000-01-03") + np.arange(n_bars)
    bars = Bars(dates, ("small", "large", "cash"), random.normal(0.005, 0.04, (n_bars, 3)))
    later_fills = random.choice(np.arange(1, n_bars - 1), size=min(n_trades, n_bars - 2), replace=False)
    weights = random.dirichlet([0.3, 0.3, 0.3], size=len(later_fills) + 1)
    return bars, Targets(np.r_[0, np.sort(later_fills)], weights)


COSTS = st.lists(st.sampled_from([0.0, 0.001, 0.02]), min_size=2, max_size=2)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(0, 12), COSTS)
def test_the_same_trades_without_a_loop_are_the_reference_engines(
    seed: int, n_bars: int, n_trades: int, costs: list[float]
) -> None:
    bars, targets = traded(seed, n_bars, n_trades)
    path = simulate(bars, targets, [*costs, 0.0])
    ours = returns_of(bars.returns, targets.fills, targets.weights, [*costs, 0.0])
    np.testing.assert_allclose(ours, path.returns, rtol=1e-10, atol=1e-12)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(1, 12), COSTS)
def test_a_switch_gains_what_a_run_without_it_lacks_at_the_next_one(
    seed: int, n_bars: int, n_trades: int, costs: list[float]
) -> None:
    bars, targets = traded(seed, n_bars, n_trades)
    path = simulate(bars, targets, [*costs, 0.0])
    gains = switch_gains(bars.returns, path.weights, path.trades.bars, path.trades.cost)
    assert np.isnan(gains[0])
    for i in range(1, len(targets.fills)):
        end = int(targets.fills[i + 1]) if i + 1 < len(targets.fills) else n_bars - 1
        stop = bars.window(0, end)
        with_it = simulate(stop, Targets(targets.fills[: i + 1], targets.weights[: i + 1]), [*costs, 0.0])
        without = simulate(stop, Targets(targets.fills[:i], targets.weights[:i]), [*costs, 0.0])
        assert 1.0 + gains[i] == pytest.approx(with_it.equity[-1] / without.equity[-1])


def test_a_switch_is_measured_where_what_nobody_holds_has_no_return() -> None:
    nan = float("nan")
    small, large, cash = [0.0, 0.1, 0.2, 0.05, 0.5], [nan, nan, nan, 0.1, 0.2], [nan] * 5
    returns = np.column_stack([small, large, cash])
    weights = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    gains = switch_gains(returns, weights, np.array([0, 2]), np.array([0.0, 0.01]))
    assert np.isnan(gains[0])
    assert gains[1] == pytest.approx(0.99 * (1.1 * 1.2) / (1.05 * 1.5) - 1.0)
    # A third trade ends the second one's time; what was held before a bar without its return is not known.
    small[4] = nan
    returns = np.column_stack([small, large, cash])
    weights[3] = [1.0, 0.0, 0.0]
    gains = switch_gains(returns, weights, np.array([0, 2, 3]), np.array([0.0, 0.01, 0.02]))
    assert gains[1] == pytest.approx(0.99 * 1.1 / 1.05 - 1.0)
    assert np.isnan(gains[2])
    # Of three sleeves two are held, before and after.
    returns = np.array([[0.0] * 3, [0.0, 0.0, nan], [0.1, nan, 0.2]])
    weights = np.array([[0.25, 0.0, 0.75], [0.5, 0.0, 0.5]])
    returns[1, 2] = 0.0
    gains = switch_gains(returns, weights, np.array([0, 1]), np.zeros(2))
    assert gains[1] == pytest.approx(1.15 / 1.175 - 1.0)


def test_later_trades_keep_the_first_purchase_and_drop_what_is_past_the_end() -> None:
    fills, weights = later(np.array([0, 3, 8]), np.eye(3), 2, 9)
    assert fills.tolist() == [0, 5]
    np.testing.assert_array_equal(weights, np.eye(3)[:2])
    # At the last bar nothing is traded: there is no bar left to earn.
    assert later(np.array([0, 3, 7]), np.eye(3), 2, 9)[0].tolist() == [0, 5]
    assert later(np.array([0, 3, 6]), np.eye(3), 2, 9)[0].tolist() == [0, 5, 8]


def test_without_a_return_what_is_held_stands_still_and_what_is_not_held_does_not_matter() -> None:
    nan = float("nan")
    returns = np.array([[nan, 0.0, 0.0], [0.1, nan, 0.0], [nan, 0.2, 0.0], [0.3, 0.5, 0.0]])
    found = returns_of(returns, np.array([0, 1]), np.eye(3)[:2], [0.0, 0.0, 0.0])
    assert found == pytest.approx([0.1, 0.2, 0.5])
    found = returns_of(returns, np.array([0]), np.array([[0.5, 0.5, 0.0]]), [0.0, 0.0, 0.0])
    assert found[:2] == pytest.approx([0.05, 0.1 / 1.05])
    with pytest.raises(ValueError, match="shorter|longer"):
        returns_of(returns, np.array([0, 1]), np.eye(3), [0.0, 0.0, 0.0])
