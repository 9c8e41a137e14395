"""The event study against plain loops, and its chance against simulated markets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from backtest.analysis.event_study import compounded, event_study, mean_error
from benchmarks.calibration.processes import PROCESSES
from benchmarks.calibration.studies import LENGTH, around, scattered


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
    study = event_study(a, b, at, (-6, 3, 12), possible_from=4)
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
        assert horizon.pvalue == pytest.approx(max(horizon.pvalue_zero, horizon.pvalue_ordinary), nan_ok=True)
        if len(whole) > 1:
            assert horizon.low <= horizon.high
            assert 0.0 <= horizon.pvalue <= 1.0
            assert horizon.halves[0] == pytest.approx(np.mean(whole[: len(whole) // 2]))
            assert horizon.halves[1] == pytest.approx(np.mean(whole[len(whole) // 2 :]))
            kept = np.isfinite(plain)
            farthest = max(
                range(len(plain)), key=lambda i: np.sign(horizon.mean) * np.nan_to_num(plain[i], nan=-9)
            )
            kept[farthest] = False
            again = event_study(a, b, at[kept], (horizon.bars,), possible_from=min(4, int(at.min())))
            if horizon.mean > 0.0:
                assert horizon.carrying == farthest
                assert horizon.without_carrying == pytest.approx(again.summary[0].pvalue, nan_ok=True)
            without = [(sum(whole) - d) / (len(whole) - 1) for d in whole]
            assert (horizon.without_low, horizon.without_high) == pytest.approx((min(without), max(without)))
            place = [i for i, d in enumerate(plain) if not math.isnan(d)].index(horizon.heaviest)
            moved = [abs(m - horizon.mean) for m in without]
            assert moved[place] == pytest.approx(max(moved))


def test_a_window_cut_short_is_left_out_of_the_mean() -> None:
    a = np.full(30, 0.01)
    study = event_study(a, np.zeros(30), np.array([5, 20]), (6, 12))
    short, long = study.summary
    assert (short.n, long.n) == (2, 1)
    assert np.isnan(study.difference[1, 1])
    assert long.mean == pytest.approx(1.01**12 - 1)


def test_paths_start_at_zero_at_the_close_of_the_case() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0.0, 0.05, (2, 60))
    study = event_study(a, b, np.array([20, 50]), (-12, 12))
    assert study.paths.shape == (2, 25)
    assert study.paths[:, 12].tolist() == [0.0, 0.0]
    assert study.paths[0, 12 + 7] == pytest.approx(growth(a[21:28].tolist()) - growth(b[21:28].tolist()))
    before = 1 / (1 + growth(a[16:21].tolist())) - 1 / (1 + growth(b[16:21].tolist()))
    assert study.paths[0, 12 - 5] == pytest.approx(before)
    assert np.isnan(study.paths[1, 12 + 10])
    assert not np.isnan(study.paths[1, 12 + 9])


def test_where_no_windows_overlap_it_is_students_t_test_of_the_cases() -> None:
    rng = np.random.default_rng(11)
    a, b = rng.normal(0.0, 0.05, (2, 300))
    study = event_study(a, b, np.array([10, 60, 130, 200, 280]), (12,))
    oracle = ttest_1samp(study.difference[:, 0], 0.0)
    interval = oracle.confidence_interval(0.95)
    (found,) = study.summary
    assert found.pvalue_zero == pytest.approx(oracle.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_the_error_of_overlapping_windows_is_right_on_average_and_so_are_its_degrees_of_freedom() -> None:
    """Sums of 12 white bars: the variance of their mean is known, and its estimate's own mean and spread too."""
    at = np.array([0, 3, 5, 30, 41, 47, 90, 100])
    bars = np.random.default_rng(6).normal(0.0, 1.0, (20_000, 120))
    sums = np.stack([bars[:, i + 1 : i + 13].sum(axis=1) for i in at], axis=1)
    found = [mean_error(row, at, 12) for row in sums]
    variances = np.array([error**2 for error, _ in found])
    shares = np.array([sum(i + 1 <= t <= i + 12 for i in at) for t in range(120)]) / len(at)
    assert variances.mean() == pytest.approx(float(shares @ shares), rel=0.02)
    freedom = 2.0 * variances.mean() ** 2 / variances.var()
    assert found[0][1] == pytest.approx(freedom, rel=0.05)
    assert found[0][1] < len(at) - 1


def test_one_case_or_cases_that_are_equal_have_no_error() -> None:
    assert all(math.isnan(mean_error(np.array(x), np.arange(len(x)), 3)[0]) for x in ([0.2], [0.2, 0.2]))
    (found,) = event_study(np.full(60, 0.01), np.zeros(60), np.array([20]), (12,)).summary
    assert [math.isnan(x) for x in (found.low, found.high, found.pvalue)] == [True] * 3


def test_what_comes_at_any_time_is_other_than_zero_and_not_other_than_ordinary() -> None:
    rng = np.random.default_rng(2)
    zero, ordinary = [], []
    for _ in range(200):
        a, b = rng.normal(0.012, 0.03, 700), rng.normal(0.0, 0.03, 700)
        (found,) = event_study(a, b, np.arange(20, 680, 60), (12,)).summary
        zero.append(found.pvalue_zero < 0.05)
        ordinary.append(found.pvalue_ordinary < 0.05)
        assert found.pvalue == max(found.pvalue_zero, found.pvalue_ordinary)
    assert np.mean(zero) > 0.8
    assert np.mean(ordinary) <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5


def test_windows_that_leave_no_ordinary_months_differ_from_nothing() -> None:
    a, b = np.random.default_rng(1).normal(0.01, 0.02, (2, 120))
    (found,) = event_study(a, b, np.arange(0, 120, 6), (12,)).summary
    assert found.pvalue == found.pvalue_ordinary == 1.0


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("calm", [True, False])
def test_on_noise_about_one_test_in_twenty_rejects_wherever_the_wild_months_are(
    name: str, calm: bool
) -> None:
    """Nine cases that may overlap; the full experiment is ``python -m benchmarks.calibration``.

    Where the months after the cases are twice as wild, returns drawn anew in blocks reject twice to three times as
    often as they should.
    """
    zero, ordinary, missed = [], [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        at = scattered(rng, 9, LENGTH.bars)
        small, large = around(LENGTH.draw(PROCESSES[name], rng), at, calm, 24)
        (found,) = event_study(small, large, at, (24,)).summary
        zero.append(found.pvalue_zero < 0.05)
        ordinary.append(found.pvalue_ordinary < 0.05)
        missed.append(not found.low <= 0.0 <= found.high)
    slack = 3 * (0.05 * 0.95 / 300) ** 0.5
    for shares in (zero, ordinary, missed):
        assert 0.05 - slack < np.mean(shares) < 0.05 + slack


def test_a_planted_effect_is_found_and_its_size_lies_in_the_interval() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.005, 0.03, (2, 600))
    at = np.arange(20, 560, 60)
    for case in at:
        a[case + 1 : case + 13] += 0.025
    horizon = event_study(a, b, at, (12,)).summary[0]
    assert horizon.pvalue < 0.05
    assert 0.0 < horizon.low < 1.025**12 - 1 < horizon.high
    assert horizon.positive >= 8 / 9
