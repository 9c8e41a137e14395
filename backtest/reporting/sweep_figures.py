"""Figures of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator

from backtest.reporting import style
from backtest.reporting.blocks import WIDE, FigureSize
from backtest.reporting.palette import GRID, INK, MUTED
from backtest.reporting.style import STYLE, Drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from backtest.dates import Days, Floats
    from backtest.tuning.grid import Axis
    from backtest.tuning.walkforward import Fold

BLUE, ORANGE, GREEN, ROSE = "#0072b2", "#d55e00", "#009e73", "#b8578f"
_TICKS = 7
_DOTS = 2000  # trials up to which each is a dot; more would make the page heavy, and are shown by density


def _line(axes: Axes, at: float, text: str, colour: str, height: float) -> None:
    axes.axvline(at, color=colour, linewidth=1.4)
    left = text != "winner" and at > sum(axes.get_xlim()) / 2.0
    axes.annotate(
        text,
        (at, height),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        color=colour,
        fontsize=8.5,
        bbox={
            "facecolor": "white",
            "edgecolor": "none",
            "alpha": 0.8,
            "pad": 1.0,
        },  # it may stand before bars
    )


def _histogram(axes: Axes, values: Floats, edges: Floats, colour: str) -> None:
    # numpy counts block by block, without NaN; matplotlib's own histogram copies all values.
    axes.stairs(np.histogram(values, edges)[0], edges, color=colour, alpha=0.55, fill=True)


def distribution_figure(
    values: Floats, marks: dict[str, float], placebo: Floats | None, label: str, size: FigureSize = WIDE
) -> Figure:
    """Return how the objective of all trials is distributed, and of the placebo's winners below it.

    NaN in ``values`` are left out, ``placebo`` has none; ``marks`` are the winner, the recommended set and
    the benchmark.
    """
    with mpl.rc_context(STYLE):
        n = 1 if placebo is None else 2
        figure = Drawing(figsize=(size.width, 2.6 * n + 0.4))
        panels = np.atleast_1d(figure.subplots(n, 1, sharex=True))
        style.margins(figure, size, 0, bottom=0.5)
        figure.subplots_adjust(hspace=0.25)
        shown = [np.nanmin(values), np.nanmax(values), *(v for v in marks.values() if np.isfinite(v))]
        shown += [] if placebo is None else placebo.tolist()
        pad = 0.1 * (max(shown) - min(shown)) or 0.01
        edges = np.linspace(min(shown) - pad, max(shown) + pad, 61)
        _histogram(panels[0], values, edges, BLUE)
        panels[0].set_xlim(edges[0], edges[-1])
        style.heading(panels[0], f"All {np.isfinite(values).sum():,} trials that can be chosen, by {label}")
        for i, (name, value) in enumerate(marks.items()):
            if np.isfinite(value):
                _line(panels[0], value, name, (ORANGE, GREEN, MUTED)[i % 3], 0.98 - 0.12 * i)
        if placebo is not None:
            _histogram(panels[1], placebo, edges, ROSE)
            style.heading(panels[1], f"The best of each of {len(placebo):,} searches at shifted dates")
            winner = next(iter(marks.values()))
            _line(panels[1], winner, "winner", ORANGE, 0.98)
        panels[-1].set_xlabel(label)
        for panel in panels:
            panel.set_ylabel("trials" if panel is panels[0] else "shifts")
            panel.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        return figure


def _places(axes: Axes, axis: Axis, *, vertical: bool = False) -> None:
    n = len(axis.values)
    kept = np.unique(np.linspace(0, n - 1, min(n, _TICKS)).round().astype(int))
    words = [axis.parameter.text(axis.values[i]) for i in kept]
    (axes.set_yticks if vertical else axes.set_xticks)(kept, words)


def marginal_figure(
    curves: Sequence[tuple[Axis, Floats]],
    chosen: Sequence[tuple[int, int]],
    label: str,
    size: FigureSize = WIDE,
) -> Figure:
    """Return the objective along each parameter: median, bands of the trials, the best.

    ``curves`` has (n_values, n_quantiles) for each axis; ``chosen`` the places of the winner and of the
    recommended set on it.
    """
    with mpl.rc_context(STYLE):
        columns = 2 if size is WIDE else 1
        rows = -(-len(curves) // columns)
        figure = Drawing(figsize=(size.width, 2.3 * rows + 0.5))
        panels = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).reshape(-1)
        style.margins(figure, size, 0, bottom=0.45)
        figure.subplots_adjust(hspace=0.62, wspace=0.1)
        for panel, (axis, quantiles), (best, centre) in zip(panels, curves, chosen, strict=False):
            x = np.arange(len(axis.values))
            panel.fill_between(x, quantiles[:, 0], quantiles[:, 4], color=BLUE, alpha=0.15, linewidth=0)
            panel.fill_between(x, quantiles[:, 1], quantiles[:, 3], color=BLUE, alpha=0.25, linewidth=0)
            panel.plot(x, quantiles[:, 2], color=BLUE, linewidth=1.6)
            panel.plot(x, quantiles[:, 5], color=BLUE, linewidth=0.9, linestyle="--")
            panel.axvline(best, color=ORANGE, linewidth=1.2)
            panel.axvline(centre, color=GREEN, linewidth=1.2)
            _places(panel, axis)
            unit = f", {axis.parameter.unit.name}" if axis.parameter.unit.name else ""
            style.heading(panel, f"{label} by {axis.name}{unit}")
        for panel in panels[len(curves) :]:
            panel.set_visible(False)
        return figure


def halves_figure(inside: Floats, outside: Floats, size: FigureSize = WIDE) -> Figure:
    """Return what the winner of one half of the blocks had there, and in the other; Sharpe ratios a year."""
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 3.6))
        axes = figure.subplots()
        style.margins(figure, size, 0, bottom=0.5)
        low = float(min(inside.min(), outside.min()))
        high = float(max(inside.max(), outside.max()))
        counts, x, y = np.histogram2d(inside, outside, bins=60, range=[[low, high], [low, high]])
        shown = np.where(counts.T > 0.0, np.log1p(counts.T), np.nan)
        axes.imshow(
            shown, origin="lower", extent=(x[0], x[-1], y[0], y[-1]), aspect="auto", cmap="Blues", vmin=-1.0
        )
        axes.plot([low, high], [low, high], color=MUTED, linewidth=0.9, linestyle="--")
        axes.axhline(0.0, color=INK, linewidth=0.8)
        axes.set_xlabel("Sharpe ratio in the half that chose")
        axes.set_ylabel("in the other half")
        style.heading(axes, f"{len(inside):,} ways to choose on one half and judge on the other")
        return figure


def choices_figure(
    folds: Sequence[Fold], dates: Days, axes_free: Sequence[Axis], size: FigureSize = WIDE
) -> Figure:
    """Return which value of each parameter the walk-forward held over time."""
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 1.25 * len(axes_free) + 0.6))
        panels = np.atleast_1d(figure.subplots(len(axes_free), 1, sharex=True))
        style.margins(figure, size, 1, bottom=0.4)
        figure.subplots_adjust(hspace=0.6)
        edges = [dates[fold.test[0]] for fold in folds] + [dates[folds[-1].test[1]]]
        when = np.array(edges).astype("datetime64[s]").astype(object)
        for panel, axis in zip(panels, axes_free, strict=True):
            places = [axis.values.index(fold.parameters[axis.name]) for fold in folds]
            panel.step(when, [*places, places[-1]], where="post", color=BLUE, linewidth=1.8)
            panel.set_ylim(-0.5, len(axis.values) - 0.5)
            n = len(axis.values)
            kept = sorted({0, n // 2, n - 1})
            panel.set_yticks(kept, [axis.parameter.text(axis.values[i]) for i in kept])
            style.heading(panel, axis.name)
        style.date_axis(panels[-1], size)
        return figure


def front_figure(
    first: Floats, second: Floats, front: Floats, names: tuple[str, str], size: FigureSize = WIDE
) -> Figure:
    """Return all trials by two objectives, and those that none betters in both."""
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 3.8))
        axes = figure.subplots()
        style.margins(figure, size, 0, bottom=0.5)
        figure.subplots_adjust(left=0.85 / size.width)  # a drawdown's numbers are wide
        counts, x, y = np.histogram2d(first, second, bins=80)
        if len(first) <= _DOTS:
            axes.scatter(first, second, s=8, color=MUTED, alpha=0.5, linewidths=0)
        else:
            shown = np.where(counts.T > 0.0, np.log1p(counts.T), np.nan)
            axes.imshow(
                shown,
                origin="lower",
                extent=(x[0], x[-1], y[0], y[-1]),
                aspect="auto",
                cmap="Greys",
                vmin=-2.0,
            )
        axes.plot(front[:, 0], front[:, 1], color=ORANGE, marker="o", markersize=4, linewidth=1.2)
        # The best of either objective lies at an edge of all trials: leave room for its mark.
        axes.set_xlim(x[0] - 0.03 * (x[-1] - x[0]), x[-1] + 0.03 * (x[-1] - x[0]))
        axes.set_ylim(y[0] - 0.05 * (y[-1] - y[0]), y[-1] + 0.05 * (y[-1] - y[0]))
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
        axes.grid(color=GRID)
        return figure
