"""The event study against plain loops, and its chance against simulated markets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.analysis.event_study import Chance, _ring, block_rows, compounded, event_study

QUICK = Chance(draws=300, seed=1)


def growth(returns: list[float]) -> float:
    value = 1.0
    for r in returns:
        value *= 1.0 + r
    return value - 1.0


def window(returns: list[float], at: int, bars: int) -> float:
    """The definition, in plain Python: the bars after the case, or those before it; the case's bar in neither."""
    places = range(at + 1, at + 1 + bars) if bars > 0 else range(at + bars, at)
    if places.start < 0 or places.stop > len(returns):
        return math.nan
    return growth([returns[i] for i in places])


returns_list = st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=40)


@given(returns_list, st.integers(-3, 45), st.integers(-20, 20).filter(bool))
def test_compounded_is_the_product_of_the_bars_after_or_before(
    returns: list[float], at: int, bars: int
) -> None:
    got = compounded(np.array(returns), np.array([at]), bars)[0]
    assert got == pytest.approx(window(returns, at, bars), rel=1e-10, abs=1e-12, nan_ok=True)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_summaries_agree_with_plain_loops(seed: int, cases: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.01, 0.05, (2, 90))
    at = np.sort(rng.choice(90, cases, replace=False))
    study = event_study(a, b, at, (-6, 3, 12), possible_from=4, chance=Chance(draws=100, seed=3))
    for column, horizon in enumerate(study.summary):
        plain = [
            window(a.tolist(), int(i), horizon.bars) - window(b.tolist(), int(i), horizon.bars) for i in at
        ]
        assert study.difference[:, column] == pytest.approx(plain, abs=1e-12, nan_ok=True)
        whole = [d for d in plain if not math.isnan(d)]
        assert horizon.n == len(whole)
        if not whole:
            assert math.isnan(horizon.mean)
            continue
        assert horizon.mean == pytest.approx(sum(whole) / len(whole))
        assert horizon.median == pytest.approx(
            sorted(whole)[len(whole) // 2] if len(whole) % 2 else np.median(whole)
        )
        assert horizon.positive == sum(d > 0 for d in whole) / len(whole)
        assert (horizon.worst, horizon.best) == pytest.approx((min(whole), max(whole)))
        first = min(4, int(at[0]))
        anywhere = [
            window(a.tolist(), i, horizon.bars) - window(b.tolist(), i, horizon.bars)
            for i in range(first, 90)
        ]
        anywhere = [d for d in anywhere if not math.isnan(d)]
        assert horizon.n_ordinary == len(anywhere)
        assert horizon.ordinary == pytest.approx(sum(anywhere) / len(anywhere), abs=1e-12)
        assert horizon.low <= horizon.high
        assert 0.0 < horizon.pvalue <= 1.0
        assert horizon.pvalue == max(horizon.pvalue_zero, horizon.pvalue_placebo)
        if len(whole) > 1:
            without = [(sum(whole) - d) / (len(whole) - 1) for d in whole]
            assert (horizon.without_low, horizon.without_high) == pytest.approx((min(without), max(without)))
            place = [i for i, d in enumerate(plain) if not math.isnan(d)].index(horizon.heaviest)
            moved = [abs(m - horizon.mean) for m in without]
            assert moved[place] == pytest.approx(max(moved))


def test_a_window_cut_short_is_left_out_of_the_mean() -> None:
    a = np.full(30, 0.01)
    study = event_study(a, np.zeros(30), np.array([5, 20]), (6, 12), chance=QUICK)
    short, long = study.summary
    assert (short.n, long.n) == (2, 1)
    assert np.isnan(study.difference[1, 1])
    assert long.mean == pytest.approx(1.01**12 - 1)


def test_paths_start_at_zero_at_the_close_of_the_case() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0.0, 0.05, (2, 60))
    study = event_study(a, b, np.array([20, 50]), (-12, 12), chance=QUICK)
    assert study.paths.shape == (2, 25)
    assert study.paths[:, 12].tolist() == [0.0, 0.0]
    assert study.paths[0, 12 + 7] == pytest.approx(growth(a[21:28].tolist()) - growth(b[21:28].tolist()))
    before = 1 / (1 + growth(a[16:21].tolist())) - 1 / (1 + growth(b[16:21].tolist()))
    assert study.paths[0, 12 - 5] == pytest.approx(before)
    assert np.isnan(study.paths[1, 12 + 10])
    assert not np.isnan(study.paths[1, 12 + 9])


def test_the_placebo_of_one_case_is_its_rank_among_all_bars() -> None:
    rng = np.random.default_rng(11)
    a, b = rng.normal(0.0, 0.05, (2, 200))
    anywhere = compounded(a, np.arange(200), 6) - compounded(b, np.arange(200), 6)
    anywhere = anywhere[np.isfinite(anywhere)]
    far = np.abs(anywhere - anywhere.mean())
    for at in (3, 77, 150):
        exact = float((far >= far[at] * (1 - 1e-9)).mean())
        got = (
            event_study(a, b, np.array([at]), (6,), chance=Chance(draws=4000, seed=2))
            .summary[0]
            .pvalue_placebo
        )
        assert got == pytest.approx(exact, abs=4 * 0.5 / 4000**0.5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_ring_keeps_the_gaps(seed: int, cases: int) -> None:
    rng = np.random.default_rng(seed)
    size = 100
    positions = np.sort(rng.choice(size, cases, replace=False))
    gaps = sorted(np.diff(positions, append=positions[0] + size).tolist())
    for drawn in _ring(rng, positions, size, 20):
        again = np.sort(drawn)
        assert sorted(np.diff(again, append=again[0] + size).tolist()) == gaps


def test_blocks_run_on_around_the_end() -> None:
    rows = block_rows(np.random.default_rng(0), 50, 7, 40)
    assert rows.shape == (40, 50)
    steps = (np.diff(rows, axis=1) - 1) % 50
    inside = np.arange(1, 50) % 7 != 0
    assert (steps[:, inside] == 0).all()
    assert (steps[:, ~inside] != 0).any()


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    a, b = np.random.default_rng(8).normal(0.0, 0.04, (2, 300))
    at = np.array([10, 90, 170, 250])

    def study(seed: int) -> float:
        return event_study(a, b, at, (12,), chance=Chance(draws=500, seed=seed)).summary[0].low

    assert study(1) == study(1)
    assert study(1) != study(2)


def test_on_noise_the_tests_reject_and_the_intervals_miss_about_one_time_in_twenty() -> None:
    """Overlapping windows and clustered volatility, as in a market; 160 markets, three horizons."""
    rejected, missed = [], []
    for seed in range(160):
        rng = np.random.default_rng(seed)
        spread = np.exp(np.cumsum(rng.normal(0.0, 0.05, 500)) * 0.2)
        a, b = rng.normal(0.005, 0.03, (2, 500)) * spread
        at = np.sort(rng.choice(499, 9, replace=False))
        for h in event_study(a, b, at, (12, 24, 36), chance=Chance(draws=200, seed=seed)).summary:
            rejected.append(h.pvalue < 0.05)
            missed.append(not h.low <= 0.0 <= h.high)
    # Horizons of one market hang together: the bound counts markets, three standard errors away.
    slack = 3 * (0.05 * 0.95 / 160) ** 0.5
    assert np.mean(rejected) <= 0.05 + slack
    assert np.mean(missed) <= 0.05 + slack


def test_a_planted_effect_is_found_and_its_size_lies_in_the_interval() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.005, 0.03, (2, 600))
    at = np.arange(20, 560, 60)
    for case in at:
        a[case + 1 : case + 13] += 0.025
    horizon = event_study(a, b, at, (12,), chance=QUICK).summary[0]
    assert horizon.pvalue < 0.05
    assert 0.0 < horizon.low < 1.025**12 - 1 < horizon.high
    assert horizon.positive >= 8 / 9
