"""The figures show what the result says; checked on what is drawn, not on pixels."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from backtest import MarketData, run
from backtest.measures import drawdowns
from backtest.records.sheet import Sheet
from backtest.reporting import figures, sweep_figures
from backtest.reporting.chart_figure import chart_figure
from backtest.reporting.palette import CUT, INK, RECESSION
from backtest.reporting.scales import Dates

if TYPE_CHECKING:
    from backtest.reporting.chart import Chart


@pytest.fixture(scope="module")
def content(embedded: MarketData) -> Sheet:
    return Sheet(run("rate_cut", embedded))


def last(chart: Chart, place: int = 0) -> dict[str, float]:
    """Return the last value of each curve of a plot."""
    return {curve.name: float(curve.values[-1]) for curve in chart.plots[place].curves}


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
    assert [rule.at for rule in relative.lines] == [(1.0,)]


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
    short = Sheet(run("rate_cut", embedded, start="2017-01-31"))
    drawn = figures.rolling(short)
    assert [plot.curves for plot in drawn.plots] == [(), (), (), ()]
    FigureCanvasAgg(chart_figure(drawn)).draw()


def test_a_bar_a_year(content: Sheet) -> None:
    drawn = figures.years(content)
    own, apart = drawn.plots
    years, returns = content.years
    assert isinstance(drawn.x, Dates)
    assert drawn.x.dates.astype("datetime64[Y]").tolist() == years.tolist()
    np.testing.assert_allclose(own.curves[0].values, 100.0 * returns[:, 0])
    ahead, behind = (curve.values for curve in apart.curves)
    np.testing.assert_allclose(
        np.where(np.isnan(ahead), behind, ahead), 100 * (returns[:, 0] - returns[:, 1])
    )
    assert np.nanmin(ahead) >= 0.0 > np.nanmax(behind)


def test_cuts_and_recessions_are_shaded(content: Sheet) -> None:
    drawn = figures.growth(content.record)
    first = content.record.dates[0]
    spans = {shade.colour: each for shade, each in drawn.shaded}

    def days(begin: str, end: str) -> tuple[int, int]:
        return tuple(int((np.datetime64(day) - first).astype(int)) for day in (begin, end))  # type: ignore[return-value]

    assert days("2007-09-18", "2008-12-16") in spans[CUT]
    assert days("2008-01-01", "2009-06-30") in spans[RECESSION]
    # The recessions of 1990, 2001 and 2007; the cuts of 2019 lie after the last bar.
    assert len(spans[RECESSION]) == 3
    assert max(end for _, end in spans[CUT]) <= drawn.x.ends[1]


def test_a_notebooks_figure_has_the_lines_names_and_shades_of_the_page(content: Sheet) -> None:
    record = dataclasses.replace(content.record, name="small_caps_after_the_first_cut_while_cheap")
    drawn = figures.growth(record)
    figure = chart_figure(drawn)
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


def test_the_ends_of_a_front_are_marked_whole_and_the_best_are_a_line() -> None:
    values = np.random.default_rng(5).normal(size=(2, 40))
    values[0, 7] = np.nan
    best = np.array([3, 5])
    chart = sweep_figures.front(values, best, ("a", "b"))
    (plot,) = chart.plots
    (left, right), (bottom, top) = chart.x.ends, plot.limits
    known = values[:, np.isfinite(values[0])]
    assert left < known[0].min() < known[0].max() < right
    assert bottom < known[1].min() < known[1].max() < top
    assert plot.curves[0].values.tolist() == values[1, best].tolist()
    assert sum(len(dots.x) for dots in plot.dots) == 39 + 2


def test_many_ways_to_choose_are_shown_by_how_many_lie_in_a_place() -> None:
    inside, outside = np.random.default_rng(5).normal(size=(2, 12_870))
    (plot,) = sweep_figures.halves(inside, outside).plots
    parts = [dots.opacity for dots in plot.dots]
    assert parts == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert 100 < sum(len(dots.x) for dots in plot.dots) < 4_000
    assert "12,870 ways" in plot.heading
    for dots in plot.dots:
        assert inside.min() <= np.min(dots.x) <= np.max(dots.x) <= inside.max()
