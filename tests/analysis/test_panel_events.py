"""Pooled events against dummies and statsmodels, plain loops, and simulated panels in which nothing happens."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.analysis.long_run import newey_west_lags
from backtest.analysis.panel_events import (
    around_events,
    case_paths,
    episodes,
    estimate,
    left_out,
    placebo,
    pooled,
    shifted,
)
from tests.oracle import panel_events as oracle

if TYPE_CHECKING:
    from backtest.analysis.panel_events import Effects
    from backtest.dates import Bools, Floats

EFFECTS: tuple[Effects, ...] = ("none", "members", "members and months")


def drawn(seed: int, n: int = 60, members: int = 4, cases: int = 6) -> tuple[Floats, Bools]:
    """A panel with gaps at the beginnings, common shocks, and events at random."""
    rng = np.random.default_rng(seed)
    values = 0.02 * rng.standard_normal((n, 1)) + 0.03 * rng.standard_normal((n, members)) + 0.002
    for member in range(members):
        values[: rng.integers(0, n // 3), member] = np.nan
    events = np.zeros((n, members), dtype=np.bool_)
    events[rng.integers(0, n, cases), rng.integers(0, members, cases)] = True
    return values, events


@given(st.integers(0, 2**32 - 1), st.integers(-14, 26), st.integers(0, 12))
def test_windows_are_those_of_a_plain_loop(seed: int, first: int, length: int) -> None:
    _, events = drawn(seed, 30, 3, 4)
    plain = oracle.windows(events.tolist(), first, first + length)
    assert (around_events(events, first, first + length) == plain).all()


def test_the_month_of_the_case_lies_before_it() -> None:
    events = np.zeros((40, 1), dtype=np.bool_)
    events[15] = True
    spans = ((-12, -7), (-6, 0), (1, 12), (13, 24))
    months = [np.flatnonzero(around_events(events, *span)[:, 0]).tolist() for span in spans]
    assert months == [list(range(3, 9)), list(range(9, 16)), list(range(16, 28)), list(range(28, 40))]


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_an_episode_lasts_twelve_months_and_no_month_is_in_two(covered: list[bool]) -> None:
    numbers = episodes(np.array(covered))
    assert ((numbers >= 0) == covered).all()
    found = [np.flatnonzero(numbers == e) for e in range(int(numbers.max(initial=-1)) + 1)]
    assert all(np.ptp(months) < 12 for months in found)
    assert all(b[0] - a[0] >= 12 for a, b in itertools.pairwise(found))
    months = [t for t, yes in enumerate(covered) if yes]
    assert oracle.episode_of(months, set(months)) == numbers[numbers >= 0].tolist()


@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize("seed", range(6))
def test_estimates_and_errors_are_those_of_statsmodels(effects: Effects, seed: int) -> None:
    values, events = drawn(seed, 130, 5, 14)
    inside = around_events(events, 1, 12)
    found = pooled(values, inside, effects)
    assert found.estimate == pytest.approx(oracle.coefficient(values, inside, effects), rel=1e-9)
    lags = newey_west_lags(len(values))
    by_episode, by_month = oracle.errors(values, inside, effects, lags)
    assert found.error.size == pytest.approx(by_episode, rel=1e-9)
    assert found.by_month.size == pytest.approx(by_month, rel=1e-9)
    assert found.clusters == len(found.begins)
    assert 1.0 < found.effective <= found.clusters
    assert found.error.freedom == found.effective - 1.0


@pytest.mark.parametrize("effects", EFFECTS)
def test_leaving_out_is_regressing_without(effects: Effects) -> None:
    values, events = drawn(3, 80, 5, 9)
    inside = around_events(events, -6, 0)
    without_member, without_episode = left_out(values, inside, effects)
    for member in range(5):
        less = values.copy()
        less[:, member] = np.nan
        assert without_member[member] == pytest.approx(oracle.coefficient(less, inside, effects), rel=1e-9)
    covered = set(np.flatnonzero((inside & np.isfinite(values)).any(axis=1)).tolist())
    numbers = np.array(oracle.episode_of(sorted(covered), covered))
    for episode, without in enumerate(without_episode):
        less = values.copy()
        less[np.array(sorted(covered))[numbers == episode]] = np.nan
        assert without == pytest.approx(oracle.coefficient(less, inside, effects), rel=1e-9)


@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize("seed", range(3))
def test_the_placebo_is_every_regression_with_moved_dates(effects: Effects, seed: int) -> None:
    values, events = drawn(seed, 40, 3, 4)
    inside = around_events(events, 1, 6)
    plain = np.array(oracle.moved(values, inside, effects))
    assert shifted(values, inside, np.isfinite(values), effects) == pytest.approx(plain, rel=1e-8)
    off = [abs(each - plain.mean()) for each in plain]
    share = sum(each >= off[0] * (1.0 - 1e-9) for each in off) / len(off)
    assert placebo(values, inside, effects) == (pytest.approx(share), len(plain) - 1)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-0.05, 0.05))
def test_what_is_added_to_all_months_of_a_member_is_taken_out_with_its_mean(seed: int, added: float) -> None:
    values, events = drawn(seed)
    inside = around_events(events, 1, 12)
    lifted = values + added * np.arange(4)
    for effects in EFFECTS[1:]:
        before, after = (estimate(v, inside, np.isfinite(values), effects) for v in (values, lifted))
        assert after == pytest.approx(before, abs=1e-9, nan_ok=True)
    common = values + np.linspace(0.0, added, len(values))[:, None]
    before, after = (estimate(v, inside, np.isfinite(values), EFFECTS[2]) for v in (values, common))
    assert after == pytest.approx(before, abs=1e-9, nan_ok=True)


def test_what_is_planted_is_found() -> None:
    values, events = drawn(11, 400, 12, 60)
    inside = around_events(events, 1, 12)
    for effects in EFFECTS:
        found = pooled(values + 0.02 * inside, inside, effects)
        assert found.pvalue < 0.001
        assert placebo(values + 0.02 * inside, inside, effects) == (pytest.approx(0.005, abs=0.006), 399)
        assert abs(found.estimate - 0.02) < found.error.reach() + 0.004


def test_members_that_cut_together_are_one_case() -> None:
    rng = np.random.default_rng(2)
    common = 0.03 * rng.standard_normal((300, 1))
    events = np.zeros((300, 10), dtype=np.bool_)
    events[[30, 90, 150, 210, 270]] = True
    alone = pooled(common, around_events(events[:, :1], 1, 12))
    found = pooled(np.repeat(common, 10, axis=1), around_events(events, 1, 12))
    assert (found.clusters, found.cells) == (5, 600)
    assert found.error == pytest.approx(alone.error)
    assert found.effective == pytest.approx(5.0)


def test_nothing_is_said_where_nothing_can_be_told() -> None:
    values, events = np.full((30, 2), 0.01), np.zeros((30, 2), dtype=np.bool_)
    none = pooled(values, events)
    assert math.isnan(none.estimate)
    assert math.isnan(none.pvalue)
    assert (none.cells, none.clusters) == (0, 0)
    assert placebo(values, events, "none") == (pytest.approx(math.nan, nan_ok=True), 0)
    # Both members in the window in the same months: no other member is left to compare with.
    events[5] = True
    assert math.isnan(estimate(values, around_events(events, 1, 3), np.isfinite(values), EFFECTS[2]))
    # One episode has no error, and two that are hardly more than one have none that anybody should believe.
    assert math.isnan(pooled(values, around_events(events, 1, 3)).pvalue)
    events[20, 0] = True
    found = pooled(values + 0.01 * np.arange(30)[:, None] ** 2, around_events(events, 1, 3))
    assert (found.clusters, found.effective < 2.0, math.isnan(found.pvalue)) == (2, True, True)


def test_paths_add_up_from_the_close_of_the_case() -> None:
    values = np.arange(1.0, 11.0)[:, None] / 100.0
    events = np.zeros((10, 1), dtype=np.bool_)
    events[[4, 9]] = True
    paths, months, members = case_paths(values, events, 2, 3)
    assert months.tolist() == [4, 9]
    assert members.tolist() == [0, 0]
    assert paths[0] == pytest.approx([-0.09, -0.05, 0.0, 0.06, 0.13, 0.21])
    assert paths[1] == pytest.approx([-0.19, -0.10, 0.0, np.nan, np.nan, np.nan], nan_ok=True)
