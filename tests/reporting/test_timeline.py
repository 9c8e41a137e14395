"""Timelines: what is thinned, scaled and written as a path is what was given, and no letter is put elsewhere."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.reporting.timeline import (
    Curve,
    Plot,
    Timeline,
    date_ticks,
    round_numbers,
    spread,
    stretches,
    thinned,
)
from backtest.reporting.timeline_html import path


@given(st.integers(2, 30_000), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_a_thinned_line_keeps_its_ends_and_extremes(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = list(np.where(rng.random((k, n)) < 0.1, np.nan, rng.normal(size=(k, n))))
    kept = thinned(lines, n)
    assert len(kept) <= 1_602
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, n - 1)
    for line in lines:
        if np.isfinite(line).any():
            assert (np.nanmin(line[kept]), np.nanmax(line[kept])) == (np.nanmin(line), np.nanmax(line))


@given(st.lists(st.one_of(st.just(np.nan), st.integers(-(10**6), 10**6).map(float)), min_size=1, max_size=40))
def test_a_path_goes_through_every_value_and_stays_open_where_there_is_none(values: list[float]) -> None:
    days = np.cumsum(np.arange(len(values)) % 5 + 1)
    x = y = 0
    found = {}
    for letter, pairs in re.findall(r"([Ml])([^Ml]+)", path(days, np.array(values))):
        for a, b in re.findall(r"(-?\d+),?(-?\d+)", pairs):
            x, y = (int(a), int(b)) if letter == "M" else (x + int(a), y + int(b))
            found[x] = y
    assert found == {day: v for day, v in zip(days.tolist(), values, strict=True) if v == v}
    gaps = sum(v == v and (i == 0 or values[i - 1] != values[i - 1]) for i, v in enumerate(values))
    assert path(days, np.array(values)).count("M") == gaps


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 9))
def test_round_numbers_lie_between_the_two_and_are_evenly_apart(low: float, width: float, most: int) -> None:
    found = round_numbers(low, low + width, most)
    assert 1 <= len(found) <= 1.5 * most + 1
    room = 1e-8 * max(abs(low), width)
    assert low - room <= min(found) <= max(found) <= low + width + room
    if len(found) > 2:
        assert np.ptp(np.diff(found)) <= 1e-6 * np.diff(found).max() + room


@given(st.lists(st.floats(0.0, 1.0), max_size=8).map(sorted))
def test_names_are_moved_apart_and_never_above_the_top(heights: list[float]) -> None:
    moved = spread(heights, 0.05, 1.0)
    assert (np.diff(moved) >= 0.05 - 1e-12).all()
    assert max(moved, default=0.0) <= 1.0


@given(st.dates(min_value=np.datetime64("1900-01-01").item()), st.integers(1, 50_000))
def test_a_date_is_written_where_its_year_or_month_begins(first: object, lasts: int) -> None:
    begin = np.datetime64(str(first))
    found = date_ticks(begin, begin + lasts)
    assert len(found) <= 11
    for day, word in found:
        assert 0 <= day <= lasts
        assert str(begin + day) == (f"{word}-01-01" if len(word) == 4 else f"{word}-01")


def test_what_was_held_is_stretches_from_date_to_date() -> None:
    days = np.array([0, 10, 20, 30, 40])
    small, large = np.array([0.0, 1.0, 1.0, 0.5, 0.5]), np.array([1.0, 0.0, 0.0, 0.5, 0.5])
    assert stretches([Curve("small", small), Curve("large", large)], days) == [
        [(10, 20, 0.0, 1.0), (30, 10, 0.0, 0.5)],
        [(0, 10, 0.0, 1.0), (30, 10, 0.5, 0.5)],
    ]


def test_a_log_scale_has_room_for_every_value_and_says_plain_numbers() -> None:
    plot = Plot("growth", (Curve("a", np.array([0.8, 3.0, 40.0])),), 270, log=True)
    low, high = plot.limits()
    assert 10.0**low < 0.8
    assert 10.0**high > 40.0
    assert [word for _, word in plot.ticks()] == ["1", "2", "5", "10", "20"]
    flat = Plot("growth", (Curve("a", np.array([0.98, 1.03])),), 270, log=True)
    assert [10.0**place for place, _ in flat.ticks()] == pytest.approx(
        [float(word) for _, word in flat.ticks()]
    )
    assert len(flat.ticks()) > 2


def test_an_empty_plot_and_a_single_date_can_be_drawn() -> None:
    day = np.array(["2020-01-31"], dtype="datetime64[D]")
    assert Plot("nothing", (), 100).limits()[0] < Plot("nothing", (), 100).limits()[1]
    assert Timeline("one", day, (), "nothing").length == 1
