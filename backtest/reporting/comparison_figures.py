"""Figures of runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from backtest.measures import drawdowns
from backtest.reporting import style
from backtest.reporting.figures import holdings_strip, shade_times, value_of
from backtest.reporting.style import NARROW, STYLE, WIDE, Drawing, FigureSize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from backtest.dates import Floats
    from backtest.records.comparison import Comparison

LABELLED = 8
"""Runs up to which each line is named at its end; beyond, names would not fit and the page's key serves."""

LONGEST = {WIDE: 24, NARROW: 10}
"""Letters up to which a name stands beside its line's end; longer ones would be cut, or squeeze the plot."""


def labelled(comparison: Comparison, size: FigureSize) -> bool:
    """Return whether each line is named at its end."""
    names = comparison.labels
    return len(names) <= LABELLED and style.names_width(names) <= LONGEST[size]


def _overlay(
    axes: Axes, comparison: Comparison, curves: list[Floats], size: FigureSize, *, labels: bool = True
) -> None:
    first = comparison.records[0]
    ends, tints = {}, {}
    for label, values, (colour, dash) in zip(
        comparison.labels, curves, style.lines(len(curves)), strict=True
    ):
        style.draw(axes, first.dates, values, size, color=colour, linestyle=dash, linewidth=1.2)
        ends[label], tints[label] = float(values[-1]), colour
    shade_times(axes, first)
    if labels and labelled(comparison, size):
        style.label_ends(axes, ends, tints)


def _room(comparison: Comparison, size: FigureSize) -> int:
    return style.names_width(comparison.labels) if labelled(comparison, size) else 0


def growth_figure(comparison: Comparison, size: FigureSize = WIDE) -> Figure:
    """Return growth of 1 of every run (log scale), and each value relative to its benchmark."""
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 6.0 if size is WIDE else 5.6))
        growth, relative = figure.subplots(2, 1, sharex=True, height_ratios=[5.0, 3.0])
        style.margins(figure, size, _room(comparison, size))
        figure.subplots_adjust(hspace=0.16)
        growth.set_yscale("log")
        _overlay(growth, comparison, [value_of(r.returns) for r in comparison.records], size, labels=False)
        style.log_axis(growth)
        style.heading(growth, "Growth of 1, log scale")
        _overlay(
            relative,
            comparison,
            [value_of(r.returns) / value_of(r.sleeve(r.benchmark)) for r in comparison.records],
            size,
        )
        relative.axhline(1.0, color=style.MUTED, linewidth=0.8)
        style.heading(relative, "Value relative to the benchmark: rising is ahead")
        style.date_axis(relative, size)
        if labelled(comparison, size):
            ends = {
                label: float(np.prod(1.0 + record.returns))
                for label, record in zip(comparison.labels, comparison.records, strict=True)
            }
            drawn = style.lines(len(ends))
            tints = {label: colour for label, (colour, _) in zip(ends, drawn, strict=True)}
            style.label_ends(growth, ends, tints)
    return figure


def drawdown_figure(comparison: Comparison, size: FigureSize = WIDE) -> Figure:
    """Return the fall of every run from its highest value so far, in percent."""
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 2.8))
        axes = figure.subplots()
        style.margins(figure, size, _room(comparison, size))
        _overlay(axes, comparison, [100.0 * drawdowns(r.returns) for r in comparison.records], size)
        axes.set_ylim(top=0.0)
        style.heading(axes, "Fall from the highest value so far, %")
        style.date_axis(axes, size)
    return figure


def holdings_figure(comparison: Comparison, size: FigureSize = WIDE) -> Figure:
    """Return what every run held, one strip a run, and the part of the value that all pairs held alike."""
    n = len(comparison.records)
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 1.6 + 0.52 * n))
        axes = figure.subplots(n + 1, 1, sharex=True, height_ratios=[1.0] * n + [3.0])
        style.margins(figure, size, 0)
        figure.subplots_adjust(hspace=1.0)
        for strip, record in zip(axes, comparison.records, strict=False):
            holdings_strip(strip, record, f"{record.name}: ")
        alike = axes[-1]
        dates = comparison.records[0].dates[1:]
        style.draw(alike, dates, 100.0 * comparison.together, size, color=style.INK, linewidth=1.1)
        alike.set_ylim(-3.0, 103.0)
        style.heading(alike, "Held alike, % of the value, average of all pairs")
        style.date_axis(alike, size)
    return figure
