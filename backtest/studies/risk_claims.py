"""Claims about risk: small caps swing more, and turn first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.lead_lag import lead, share_interval, sign_test, turns, volatility_ratio
from backtest.studies.claim import SIZED, EffectSize, SignRule, claimed
from backtest.studies.findings import Dots, Evidence, Finding, TextTable
from backtest.studies.inputs import monthly, own_bars
from backtest.wording import number, pvalue, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.analysis.lead_lag import Lead, Turns
    from backtest.dates import Days
    from backtest.market.data import MarketData

DEPTH = 0.20
"""A downturn is a fall of the market by so much from its highest value."""


@claimed(
    origin="common knowledge, repeated in every article",
    test=(
        "Ratio of the standard deviations of monthly returns, held against 1 by the difference of the "
        "squares of the same months (Pitman and Morgan), whose error respects autocorrelation."
    ),
    rule=SignRule(
        at_least=60, sizes=(EffectSize(float(np.log(1.1)), "a tenth more volatility"),), cases="months"
    ),
    revised=(SIZED,),
)
def more_volatile(market: MarketData) -> Finding:
    """Small caps are more volatile than large caps."""
    bars = monthly(market, "small", "large")
    small, large = bars.returns["small"], bars.returns["large"]
    whole = volatility_ratio(small, large)
    parts = np.array_split(np.arange(len(small)), 4) if len(small) >= 96 else []
    rows, ratios = [], [whole, *(volatility_ratio(small[part], large[part]) for part in parts)]
    halves = [volatility_ratio(small[part], large[part]) for part in np.array_split(np.arange(len(small)), 2)]
    distances = (small - small.mean()) ** 2 - (whole.ratio * (large - large.mean())) ** 2
    carrying = int((distances * np.sign(np.nan_to_num(whole.ratio) - 1.0)).argmax())
    spans = [np.arange(len(small)), *parts]
    for span, ratio in zip(spans, ratios, strict=True):
        name = f"{str(bars.ends[span[0]])[:7]} to {str(bars.ends[span[-1]])[:7]}"
        sigmas = [f"{np.std(x[span], ddof=1) * 12**0.5:.1%}" for x in (small, large)]
        rows.append(
            (
                name,
                *sigmas,
                number(ratio.ratio),
                f"{ratio.low:.2f} to {ratio.high:.2f}",
                pvalue(ratio.pvalue),
            )
        )
    return Finding(
        evidence=(
            Evidence(
                "the log of the ratio",
                float(np.log(whole.ratio)),
                _times,
                whole.pvalue,
                len(small),
                low=float(np.log(whole.low)) if whole.low > 0.0 else -np.inf,
                high=float(np.log(whole.high)),
                halves=(float(np.log(halves[0].ratio)), float(np.log(halves[1].ratio))),
                carrying=str(bars.ends[carrying])[:7],
                without=volatility_ratio(np.delete(small, carrying), np.delete(large, carrying)).pvalue,
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
            TextTable(
                "volatility a year",
                ("months", "small", "large", "ratio", "95% interval", "p against 1"),
                tuple(rows),
            ),
        ),
    )


def _times(log_ratio: float) -> str:
    return f"{number(float(np.exp(log_ratio)))} times"


def _first_in(lead: float) -> str:
    return share(min(1.0, (1.0 + lead) / 2.0))


def _order(name: str, first: Sequence[int], second: Sequence[int]) -> tuple[Evidence, tuple[str, ...]]:
    gaps = np.asarray(second) - np.asarray(first)
    ahead, behind, same = (int((gaps > 0).sum()), int((gaps < 0).sum()), int((gaps == 0).sum()))
    decided = [1.0 if gap > 0 else -1.0 for gap in gaps if gap]
    half = len(decided) // 2
    low, high = (2.0 * bound - 1.0 for bound in share_interval(ahead, behind))
    evidence = Evidence(
        f"{name} at which small was first",
        float(np.mean(decided)) if decided else np.nan,
        _first_in,
        sign_test(ahead, behind),
        len(decided),
        low=low,
        high=high,
        halves=(float(np.mean(decided[:half])), float(np.mean(decided[half:]))) if half else (np.nan, np.nan),
        carrying=f"one of the {name}",
        without=sign_test(max(ahead, behind) - 1, min(ahead, behind)) if decided else np.nan,
    )
    return evidence, (name, str(ahead), str(behind), str(same), pvalue(evidence.pvalue))


def _turn_rows(found: Turns, dates: Days) -> tuple[tuple[str, ...], ...]:
    values = [np.datetime64("NaT"), *dates]
    columns = np.array(
        [
            *(found.market_peak, found.first_peak, found.second_peak),
            *(found.market_trough, found.first_trough, found.second_trough),
        ]
    )
    return tuple(tuple("start" if np.isnat(values[i]) else str(values[i]) for i in row) for row in columns.T)


def _lead_table(ahead: Lead, bar: str) -> TextTable:
    row = (
        *(number(ahead.first_leads, 3), number(ahead.second_leads, 3)),
        *(number(ahead.tstat), pvalue(ahead.pvalue)),
    )
    columns = (
        *("correlation of small with large after it", "of large with small after it"),
        *("t of the difference", "p"),
    )
    return TextTable(f"lead of one {bar}", columns, (row,))


def _turn_dots(found: Turns, rows: tuple[tuple[str, ...], ...], bar: str) -> Dots:
    gaps = np.r_[found.second_peak - found.first_peak, found.second_trough - found.first_trough]
    none = np.full(len(gaps), np.nan)
    labels = tuple(f"{name}, downturn of {row[0][:7]}" for name in ("peak", "trough") for row in rows)
    what = f"{bar}s by which small turned before large (after it, where negative)"
    return Dots(labels, gaps.astype(float), none, none, what)


@claimed(
    origin="articles on the great rotation, 2025",
    test=(
        "Order of the peaks and troughs of small and large around each fall of the market by 20% or "
        "more; sign test."
    ),
    rule=SignRule(
        at_least=5,
        sizes=(EffectSize(0.5, "three peaks in four"), EffectSize(0.5, "three troughs in four")),
        cases="downturns in which one of them was first",
    ),
    revised=(SIZED,),
)
def first_to_turn(market: MarketData) -> Finding:
    """Small caps fall first and recover first."""
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
            TextTable(
                "which turned first",
                ("turn", "small", "large", "together", "p (sign test)"),
                (peak_row, trough_row),
            ),
            TextTable(
                "turns of each downturn",
                ("market peak", "small", "large", "market trough", "small", "large"),
                rows,
            ),
            _lead_table(lead(small, large), bar),
        ),
        notes=(f"Turns in the same {bar} do not count for either side.", stale, *finer),
    )
