"""Figures of one run: from its record to charts, which say what to draw; they compute no measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.measures import drawdowns, growth_of
from backtest.reporting.chart import ONE, ZERO, Chart, Curve, Line, Plot, Shade
from backtest.reporting.palette import BLUE, CUT, INK, MUTED, ORANGE, RECESSION, colours
from backtest.reporting.scales import Dates
from backtest.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backtest.dates import Days, Floats
    from backtest.records.record import RunRecord
    from backtest.records.shading import Spans
    from backtest.records.sheet import Sheet
    from backtest.reporting.blocks import Said
    from backtest.rules.seen import Seen

FAR = 4.0
"""A value relative to the benchmark that goes so many fold up or down is drawn on a log scale."""


def shades(cuts: Spans, recessions: Spans) -> tuple[Shade, ...]:
    """Return the spans of cuts and of recessions as every figure shades them."""
    return Shade(CUT, 0.8, cuts), Shade(RECESSION, 0.5, recessions)


def over(dates: Days, frequency: str) -> Dates:
    """Return the dates of bars, from left to right."""
    return Dates(dates, "month" if frequency == "monthly" else "day")


def chart_of(
    record: RunRecord, name: str, plots: tuple[Plot, ...], shows: str, caption: Said = "", columns: int = 1
) -> Chart:
    """Return plots over the dates of a record, shaded as they all are."""
    across, spans = over(record.dates, record.frequency), shades(record.cuts, record.recessions)
    return Chart(name, across, plots, shows, caption, spans, columns)


def curves_of(own: Mapping[str, Floats], others: Mapping[str, Floats]) -> list[Curve]:
    """Return curves of (n,) returns by name: ``others`` thin, then ``own`` thick, the first of it in ink."""
    first, *more = own
    tints = {**colours([*others, *more]), first: INK}
    every = {**others, **own}
    return [Curve(n, r, tints[n], width=1.6 if n in own else 1.0) for n, r in every.items()]


def grown(curves: Iterable[Curve], height: int, scale: str = "log", note: str = "") -> Plot:
    """Return growth of 1 of curves of returns; ``note`` ends the heading."""
    drawn = tuple(replace(curve, values=growth_of(curve.values)) for curve in curves)
    return Plot(f"Growth of 1, {scale} scale{note}", drawn, height, log=scale == "log", named=True)


def relative(curves: Iterable[Curve], benchmark: str, returns: Floats, height: int) -> Plot:
    """Return the values of curves of returns relative to that of a benchmark."""
    versus = growth_of(returns)
    drawn = [replace(each, values=growth_of(each.values) / versus, width=Curve.width) for each in curves]
    far = any(bool(curve.values.max() / curve.values.min() > FAR) for curve in drawn)
    return Plot(
        f"Value relative to {benchmark}: rising is ahead", tuple(drawn), height, log=far, lines=(ONE,)
    )


def fallen(curves: Iterable[Curve], height: int) -> Plot:
    """Return the falls of curves of returns from their highest value so far, in percent."""
    drawn = tuple(replace(curve, values=100.0 * drawdowns(curve.values)) for curve in curves)
    return Plot("Fall from the highest value so far, %", drawn, height, top=0.0, unit="%", named=True)


def _curves(record: RunRecord) -> list[Curve]:
    """Return the returns of every benchmark, and of the strategy last."""
    others = record.curves()
    return curves_of({record.name: others.pop(record.name)}, others)


def holdings(sleeves: Sequence[str], weights: Floats, begin: str = "Held: ") -> Plot:
    """Return what was held from each date to the next, (n, n_sleeves); the heading starts with ``begin``."""
    tints = colours(sleeves)
    held = {s: w for s, w in zip(sleeves, weights.T, strict=True) if (w != 0.0).any()}
    words = ", ".join(f"{sleeve} {weights.mean():.0%}" for sleeve, weights in held.items())
    # What was held until the last date is said of that date too.
    curves = (Curve(sleeve, np.r_[weights, weights[-1]], tints[sleeve]) for sleeve, weights in held.items())
    return Plot(f"{begin}{words} of the time", tuple(curves), 20, "held")


def growth(record: RunRecord, caption: Said = "") -> Chart:
    """Return growth of 1 (log scale), the value relative to the benchmark, and the holdings."""
    curves = _curves(record)
    proxy = " (proxy series)" if record.document.proxy else ""
    plots = (
        grown(curves, 270, note=proxy),
        relative(curves[-1:], record.benchmark, record.sleeve(record.benchmark), 120),
        holdings(record.sleeves, record.weights),
    )
    shows = "Growth of 1 beside the benchmarks, the value relative to the benchmark, and the holdings"
    return chart_of(record, "growth", plots, shows, caption)


def falls(record: RunRecord) -> Chart:
    """Return the fall from the highest value so far, of the strategy and of its benchmark, in percent."""
    pair = (curve for curve in _curves(record) if curve.name in (record.name, record.benchmark))
    shows = "Drawdowns of the strategy and its benchmark"
    return chart_of(record, "drawdown", (fallen(pair, 150),), shows)


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
    return chart_of(record, "rolling", tuple(plots), shows, caption, columns=2)


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
    return chart_of(record, "seen", every, SAW, caption)


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
        parts.append(counted(len(one.events), "event"))
    return "; ".join(parts)


def card(record: RunRecord) -> Chart:
    """Return growth of 1, drawdowns and holdings in one, for the gallery."""
    first = growth(record).plots[0]
    fall = replace(falls(record).plots[0], height=110, named=False)
    plots = (first, fall, holdings(record.sleeves, record.weights))
    return chart_of(record, "card", plots, "")
