"""Maps of years as matplotlib figures: as files where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Patch

from backtest.reporting.style import STYLE, Drawing
from backtest.reporting.year_map import keys, look

if TYPE_CHECKING:
    from backtest.reporting.year_map import YearMap


def year_map_figure(drawn: YearMap) -> Drawing:
    """Return a map of years as a figure."""
    n, ticks = len(drawn.values), drawn.ticks()
    steps = [step for step, _ in keys()]
    tints = np.zeros((n, n, 4))
    for step in steps:
        colour, opacity = look(step)
        tints[drawn.steps == step] = mpl.colors.to_rgba(colour, opacity)
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(8.8, 6.0))
        axes = figure.add_axes((0.07, 0.17, 0.91, 0.77))
        axes.imshow(tints, aspect="auto", interpolation="nearest", extent=(0.0, n, n, 0.0))
        places, words = [i + 0.5 for i, _ in ticks], [word for _, word in ticks]
        axes.set_xticks(places, words)
        axes.set_yticks(places, words)
        axes.grid(visible=False)
        axes.set_title(drawn.heading, loc="left", fontsize=9.0, pad=4.0)
        patches = [
            Patch(
                facecolor=mpl.colors.to_rgba(*look(step)), label=f"{'ahead' if step > 0 else 'behind'} {word}"
            )
            for step, word in keys()
        ]
        figure.legend(handles=patches, loc="lower center", ncols=5, frameon=False, fontsize=8.0)
    return figure
