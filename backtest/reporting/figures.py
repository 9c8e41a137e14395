"""Figures of one run: functions from its record to a matplotlib figure; they compute no measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from backtest.measures import drawdowns
from backtest.reporting import style
from backtest.reporting.style import STYLE, WIDE, Drawing, FigureSize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from backtest.dates import Floats
    from backtest.records.record import RunRecord
    from backtest.records.seen import Seen
    from backtest.records.sheet import Sheet


FAR = 4.0
"""A value relative to the benchmark that goes so many fold up or down is drawn on a log scale."""


def value_of(returns: Floats) -> Floats:
    """Return the value of 1 after each return, the starting value included."""
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def _tints(record: RunRecord) -> dict[str, str]:
    return {**style.colours([n for n in record.curves() if n != record.name]), record.name: style.INK}


def shade_times(axes: Axes, record: RunRecord) -> None:
    """Shade cuts and recessions, and end the axes with the record."""
    style.shade(axes, record.cuts, style.CUT, alpha=0.8)
    style.shade(axes, record.recessions, style.RECESSION, alpha=0.5)
    axes.set_xlim(record.dates[0].astype(object), record.dates[-1].astype(object))


def held(record: RunRecord) -> dict[str, str]:
    """Return the colour of every sleeve that was held, in the order of the sleeves."""
    tints = style.colours(record.sleeves)
    shown = zip(record.sleeves, record.weights.T, strict=True)
    return {sleeve: tints[sleeve] for sleeve, weights in shown if (weights != 0.0).any()}


def holdings_strip(axes: Axes, record: RunRecord, begin: str = "Held: ") -> None:
    """Fill a strip with what was held at each bar, one colour a sleeve; its heading starts with ``begin``."""
    tints = held(record)
    weights = record.weights[:, [record.sleeves.index(sleeve) for sleeve in tints]]
    # A stretch of the same weights is one area: a century of days is a few of them.
    changes = np.flatnonzero(np.r_[True, (np.abs(np.diff(weights, axis=0)) > 2e-3).any(axis=1)])
    dates = record.dates[np.r_[changes, len(weights)]].astype("datetime64[s]").astype(object)
    rows = np.vstack([weights[changes], weights[-1:]])
    axes.stackplot(
        dates,
        rows.T,
        colors=list(tints.values()),
        step="post",
        linewidth=0,
    )
    axes.set(ylim=(0.0, 1.0), yticks=[])
    axes.grid(visible=False)
    axes.set_xlim(record.dates[0].astype(object), record.dates[-1].astype(object))
    shares = weights.mean(axis=0)
    words = ", ".join(f"{sleeve} {share:.0%}" for sleeve, share in zip(tints, shares, strict=True))
    style.heading(axes, f"{begin}{words} of the time")


MOST_SEEN = 6
"""Panels of what a strategy saw; what more there is stands in its rule."""


def seen_figure(sheet: Sheet, size: FigureSize = WIDE) -> Figure:
    """Return each level that was held against a threshold, with it, the events, and what was held."""
    record, shown = sheet.record, sheet.seen[:MOST_SEEN]
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 0.75 + 1.55 * len(shown)))
        heights = [2.0] * len(shown) + [0.45]
        *panels, strip = figure.subplots(len(shown) + 1, 1, sharex=True, height_ratios=heights)
        style.margins(figure, size, 0, top=0.32)
        figure.subplots_adjust(hspace=0.55)
        for axes, one in zip(panels, shown, strict=True):
            if np.isfinite(one.values).any():
                style.draw(axes, record.dates, one.values, size, color=style.INK, linewidth=1.1)
            for other in one.against:
                style.draw(axes, record.dates, other[1], size, color=style.MUTED, linewidth=1.0)
            for threshold in one.thresholds:
                axes.axhline(threshold, color="#d55e00", linewidth=0.9, linestyle="--")
            for day in one.events if one.events is not None else ():
                axes.axvline(day.astype(object), color="#d55e00", linewidth=0.9)
            style.heading(axes, seen_text(one))
            shade_times(axes, record)
        holdings_strip(strip, record)
        style.date_axis(strip, size)
    return figure


def seen_text(one: Seen) -> str:
    """Return what a panel shows: the level with its unit, what it was held against, how many events."""
    unit = f", {one.unit}" if one.unit else ""
    parts = [f"{one.label}{unit}"]
    if one.thresholds:
        parts.append("held against " + " and ".join(f"{t:g}" for t in one.thresholds))
    if one.against:
        parts.append("held against " + " and ".join(label for label, _ in one.against) + " (grey)")
    if one.events is not None:
        parts.append(f"{len(one.events)} event{'' if len(one.events) == 1 else 's'}")
    return "; ".join(parts)


def growth_figure(record: RunRecord, size: FigureSize = WIDE) -> Figure:
    """Return growth of 1 (log scale), the value relative to the benchmark, and the holdings."""
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 5.9 if size is WIDE else 5.4))
        growth, relative, strip = figure.subplots(3, 1, sharex=True, height_ratios=[5.0, 2.2, 0.45])
        curves, tints = record.curves(), _tints(record)
        style.margins(figure, size, style.names_width(list(curves)), top=0.32)
        figure.subplots_adjust(hspace=0.28)
        ends = {}
        for name, returns in curves.items():
            value = value_of(returns)
            ends[name] = float(value[-1])
            width = 1.5 if name == record.name else 0.9
            style.draw(growth, record.dates, value, size, color=tints[name], linewidth=width)
        style.log_axis(growth)
        proxy = " (proxy series)" if record.document.proxy else ""
        style.heading(growth, f"Growth of 1, log scale{proxy}")
        against = value_of(record.returns) / value_of(record.sleeve(record.benchmark))
        style.draw(relative, record.dates, against, size, color=style.INK, linewidth=1.2)
        relative.axhline(1.0, color=style.MUTED, linewidth=0.8)
        if against.max() / against.min() > FAR:
            style.log_axis(relative)
        style.heading(relative, f"Value relative to {record.benchmark}: rising is ahead")
        for axes in (growth, relative):
            shade_times(axes, record)
        holdings_strip(strip, record)
        style.date_axis(strip, size)
        style.label_ends(growth, ends, tints, bold=record.name)
    return figure


def drawdown_figure(record: RunRecord, size: FigureSize = WIDE) -> Figure:
    """Return the fall from the highest value so far, of the strategy and of its benchmark, in percent."""
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 2.5))
        axes = figure.subplots()
        tints = _tints(record)
        pair = {record.benchmark: record.sleeve(record.benchmark), record.name: record.returns}
        style.margins(figure, size, style.names_width(list(pair)))
        ends = {}
        for name, returns in pair.items():
            falls = 100.0 * drawdowns(returns)
            ends[name] = float(falls[-1])
            width = 1.3 if name == record.name else 0.9
            style.draw(axes, record.dates, falls, size, color=tints[name], linewidth=width)
        style.heading(axes, "Fall from the highest value so far, %")
        shade_times(axes, record)
        style.date_axis(axes, size)
        axes.set_ylim(top=0.0)
        style.label_ends(axes, ends, tints, bold=record.name)
    return figure


def rolling_figure(sheet: Sheet, size: FigureSize = WIDE) -> Figure:
    """Return compound growth, volatility, alpha and beta over a moving window; empty where it never fills."""
    record, rolled = sheet.record, sheet.rolling
    years = f"{sheet.window / record.ppy:.0f} years"
    panels = (
        (rolled.cagr, 100.0, f"Return a year over the {years} before, %", 0.0),
        (rolled.volatility, 100.0, "Volatility a year, %", None),
        (rolled.alpha, 100.0, f"Alpha a year against {record.benchmark}, %", 0.0),
        (rolled.beta, 1.0, f"Beta to {record.benchmark}", 1.0),
    )
    with mpl.rc_context(STYLE):
        wide = size is WIDE
        figure = Drawing(figsize=(size.width, 4.4 if wide else 6.6))
        grid = figure.subplots(2 if wide else 4, 2 if wide else 1, sharex=True, squeeze=False)
        style.margins(figure, size, 0)
        figure.subplots_adjust(hspace=0.3 if wide else 0.42, wspace=0.16)
        dates = record.dates[sheet.window :]
        for axes, (values, scale, text, line) in zip(grid.flat, panels, strict=True):
            if len(values):
                style.draw(axes, dates, scale * values, size, color=style.INK, linewidth=1.1)
            if line is not None:
                axes.axhline(line, color=style.MUTED, linewidth=0.8)
            style.heading(axes, text)
            shade_times(axes, record)
            style.date_axis(axes, size)
    return figure


def years_figure(sheet: Sheet, size: FigureSize = WIDE) -> Figure:
    """Return the calendar years: the strategy's return and its difference from the benchmark's."""
    record = sheet.record
    years, returns = sheet.years
    numbers = years.astype(int) + 1970
    difference = 100.0 * (returns[:, 0] - returns[:, 1])
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 3.6))
        own, apart = figure.subplots(2, 1, sharex=True)
        style.margins(figure, size, 0)
        figure.subplots_adjust(hspace=0.3)
        own.bar(numbers, 100.0 * returns[:, 0], color=style.MUTED, width=0.8, linewidth=0)
        style.heading(own, f"{record.name} by calendar year, %")
        ahead = np.where(difference >= 0.0, "#0072b2", "#d55e00").tolist()
        apart.bar(numbers, difference, color=ahead, width=0.8, linewidth=0)
        style.heading(apart, f"Less {record.benchmark}, percentage points")
        own.set_xlim(numbers[0] - 0.7, numbers[-1] + 0.7)
        for axes in (own, apart):
            axes.axhline(0.0, color=style.MUTED, linewidth=0.8)
            axes.grid(visible=False, axis="x")
    return figure


def card_figure(record: RunRecord) -> Figure:
    """Return growth of 1, drawdowns and holdings in one figure, for the gallery."""
    with mpl.rc_context(STYLE):
        size = WIDE
        figure = Drawing(figsize=(size.width, 5.2))
        growth, falls, strip = figure.subplots(3, 1, sharex=True, height_ratios=[5.0, 2.0, 0.45])
        curves, tints = record.curves(), _tints(record)
        style.margins(figure, size, style.names_width(list(curves)), top=0.6)
        figure.subplots_adjust(hspace=0.3)
        ends = {}
        for name, returns in curves.items():
            value = value_of(returns)
            ends[name] = float(value[-1])
            width = 1.5 if name == record.name else 0.9
            style.draw(growth, record.dates, value, size, color=tints[name], linewidth=width)
            if name in (record.name, record.benchmark):
                fall = 100.0 * drawdowns(returns)
                style.draw(falls, record.dates, fall, size, color=tints[name], linewidth=width)
        style.log_axis(growth)
        proxy = "; proxy series" if record.document.proxy else ""
        where = f"{record.document.market}{proxy}, {record.dates[0]} to {record.dates[-1]}"
        figure.text(0.012, 0.955, record.name, fontweight="bold", fontsize=11)
        figure.text(0.988, 0.955, where, fontsize=8.5, color=style.MUTED, ha="right")
        style.heading(growth, "Growth of 1, log scale")
        style.heading(falls, "Fall from the highest value so far, %")
        falls.set_ylim(top=0.0)
        for axes in (growth, falls):
            shade_times(axes, record)
        holdings_strip(strip, record)
        style.date_axis(strip, size)
        style.label_ends(growth, ends, tints, bold=record.name)
    return figure
