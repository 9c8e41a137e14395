"""Claims about risk: small caps swing more, and turn first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis import measures
from backtest.analysis.lead_lag import lead, sign_test, turns, volatility_ratio
from backtest.studies.claim import Claim, SignRule
from backtest.studies.findings import Dots, Evidence, Finding, Table
from backtest.studies.inputs import monthly, own_bars
from backtest.studies.wording import number, probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.analysis.event_study import Chance
    from backtest.analysis.lead_lag import Lead, Turns
    from backtest.dates import Days
    from backtest.market.data import MarketData

DEPTH = 0.20
"""A downturn is a fall of the market by so much from its highest value."""


def _more_volatile(market: MarketData, chance: Chance) -> Finding:
    bars = monthly(market, "small", "large")
    small, large = bars.returns["small"], bars.returns["large"]
    whole = volatility_ratio(small, large, chance)
    parts = np.array_split(np.arange(len(small)), 4) if len(small) >= 96 else []
    rows, ratios = [], [whole, *(volatility_ratio(small[part], large[part], chance) for part in parts)]
    spans = [np.arange(len(small)), *parts]
    for span, ratio in zip(spans, ratios, strict=True):
        name = f"{str(bars.ends[span[0]])[:7]} to {str(bars.ends[span[-1]])[:7]}"
        sigmas = [f"{100 * measures.volatility(x[span], 12.0):.1f}%" for x in (small, large)]
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


def _turn_rows(found: Turns, dates: Days) -> tuple[tuple[str, ...], ...]:
    values = [np.datetime64("NaT"), *dates]
    columns = np.array(
        [
            *(found.market_peak, found.first_peak, found.second_peak),
            *(found.market_trough, found.first_trough, found.second_trough),
        ]
    )
    return tuple(tuple("start" if np.isnat(values[i]) else str(values[i]) for i in row) for row in columns.T)


def _lead_table(ahead: Lead, bar: str) -> Table:
    row = (
        *(number(ahead.first_leads, 3), number(ahead.second_leads, 3)),
        *(number(ahead.tstat), probability(ahead.pvalue)),
    )
    columns = (
        *("correlation of small with large after it", "of large with small after it"),
        *("t of the difference", "p"),
    )
    return Table(f"lead of one {bar}", columns, (row,))


def _turn_dots(found: Turns, rows: tuple[tuple[str, ...], ...], bar: str) -> Dots:
    gaps = np.r_[found.second_peak - found.first_peak, found.second_trough - found.first_trough]
    none = np.full(len(gaps), np.nan)
    labels = tuple(f"{name}, downturn of {row[0][:7]}" for name in ("peak", "trough") for row in rows)
    what = f"{bar}s by which small turned before large (after it, where negative)"
    return Dots(labels, gaps.astype(float), none, none, what)


def _first_to_turn(market: MarketData, chance: Chance) -> Finding:  # noqa: ARG001 - nothing is drawn here
    dates, returns = own_bars(market, "small", "large", "market")
    small, large, whole = returns.T
    by_month = market.frequency == "monthly"
    bar = "month" if by_month else "day"
    found = turns(whole, small, large, DEPTH, 12 if by_month else 252)
    peaks, peak_row = _order("peaks", found.first_peak.tolist(), found.second_peak.tolist())
    troughs, trough_row = _order("troughs", found.first_trough.tolist(), found.second_trough.tolist())
    rows = _turn_rows(found, dates)
    finer = ("Daily bars tell turns apart that fall in the same month: french_daily.",) if by_month else ()
    stale = "Small caps that trade seldom show old prices, and so seem late, most so in the early decades."
    return Finding(
        evidence=(peaks, troughs),
        headline=f"in {len(rows)} falls of the market by 20%, small peaked first in {peak_row[1]}, "
        f"large in {peak_row[2]}; small troughed first in {trough_row[1]}, large in {trough_row[2]}",
        sample=f"{len(rows)} downturns, {market.frequency} bars",
        picture=_turn_dots(found, rows, bar),
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
            _lead_table(lead(small, large), bar),
        ),
        notes=(f"Turns in the same {bar} do not count for either side.", stale, *finer),
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
