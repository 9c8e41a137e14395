"""The range of the next path: its paths are blocks of this one, and wider where less is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backtest.analysis import next_path as next_path_module
from backtest.analysis.long_run import prewhitened_error, slow_error
from backtest.analysis.next_path import DRAWS, FEWER, drawn_paths, next_path


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
    # A block may begin with any bar, the first one of the path as well.
    begun = bars[:, 1:][~on]
    assert set(begun) == set(range(n))
    assert len(set(bars[:, 0])) > 0.9 * n
    # A block of ten bars on average ends one time in ten, and begins again with its own next bar one time in n.
    assert on.mean() == pytest.approx(0.9 + 0.1 / n, abs=0.01)
    assert np.bincount(bars.ravel(), minlength=n).min() > 0.6 * 200


def test_means_and_sizes_move_a_path_bar_by_bar() -> None:
    logs = np.random.default_rng(2).normal(0.01, 0.05, 40)
    plain = drawn_paths(logs, 5.0, np.zeros(3), np.ones(3), np.random.default_rng(1))
    moved = drawn_paths(logs, 5.0, np.full(3, 0.002), np.full(3, 2.0), np.random.default_rng(1))
    steps, other = (np.diff(x, axis=1, prepend=0.0) for x in (plain, moved))
    np.testing.assert_allclose(other, logs.mean() + 0.002 + 2.0 * (steps - logs.mean()))
    assert np.abs(steps[:, :, None] - logs).min(axis=2).max() < 1e-12


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


def by_hand(
    returns: np.ndarray, n_years: float, draws: int, block: float, at_once: int
) -> tuple[list, list, np.ndarray]:
    """The two ranges from the same random numbers, each path walked bar by bar; and the logs of all sizes."""
    n = len(returns)
    random = np.random.default_rng(next_path_module.SEED)
    logs = np.log1p(returns)
    mean = logs.mean()
    centre = prewhitened_error(logs - mean)
    # The derivative of the logarithm of the deviation by the weight of a bar; the deviation is that of n - 1.
    variance = logs.var()
    spread = slow_error(((logs - mean) ** 2 / variance - 1.0) / 2.0 * math.sqrt((n - 1) / n))
    means = centre.size * random.standard_t(centre.freedom, draws)
    unclipped = spread.size * random.standard_t(spread.freedom, draws)
    sizes = [math.exp(min(max(each, -1.1), 1.1)) for each in unclipped]
    falls, calmars = [], []
    for begin in range(0, draws, at_once):
        paths = min(at_once, draws - begin)
        tosses, starts = random.random((paths, n)), random.integers(0, n, (paths, n))
        for path in range(paths):
            value, highest, fall, bar = 1.0, 1.0, 0.0, 0
            for i in range(n):
                bar = starts[path, i] if i == 0 or tosses[path, i] < 1.0 / block else (bar + 1) % n
                value *= math.exp(mean + means[begin + path] + sizes[begin + path] * (logs[bar] - mean))
                highest = max(highest, value)
                fall = min(fall, value / highest - 1.0)
            falls.append(fall)
            calmars.append((value ** (1.0 / n_years) - 1.0) / -fall if fall else math.inf)

    def ends(values: list) -> list:
        ordered = sorted(values)
        # The first of them below and at which lies so large a part of all.
        return [ordered[math.ceil(round(part * draws, 9)) - 1] for part in (0.025, 0.975)]

    return ends(falls), ends(calmars), unclipped


@pytest.mark.parametrize(
    ("n", "block", "at_once"), [(24, 2.0, 1), (24, 2.0, 300), (100, 2.5, 7), (120, 3.0, 64)]
)
def test_the_ranges_are_those_of_paths_walked_bar_by_bar(
    n: int, block: float, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = 300
    monkeypatch.setattr(next_path_module, "DRAWS", draws)
    # Room for fewer values than a path has still means one path.
    monkeypatch.setattr(next_path_module, "_AT_ONCE", n * at_once if at_once > 1 else n // 2)
    returns = np.random.default_rng(n).normal(0.004, 0.03, n)
    returns[0] = -0.4
    found = next_path(returns, n / 12.0)
    assert found is not None
    falls, calmars, sizes = by_hand(returns, n / 12.0, draws, block, at_once)
    assert found.max_drawdown == pytest.approx(falls, rel=1e-9)
    assert found.calmar == pytest.approx(calmars, rel=1e-9)
    assert (found.draws, found.block) == (draws, block)
    # One bar that is all of the deviation leaves its size so uncertain that the bounds are met.
    assert sizes.min() < -1.1
    assert sizes.max() > 1.1


def test_of_many_bars_fewer_paths_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_path_module, "MANY_BARS", 50)
    returns = np.random.default_rng(5).normal(0.0, 0.05, 51)
    for n, draws in ((50, DRAWS), (51, FEWER)):
        found = next_path(returns[:n], n / 12.0)
        assert found is not None
        assert found.draws == draws


def test_paths_that_never_fall_have_a_calmar_ratio_without_an_end() -> None:
    found = next_path(np.random.default_rng(1).uniform(0.01, 0.02, 48), 4.0)
    assert found is not None
    assert found.max_drawdown == (0.0, 0.0)
    assert found.calmar[1] == np.inf
