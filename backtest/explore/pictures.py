"""Pictures of a position: growth, value against the benchmark, falls, what was seen and what was held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backtest.measures import drawdowns, growth_of
from backtest.reporting.chart import ONE, Chart, Curve, Plot, Shade
from backtest.reporting.figures import FALLS, FAR, holdings, seen_plots
from backtest.reporting.palette import CUT, INK, RECESSION, colours
from backtest.reporting.scales import Dates
from backtest.rules.seen import seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtest.explore.follower import Glimpse
    from backtest.records.shading import Spans

SHOWS = "Growth beside the benchmarks, value against the benchmark, falls, what was seen, and what was held"
"""What the figure shows, in words."""


def picture(glimpses: Sequence[Glimpse], cuts: Spans, recessions: Spans, *, linear: bool) -> Chart:
    """Return everything that is drawn of a position, over the dates that all its strategies share.

    ``cuts`` and ``recessions`` are shaded.
    """
    first = glimpses[0]
    dates, step = first.bars.dates, "month" if first.placement.market.frequency == "monthly" else "day"
    shades = (Shade(CUT, 0.8, cuts), Shade(RECESSION, 0.5, recessions))
    plots = (*_values(glimpses, linear=linear), *_seen(glimpses), *_held(glimpses))
    return Chart("position", Dates(dates, step), plots, SHOWS, "", shades)


def _values(glimpses: Sequence[Glimpse], *, linear: bool) -> Iterator[Plot]:
    bars, versus, names = glimpses[0].bars, glimpses[0].benchmark, glimpses[0].placement.names
    others = [name for name in names if name not in {each.name for each in glimpses}]
    tints = {**colours([*others, *(each.name for each in glimpses[1:])]), glimpses[0].name: INK}
    beside = {name: bars.earned(name) for name in others}
    own = {each.name: each.path.returns for each in glimpses}
    growth = [Curve(name, growth_of(returns), tints[name], width=1.0) for name, returns in beside.items()]
    growth += [Curve(name, growth_of(returns), tints[name], width=1.6) for name, returns in own.items()]
    scale = "linear" if linear else "log"
    yield Plot(f"Growth of 1, {scale} scale", tuple(growth), 240, log=not linear, named=True)
    benchmark = growth_of(bars.earned(versus))
    against = [Curve(name, growth_of(returns) / benchmark, tints[name]) for name, returns in own.items()]
    far = any(curve.values.max() / curve.values.min() > FAR for curve in against)
    yield Plot(f"Value relative to {versus}: rising is ahead", tuple(against), 100, log=far, lines=(ONE,))
    pair = {**({versus: beside[versus]} if versus in beside else {}), **own}
    fallen = (Curve(name, 100.0 * drawdowns(returns), tints[name]) for name, returns in pair.items())
    yield Plot(FALLS, tuple(fallen), 100, top=0.0, unit="%", named=True)


def _seen(glimpses: Sequence[Glimpse]) -> Iterator[Plot]:
    for each in glimpses:
        for plot in seen_plots(seen(each.ruling, each.bars.dates)):
            several = len(glimpses) > 1
            yield replace(plot, heading=f"{each.name}: {plot.heading}", height=80) if several else plot


def _held(glimpses: Sequence[Glimpse]) -> Iterator[Plot]:
    for each in glimpses:
        begin = "Held: " if len(glimpses) == 1 else f"{each.name}: "
        yield holdings(each.bars.sleeves, each.path.weights, begin)
