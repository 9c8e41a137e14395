"""Figures of one run: from its record to charts, which say what to draw; they compute no measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.measures import drawdowns, growth_of
from backtest.reporting.chart import ONE, ZERO, Chart, Curve, Line, Plot, Shade
from backtest.reporting.palette import BLUE, CUT, INK, MUTED, ORANGE, RECESSION, colours
from backtest.reporting.scales import Dates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtest.dates import Floats
    from backtest.records.record import RunRecord
    from backtest.records.sheet import Sheet
    from backtest.reporting.blocks import Said
    from backtest.rules.seen import Seen

FAR = 4.0
"""A value relative to the benchmark that goes so many fold up or down is drawn on a log scale."""

FALLS = "Fall from the highest value so far, %"


def shades(record: RunRecord) -> tuple[Shade, ...]:
    """Return what is shaded in every figure of a record."""
    return Shade(CUT, 0.8, record.cuts), Shade(RECESSION, 0.5, record.recessions)


def over(record: RunRecord) -> Dates:
    """Return the dates of a record, from left to right."""
    return Dates(record.dates, "month" if record.frequency == "monthly" else "day")


def _curves(record: RunRecord) -> dict[str, Curve]:
    """Return growth of 1 of every benchmark, and of the strategy last."""
    returns = record.curves()
    tints = {**colours([name for name in returns if name != record.name]), record.name: INK}
    width = {record.name: 1.6}
    return {n: Curve(n, growth_of(r), tints[n], width=width.get(n, 1.0)) for n, r in returns.items()}


def holdings(sleeves: Sequence[str], weights: Floats, begin: str = "Held: ", height: int = 20) -> Plot:
    """Return what was held from each date to the next, (n, n_sleeves); the heading starts with ``begin``."""
    tints = colours(sleeves)
    held = {s: w for s, w in zip(sleeves, weights.T, strict=True) if (w != 0.0).any()}
    words = ", ".join(f"{sleeve} {weights.mean():.0%}" for sleeve, weights in held.items())
    # What was held until the last date is said of that date too.
    curves = (Curve(sleeve, np.r_[weights, weights[-1]], tints[sleeve]) for sleeve, weights in held.items())
    return Plot(f"{begin}{words} of the time", tuple(curves), height, "held")


def growth(record: RunRecord, caption: Said = "") -> Chart:
    """Return growth of 1 (log scale), the value relative to the benchmark, and the holdings."""
    curves = _curves(record)
    against = growth_of(record.returns) / growth_of(record.sleeve(record.benchmark))
    far = bool(against.max() / against.min() > FAR)
    proxy = " (proxy series)" if record.document.proxy else ""
    relative = f"Value relative to {record.benchmark}: rising is ahead"
    plots = (
        Plot(f"Growth of 1, log scale{proxy}", tuple(curves.values()), 270, log=True, named=True),
        Plot(relative, (Curve(record.name, against),), log=far, lines=(ONE,)),
        holdings(record.sleeves, record.weights),
    )
    shows = "Growth of 1 beside the benchmarks, the value relative to the benchmark, and the holdings"
    return Chart("growth", over(record), plots, shows, caption, shades(record))


def falls(record: RunRecord) -> Chart:
    """Return the fall from the highest value so far, of the strategy and of its benchmark, in percent."""
    returns, curves = record.curves(), _curves(record)
    pair = (curves[name] for name in curves if name in (record.name, record.benchmark))
    fallen = (replace(curve, values=100.0 * drawdowns(returns[curve.name])) for curve in pair)
    plot = Plot(FALLS, tuple(fallen), 150, top=0.0, unit="%", named=True)
    shows = "Drawdowns of the strategy and its benchmark"
    return Chart("drawdown", over(record), (plot,), shows, "", shades(record))


def rolling(sheet: Sheet, caption: Said = "") -> Chart:
    """Return compound growth, volatility, alpha and beta over a moving window; empty where it never fills."""
    record, rolled = sheet.record, sheet.rolling
    years = f"{sheet.window / record.ppy:.0f} years"
    each = (
        (100.0 * rolled.cagr, f"Return a year over the {years} before, %", (ZERO,), "%"),
        (100.0 * rolled.volatility, "Volatility a year, %", (), "%"),
        (100.0 * rolled.alpha, f"Alpha a year against {record.benchmark}, %", (ZERO,), "%"),
        (rolled.beta, f"Beta to {record.benchmark}", (ONE,), ""),
    )
    n = len(record.dates)
    missing = np.full(min(sheet.window, n), np.nan)
    plots = []
    for values, text, lines, unit in each:
        curve = Curve(record.name, np.r_[missing, values][:n])
        plots.append(Plot(text, (curve,) if len(values) else (), lines=lines, unit=unit))
    shows = "Return, volatility, alpha and beta over a moving window"
    return Chart("rolling", over(record), tuple(plots), shows, caption, shades(record), columns=2)


def years(sheet: Sheet) -> Chart:
    """Return the calendar years: the strategy's return and its difference from the benchmark's."""
    record = sheet.record
    dates, returns = sheet.years
    less = 100.0 * (returns[:, 0] - returns[:, 1])
    ahead, behind = np.where(less >= 0.0, less, np.nan), np.where(less < 0.0, less, np.nan)
    name = f"less {record.benchmark}"
    own = (Curve(record.name, 100.0 * returns[:, 0], MUTED),)
    apart = Curve(name, ahead, BLUE), Curve(name, behind, ORANGE)
    plots = (
        Plot(f"{record.name} by calendar year, %", own, 110, "bars", lines=(ZERO,), unit="%"),
        Plot(f"Less {record.benchmark}, percentage points", apart, 110, "bars", lines=(ZERO,)),
    )
    return Chart(
        "years",
        Dates(dates.astype("datetime64[D]"), "year"),
        plots,
        "Returns by calendar year, and their difference from the benchmark's",
        "The first and the last year may be a part of one.",
    )


MOST_SEEN = 6
"""Plots of what a strategy saw; what more there is stands in its rule."""

SAW = "What the strategy saw: each level with the thresholds it was held against, events, holdings"
"""What the first picture shows."""


def seen(sheet: Sheet, caption: Said = "") -> Chart:
    """Return each level that was held against a threshold, with it, the events, and what was held."""
    record = sheet.record
    every = (*seen_plots(sheet.seen), holdings(record.sleeves, record.weights))
    return Chart("seen", over(record), every, SAW, caption, shades(record))


def seen_plots(saw: Sequence[Seen]) -> Iterator[Plot]:
    """Give a plot for each of what a strategy saw, ``MOST_SEEN`` at most."""
    for one in saw[:MOST_SEEN]:
        against = (Curve(label, values, MUTED) for label, values in one.against)
        own = [Curve(one.label, one.values)] if np.isfinite(one.values).any() else []
        lines = [Line(one.thresholds, ORANGE, "--")] if one.thresholds else []
        lines += [] if one.events is None else [Line(one.events, ORANGE, upright=True)]
        yield Plot(seen_text(one), (*against, *own), 110, lines=tuple(lines))


def seen_text(one: Seen) -> str:
    """Return what a plot shows: the level with its unit, what it was held against, how many events."""
    unit = f", {one.unit}" if one.unit else ""
    parts = [f"{one.label}{unit}"]
    if one.thresholds:
        parts.append("held against " + " and ".join(f"{t:g}" for t in one.thresholds))
    if one.against:
        parts.append("held against " + " and ".join(label for label, _ in one.against) + " (grey)")
    if one.events is not None:
        parts.append(f"{len(one.events)} event{'' if len(one.events) == 1 else 's'}")
    return "; ".join(parts)


def card(record: RunRecord) -> Chart:
    """Return growth of 1, drawdowns and holdings in one, for the gallery."""
    first = growth(record).plots[0]
    fall = replace(falls(record).plots[0], height=110, named=False)
    plots = (first, fall, holdings(record.sleeves, record.weights))
    return Chart("card", over(record), plots, "", "", shades(record))
