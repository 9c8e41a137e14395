"""Cells: every value is painted in its place and by its size, and read out as it is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from backtest.reporting.cells import Cells, Spot, read_out, shaded, shades
from backtest.reporting.chart import Chart, Plot
from backtest.reporting.chart_figure import chart_figure
from backtest.reporting.chart_html import chart_html
from backtest.reporting.scales import Labels


def drawn(painted: np.ndarray) -> Chart:
    read = tuple(tuple("" if v < 0 else f"-{v}" for v in row) for row in painted.tolist())
    m, n = painted.shape
    spots = (Spot("best", 0, n - 1, "the <peak>"),)
    cells = Cells(painted, read, shades("worst", "best"), ("{row} {column}: {value}", ""), spots)
    rows, columns = (Labels(tuple(f"{a}{i}" for i in range(k))) for a, k in (("r", m), ("c", n)))
    return Chart("it", columns, (Plot("<b>", rows=rows, cells=cells),), "shown")


def page_of(painted: np.ndarray) -> str:
    return str(chart_html(drawn(painted), Markup("said")))


def test_cells_are_drawn_as_rows_of_neighbours_the_lowest_first() -> None:
    page = page_of(np.where(np.array([[1, 1, 0], [0, 0, 0], [1, 0, 1]]) > 0, 7, -1))
    assert 'd="M-1 -1h4v2h-4zM-1 3h2v2h-2zM3 3h2v2h-2z"' in page
    assert 'viewBox="-1 -5 6 6"' in page


def test_what_is_read_is_what_is_there_and_all_text_is_escaped() -> None:
    page = page_of(np.array([[3, -1], [0, 23]]))
    assert 'data-words="r0|r1"' in page
    assert "[&#34;c0&#34;,&#34;c1&#34;]" in page
    assert 'data-read="\u22123|;\u22120|\u221223"' in page
    assert "&lt;b&gt;" in page
    assert "the &lt;peak&gt;" in page
    assert page.count('class="boxes"') == 3  # a look each
    assert page.count('class="dot best"') == 2  # in the plot and in the key
    assert 'class="dot best" style="left: 75.00%; bottom: 25.00%"' in page


def test_nothing_is_read_out_where_nothing_is_known() -> None:
    assert read_out(np.array([[1.0, np.nan]]), "{:+.1f}".format) == (("+1.0", ""),)


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(np.nan)), min_size=1, max_size=30))
def test_the_better_is_painted_no_fainter(values: list[float]) -> None:
    each = np.array(values)
    known = np.isfinite(each)
    ends = (float(each[known].min()), float(each[known].max())) if known.any() else (0.0, 0.0)
    for lower in (False, True):
        painted = shaded(each, ends, lower=lower)
        assert ((painted >= 0) == known).all()
        assert painted.max() < len(shades("", ""))
        order = np.argsort(each[known])
        steps = np.diff(painted[known][order])
        assert ((steps <= 0) if lower else (steps >= 0)).all()


def test_as_a_picture_all_spots_and_keys_are_there() -> None:
    figure = chart_figure(drawn(np.array([[3, -1], [0, 23]])))
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "<b>"
    assert [line.get_xdata()[0] for line in axes.lines] == [1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["worst", "best", "the <peak>"]
