"""The screen: each company of a date against the median of its industry and class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError
from backtest.universe.valuation import RATIOS

if TYPE_CHECKING:
    import pandas as pd

    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Workshop

PEERS = 5
"""A median needs so many companies; an industry with fewer in its class is held against the class."""

CHEAP, DEAR = 0.7, 1.5
"""A ratio below, or above, so many times the median of its peers is flagged."""

GROWTH = 0.10
"""Earnings that grew by so much more than the capitalisation over the year are flagged."""

FLAGS = {
    **{key: f"cheap on {ratio.name}" for key, ratio in RATIOS.items()},
    "growth": "growth ahead of price",
}
"""The flags that speak for a company, which it can be kept for."""

NEEDS = {**{key: ratio.figure for key, ratio in RATIOS.items()}, "growth": "earnings_growth"}
"""The figure without which a company cannot be judged by each of them."""


def screen(
    shop: Workshop, scheme: Scheme, lines: Relation, valued: Relation, date: np.datetime64
) -> pd.DataFrame:
    """Return the companies of one date with their ratios, those of their peers, and flags with the reason.

    Columns: ``company, name, class, industry, capitalisation``; for each ratio its value (NaN at a loss) and
    ``_peers``, the median; ``peers``, what it is held against and how many they are; ``earnings_growth``,
    ``capitalisation_growth``; ``flags``, words; ``reason``, the figures behind them. The most flagged cheap
    first.

    Raises
    ------
    UsageError
        When the table has no companies at that date; the nearest date is named.
    """
    frame = judged(shop, scheme, lines, valued, date)
    if frame.empty:
        near = shop.rows(
            f"SELECT date FROM (SELECT DISTINCT date FROM {valued}) "
            f"ORDER BY abs(date - DATE '{date}') LIMIT 1"
        )
        there = f"the nearest date with classes is {near[0][0]}" if near else "it has no classes at any date"
        raise UsageError(f"the table has no companies on {date}; {there}")
    return frame.drop(columns=["id", "order", "sales", "book", "earnings_before", "size_before"]).reset_index(
        drop=True
    )


def judged(
    shop: Workshop, scheme: Scheme, lines: Relation, valued: Relation, date: np.datetime64
) -> pd.DataFrame:
    """Return what ``screen`` does, with all that it comes from and ``id``; empty without companies."""
    frame = shop.frame(
        "SELECT v.id, l.company, l.name, v.class, l.industry, v.size AS capitalisation, v.earnings, "
        f"v.sales, v.book, v.earnings_before, v.size_before FROM {valued} v JOIN {lines} l USING (id) "
        f"WHERE v.date = DATE '{date}' ORDER BY v.size DESC, l.company"
    )
    frame["class"] = frame["class"].map(scheme.numbered)
    for key, (_, figure) in RATIOS.items():
        frame[key] = (frame["capitalisation"] / frame[figure]).where(frame[figure] > 0.0)
        _against_peers(frame, key)
    before = frame["earnings_before"].where(frame["earnings_before"] > 0.0)
    frame["earnings_growth"] = frame["earnings"] / before - 1.0
    frame["capitalisation_growth"] = frame["capitalisation"] / frame["size_before"] - 1.0
    flags = [_flags({str(key): value for key, value in row.items()}) for row in frame.to_dict("records")]
    frame["flags"] = ["; ".join(word for word, _ in found) for found in flags]
    frame["reason"] = ["; ".join(reason for _, reason in found) for found in flags]
    cheap = [sum(word in FLAGS.values() for word, _ in found) for found in flags]
    return frame.assign(order=cheap).sort_values(["order", "capitalisation"], ascending=False, kind="stable")


def _against_peers(frame: pd.DataFrame, ratio: str) -> None:
    """Add the median of the industry in the class, or of the class where the industry is too small."""
    by_class = frame.groupby("class")[ratio].transform("median")
    close = frame.groupby(["class", "industry"])[ratio]
    enough = close.transform("count").to_numpy() >= PEERS
    frame[f"{ratio}_peers"] = np.where(enough, close.transform("median"), by_class)
    industry = frame["industry"].fillna("its industry")
    frame[f"{ratio}_held_against"] = np.where(
        enough, industry + ", " + frame["class"], "all " + frame["class"]
    )


def _flags(row: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for key, (name, _) in RATIOS.items():
        value, peers = float(row[key]), float(row[f"{key}_peers"])
        if value < CHEAP * peers or value > DEAR * peers:
            word = FLAGS[key] if value < peers else f"dear on {name}"
            found.append((word, f"{name} {value:.1f} against {peers:.1f} ({row[f'{key}_held_against']})"))
    earned, paid = float(row["earnings_growth"]), float(row["capitalisation_growth"])
    if earned - paid > GROWTH and earned > 0.0:
        reason = f"earnings {earned:+.0%}, capitalisation {paid:+.0%} in a year"
        found.append((FLAGS["growth"], reason))
    if float(row["earnings"]) <= 0.0:
        found.append(("loss", f"earnings {float(row['earnings']):,.0f}, so no P/E"))
    return found
