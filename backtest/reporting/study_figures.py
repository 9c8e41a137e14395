"""Figures of studies: from a picture's numbers to a matplotlib figure; they compute nothing."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from backtest.reporting import style
from backtest.reporting.blocks import WIDE, FigureSize
from backtest.reporting.palette import INK, MUTED, colours
from backtest.reporting.style import STYLE, Drawing
from backtest.studies.findings import Curves, Dots, Fan, History, Paths, Picture, Scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from backtest.dates import Ints

_BLUE, _ORANGE = "#0072b2", "#d55e00"


def _frame(size: FigureSize, height: float) -> tuple[Figure, Axes]:
    figure = Drawing(figsize=(size.width, height))
    return figure, figure.subplots()


_FEW = 4  # cases up to which none of them is unusual
_FAR = 3.0  # times the usual distance from 0, from which on a case is no part of the scale


def _scale(axes: Axes, picture: Paths) -> None:
    """Keep one case that went far off from making all others small; say which it is and where it went."""
    if len(picture.cases) <= _FEW:
        return
    known = np.where(np.isfinite(picture.cases), picture.cases, 0.0)
    reach = np.abs(known).max(axis=1, initial=0.0)
    off: Ints = np.flatnonzero(reach > _FAR * np.median(reach))
    if len(off) == 0:
        return
    near = np.delete(known, off, axis=0)
    low, high = float(near.min(initial=0.0)), float(near.max(initial=0.0))
    room = 0.08 * (high - low)
    axes.set_ylim(low - room, high + room)
    ends = (f"{known[i, np.abs(known[i]).argmax()]:+.0f}".replace("-", "\u2212") for i in off)
    said = ", ".join(f"{picture.labels[i]} to {end}" for i, end in zip(off, ends, strict=True))
    axes.annotate(
        f"beyond the scale: {said}",
        (0.99, 0.97),
        xycoords="axes fraction",
        ha="right",
        va="top",
        color=_BLUE,
        fontsize=8.5,
    )


def _finish(figure: Figure, *, left: float = 0.62, right: float = 0.15, top: float = 0.32) -> None:
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, top=1 - top / height, bottom=0.5 / height
    )


def _paths(picture: Paths, size: FigureSize) -> Figure:
    figure, axes = _frame(size, 3.9 * size.height)
    for path in picture.cases:
        axes.plot(picture.months, path, color=_BLUE, linewidth=0.7, alpha=0.45)
    whole = np.isfinite(picture.cases)
    counts = whole.sum(axis=0)
    total = np.where(whole, picture.cases, 0.0).sum(axis=0)
    mean = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    full = counts == counts.max(initial=0)
    axes.plot(picture.months, mean, color=INK, linewidth=1.4, linestyle="--")
    axes.plot(picture.months, np.where(full, mean, np.nan), color=INK, linewidth=2.4)
    _scale(axes, picture)
    _from_the_case(axes, picture)
    _finish(figure)
    return figure


def _from_the_case(axes: Axes, picture: Paths | Fan) -> None:
    axes.axhline(0.0, color=MUTED, linewidth=0.8)
    axes.axvline(0.0, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_xticks(np.arange(-36, 37, 12))
    axes.set_xlim(picture.months[0], picture.months[-1])
    axes.set_xlabel("months from the case")
    style.heading(axes, picture.ylabel)


def _fan(picture: Fan, size: FigureSize) -> Figure:
    figure, axes = _frame(size, 3.9 * size.height)
    axes.plot(picture.months, picture.members.T, color=_BLUE, linewidth=0.6, alpha=0.45)
    axes.plot(picture.months, picture.episodes.T, color=_ORANGE, linewidth=1.0, alpha=0.6)
    axes.plot(picture.months, picture.mean, color=INK, linewidth=2.6)
    _from_the_case(axes, picture)
    _finish(figure)
    return figure


def _dots(picture: Dots, size: FigureSize) -> Figure:
    n = len(picture.labels)
    figure, axes = _frame(size, 0.9 + (0.25 if size.height == 1.0 else 0.18) * n)
    rows = np.arange(n)[::-1]
    axes.axvline(picture.reference, color=MUTED, linewidth=0.9)
    axes.hlines(rows, picture.lows, picture.highs, color=_BLUE, linewidth=1.6)
    axes.plot(picture.values, rows, "o", color=_BLUE, markersize=5)
    axes.set_yticks(rows, picture.labels)
    axes.set_ylim(-0.7, n - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("\n".join(textwrap.wrap(picture.xlabel, int(11 * size.width))), loc="right")
    letters = max(map(len, picture.labels), default=0)
    _finish(figure, left=0.25 + 0.073 * letters, top=0.12)
    return figure


def _scatter(picture: Scatter, size: FigureSize) -> Figure:
    figure, axes = _frame(size, 3.9 * size.height)
    axes.plot(picture.x, picture.y, ".", color=_BLUE, markersize=3, alpha=0.5)
    ends = np.array([picture.x.min(), picture.x.max()]) if len(picture.x) else np.array([0.0, 1.0])
    axes.plot(ends, picture.intercept + picture.slope * ends, color=INK, linewidth=1.6)
    axes.axhline(0.0, color=MUTED, linewidth=0.8)
    if np.isfinite(picture.now):
        axes.axvline(picture.now, color=_ORANGE, linewidth=1.2)
        axes.annotate(
            "now",
            (picture.now, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -9),
            textcoords="offset points",
            color=_ORANGE,
            fontsize=8.5,
        )
    axes.set_xlabel(picture.xlabel)
    style.heading(axes, picture.ylabel)
    _finish(figure)
    return figure


def _history(picture: History, size: FigureSize) -> Figure:
    figure, axes = _frame(size, 3.3 * size.height)
    style.draw(axes, picture.dates, picture.values, size, color=_BLUE, linewidth=1.1)
    last = picture.values[-1]
    axes.axhline(last, color=_ORANGE, linewidth=0.9, linestyle="--")
    axes.plot(picture.dates[-1:].astype(object), [last], "o", color=_ORANGE, markersize=5)
    axes.set_xlim(picture.dates[0].astype(object), picture.dates[-1].astype(object))
    style.date_axis(axes, size)
    style.heading(axes, f"{picture.ylabel}; the last value dashed")
    _finish(figure)
    return figure


def _curves(picture: Curves, size: FigureSize) -> Figure:
    figure, axes = _frame(size, 3.3 * size.height)
    tints = colours(picture.lines)
    for name, values in picture.lines.items():
        axes.plot(picture.x, values, color=tints[name], linewidth=1.6)
    for x, y, name in picture.marks:
        axes.plot([x], [y], "o", color=_ORANGE, markersize=6)
        axes.annotate(name, (x, y), xytext=(7, 5), textcoords="offset points", fontsize=9)
    if picture.log_x:
        axes.set_xscale("log")
    axes.set_xlim(picture.x[0], picture.x[-1])
    axes.set_xlabel(picture.xlabel)
    style.heading(axes, picture.ylabel)
    several = len(picture.lines) > 1
    _finish(figure, right=0.65 if several else 0.15)
    if several:
        style.label_ends(axes, {n: float(v[-1]) for n, v in picture.lines.items()}, tints)
    return figure


def study_figure(picture: Picture, size: FigureSize = WIDE) -> Figure:
    """Return the picture of a finding."""
    with mpl.rc_context(STYLE):
        if isinstance(picture, Paths):
            return _paths(picture, size)
        if isinstance(picture, Dots):
            return _dots(picture, size)
        if isinstance(picture, Scatter):
            return _scatter(picture, size)
        if isinstance(picture, History):
            return _history(picture, size)
        if isinstance(picture, Fan):
            return _fan(picture, size)
        return _curves(picture, size)
