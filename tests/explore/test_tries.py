"""Tries: each is counted once, never fewer, and what the best of them is worth holds on worthless ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.analysis.regression import alpha
from backtest.explore.tries import MOST_KEPT, Tries, by_month

MONTHS = np.arange(420)


def filled(rows: np.ndarray) -> Tries:
    tries = Tries()
    for i, row in enumerate(rows):
        assert tries.add(bytes(str(i), "ascii"), MONTHS[: len(row)], row)
    return tries


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_a_position_is_counted_once_however_often_it_is_shown(shown: list[int]) -> None:
    tries, random = Tries(), np.random.default_rng(1)
    rows = random.normal(size=(10, 240))
    counts = []
    for each in shown:
        tries.add(bytes([each]), MONTHS[:240], rows[each])
        counts.append(len(tries))
    assert counts[-1] == len(set(shown))
    assert counts == sorted(counts)
    assert 1.0 <= tries.best_by_luck().luck(0.5).independent <= len(tries)


def test_copies_are_worth_one_and_strangers_are_worth_themselves() -> None:
    random = np.random.default_rng(2)
    one = random.normal(size=240)
    assert filled(np.array([one * k for k in range(1, 6)])).best_by_luck().luck(
        0.5
    ).independent == pytest.approx(1.0, rel=0.06)
    apart = np.linalg.qr(random.normal(size=(240, 5)))[0].T
    apart = apart - apart.mean(axis=1, keepdims=True)
    assert filled(apart).best_by_luck().luck(0.5).independent == pytest.approx(5.0, rel=0.06)


def test_another_window_is_another_try_as_far_as_it_has_other_months() -> None:
    row = np.random.default_rng(3).normal(size=420)
    tries = Tries()
    tries.add(b"first half", MONTHS[:210], row[:210])
    tries.add(b"second half", MONTHS[210:], row[210:])
    assert tries.best_by_luck().luck(0.03).pvalue == pytest.approx(1.0 - 0.97**2, abs=0.012)
    # Nine starts of one strategy, two years apart: more than one try, and fewer than nine.
    for start in range(9):
        tries.add(f"start {start}".encode(), MONTHS[24 * start :], row[24 * start :])
    assert 2.0 < tries.best_by_luck().luck(0.03).independent < 8.0
    # A window of a single month, or of a strategy that is its benchmark, adds nothing and takes nothing away.
    before = tries.best_by_luck().luck(0.03).independent
    tries.add(b"one month", MONTHS[:1], row[:1])
    tries.add(b"the benchmark", MONTHS, np.zeros(420))
    assert tries.best_by_luck().luck(0.03).independent == pytest.approx(before)


def test_where_no_try_ever_left_its_benchmark_there_is_nothing_to_find() -> None:
    found = filled(np.zeros((3, 420))).best_by_luck().luck(float("nan"))
    assert (found.tried, found.independent, found.expected) == (3, 1.0, 0.0)
    assert math.isnan(found.pvalue)


def test_what_was_so_far_is_not_changed_by_what_comes() -> None:
    random = np.random.default_rng(8)
    tries = filled(random.normal(size=(4, 420)))
    before = tries.so_far()
    tries.add(b"another", MONTHS, random.normal(size=420))
    assert (len(before), len(tries)) == (4, 5)
    assert before.best_by_luck().luck(0.03).independent < tries.best_by_luck().luck(0.03).independent


def test_a_thousand_are_counted_though_some_hundreds_are_kept() -> None:
    tries, random = Tries(), np.random.default_rng(4)
    tries.add_all((str(i).encode() for i in range(5_000)), MONTHS[:240], random.normal(size=(200, 240)))
    for i in range(1_000):
        tries.add(f"more {i}".encode(), MONTHS[:240], random.normal(size=240))
    assert len(tries) == 6_000
    assert len(tries._kept) == MOST_KEPT
    tries.add_all((str(i).encode() for i in range(5_000)), MONTHS[:240], random.normal(size=(200, 240)))
    assert len(tries) == 6_000


def test_one_try_stands_as_it_is_and_more_make_it_harder() -> None:
    random = np.random.default_rng(5)
    one = filled(random.normal(size=(1, 240))).best_by_luck().luck(0.03)
    assert (one.tried, one.pvalue, one.expected) == (1, pytest.approx(0.03), 0.0)
    many = filled(random.normal(size=(30, 240))).best_by_luck().luck(0.03)
    assert many.pvalue == pytest.approx(1.0 - 0.97**30, abs=0.03)  # of strangers, Sidak's
    # The largest of thirty normals is 2.04 in expectation (Harter 1961, Biometrika 48, table 1).
    assert many.expected == pytest.approx(2.04, rel=0.03)
    assert math.isnan(filled(random.normal(size=(3, 240))).best_by_luck().luck(math.nan).pvalue)


def test_returns_are_added_up_by_month() -> None:
    dates = np.arange("2001-01-30", "2001-04-02", dtype="datetime64[D]")
    active = np.random.default_rng(6).normal(size=len(dates) - 1)
    months, sums = by_month(dates, active)
    names = dates[1:].astype("datetime64[M]").astype(str)
    assert months.astype("datetime64[M]").astype(str).tolist() == ["2001-01", "2001-02", "2001-03", "2001-04"]
    for name, total in zip(sorted(set(names)), sums, strict=True):
        assert total == pytest.approx(active[names == name].sum())


def test_the_best_of_many_worthless_tries_is_called_luck_nineteen_times_in_twenty() -> None:
    """A hand that tries forty windows of noise, half of them neighbours of each other, and keeps the best."""
    random, found, alone = np.random.default_rng(7), [], []
    for _ in range(300):
        base = random.normal(0.0, 0.02, size=(8, 420))
        mixed = np.repeat(base, 5, axis=0) + random.normal(0.0, 0.01, size=(40, 420))
        market, zero = random.normal(0.005, 0.04, size=420), np.zeros(420)
        pvalues = [alpha(market + each, market, zero, 12.0).pvalue for each in mixed]
        alone.append(min(pvalues))
        found.append(filled(mixed).best_by_luck().luck(min(pvalues)).pvalue)
    # 5% of 300 is 15; in a sound test fewer than 5 or more than 26 come in one of three hundred.
    assert 5 <= np.sum(np.array(found) < 0.05) <= 26
    # Without the count most of these hands would have found something.
    assert np.mean(np.array(alone) < 0.05) > 0.5
