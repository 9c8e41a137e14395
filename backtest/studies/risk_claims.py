"""Claims about risk: small caps swing more, and turn first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.lead_lag import lead, share_interval, sign_test, turns, volatility_ratio
from backtest.studies.claim import SIZED, EffectSize, SignRule, claimed
from backtest.studies.findings import Dots, Evidence, Finding, TextTable, laid_out
from backtest.studies.inputs import monthly, own_bars, span
from backtest.wording import number, pvalue, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backtest.analysis.lead_lag import Lead, Turns, VolatilityRatio
    from backtest.dates import Days, Floats, Ints
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
    every = np.arange(len(small))

    def ratio(rows: Ints) -> VolatilityRatio:
        return volatility_ratio(small[rows], large[rows])

    def sigma(returns: Floats) -> str:
        return f"{np.std(returns, ddof=1) * 12**0.5:.1%}"

    parts = np.array_split(every, 4) if len(every) >= 96 else []
    spans = {span(bars.ends[part]): part for part in (every, *parts)}
    ratios = {name: ratio(part) for name, part in spans.items()}
    whole = next(iter(ratios.values()))
    first, second = (float(np.log(ratio(half).ratio)) for half in np.array_split(every, 2))
    distances = (small - small.mean()) ** 2 - (whole.ratio * (large - large.mean())) ** 2
    carrying = int((distances * np.sign(np.nan_to_num(whole.ratio) - 1.0)).argmax())
    columns: dict[str, Callable[[str], str]] = {
        "months": str,
        "small": lambda name: sigma(small[spans[name]]),
        "large": lambda name: sigma(large[spans[name]]),
        "ratio": lambda name: number(ratios[name].ratio),
        "95% interval": lambda name: f"{ratios[name].low:.2f} to {ratios[name].high:.2f}",
        "p against 1": lambda name: pvalue(ratios[name].pvalue),
    }
    evidence = Evidence(
        "the log of the ratio",
        float(np.log(whole.ratio)),
        _times,
        whole.pvalue,
        len(small),
        low=float(np.log(whole.low)) if whole.low > 0.0 else -np.inf,
        high=float(np.log(whole.high)),
        halves=(first, second),
        carrying=str(bars.ends[carrying])[:7],
        without=ratio(np.delete(every, carrying)).pvalue,
    )
    values, lows, highs = np.array([(each.ratio, each.low, each.high) for each in ratios.values()]).T
    return Finding(
        evidence=(evidence,),
        headline=(
            f"small is {number(whole.ratio)} times as volatile as large ({whole.low:.2f} to {whole.high:.2f})"
        ),
        sample=f"{len(small)} months",
        picture=Dots(tuple(ratios), values, lows, highs, "volatility of small over that of large", 1.0),
        tables=(laid_out("volatility a year", columns, ratios),),
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


_LEAD: dict[str, Callable[[Lead], str]] = {
    "correlation of small with large after it": lambda ahead: number(ahead.first_leads, 3),
    "of large with small after it": lambda ahead: number(ahead.second_leads, 3),
    "t of the difference": lambda ahead: number(ahead.tstat),
    "p": lambda ahead: pvalue(ahead.pvalue),
}


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
            laid_out(f"lead of one {bar}", _LEAD, [lead(small, large)]),
        ),
        notes=(f"Turns in the same {bar} do not count for either side.", stale, *finer),
    )
