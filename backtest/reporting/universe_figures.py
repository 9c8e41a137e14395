"""Figures of a universe: from its tables to charts of its classes over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import to_days
from backtest.reporting.chart import ZERO, Chart, Curve, Plot
from backtest.reporting.palette import colours
from backtest.reporting.scales import Dates
from backtest.universe.statistics import by_class, changed_shares, growth_table
from backtest.universe.valuation import RATIOS, told_by_class, within_reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from backtest.universe.universe import Universe


def _over(table: pd.DataFrame | pd.Series[float]) -> Dates:
    return Dates(to_days(table.index.to_numpy()))


def _curves(table: pd.DataFrame, names: Iterable[str], scale: float = 1.0) -> tuple[Curve, ...]:
    tints = colours(names)
    each = ((name, scale * table[name].to_numpy(dtype=np.float64)) for name in tints if name in table)
    return tuple(Curve(name, values, tints[name]) for name, values in each)


def shares(universe: Universe) -> Chart:
    """Return each class's share of total capitalisation, stacked, and its number of companies."""
    names = universe.scheme.classes
    held = by_class(universe.classes, "share").fillna(0.0)
    counts = by_class(universe.classes, "companies").fillna(0.0)
    plots = (
        Plot(
            "Share of total capitalisation, %",
            _curves(held, names, 100.0),
            210,
            "stacked",
            top=100.0,
            unit="%",
            named=True,
        ),
        Plot("Companies", _curves(counts, names), 130, lines=(ZERO,), named=True),
    )
    return Chart(
        "shares",
        _over(held),
        plots,
        "Share of each class in total capitalisation and its number of companies over time",
        "Classes as they were formed at each date, from what was known then.",
    )


def growth(universe: Universe) -> Chart:
    """Return growth of 1 in each class, by capitalisation; on a log scale where it spans a factor of ten."""
    grown = growth_table(universe.returns, universe.scheme)
    far = bool(grown.max().max() > 10.0 * grown.min().min())
    kind = "prices without dividends" if universe.portfolios.price_only else "total return"
    plot = Plot(f"Growth of 1, {kind}", _curves(grown, grown.columns), 240, log=far, named=True)
    return Chart(
        "growth",
        _over(grown),
        (plot,),
        "Growth of 1 in each class",
        "Weighted by capitalisation, drifting between reconstitutions, before costs.",
    )


def migration(universe: Universe) -> Chart:
    """Return turnover at each reconstitution, and how many in a hundred companies changed their class."""
    turnover = by_class(universe.classes, "turnover")
    changed = changed_shares(universe.migration).reindex(turnover.index)
    plots = (
        Plot(
            "Turnover of each class at its reconstitution, one-way, %",
            _curves(turnover, universe.scheme.classes, 100.0),
            140,
            unit="%",
            named=True,
        ),
        Plot(
            "Companies that changed their class, % of those in one",
            (Curve("changed class", 100.0 * np.asarray(changed, dtype=np.float64)),),
            140,
            lines=(ZERO,),
            unit="%",
        ),
    )
    said = "Turnover of each class and the share of companies that changed their class"
    return Chart("migration", _over(turnover), plots, said)


def concentration(universe: Universe) -> Chart:
    """Return the share of the ten largest companies in all and in each class, and the Herfindahl index."""
    largest, index = by_class(universe.classes, "top_share"), by_class(universe.classes, "herfindahl")
    names = [*universe.scheme.classes, "market"]
    tens, squares = (
        ("Share of the ten largest companies in the class, %", _curves(largest, names, 100.0)),
        ("Herfindahl index: sum of squared shares in percent", _curves(index, names, 1e4)),
    )
    return Chart(
        "concentration",
        _over(largest),
        (Plot(*tens, 140, unit="%", named=True), Plot(*squares, 140, named=True)),
        "Share of the ten largest companies in each class and its Herfindahl index",
    )


def valuation(universe: Universe) -> Chart:
    """Return each class's ratios, and below each the discount of small to large.

    Raises
    ------
    ValueError
        When the universe has no accounts.
    """
    if universe.valuation is None or universe.discounts is None:
        raise ValueError("a universe without accounts has no valuation to draw")
    small, large = universe.scheme.ends
    plots: list[Plot] = []
    for ratio, (name, _) in RATIOS.items():
        said = f"Discount of {small} to {large} on {name}, %"
        known = universe.discounts.get(f"discount_{ratio}")
        curves = () if known is None else (Curve("discount", 100.0 * known.to_numpy(dtype=np.float64)),)
        plots += [
            _ratio(universe, universe.valuation, ratio),
            Plot(said, curves, 75, lines=(ZERO,), unit="%"),
        ]
    return Chart(
        "valuation",
        _over(universe.discounts),
        tuple(plots),
        "Price to earnings, sales and book of each class, and the discount of small to large",
        "Accounts count from the day they were published. Where less than a third of a class, by "
        "capitalisation, has the figure, nothing is drawn.",
    )


def _ratio(universe: Universe, values: pd.DataFrame, ratio: str) -> Plot:
    table, most = within_reach(told_by_class(values, ratio).drop(columns="market", errors="ignore"))
    cut = f" (above {most:.0f} not shown)" if np.isfinite(most) else ""
    said = f"{RATIOS[ratio].name}: capitalisation over {RATIOS[ratio].figure}{cut}"
    return Plot(said, _curves(table, universe.scheme.classes), 130, named=True)
