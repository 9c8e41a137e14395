"""The figures show what the result says; checked on what is drawn, not on pixels."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from backtest import MarketData, run
from backtest.measures import drawdowns
from backtest.records.sheet import Sheet, sheet
from backtest.reporting import figures, style, sweep_figures
from backtest.reporting.blocks import NARROW, WIDE, FigureSize
from backtest.reporting.palette import CUT, INK, MUTED, RECESSION
from backtest.reporting.timeline_figure import timeline_figure

if TYPE_CHECKING:
    from backtest.reporting.timeline import Timeline

BOTH = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture(scope="module")
def content(embedded: MarketData) -> Sheet:
    return sheet(run("rate_cut", embedded), ranges=False)


def last(timeline: Timeline, place: int = 0) -> dict[str, float]:
    """Return the last value of each curve of a plot."""
    return {curve.name: float(curve.values[-1]) for curve in timeline.plots[place].curves}


def test_growth_is_that_of_the_strategy_and_of_every_benchmark(content: Sheet) -> None:
    drawn = figures.growth(content.record)
    document = content.record.document
    totals = {name: metrics["total_return"] for name, metrics in document.benchmarks.items()}
    totals["rate_cut"] = document.metrics["total_return"]
    assert last(drawn) == pytest.approx({name: 1.0 + total for name, total in totals.items()})
    growth, relative, held = drawn.plots
    assert all(curve.values[0] == 1.0 for curve in growth.curves)
    assert growth.log
    assert last(drawn, 1)["rate_cut"] == pytest.approx((1.0 + totals["rate_cut"]) / (1.0 + totals["market"]))
    assert [curve.name for curve in held.curves] == ["small", "large"]
    assert "proxy" in growth.heading
    assert relative.level == 1.0


def test_the_strategy_is_the_line_in_ink_and_each_sleeve_has_its_own_colour(content: Sheet) -> None:
    *others, own = figures.growth(content.record).plots[0].curves
    assert (own.name, own.colour) == ("rate_cut", INK)
    assert len({curve.colour for curve in others}) == 3
    assert own.width > max(curve.width for curve in others)


def test_the_drawdowns_are_the_measured_ones(content: Sheet) -> None:
    (plot,) = figures.falls(content.record).plots
    document = content.record.document
    deepest = {
        "rate_cut": document.metrics["max_drawdown"],
        "market": document.benchmarks["market"]["max_drawdown"],
    }
    found = {curve.name: float(curve.values.min()) for curve in plot.curves}
    assert found == pytest.approx({name: 100.0 * value for name, value in deepest.items()})
    own = next(curve for curve in plot.curves if curve.colour == INK)
    np.testing.assert_allclose(own.values, 100.0 * drawdowns(content.record.returns))


def test_the_moving_window_shows_all_four_measures(content: Sheet) -> None:
    plots = figures.rolling(content).plots
    rolled = content.rolling
    assert [float(plot.curves[0].values[-1]) for plot in plots] == pytest.approx(
        [100 * rolled.cagr[-1], 100 * rolled.volatility[-1], 100 * rolled.alpha[-1], rolled.beta[-1]]
    )
    assert all(np.isfinite(plot.curves[0].values).sum() == 422 - 36 + 1 for plot in plots)


def test_a_window_that_never_fills_leaves_empty_plots(embedded: MarketData) -> None:
    short = sheet(run("rate_cut", embedded, start="2017-01-31"), ranges=False)
    drawn = figures.rolling(short)
    assert [plot.curves for plot in drawn.plots] == [(), (), (), ()]
    FigureCanvasAgg(timeline_figure(drawn)).draw()


def test_a_bar_a_year(content: Sheet) -> None:
    drawn = figures.years(content)
    own, apart = drawn.plots
    years, returns = content.years
    assert drawn.dates.astype("datetime64[Y]").tolist() == years.tolist()
    np.testing.assert_allclose(own.curves[0].values, 100.0 * returns[:, 0])
    ahead, behind = (curve.values for curve in apart.curves)
    np.testing.assert_allclose(
        np.where(np.isnan(ahead), behind, ahead), 100 * (returns[:, 0] - returns[:, 1])
    )
    assert np.nanmin(ahead) >= 0.0 > np.nanmax(behind)


def test_cuts_and_recessions_are_shaded(content: Sheet) -> None:
    drawn = figures.growth(content.record)
    first = drawn.dates[0]
    spans = {shade.colour: drawn.spans(shade) for shade in drawn.shades}

    def days(begin: str, end: str) -> tuple[int, int]:
        return tuple(int((np.datetime64(day) - first).astype(int)) for day in (begin, end))  # type: ignore[return-value]

    assert days("2007-09-18", "2008-12-16") in spans[CUT]
    assert days("2008-01-01", "2009-06-30") in spans[RECESSION]
    # The recessions of 1990, 2001 and 2007; the cuts of 2019 lie after the last bar.
    assert len(spans[RECESSION]) == 3
    assert max(end for _, end in spans[CUT]) <= drawn.length


def test_a_notebooks_figure_has_the_lines_names_and_shades_of_the_page(content: Sheet) -> None:
    record = dataclasses.replace(content.record, name="small_caps_after_the_first_cut_while_cheap")
    drawn = figures.growth(record)
    figure = timeline_figure(drawn)
    FigureCanvasAgg(figure).draw()
    growth, relative, _ = figure.axes
    lines = [line for line in growth.lines if len(line.get_xdata()) > 2]
    for line, curve in zip(lines, drawn.plots[0].curves, strict=True):
        assert to_hex(line.get_color()) == curve.colour
        np.testing.assert_allclose(line.get_ydata(), np.log10(curve.values))
    labels = [text.get_text() for text in growth.texts]
    assert sorted(labels) == ["large", "market", "small", "small_caps_after_the_fir\u2026"[:23] + "\u2026"]
    assert max(text.get_window_extent().x1 for text in growth.texts) <= figure.bbox.x1
    shaded = {to_hex(c.get_facecolor()[0]) for c in relative.collections}  # type: ignore[index]
    assert {CUT, RECESSION} <= shaded


def test_a_figure_for_a_page_has_its_own_ids_and_the_pages_colours() -> None:
    def drawn() -> str:
        first, second = np.random.default_rng(5).normal(size=(2, 40))
        figure = sweep_figures.front_figure(first, second, np.array([[1.0, 2.0]]), ("a", "b"), WIDE)
        return style.svg(figure, "one", "what it shows")

    text = drawn()
    assert text == drawn()
    ids = set(style._ID.findall(text))
    assert ids
    assert all(id.startswith("one-") for id in ids)
    assert {reference for _, reference in style._REFERENCE.findall(text)} <= ids
    assert style._COLOUR.findall(text) == []
    assert f"var(--c{MUTED[1:]})" in text


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
