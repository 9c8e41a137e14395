"""The figures show what the result says; checked on what is drawn, not on pixels."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.dates import date2num

from backtest import MarketData, run
from backtest.measures import drawdowns
from backtest.records.sheet import Sheet, sheet
from backtest.reporting import figures, style, sweep_figures
from backtest.reporting.style import NARROW, WIDE, FigureSize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

BOTH = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture(scope="module")
def content(embedded: MarketData) -> Sheet:
    return sheet(run("rate_cut", embedded), ranges=False)


def drawn(axes: Axes) -> list[np.ndarray]:
    """Return the values of the lines over time; a rule across the axes has two."""
    return [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines if len(line.get_xdata()) > 2]


def spans(axes: Axes, colour: str) -> list[tuple[float, float]]:
    """Return the ends of the areas shaded in a colour."""
    shaded = [c for c in axes.collections if to_hex(c.get_facecolor()[0]) == colour]
    extents = [path.get_extents() for areas in shaded for path in areas.get_paths()]
    return [(extent.x0, extent.x1) for extent in extents]


def colour(line: Line2D) -> str:
    return to_hex(line.get_color())


@BOTH
def test_growth_is_that_of_the_strategy_and_of_every_benchmark(content: Sheet, size: FigureSize) -> None:
    growth, relative, strip = figures.growth_figure(content.record, size).axes
    document = content.record.document
    totals = [document.metrics["total_return"]]
    totals += [metrics["total_return"] for metrics in document.benchmarks.values()]
    assert sorted(values[-1] for values in drawn(growth)) == pytest.approx(sorted(1.0 + t for t in totals))
    assert all(values[0] == 1.0 for values in drawn(growth))
    assert growth.get_yscale() == "log"
    assert {text.get_text() for text in growth.texts} == {"rate_cut", "large", "small", "market"}
    assert all(0.0 <= text.xy[1] <= 1.0 for text in growth.texts)
    market = document.benchmarks["market"]["total_return"]
    assert drawn(relative)[0][-1] == pytest.approx((1.0 + totals[0]) / (1.0 + market))
    assert len(strip.collections) == 2
    assert "proxy" in growth.get_title(loc="left")


@BOTH
def test_the_strategy_is_the_line_in_ink_and_each_sleeve_has_its_own_colour(
    content: Sheet, size: FigureSize
) -> None:
    growth = figures.growth_figure(content.record, size).axes[0]
    total = 1.0 + content.record.document.metrics["total_return"]
    (own,) = [line for line in growth.lines if colour(line) == style.INK]
    assert float(own.get_ydata()[-1]) == pytest.approx(total)
    by_name = {text.get_text(): to_hex(text.get_color()) for text in growth.texts}
    assert len(set(by_name.values())) == 4
    for line in growth.lines:
        name = next(n for n, tint in by_name.items() if tint == colour(line))
        returns = content.record.curves()[name]
        assert float(line.get_ydata()[-1]) == pytest.approx(float(np.prod(1.0 + returns)))


@BOTH
def test_a_long_name_is_shortened_not_cut_off(content: Sheet, size: FigureSize) -> None:
    record = dataclasses.replace(content.record, name="small_caps_after_the_first_cut_while_cheap")
    for figure in (figures.growth_figure(record, size), figures.drawdown_figure(record, size)):
        FigureCanvasAgg(figure).draw()
        labels = [text for axes in figure.axes for text in axes.texts]
        assert [text.get_text()[-1] for text in labels].count("\u2026") == 1
        assert max(text.get_window_extent().x1 for text in labels) <= figure.bbox.x1


@BOTH
def test_the_drawdowns_are_the_measured_ones(content: Sheet, size: FigureSize) -> None:
    (axes,) = figures.drawdown_figure(content.record, size).axes
    document = content.record.document
    deepest = [document.metrics["max_drawdown"], document.benchmarks["market"]["max_drawdown"]]
    assert sorted(min(values) for values in drawn(axes)) == pytest.approx(sorted(100.0 * d for d in deepest))


@BOTH
def test_the_moving_window_shows_all_four_measures(content: Sheet, size: FigureSize) -> None:
    panels = figures.rolling_figure(content, size).axes
    shown = [drawn(axes)[0][-1] for axes in panels]
    rolled = content.rolling
    assert shown == pytest.approx(
        [100 * rolled.cagr[-1], 100 * rolled.volatility[-1], 100 * rolled.alpha[-1], rolled.beta[-1]]
    )
    assert all(len(drawn(axes)[0]) == 422 - 36 + 1 for axes in panels)


def test_a_window_that_never_fills_leaves_empty_panels(embedded: MarketData) -> None:
    short = sheet(run("rate_cut", embedded, start="2017-01-31"), ranges=False)
    assert [drawn(axes) for axes in figures.rolling_figure(short).axes] == [[], [], [], []]


def test_a_bar_a_year(content: Sheet) -> None:
    own, apart = figures.years_figure(content).axes
    years, returns = content.years
    assert len(own.patches) == len(apart.patches) == len(years) == 36
    assert [bar.get_height() for bar in own.patches] == pytest.approx((100.0 * returns[:, 0]).tolist())
    assert [bar.get_height() for bar in apart.patches] == pytest.approx(
        (100.0 * (returns[:, 0] - returns[:, 1])).tolist()
    )


def test_cuts_and_recessions_are_shaded(content: Sheet) -> None:
    growth = figures.growth_figure(content.record).axes[0]
    cuts, recessions = spans(growth, style.CUT), spans(growth, style.RECESSION)
    crisis = (np.datetime64("2007-09-18"), np.datetime64("2008-12-16"))
    great = (np.datetime64("2008-01-01"), np.datetime64("2009-06-30"))
    assert any(span == pytest.approx(date2num(crisis)) for span in cuts)
    assert any(span == pytest.approx(date2num(great)) for span in recessions)
    # The recessions of 1990, 2001 and 2007; the cuts of 2019 lie after the last bar.
    assert len(recessions) == 3
    assert max(right for _, right in cuts) <= date2num(content.record.dates[-1])


@given(st.integers(1, 30_000), st.integers(10, 300), st.integers(0, 2**32 - 1))
def test_a_thinned_line_keeps_its_ends_and_extremes(n: int, points: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=n)
    kept = style.thin(values, points)
    assert len(kept) <= 4 * points + 2
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, n - 1)
    assert (values[kept].min(), values[kept].max()) == (values.min(), values.max())


def test_a_figure_for_a_page_has_its_own_ids_and_the_pages_colours(content: Sheet) -> None:
    text = style.svg(figures.growth_figure(content.record), "one", "what it shows")
    again = style.svg(figures.growth_figure(content.record), "one", "what it shows")
    assert text == again
    ids = set(style._ID.findall(text))
    assert ids
    assert all(id.startswith("one-") for id in ids)
    assert {reference for _, reference in style._REFERENCE.findall(text)} <= ids
    assert style._COLOUR.findall(text) == []
    assert f"var(--c{style.INK[1:]})" in text


def test_numbers_to_be_read_keep_their_decimals() -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.0, 2.0))
    axes = figure.subplots()
    axes.plot([0.0, 1.0], [0.123456, 0.654321])
    axes.set_xticks([0.125, 0.375], ["0.125", "0.375"])
    text = style.svg(figure, "one", "what it shows")
    assert ">0.125<" in text
    assert ">0.375<" in text
    assert not re.search(r"[ \"]\d+\.\d{3,}", text)  # of coordinates two are enough


def test_falls_of_equity_are_what_drawdowns_says(content: Sheet) -> None:
    (axes,) = figures.drawdown_figure(content.record).axes
    own = next(line for line in axes.lines if colour(line) == style.INK)
    np.testing.assert_allclose(own.get_ydata(), 100.0 * drawdowns(content.record.returns))


@BOTH
def test_the_ends_of_a_front_are_marked_whole_and_trials_are_counted_in_whole_numbers(
    size: FigureSize,
) -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 40))
    best = np.array([[first.max(), second.min()], [first.min(), second.max()]])
    (axes,) = sweep_figures.front_figure(first, second, best, ("a", "b"), size).axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left < first.min() < first.max() < right
    assert bottom < second.min() < second.max() < top
    figure = sweep_figures.distribution_figure(first, {"winner": float(first.max())}, second[:5], "a", size)
    for panel in figure.axes:
        assert all(float(tick).is_integer() for tick in panel.get_yticks())
