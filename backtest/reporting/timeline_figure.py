"""Timelines as matplotlib figures: for notebooks, and as files where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from backtest.reporting.palette import INK, MUTED
from backtest.reporting.style import STYLE, Drawing
from backtest.reporting.timeline import LETTERS, date_ticks, ends, short, spread, stretches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.dates import Ints
    from backtest.reporting.timeline import Plot, Timeline

PIXELS = 84.0
"""Of an inch."""

_WIDTH, _LEFT, _ABOVE, _BELOW = 8.8, 0.55, 0.3, 0.3


def timeline_figure(timeline: Timeline, *, above: float = 0.0) -> Drawing:
    """Return a timeline as a figure, with so many inches left free above it."""
    n, columns = len(timeline.plots), timeline.columns
    rows = [timeline.plots[i : i + columns] for i in range(0, n, columns)]
    inches = [max(plot.height for plot in row) / PIXELS for row in rows]
    labels = [len(short(c.name)) for plot in timeline.plots if plot.labelled for c in plot.curves]
    right = 0.14 + 0.088 * min(max(labels), LETTERS) if labels else 0.1
    height = above + sum(inches) + _ABOVE * len(rows) + _BELOW
    places = timeline.places()
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(_WIDTH, height))
        wide = (_WIDTH - _LEFT - right) / columns
        top = height - above
        for row, tall in zip(rows, inches, strict=True):
            top -= _ABOVE + tall
            for column, plot in enumerate(row):
                left = _LEFT + column * (wide + 0.2)
                box = (left / _WIDTH, top / height, (wide - 0.2 * (columns - 1)) / _WIDTH, tall / height)
                _draw(figure.add_axes(box), timeline, plot, places, dated=row is rows[-1])
    return figure


def _draw(axes: Axes, timeline: Timeline, plot: Plot, places: Ints, *, dated: bool) -> None:
    """Draw a plot over days since the first date, on the plot's own scale."""
    length, days = timeline.length, timeline.days
    low, high = plot.limits()
    axes.set(xlim=(0.0, float(length)), ylim=(low, high))
    ticks, dates = plot.ticks(), date_ticks(timeline.dates[0], timeline.dates[0] + length)
    axes.set_yticks([place for place, _ in ticks], [word for _, word in ticks])
    axes.set_xticks([day for day, _ in dates], [word if dated else "" for _, word in dates])
    if plot.kind == "held":
        axes.grid(visible=False)
    axes.set_title(plot.heading, loc="left", fontsize=9.0, color=INK, pad=4.0)
    for shade in timeline.shades:
        spans = [(begin, end - begin) for begin, end in timeline.spans(shade)]
        across = axes.get_xaxis_transform()
        axes.broken_barh(
            spans, (0.0, 1.0), transform=across, color=shade.colour, alpha=shade.opacity, lw=0, zorder=0
        )
    for value in (*plot.rules, *([] if plot.level is None else [plot.level])):
        (at,) = plot.scaled(np.array([value])).tolist()
        dashed = value in plot.rules
        axes.axhline(
            at, color="#d55e00" if dashed else MUTED, linewidth=0.9, linestyle="--" if dashed else "-"
        )
    for day in [] if plot.events is None else (plot.events - timeline.dates[0]).astype(int).tolist():
        axes.axvline(day, color="#d55e00", linewidth=0.9)
    if plot.kind == "held":
        for curve, held in zip(plot.curves, stretches(plot.curves, days), strict=True):
            for begin, lasts, base, share in held:
                axes.broken_barh([(begin, lasts)], (base, share), color=curve.colour, linewidth=0)
    elif plot.kind == "bars":
        for curve in plot.curves:
            axes.bar(days, curve.values, np.diff(np.r_[days, length]) * 0.8, align="edge", color=curve.colour)
    else:
        for curve in plot.curves:
            values = plot.scaled(curve.values)[places]
            axes.plot(days[places], values, color=curve.colour, linestyle=curve.dash, linewidth=curve.width)
    if plot.labelled:
        _names(axes, plot)


def _names(axes: Axes, plot: Plot) -> None:
    """Write each curve's name beside its end."""
    (low, high), last = plot.limits(), ends(plot)
    heights = spread([(value - low) / (high - low) for _, value in last], 13.0 / plot.height, 1.0)
    for (curve, _), height in zip(last, heights, strict=True):
        axes.annotate(
            short(curve.name),
            (1.0, height),
            xytext=(5.0, 0.0),
            textcoords="offset points",
            xycoords="axes fraction",
            color=curve.colour,
            va="center",
            fontsize=8.5,
            annotation_clip=False,
        )
