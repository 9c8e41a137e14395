"""Pictures of a position: growth, value against the benchmark, falls, what was seen and what was held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backtest.reporting import figures
from backtest.reporting.chart import Chart, Curve, Plot
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
    across = figures.over(first.bars.dates, first.placement.market.frequency)
    plots = (*_values(glimpses, linear=linear), *_seen(glimpses), *_held(glimpses))
    return Chart("position", across, plots, SHOWS, "", figures.shades(cuts, recessions))


def _values(glimpses: Sequence[Glimpse], *, linear: bool) -> Iterator[Plot]:
    bars, versus, names = glimpses[0].bars, glimpses[0].benchmark, glimpses[0].placement.names
    own = {each.name: each.path.returns for each in glimpses}
    curves = figures.curves_of(own, {name: bars.earned(name) for name in names if name not in own})
    yield figures.grown(curves, 240, "linear" if linear else "log")
    held = [curve for curve in curves if curve.name in own]
    yield figures.relative(held, versus, bars.earned(versus), 100)
    pair = [curve for curve in curves if curve.name in {versus, *own}]
    yield figures.fallen((replace(curve, width=Curve.width) for curve in pair), 100)


def _seen(glimpses: Sequence[Glimpse]) -> Iterator[Plot]:
    for each in glimpses:
        for plot in figures.seen_plots(seen(each.ruling, each.bars.dates)):
            several = len(glimpses) > 1
            yield replace(plot, heading=f"{each.name}: {plot.heading}", height=80) if several else plot


def _held(glimpses: Sequence[Glimpse]) -> Iterator[Plot]:
    for each in glimpses:
        begin = "Held: " if len(glimpses) == 1 else f"{each.name}: "
        yield figures.holdings(each.bars.sleeves, each.path.weights, begin)
