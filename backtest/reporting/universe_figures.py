"""Figures of a universe: its classes over time, their valuation and concentration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from backtest.dates import to_days
from backtest.reporting import style
from backtest.reporting.blocks import WIDE, FigureSize
from backtest.reporting.palette import INK, MUTED, colours
from backtest.reporting.style import STYLE, Drawing
from backtest.universe.valuation import COVERED, RATIOS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from backtest.dates import Days, Floats
    from backtest.universe.universe import Universe

NAMES = {"pe": "P/E", "ps": "P/S", "pb": "P/B"}


def by_class(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one column of a table of classes, by date and class."""
    return table.pivot_table(index="date", columns="class", values=column, dropna=False)


def _dates(table: pd.DataFrame | pd.Series[float]) -> Days:
    return to_days(table.index.to_numpy())


def _lines(
    axes: Axes,
    table: pd.DataFrame,
    names: list[str],
    size: FigureSize,
    scale: float = 1.0,
    *,
    log: bool = False,
) -> None:
    tints = colours(names)
    end: dict[str, float] = {}
    for name in names:
        values: Floats = scale * table[name].to_numpy(dtype=np.float64)
        there = np.flatnonzero(np.isfinite(values))
        if len(there):
            end[name] = float(values[there[-1]])
            style.draw(axes, _dates(table), values, size, color=tints[name], linewidth=1.2)
    if log:
        style.log_axis(axes)
    axes.set_xlim(_dates(table)[0].astype(object), _dates(table)[-1].astype(object))
    style.label_ends(axes, end, tints)


def shares_figure(universe: Universe, size: FigureSize = WIDE) -> Figure:
    """Return each class's share of total capitalisation, stacked, and its number of companies."""
    names = list(universe.scheme.classes)
    tints = colours(names)
    shares = by_class(universe.classes, "share").fillna(0.0)[lambda t: [n for n in names if n in t]]
    counts = by_class(universe.classes, "companies").fillna(0.0)
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 5.0))
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=[3.0, 2.0])
        style.margins(figure, size, style.names_width(names))
        figure.subplots_adjust(hspace=0.25)
        dates = _dates(shares).astype("datetime64[s]").astype(object)
        top.stackplot(dates, 100.0 * shares.to_numpy().T, colors=[tints[n] for n in shares], linewidth=0)
        middles = dict(zip(shares, 100.0 * (shares.iloc[-1].cumsum() - shares.iloc[-1] / 2.0), strict=True))
        top.set_ylim(0.0, 100.0)
        style.heading(top, "Share of total capitalisation, %")
        _lines(low, counts, [n for n in names if n in counts], size)
        low.set_ylim(bottom=0.0)
        style.heading(low, "Companies")
        style.date_axis(low, size)
        style.label_ends(top, middles, tints)
    return figure


def growth_figure(universe: Universe, size: FigureSize = WIDE) -> Figure:
    """Return growth of 1 in each class, by capitalisation; on a log scale where it spans a factor of ten."""
    names = [*universe.scheme.classes, "market"]
    returns = universe.returns[universe.returns["market"].notna()][names]
    growth = (1.0 + returns.fillna(0.0)).cumprod()
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 3.6))
        axes = figure.subplots()
        style.margins(figure, size, style.names_width(names))
        _lines(axes, growth, names, size, log=bool(growth.max().max() > 10.0 * growth.min().min()))
        kind = "prices without dividends" if universe.portfolios.price_only else "total return"
        style.heading(axes, f"Growth of 1, {kind}")
        style.date_axis(axes, size)
    return figure


def migration_figure(universe: Universe, size: FigureSize = WIDE) -> Figure:
    """Return turnover at each reconstitution, and how many in a hundred companies changed their class."""
    names = list(universe.scheme.classes)
    turnover = by_class(universe.classes, "turnover")
    moves = universe.migration[universe.migration["was"] != "none"]
    moved = moves[moves["was"] != moves["class"]].groupby("date")["lines"].sum()
    share = (moved / moves.groupby("date")["lines"].sum()).fillna(0.0).to_frame("changed class")
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 4.2))
        top, low = figure.subplots(2, 1, sharex=True)
        style.margins(figure, size, len("changed class") if size is WIDE else style.names_width(names))
        figure.subplots_adjust(hspace=0.3)
        _lines(top, turnover, [n for n in names if n in turnover], size, 100.0)
        style.heading(top, "Turnover of each class at its reconstitution, one-way, %")
        if len(share):
            style.draw(low, _dates(share), 100.0 * share["changed class"].to_numpy(), size, color=INK)
        style.heading(low, "Companies that changed their class, % of those in one")
        low.set_ylim(bottom=0.0)
        style.date_axis(low, size)
    return figure


def concentration_figure(universe: Universe, size: FigureSize = WIDE) -> Figure:
    """Return the share of the ten largest companies in all and in each class, and the Herfindahl index."""
    top_share, index = by_class(universe.classes, "top_share"), by_class(universe.classes, "herfindahl")
    names = [n for n in (*universe.scheme.classes, "market") if n in top_share]
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 4.2))
        top, low = figure.subplots(2, 1, sharex=True)
        style.margins(figure, size, style.names_width(names))
        figure.subplots_adjust(hspace=0.3)
        _lines(top, top_share, names, size, 100.0)
        style.heading(top, "Share of the ten largest companies in the class, %")
        _lines(low, index, names, size, 1e4)
        style.heading(low, "Herfindahl index: sum of squared shares in percent")
        style.date_axis(low, size)
    return figure


def valuation_figure(universe: Universe, size: FigureSize = WIDE) -> Figure:
    """Return each class's ratios, and below each the discount of small to large."""
    if universe.valuation is None or universe.discounts is None:
        raise ValueError("a universe without accounts has no valuation to draw")
    names = list(universe.scheme.classes)
    small, large = universe.scheme.ends
    with mpl.rc_context(STYLE):
        figure = Drawing(figsize=(size.width, 9.0))
        panels = figure.subplots(6, 1, sharex=True, height_ratios=[2.0, 1.2] * 3)
        style.margins(figure, size, style.names_width(names))
        figure.subplots_adjust(hspace=0.4)
        for ratio, above, below in zip(RATIOS, panels[::2], panels[1::2], strict=True):
            _ratio_panel(universe, ratio, above, names, size)
            column = f"discount_{ratio}"
            if column in universe.discounts:
                discount = universe.discounts[column]
                style.draw(below, _dates(universe.discounts), 100.0 * discount.to_numpy(), size, color=INK)
            below.axhline(0.0, color=MUTED, linewidth=0.8)
            style.heading(below, f"Discount of {small} to {large} on {NAMES[ratio]}, %")
        style.date_axis(panels[-1], size)
    return figure


def _ratio_panel(universe: Universe, ratio: str, axes: Axes, names: list[str], size: FigureSize) -> None:
    assert universe.valuation is not None  # noqa: S101 - its caller draws nothing without one
    table = by_class(universe.valuation, ratio)
    table = table.where(by_class(universe.valuation, f"{ratio}_covered") >= COVERED)
    shown = [n for n in names if n in table]
    # A sum of earnings near zero makes a ratio without bounds; the figure keeps to what can be compared.
    values = table[shown].to_numpy(dtype=np.float64)
    finite = values[np.isfinite(values)]
    most = float(np.quantile(finite, 0.9)) * 2.0 if len(finite) else 1.0
    cut = bool((finite > most).any())
    _lines(axes, table[shown].where(table[shown] <= most), shown, size)
    style.heading(
        axes,
        f"{NAMES[ratio]}: capitalisation over {RATIOS[ratio]}"
        + (f" (above {most:.0f} not shown)" if cut else ""),
    )
