"""The range of the next path: its paths are blocks of this one, and wider where less is known."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.analysis.next_path import drawn_paths, next_path


def test_a_path_is_made_of_stretches_of_the_sample_that_go_on_with_its_first_bar() -> None:
    n = 50
    logs = np.arange(n, dtype=np.float64)
    logs -= logs.mean()
    still, as_large = np.zeros(200), np.ones(200)
    value = drawn_paths(logs, 10.0, still, as_large, np.random.default_rng(1))
    steps = np.diff(value, axis=1, prepend=0.0)
    bars = np.rint(steps - logs[0]).astype(int)
    assert set(bars.ravel()) == set(range(n))
    on = (np.diff(bars, axis=1) % n) == 1
    # A block of ten bars on average ends one time in ten, and begins again with its own next bar one time in n.
    assert on.mean() == pytest.approx(0.9 + 0.1 / n, abs=0.01)
    assert np.bincount(bars.ravel(), minlength=n).min() > 0.6 * 200


def test_means_and_sizes_move_a_path_bar_by_bar() -> None:
    logs = np.random.default_rng(2).normal(0.01, 0.05, 40)
    plain = drawn_paths(logs, 5.0, np.zeros(3), np.ones(3), np.random.default_rng(1))
    moved = drawn_paths(logs, 5.0, np.full(3, 0.002), np.full(3, 2.0), np.random.default_rng(1))
    steps, other = (np.diff(x, axis=1, prepend=0.0) for x in (plain, moved))
    np.testing.assert_allclose(other, logs.mean() + 0.002 + 2.0 * (steps - logs.mean()))


def test_the_range_holds_what_such_paths_have_and_is_the_same_every_time() -> None:
    random = np.random.default_rng(3)
    returns = random.normal(0.006, 0.045, 420)
    found = next_path(returns, 35.0)
    assert found is not None
    assert found == next_path(returns, 35.0)
    low, high = found.max_drawdown
    assert -1.0 < low < high < 0.0
    assert found.block == 10.5
    doubled = next_path(2.0 * returns, 35.0)
    assert doubled is not None
    assert doubled.max_drawdown[1] < high
    assert doubled.max_drawdown[0] < low


def test_there_is_none_for_few_bars_ruin_or_returns_that_never_move() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.05, 24)
    assert next_path(returns[:23], 2.0) is None
    assert next_path(returns, 2.0) is not None
    assert next_path(np.r_[returns, -1.0], 2.0) is None
    assert next_path(np.full(60, 0.01), 5.0) is None
