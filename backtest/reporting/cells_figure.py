"""Cells as matplotlib figures: as files where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from backtest.reporting.chart_figure import STYLE, Drawing

if TYPE_CHECKING:
    from backtest.reporting.cells import Cells

_MARKS = {"here": ("o", "#d55e00"), "best": ("x", "#d55e00"), "centre": ("s", "#009e73")}


def cells_figure(drawn: Cells) -> Drawing:
    """Return cells as a figure."""
    n_panels, rows, columns = len(drawn.panels), drawn.ticks(drawn.rows), drawn.ticks(drawn.columns)
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(8.8, 6.0 if n_panels == 1 else 3.6))
        each = np.atleast_1d(figure.subplots(1, n_panels, sharex=True, sharey=True))
        figure.subplots_adjust(left=0.07, right=0.98, top=0.92, bottom=0.17 if n_panels == 1 else 0.22)
        for axes, panel in zip(each, drawn.panels, strict=True):
            tints = np.zeros((*panel.painted.shape, 4))
            for place, look in enumerate(drawn.looks):
                tints[panel.painted == place] = mpl.colors.to_rgba(look.colour, look.opacity)
            origin = "lower" if drawn.rising else "upper"
            axes.imshow(tints, aspect="auto", interpolation="nearest", origin=origin)
            axes.set_xticks(*zip(*columns, strict=True))
            axes.set_yticks(*zip(*rows, strict=True))
            axes.grid(visible=False)
            axes.set_xlabel(drawn.axes[1])
            axes.set_title(panel.heading, loc="left", fontsize=9.0, pad=4.0)
            for spot in drawn.spots:
                marker, colour = _MARKS[spot.kind]
                axes.plot([spot.column], [spot.row], marker, color=colour, markersize=7, markeredgewidth=2)
        each[0].set_ylabel(drawn.axes[0])
        handles: list[Patch | Line2D] = [
            Patch(facecolor=mpl.colors.to_rgba(look.colour, look.opacity), label=look.word)
            for look in drawn.looks
            if look.word
        ]
        for spot in drawn.spots:
            marker, colour = _MARKS[spot.kind]
            handles.append(Line2D([], [], marker=marker, color=colour, linestyle="", label=spot.word))
        figure.legend(handles=handles, loc="lower center", ncols=5, frameon=False, fontsize=8.0)
    return figure
