"""Charts as matplotlib figures, and the look of these: for notebooks, and for files where they are wanted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from backtest.reporting.chart import LETTERS, ends, short, spread
from backtest.reporting.palette import GREEN, GRID, INK, MUTED, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.reporting.cells import Cells
    from backtest.reporting.chart import Chart, Line, Plot, Points
    from backtest.reporting.scales import Across

PIXELS = 84.0
"""Of an inch."""

STYLE: Any = {
    "font.size": 9.0,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.solid_joinstyle": "round",
}
"""The look of all figures."""


class Drawing(Figure):
    """A figure that a notebook shows by itself; it belongs to no window."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        png(self, buffer, dpi=110)
        return buffer.getvalue()


def png(figure: Figure, path: Any, dpi: int = 150) -> None:
    """Write a figure as PNG on white."""
    with mpl.rc_context(STYLE):
        figure.savefig(path, dpi=dpi, facecolor="white", metadata={"Software": None})


_WIDTH, _LEFT, _ABOVE, _BELOW, _LABEL = 8.8, 0.55, 0.3, 0.3, 0.2


def chart_figure(chart: Chart, *, above: float = 0.0) -> Drawing:
    """Return a chart as a figure, with so many inches left free above it."""
    n, columns = len(chart.plots), chart.columns
    rows = [chart.plots[i : i + columns] for i in range(0, n, columns)]
    inches = [max(plot.height for plot in row) / PIXELS for row in rows]
    below = [_under(chart, row) if row is rows[-1] or row[0].x else 0.0 for row in rows]
    right = 0.14 + 0.088 * min(chart.letters, LETTERS) if chart.letters else 0.1
    up = chart.plots[0].rows.label if chart.plots[0].rows else ""
    left = max(_LEFT, 0.25 + 0.073 * chart.before + _LABEL * bool(up))
    height = above + sum(inches) + _ABOVE * len(rows) + sum(below)
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(_WIDTH, height))
        wide = (_WIDTH - left - right) / columns
        top = height - above
        for row, tall, under in zip(rows, inches, below, strict=True):
            top -= _ABOVE + tall
            for column, plot in enumerate(row):
                begin = left + column * (wide + 0.2)
                box = (begin / _WIDTH, top / height, (wide - 0.2 * (columns - 1)) / _WIDTH, tall / height)
                _draw(figure.add_axes(box), chart, plot, dated=bool(under))
            top -= under
        figure.axes[0].set_ylabel(up)
        if chart.tints:
            handles = _handles(chart.tints)
            figure.legend(handles=handles, loc="lower center", ncols=_KEYS, frameon=False, fontsize=8.0)
    return figure


def _under(chart: Chart, row: tuple[Plot, ...]) -> float:
    legend = _LABEL * -(-len(_handles(chart.tints)) // _KEYS) if chart.tints else 0.0
    return _BELOW + _LABEL * any(chart.across(plot).label for plot in row) + legend


def _draw(axes: Axes, chart: Chart, plot: Plot, *, dated: bool) -> None:
    """Draw a plot on the scales of what lies across and of its own values."""
    across = chart.across(plot)
    axes.set(xlim=across.ends, ylim=plot.limits)
    ticks, on = plot.ticks(), across.ticks
    axes.set_yticks([place for place, _ in ticks], [word for _, word in ticks])
    axes.set_xticks([place for place, _ in on], [word if dated else "" for _, word in on])
    if plot.kind == "held":
        axes.grid(visible=False)
    if plot.cells:
        _cells(axes, plot.cells)
    if plot.rows and not plot.curves:
        axes.grid(visible=False, axis="y")
    axes.set_title(plot.heading, loc="left", fontsize=9.0, color=INK, pad=4.0)
    axes.set_xlabel(across.label if dated else "")
    for shade, spans in chart.shaded:
        widths = [(begin, end - begin) for begin, end in spans]
        axes.broken_barh(
            widths, (0.0, 1.0), transform=axes.get_xaxis_transform(), color=shade.colour, alpha=shade.opacity,
            lw=0, zorder=0,
        )  # fmt: skip
    for band, x, low, high in chart.edges(plot):
        axes.fill_between(x, low, high, color=band.colour, alpha=band.opacity, linewidth=0)
    for c, boxes in plot.boxes(across):
        for begin, wide, base, tall in boxes:
            axes.broken_barh([(begin, wide)], (base, tall), color=c.colour, alpha=c.opacity, linewidth=0)
    for c, x, y in chart.traces(plot):
        axes.plot(x, y, color=c.colour, linestyle=c.dash, linewidth=c.width, alpha=c.opacity)
    for dots in plot.dots:
        _dots(axes, dots, plot, across)
    uprights = 0
    for rule in plot.lines:
        _rule(axes, rule, plot, across, 0.98 - 14.0 * uprights / plot.height)
        uprights += rule.upright and bool(rule.word)
    if plot.note:
        _word(axes, plot.note, (0.99, 0.97), INK, "axes fraction", left=True)
    if plot.labelled:
        _names(axes, plot)


_SPOTS = {"here": ("o", ORANGE, ORANGE), "best": ("o", ORANGE, "none"), "centre": ("s", "white", GREEN)}


def _cells(axes: Axes, cells: Cells) -> None:
    tints = np.zeros((*cells.painted.shape, 4))
    for place, look in enumerate(cells.looks):
        tints[cells.painted == place] = mpl.colors.to_rgba(look.colour, look.opacity)
    axes.imshow(tints, aspect="auto", interpolation="nearest", origin="lower")
    axes.grid(visible=False)
    for spot in cells.spots:
        axes.plot([spot.column], [spot.row], **_marker(spot.kind))


def _marker(kind: str) -> dict[str, Any]:
    shape, edge, face = _SPOTS[kind]
    return {"marker": shape, "markeredgecolor": edge, "markerfacecolor": face, "markersize": 8, "mew": 2}


_KEYS = 5  # in a line below the plots


def _handles(cells: Cells) -> list[Any]:
    """Return samples of what cells and marks stand for."""
    each: list[Any] = [
        Patch(facecolor=mpl.colors.to_rgba(look.colour, look.opacity), label=look.word)
        for look in cells.looks
        if look.word
    ]
    return each + [
        Line2D([], [], linestyle="", label=spot.word, **_marker(spot.kind)) for spot in cells.spots
    ]


def _dots(axes: Axes, dots: Points, plot: Plot, across: Across) -> None:
    x, y = across.places(dots.x), plot.scaled(dots.y)
    if dots.low is not None and dots.high is not None:
        axes.hlines(y, across.places(dots.low), across.places(dots.high), color=dots.colour, linewidth=1.6)
    axes.plot(
        x, y, "o", color=dots.colour, markersize=0.8 * dots.size, alpha=dots.opacity, mew=0, clip_on=False
    )
    if dots.word:
        axes.annotate(dots.word, (x[-1], y[-1]), xytext=(7, 5), textcoords="offset points", fontsize=9)


def _rule(axes: Axes, rule: Line, plot: Plot, across: Across, height: float) -> None:
    places = across.places(np.array(rule.at)) if rule.upright else plot.scaled(np.array(rule.at, dtype=float))
    line, order = axes.axvline if rule.upright else axes.axhline, 1.5 if rule.behind else 2.5
    for at in places[np.isfinite(places)].tolist():
        line(at, color=rule.colour, linewidth=0.9, linestyle=rule.dash, zorder=order)
    if rule.upright and rule.word:
        at = float(places[-1])
        _word(axes, rule.word, (at, height), rule.colour, "data", left=at > sum(across.ends) / 2.0)


def _word(axes: Axes, word: str, at: tuple[float, float], colour: str, across: str, *, left: bool) -> None:
    """Write a word beside a place, before what is drawn there."""
    axes.annotate(
        word,
        at,
        xycoords=(across, "axes fraction"),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        color=colour,
        fontsize=8.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )


def _names(axes: Axes, plot: Plot) -> None:
    """Write each curve's name beside its end."""
    (low, high), last = plot.limits, ends(plot)
    heights = spread([(value - low) / (high - low) for _, value in last], 13.0 / plot.height, 1.0)
    for (one, _), height in zip(last, heights, strict=True):
        axes.annotate(
            short(one.name),
            (1.0, height),
            xytext=(5.0, 0.0),
            textcoords="offset points",
            xycoords="axes fraction",
            color=one.colour,
            va="center",
            fontsize=8.5,
            annotation_clip=False,
        )
