"""Claims about risk: small caps swing more, and turn first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.lead_lag import lead, sign_test, turns, volatility_ratio
from backtest.studies.claim import Claim, Evidence, SignRule
from backtest.studies.findings import Dots, Finding, Table
from backtest.studies.inputs import monthly
from backtest.studies.wording import number, probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.analysis.event_study import Chance
    from backtest.market.data import MarketData

DEPTH = 0.20
"""A downturn is a fall of the market by so much from its highest value."""


def _more_volatile(market: MarketData, chance: Chance) -> Finding:
    bars = monthly(market, "small", "large")
    small, large = bars.returns["small"], bars.returns["large"]
    whole = volatility_ratio(small, large, chance)
    parts = np.array_split(np.arange(len(small)), 4)
    rows, ratios = [], [whole, *(volatility_ratio(small[part], large[part], chance) for part in parts)]
    spans = [np.arange(len(small)), *parts]
    for span, ratio in zip(spans, ratios, strict=True):
        name = f"{str(bars.ends[span[0]])[:7]} to {str(bars.ends[span[-1]])[:7]}"
        sigmas = [f"{100 * float(np.std(x[span], ddof=1)) * 12**0.5:.1f}%" for x in (small, large)]
        rows.append(
            (
                name,
                *sigmas,
                number(ratio.ratio),
                f"{ratio.low:.2f} to {ratio.high:.2f}",
                probability(ratio.pvalue),
            )
        )
    return Finding(
        evidence=(
            Evidence(
                "log of the volatility ratio",
                float(np.log(whole.ratio)),
                number(whole.ratio),
                whole.pvalue,
                len(small),
            ),
        ),
        headline=(
            f"small is {number(whole.ratio)} times as volatile as large ({whole.low:.2f} to {whole.high:.2f})"
        ),
        sample=f"{len(small)} months",
        picture=Dots(
            tuple(row[0] for row in rows),
            np.array([r.ratio for r in ratios]),
            np.array([r.low for r in ratios]),
            np.array([r.high for r in ratios]),
            "volatility of small over that of large",
            1.0,
        ),
        tables=(
            Table(
                "volatility a year",
                ("months", "small", "large", "ratio", "95% interval", "p against 1"),
                tuple(rows),
            ),
        ),
    )


def _order(name: str, first: Sequence[int], second: Sequence[int]) -> tuple[Evidence, tuple[str, ...]]:
    gaps = np.asarray(second) - np.asarray(first)
    ahead, behind, same = (int((gaps > 0).sum()), int((gaps < 0).sum()), int((gaps == 0).sum()))
    evidence = Evidence(
        f"{name}: small first less large first",
        float(ahead - behind),
        f"small first in {ahead}, large first in {behind}, together in {same}",
        sign_test(ahead, behind),
        ahead + behind,
    )
    return evidence, (name, str(ahead), str(behind), str(same), probability(evidence.pvalue))


def _first_to_turn(market: MarketData, chance: Chance) -> Finding:  # noqa: ARG001 - nothing is drawn here
    present = np.isfinite(np.column_stack([market.bars.column(s) for s in ("small", "large", "market")])).all(
        axis=1
    )
    dates = market.bars.dates[present]
    small, large, whole = (market.bars.column(s)[present] for s in ("small", "large", "market"))
    monthly_bars = market.frequency == "monthly"
    found = turns(whole, small, large, DEPTH, 12 if monthly_bars else 252)
    peaks, peak_row = _order("peaks", found.first_peak.tolist(), found.second_peak.tolist())
    troughs, trough_row = _order("troughs", found.first_trough.tolist(), found.second_trough.tolist())
    ahead = lead(small, large)
    values = [np.datetime64("NaT"), *dates]
    columns = np.array(
        [
            *(found.market_peak, found.first_peak, found.second_peak),
            *(found.market_trough, found.first_trough, found.second_trough),
        ]
    )
    rows = tuple(tuple("start" if np.isnat(values[i]) else str(values[i]) for i in row) for row in columns.T)
    bar = "month" if monthly_bars else "day"
    return Finding(
        evidence=(peaks, troughs),
        headline=f"in {len(rows)} falls of the market by 20%, small peaked first in {peak_row[1]}, "
        f"large in {peak_row[2]}; small troughed first in {trough_row[1]}, large in {trough_row[2]}",
        sample=f"{len(rows)} downturns, {market.frequency} bars",
        picture=Dots(
            tuple(f"{name}, downturn of {row[0][:7]}" for name in ("peak", "trough") for row in rows),
            np.r_[found.second_peak - found.first_peak, found.second_trough - found.first_trough].astype(
                float
            ),
            np.full(2 * len(rows), np.nan),
            np.full(2 * len(rows), np.nan),
            f"{bar}s by which small turned before large (after it, where negative)",
        ),
        tables=(
            Table(
                "which turned first",
                ("turn", "small", "large", "together", "p (sign test)"),
                (peak_row, trough_row),
            ),
            Table(
                "turns of each downturn",
                ("market peak", "small", "large", "market trough", "small", "large"),
                rows,
            ),
            Table(
                f"lead of one {bar}",
                (
                    "correlation of small with large after it",
                    "of large with small after it",
                    "t of the difference",
                    "p",
                ),
                (
                    (
                        number(ahead.first_leads, 3),
                        number(ahead.second_leads, 3),
                        number(ahead.tstat),
                        probability(ahead.pvalue),
                    ),
                ),
            ),
        ),
        notes=(
            f"Turns in the same {bar} do not count for either side.",
            (
                "Small caps that trade seldom show old prices: this makes them seem late, most so in the "
                "early decades."
            ),
            *(
                ["Daily bars tell turns apart that fall in the same month: french_daily."]
                if monthly_bars
                else []
            ),
        ),
    )


RISK_CLAIMS = (
    Claim(
        id="more-volatile",
        statement="Small caps are more volatile than large caps.",
        origin="common knowledge, repeated in every article",
        test=(
            "Ratio of the standard deviations of monthly returns, held against 1 by months drawn anew in "
            "blocks."
        ),
        rule=SignRule(at_least=60, cases="months"),
        examine=_more_volatile,
    ),
    Claim(
        id="first-to-turn",
        statement="Small caps fall first and recover first.",
        origin="articles on the great rotation, 2025",
        test=(
            "Order of the peaks and troughs of small and large around each fall of the market by 20% or "
            "more; sign test."
        ),
        rule=SignRule(at_least=5, cases="downturns in which one of them was first"),
        examine=_first_to_turn,
    ),
)
