"""Charts: what is thinned, scaled and written as a path is what was given, and no letter is put elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from backtest.reporting.chart import (
    Band,
    Chart,
    Curve,
    Line,
    Plot,
    spread,
    stretches,
    thinned,
)
from backtest.reporting.chart_figure import chart_figure
from backtest.reporting.chart_html import chart_html, path
from backtest.reporting.scales import Dates, Labels, Numbers, date_ticks, round_numbers

VALUES = np.array([1.0, np.nan, 3.0, 0.5])
NUMBERS, NAMES = Numbers(np.array([1.0, 2.0, 4.0, 8.0]), "across"), Labels(("p", "q", "r", "<b>"))
DATES = Dates(np.array(["2019-12-31", "2020-01-31", "2020-02-28", "2020-03-31"], dtype="datetime64[D]"))
EVERY = (
    Plot("<b> curves", (Curve("a", VALUES), Curve("<b>", 2 * VALUES, dash="--")), named=True),
    Plot("<b> log", (Curve("a", VALUES),), log=True, lines=(Line((1.0,)), Line((2.0,), dash="--"))),
    Plot("<b> bars", (Curve("a", VALUES),), kind="bars", unit="%"),
    Plot("<b> stacked", (Curve("a", VALUES), Curve("b", VALUES)), kind="stacked", named=True),
    Plot("<b> held", (Curve("a", np.array([0.0, 1.0, 0.5, 0.5])),), kind="held"),
    Plot("<b> band", bands=(Band("a", VALUES - 1.0, VALUES),), note="<b>"),
    Plot("<b> rows", (Curve("a", np.array([0.0, 1.0, 2.0, 2.0])),), rows=Labels(("u", "v", "<b>"))),
)


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
        assert str(begin + int(day)) == (f"{word}-01-01" if len(word) == 4 else f"{word}-01")


def test_what_was_held_is_stretches_from_date_to_date() -> None:
    days = np.array([0.0, 10.0, 20.0, 30.0, 40.0])
    small, large = np.array([0.0, 1.0, 1.0, 0.5, 0.5]), np.array([1.0, 0.0, 0.0, 0.5, 0.5])
    assert stretches([Curve("small", small), Curve("large", large)], days) == [
        [(10, 20, 0.0, 1.0), (30, 10, 0.0, 0.5)],
        [(0, 10, 0.0, 1.0), (30, 10, 0.5, 0.5)],
    ]


def test_a_log_scale_has_room_for_every_value_and_says_plain_numbers() -> None:
    plot = Plot("growth", (Curve("a", np.array([0.8, 3.0, 40.0])),), 270, log=True)
    low, high = plot.limits
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
    assert Plot("nothing", (), 100).limits[0] < Plot("nothing", (), 100).limits[1]
    assert Dates(day).ends == (0.0, 1.0)
    chart = Chart("one", Dates(day), (Plot("nothing", (), 100),), "nothing")
    assert 'viewBox="0 ' in str(chart_html(chart, Markup()))
    chart_figure(chart).canvas.draw()


@pytest.mark.parametrize("plot", EVERY, ids=lambda plot: plot.heading)
@pytest.mark.parametrize("x", [NUMBERS, NAMES, DATES], ids=lambda x: type(x).__name__)
def test_whatever_there_is_can_be_drawn_over_anything(plot: Plot, x: Numbers | Labels | Dates) -> None:
    chart = Chart("it", x, (plot, replace(plot, x=NAMES)), "shown", columns=2)
    page = str(chart_html(chart, Markup("said")))
    first, second = re.findall(r'viewBox="(-?\d+) (-?\d+) (\d+) (\d+)"', page)
    left, top, wide, tall = map(int, first)
    for x0, y0 in re.findall(r"M(-?\d+)[, ](-?\d+)", page.split('<div class="plot">')[1]):
        assert left <= int(x0) <= left + wide
        assert top <= -int(y0) <= top + tall
    assert second != first or x is NAMES
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    figure = chart_figure(chart)
    figure.canvas.draw()
    assert len(figure.axes) == 2


def test_what_is_stacked_lies_on_what_is_below() -> None:
    low, high = Curve("a", np.array([1.0, 2.0])), Curve("b", np.array([3.0, 1.0]))
    below, above = Plot("it", (low, high), kind="stacked").areas
    assert below.high.tolist() == above.low.tolist() == [1.0, 2.0]
    assert above.high.tolist() == [4.0, 3.0]


def test_what_is_faint_or_has_no_name_has_no_key() -> None:
    curves = (Curve("a", np.ones(2)), Curve("", np.ones(2)), Curve("b", np.ones(2), opacity=0.4))
    chart = Chart("it", Numbers(np.arange(2.0)), (Plot("it", curves),), "shown")
    assert chart.keys() == {}
    both = Plot("it", curves, bands=(Band("c", np.zeros(2), np.ones(2)),))
    assert list(replace(chart, plots=(both,)).keys()) == ["a", "c"]


def test_a_scale_of_numbers_leaves_room_and_says_what_is_large_in_words() -> None:
    assert Numbers(np.array([0.0, 10.0]), room=0.1).ends == (-1.0, 11.0)
    assert [word for _, word in Numbers(np.array([-30.0, 30.0]), every=12.0).ticks] == [
        "-24",
        "-12",
        "0",
        "12",
        "24",
    ]
    sums = Numbers(np.array([1e3, 1e12]), log=True)
    assert [word for _, word in sums.ticks] == [
        "1000", "10k", "100k", "1m", "10m", "100m", "1bn", "10bn", "100bn", "1tn",
    ]  # fmt: skip
    assert np.isnan(sums.places(np.array([-1.0]))).all()


def test_of_two_words_none_is_left_out_and_zero_never() -> None:
    few = Chart("it", Labels(("0.25", "0.5")), (Plot("it"),), "shown")
    assert 'class="x odd"' not in str(chart_html(few, Markup()))
    months = Chart("it", Numbers(np.array([-36.0, 36.0]), every=12.0), (Plot("it"),), "shown")
    kept = re.findall(r'class="x" style="[^"]*">([^<]+)', str(chart_html(months, Markup())))
    assert kept == ["\u221224", "0", "24"]
