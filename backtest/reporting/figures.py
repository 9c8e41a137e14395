"""Figures: functions from a result to a matplotlib figure; they neither compute measures nor show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from backtest.analysis.cycles import cutting_cycles
from backtest.analysis.measures import drawdowns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.runs import Result

# Okabe and Ito's palette, which the colour-blind can tell apart.
_COLOURS = {"large": "#0072B2", "small": "#E69F00", "market": "#777777", "cash": "#009E73"}
_STRATEGY = "#000000"
_OTHERS = ("#CC79A7", "#56B4E9", "#D55E00", "#F0E442")

STYLE: Any = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
}


def _colours(names: list[str]) -> dict[str, str]:
    spare = iter(_OTHERS)
    return {name: _COLOURS.get(name) or next(spare, "#333333") for name in names}


def _label_ends(axes: Axes, ends: dict[str, float], colours: dict[str, str]) -> None:
    """Write each line's name beside its end, moved apart where two would overlap."""
    gap = 0.055  # of the axes' height: a line of text
    to_axes = axes.transData + axes.transAxes.inverted()
    names = sorted(ends, key=ends.__getitem__)
    heights = [float(to_axes.transform((0.0, ends[name]))[1]) for name in names]
    for i in range(1, len(names)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    heights[-1] = min(heights[-1], 1.0)
    for i in range(len(names) - 2, -1, -1):
        heights[i] = min(heights[i], heights[i + 1] - gap)
    for name, height in zip(names, heights, strict=True):
        axes.annotate(
            name,
            (1.01, height),
            xycoords="axes fraction",
            color=colours[name],
            va="center",
            fontweight="bold" if colours[name] == _STRATEGY else "normal",
            annotation_clip=False,
        )


def _shade_cuts(axes: Axes, result: Result) -> None:
    policy = result.market.policy
    if policy is None:
        return
    target = result.market.observations[policy]
    first, last = result.equity.index[0], result.equity.index[-1]
    for begin, end in cutting_cycles(target.known_at, target.values):
        left, right = max(pd.Timestamp(begin), first), min(pd.Timestamp(end), last)
        if left <= right and pd.Timestamp(end) >= first:
            # A single cut is a moment; a month makes it visible.
            right = max(right, left + pd.Timedelta(days=30))
            axes.axvspan(left, right, color="#d9e6f2", linewidth=0, zorder=0)


def equity_figure(result: Result) -> Figure:
    """Return growth of 1 (log scale), drawdowns and holdings of a run, with cutting cycles shaded."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 7.0), layout="constrained")
        growth, falls, strip = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [6.0, 2.5, 0.5]}
        )
        name = result.strategy.name
        colours = {**_colours(list(result.benchmark_returns.columns)), name: _STRATEGY}
        lines = {str(n): column.to_numpy() for n, column in result.benchmark_returns.items()}
        lines[name] = result.returns.to_numpy()
        dates = result.equity.index

        for label, returns in lines.items():
            width = 1.6 if label == name else 0.9
            value = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
            growth.plot(dates, value, color=colours[label], linewidth=width)
            if label in (name, result.benchmark):
                falls.plot(dates, 100.0 * drawdowns(returns), color=colours[label], linewidth=width)
        growth.set_yscale("log")
        growth.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        growth.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        growth.yaxis.set_minor_formatter(NullFormatter())
        growth.set_ylabel("growth of 1 (log scale)")
        falls.set_ylabel("drawdown, %")
        figure.suptitle(
            f"{name} on {result.market.name}, {result.start} to {result.end}",
            x=0.06,
            ha="left",
            fontweight="bold",
        )
        note = "shaded: the Fed cutting, from the first to the last cut without a rise between"
        if result.market.proxy:
            note = f"proxy: {result.market.proxy}\n{note}"
        growth.set_title(note, loc="left", fontsize=7.5, color="#555555")

        held = result.weights.loc[:, (result.weights != 0.0).any()]
        tints = _colours(list(held.columns))
        strip.stackplot(
            np.r_[dates[:1], held.index],
            np.vstack([held.to_numpy()[:1], held.to_numpy()]).T,
            colors=[tints[sleeve] for sleeve in held.columns],
            step="pre",
            linewidth=0,
        )
        strip.set(ylim=(0.0, 1.0), yticks=[], ylabel="held")
        strip.grid(visible=False)
        for axes in (growth, falls):
            _shade_cuts(axes, result)
        growth.set_xlim(dates[0], dates[-1])
        _label_ends(growth, {n: float(np.prod(1.0 + r)) for n, r in lines.items()}, colours)
    return figure
