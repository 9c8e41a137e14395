"""Valuation of classes: total capitalisation over total earnings, sales, book; and small against large."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.universe.statistics import by_class

if TYPE_CHECKING:
    import pandas as pd

    from backtest.dates import Floats
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Workshop

LOSSES = ("keep", "drop", "report")
"""What a class's ratio does with companies whose figure is not above zero. ``keep``: they count in both sums.
``drop``: in neither. ``report``: as ``keep``, and the ratio without them stands beside it."""

COVERED = 1 / 3
"""A discount needs the figure of companies with this share of their class's capitalisation."""


class Ratio(NamedTuple):
    """A ratio's name, and the figure that capitalisation is held against."""

    name: str
    figure: str


RATIOS = {"pe": Ratio("P/E", "earnings"), "ps": Ratio("P/S", "sales"), "pb": Ratio("P/B", "book")}
"""The ratios, in the order in which they are shown."""


def valuation_table(shop: Workshop, scheme: Scheme, valued: Relation, losses: str) -> pd.DataFrame:
    """Return a row for each class (and ``market``) at each date shown.

    For each ratio (``pe``, ``ps``, ``pb``): the ratio of sums over companies that have the figure, NaN where
    the sum is not above zero; ``_median`` over companies whose figure is above zero; ``_companies`` that have
    it and the share of capitalisation ``_covered`` by them; ``_losses`` of them with a figure not above zero,
    and ``_losses_share`` of these in their capitalisation; with ``report`` also ``_without_losses``. Then
    ``earnings_growth`` and ``capitalisation_growth`` over a year, of companies with earnings known at both
    ends (``growth_companies``); ``debt_to_ebit``, ``interest_cover``; ``fair_discount``, one minus
    capitalisation over fair value; ``covered``, the share of capitalisation with any accounts.

    ``losses`` is one of ``LOSSES``.
    """
    ratios = ", ".join(_ratio(key, ratio.figure, losses) for key, ratio in RATIOS.items())
    both = "FILTER (earnings IS NOT NULL AND earnings_before IS NOT NULL AND size_before IS NOT NULL)"
    frame = shop.frame(
        f"""
        WITH each AS (SELECT * FROM {valued}
            UNION ALL SELECT * REPLACE ({len(scheme.classes)} AS class) FROM {valued})
        SELECT date, class, count(*) AS companies, sum(size) AS capitalisation, {ratios},
            CASE WHEN sum(earnings_before) {both} > 0
                THEN sum(earnings) {both} / sum(earnings_before) {both} - 1 END AS earnings_growth,
            sum(size) {both} / sum(size_before) {both} - 1 AS capitalisation_growth,
            count(*) {both} AS growth_companies,
            {_over("debt", "ebit")} AS debt_to_ebit, {_over("ebit", "interest")} AS interest_cover,
            1 - sum(size) FILTER (fair > 0) / sum(fair) FILTER (fair > 0) AS fair_discount,
            coalesce(sum(size) FILTER (coalesce(earnings, sales, book) IS NOT NULL), 0) / sum(size) AS covered
        FROM each GROUP BY date, class ORDER BY date, class"""
    )
    frame["class"] = frame["class"].map(scheme.numbered)
    return frame


def _ratio(name: str, figure: str, losses: str) -> str:
    counted = f"FILTER ({figure} > 0)" if losses == "drop" else f"FILTER ({figure} IS NOT NULL)"
    gains = f"FILTER ({figure} > 0)"
    parts = [
        (
            f"CASE WHEN sum({figure}) {counted} > 0 THEN sum(size) {counted} / sum({figure}) {counted} END "
            f"AS {name}"
        ),
        f"median(size / {figure}) {gains} AS {name}_median",
        f"count({figure}) AS {name}_companies",
        f"coalesce(sum(size) FILTER ({figure} IS NOT NULL), 0) / sum(size) AS {name}_covered",
        f"count(*) FILTER ({figure} <= 0) AS {name}_losses",
        (
            f"coalesce(sum(size) FILTER ({figure} <= 0), 0) / sum(size) FILTER ({figure} IS NOT NULL) "
            f"AS {name}_losses_share"
        ),
    ]
    if losses == "report":
        parts.append(f"sum(size) {gains} / sum({figure}) {gains} AS {name}_without_losses")
    return ", ".join(parts)


def _over(above: str, below: str) -> str:
    both = f"FILTER ({above} IS NOT NULL AND {below} IS NOT NULL)"
    return f"CASE WHEN sum({below}) {both} > 0 THEN sum({above}) {both} / sum({below}) {both} END"


def told_by_class(valuation: pd.DataFrame, ratio: str) -> pd.DataFrame:
    """Return a ratio by date and class; NaN where less than ``COVERED`` of the class has the figure."""
    return by_class(valuation, ratio).where(by_class(valuation, f"{ratio}_covered") >= COVERED)


def within_reach(ratios: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Return ratios, NaN above twice the value that nine in ten of them do not exceed; and that limit.

    A sum of earnings near zero makes a ratio without bounds. The limit is NaN where nothing lies above it.
    """
    known = ratios.to_numpy(dtype=np.float64)
    known = known[np.isfinite(known)]
    most = 2.0 * float(np.quantile(known, 0.9)) if len(known) else float("nan")
    return ratios.where(ratios <= most), most if (known > most).any() else float("nan")


def latest_told(valuation: pd.DataFrame) -> pd.DataFrame:
    """Return the valuation at the last date at which accounts cover ``COVERED`` of the market.

    Where they never do, at the last date. ``pe_losses_part`` is the share of companies with earnings known
    that make a loss; NaN without any.
    """
    market = valuation[(valuation["class"] == "market") & (valuation["covered"] >= COVERED)]
    date = (market if len(market) else valuation)["date"].max()
    last = valuation[valuation["date"] == date]
    return last.assign(pe_losses_part=last["pe_losses"] / last["pe_companies"])


def discounts(valuation: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    """Return the discount of small to large on each ratio, by date, and where it stands in its own past.

    Columns, for each of ``RATIOS`` that is there: ``discount_pb`` is ``1 - (P/B small / P/B large)``;
    ``discount_pb_percentile`` the share of values up to and with this date's that are not above it. A class
    of which less than ``COVERED`` has the figure has no discount.
    """
    import pandas as pd

    small, large = scheme.ends
    tables = {ratio: told_by_class(valuation, ratio) for ratio in RATIOS}
    found = {}
    for ratio, table in tables.items():
        if small not in table or large not in table:
            continue
        discount = (1.0 - table[small] / table[large]).to_numpy(dtype=np.float64)
        if np.isfinite(discount).any():
            found[f"discount_{ratio}"] = discount
            found[f"discount_{ratio}_percentile"] = own_percentile(discount)
    return pd.DataFrame(found, index=tables["pe"].index)


def own_percentile(values: Floats) -> Floats:
    """Return the share of the values so far that are not above each one, (n,) in (0, 1]; NaN stays NaN."""
    import pandas as pd

    return pd.Series(values, dtype=np.float64).expanding().rank(method="max", pct=True).to_numpy()
