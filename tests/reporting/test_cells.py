"""Cells: every value is painted in its place and by its size, and read out as it is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from backtest.reporting.cells import Cells, Pane, Spot, shaded, shades
from backtest.reporting.cells_figure import cells_figure
from backtest.reporting.cells_html import cells_html, path


def cells(painted: np.ndarray, *, rising: bool = False) -> Cells:
    read = tuple(tuple("" if v < 0 else f"-{v}" for v in row) for row in painted.tolist())
    m, n = painted.shape
    return Cells(
        "it",
        (Pane("<b>", painted, read),),
        shades("worst", "best"),
        tuple(f"r{i}" for i in range(m)),
        tuple(f"c{i}" for i in range(n)),
        ("{row} {column}: {value}", ""),
        "shown",
        rising=rising,
        spots=(Spot("best", 0, n - 1, "the <peak>"),),
    )


def test_cells_are_drawn_as_rows_of_neighbours() -> None:
    set_ = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 1]], dtype=np.int64)
    assert path(set_) == "M0 0h2v1h-2zM0 2h1v1h-1zM2 2h1v1h-1z"


def test_what_is_read_is_what_is_there_and_all_text_is_escaped() -> None:
    page = str(cells_html(cells(np.array([[3, -1], [0, 23]])), Markup("said")))
    assert 'data-rows="r0|r1" data-columns="c0|c1"' in page
    assert 'data-read="\u22123|;\u22120|\u221223"' in page
    assert "&lt;b&gt;" in page
    assert "the &lt;peak&gt;" in page
    assert page.count("<path") == 3  # a look each
    assert page.count('class="dot best"') == 2  # in the panel and in the key


def test_rising_the_first_row_is_at_the_bottom() -> None:
    painted = np.array([[5, 5], [-1, -1]])
    assert 'd="M0 0h2v1h-2z"' in str(cells_html(cells(painted), Markup()))
    rising = str(cells_html(cells(painted, rising=True), Markup()))
    assert 'd="M0 1h2v1h-2z"' in rising
    assert 'class="dot best" style="left: 75.00%; bottom: 25.00%"' in rising


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


def test_as_a_picture_all_panels_and_spots_are_there() -> None:
    figure = cells_figure(cells(np.array([[3, -1], [0, 23]]), rising=True))
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "<b>"
    assert [line.get_xdata()[0] for line in axes.lines] == [1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["worst", "best", "the <peak>"]
