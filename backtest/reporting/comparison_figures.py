"""Figures of runs side by side, from the comparison to charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.measures import growth_of
from backtest.records.comparison import LEAD_YEARS
from backtest.reporting.chart import ONE, ZERO, Chart, Curve, Plot, Points
from backtest.reporting.figures import chart_of, fallen, grown, holdings
from backtest.reporting.palette import MUTED, lines
from backtest.reporting.scales import Numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backtest.dates import Floats
    from backtest.records.comparison import Comparison
    from backtest.reporting.blocks import Said


def _curves(comparison: Comparison, values: Iterable[Floats]) -> tuple[Curve, ...]:
    labels = comparison.labels
    each = zip(labels, values, lines(len(labels)), strict=True)
    return tuple(Curve(label, own, colour, dash) for label, own, (colour, dash) in each)


def _returns(comparison: Comparison) -> tuple[Curve, ...]:
    """Return the returns of the benchmark that all runs have in common, if they have one, and of each run."""
    common = () if comparison.versus is None else (Curve(*comparison.versus, MUTED, width=1.0),)
    return common + _curves(comparison, (record.returns for record in comparison.records))


def growth(comparison: Comparison, caption: Said = "") -> Chart:
    """Return growth of 1 of every run and their benchmark (log scale), and each value relative to its own."""
    records = comparison.records
    values = (growth_of(r.returns) / growth_of(r.sleeve(r.benchmark)) for r in records)
    plots = (
        grown(_returns(comparison), 270),
        Plot(
            "Value relative to the benchmark: rising is ahead", _curves(comparison, values), 170, lines=(ONE,)
        ),
        Plot(
            f"Lead over the benchmark a year, over the {LEAD_YEARS} years before, %",
            _curves(comparison, (100.0 * lead for lead in comparison.leads)),
            120,
            lines=(ZERO,),
            unit="%",
        ),
    )
    return chart_of(
        comparison.records[0],
        "growth",
        plots,
        "Growth of 1 of every run, each value relative to its benchmark, and the lead as it moved",
        caption,
    )


def falls(comparison: Comparison) -> Chart:
    """Return the fall of every run and of their benchmark from the highest value so far, in percent."""
    plots = (fallen(_returns(comparison), 170),)
    return chart_of(comparison.records[0], "drawdown", plots, "Drawdowns of every run")


def held(comparison: Comparison) -> Chart:
    """Return what every run held, one strip a run, and the part of the value that all pairs held alike."""
    alike = np.r_[comparison.together[:1], comparison.together]
    strips = (holdings(record.sleeves, record.weights, f"{record.name}: ") for record in comparison.records)
    together = Plot(
        "Held alike, % of the value, average of all pairs",
        (Curve("held alike", 100.0 * alike),),
        100,
        unit="%",
    )
    return chart_of(
        comparison.records[0],
        "holdings",
        (*strips, together),
        "What every run held, and how much of it alike",
    )


def risk(comparison: Comparison) -> Chart:
    """Return volatility and return a year of every run and of their benchmark, a point each."""
    labels = comparison.labels
    tints = {label: colour for label, (colour, _) in zip(labels, lines(len(labels)), strict=True)}
    earned = np.array(
        [[100.0 * own["volatility"], 100.0 * own["cagr"]] for own in comparison.columns.values()]
    )
    dots = tuple(
        Points(name, own[:1], own[1:], tints.get(name, MUTED), 9.0)
        for name, own in zip(comparison.columns, earned, strict=True)
    )
    x = Numbers(earned[:, 0], "volatility, % a year", room=0.1)
    plot = Plot("return, % a year; up and to the left is better", height=230, unit="%", dots=dots, named=True)
    return Chart("risk", x, (plot,), "Volatility and return a year of every run")
