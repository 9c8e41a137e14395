"""Claims that a level known today tells of the years to come: discount and concentration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.predictive import forward_sums, predictive
from backtest.studies.claim import SIZED, EffectSize, SignRule, WidestRule, claimed
from backtest.studies.findings import Evidence, Finding, History, Scatter, laid_out
from backtest.studies.inputs import known_level, monthly, observed
from backtest.wording import counted, number, pvalue, share, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.analysis.predictive import Predictive
    from backtest.dates import Floats
    from backtest.market.data import MarketData
    from backtest.series import Series

YEARS = (1, 3, 5)
HISTORY = 240
"""The first out-of-sample forecast is made after so many months."""

MODERN = "1963-07"
"""From when on accounts are in the books of most companies, and Fama and French begin."""

_RULE = SignRule(
    at_least=10,
    sizes=tuple(EffectSize(0.02 * years, f"{2 * years} points over {12 * years} months") for years in YEARS),
    basis="2 points a year for one standard deviation, the smallest worth having",
    cases="windows that do not overlap",
    condition="its out-of-sample R2 is above zero",
)
_TEST = (
    "Regression of the log return of small minus large over the next 1, 3 and 5 years on {what} as it was "
    "known at each month's end; overlapping months are taken apart (Hodrick 1992), and the level is replaced "
    "by the sum of its changes of which the older fade, since returns push it about (IVX: Kostakis, "
    "Magdalinos and Stamatogiannis 2015). Out of the sample (Goyal and Welch 2008): forecasts with an "
    f"expanding window after {HISTORY} months, against the mean so far."
)
_REVISED = (
    SIZED,
    (
        "first took the level itself, and a level that prices push about is found to foretell them twice as "
        "often as it should"
    ),
)
_ABOUT_PROXY = (
    "The discount here is the five-year return of large over small, a stand-in where there is no book value."
)
_ABOUT_BOOK = (
    "The discount is 1 less the price-to-book of small over that of large. Book values do not count "
    "intangibles, which large companies have more of: this alone widens the gap over the decades."
)


def _for_one_deviation(slope: float) -> str:
    return f"{signed(slope)} for one standard deviation"


_COLUMNS: dict[str, Callable[[Predictive], str]] = {
    "horizon": lambda found: counted(found.bars // 12, "year"),
    "months": lambda found: str(found.n),
    "windows": lambda found: str(found.windows),
    "slope": lambda found: signed(found.slope),
    "95% interval": lambda found: f"{signed(found.low)} to {signed(found.high)}",
    "t": lambda found: number(found.tstat),
    "p": lambda found: pvalue(found.pvalue),
    "R2": lambda found: number(found.r2, 3),
    "out-of-sample R2": lambda found: number(found.oos_r2, 3),
    "forecasts": lambda found: str(found.oos_n),
}


def _scatter(returns: Floats, level: Floats, bars: int, what: str, unit: str) -> Scatter:
    future, x = 100.0 * forward_sums(returns, bars), level[: len(returns) - bars]
    known = np.isfinite(x)
    x, future = x[known], future[known]
    fitted = len(x) > 1 and np.ptp(x) > 0
    slope, intercept = np.polyfit(x, future, 1) if fitted else (np.nan, np.nan)
    return Scatter(
        x[::3],
        future[::3],
        float(slope),
        float(intercept),
        f"{what}, {unit}",
        f"small minus large over the next {bars // 12} years, log %, every third month",
        float(level[-1]),
    )


def _precedes(market: MarketData, what: str, unit: str) -> Finding:
    bars = monthly(market, "small", "large")
    level = known_level(market, what, what, bars.ends)
    returns = np.log1p(bars.returns["small"]) - np.log1p(bars.returns["large"])
    found = [predictive(returns, level, 12 * years, HISTORY) for years in YEARS]
    middle = found[1]
    evidence = tuple(
        Evidence(
            label=f"{12 * years} months ahead",
            estimate=each.slope,
            write=_for_one_deviation,
            pvalue=each.pvalue,
            n=each.windows,
            holds=each.oos_r2 > 0.0,
            low=each.low,
            high=each.high,
            halves=each.halves,
            carrying=f"the twelve months from {str(bars.ends[each.carrying])[:7]}",
            without=each.without_carrying,
        )
        for years, each in zip(YEARS, found, strict=True)
    )
    later = bars.ends >= np.datetime64(f"{MODERN}-01")
    modern = (predictive(returns[later], level[later], 12 * years, HISTORY) for years in YEARS)
    return Finding(
        evidence=evidence,
        headline=(
            f"one standard deviation more of {what}: {signed(middle.slope)} over 3 years; out-of-sample R2 "
            f"{number(middle.oos_r2, 3)}"
        ),
        sample=f"{middle.n} overlapping months, {found[-1].windows} windows of 5 years",
        picture=_scatter(returns, level, 36, what, unit),
        tables=(
            laid_out(f"small minus large on {what}; slope per standard deviation", _COLUMNS, found),
            laid_out(f"the same from {MODERN} on; not part of the rule", _COLUMNS, modern),
        ),
        notes=(
            "The picture's line and the R2 are of ordinary least squares; the slope is that of the test.",
            "Overlapping windows hardly add cases: what counts is the number of windows that do not overlap.",
            (
                "A high R2 in the sample with an R2 below zero out of it means: the fit would not have "
                "helped anyone."
            ),
        ),
    )


@claimed(
    origin="articles on the great rotation, 2024 and 2025",
    test=_TEST.format(what="the discount (book-to-market of the halves)"),
    rule=_RULE,
    revised=_REVISED,
)
def wide_discount(market: MarketData) -> Finding:
    """A wide discount of small to large caps precedes years in which small caps outperform."""
    return _precedes(market, "discount", "decimal")


def _month_ends(series: Series) -> Series:
    """Return the last value of each month: years are counted in months, whatever the series comes by."""
    months = series.dates.astype("datetime64[M]")
    last = np.r_[months[1:] != months[:-1], True]
    return series.only(last)


@claimed(
    origin="articles on the great rotation, 2025",
    test="Where the last value of the discount stands in its own history.",
    rule=WidestRule(),
)
def widest_gap(market: MarketData) -> Finding:
    """The valuation gap between small and large caps is the widest in decades."""
    series = _month_ends(observed(market, "discount", "discount of small to large caps"))
    months = 12 * WidestRule().years
    recent = series.values[-months:]
    wider = float((recent > series.values[-1]).mean())
    ever = float((series.values > series.values[-1]).mean())
    last, widest = str(series.dates[-1])[:7], series.dates[-months:][recent.argmax()]
    now = series.values[-1]
    windows: dict[str, Callable[[tuple[str, Floats]], str]] = {
        "window": lambda each: each[0],
        "months": lambda each: str(len(each[1])),
        "narrowest": lambda each: f"{100 * each[1].min():.1f}%",
        "median": lambda each: f"{100 * np.median(each[1]):.1f}%",
        "widest": lambda each: f"{100 * each[1].max():.1f}%",
        "wider than the last": lambda each: share(float((each[1] > now).mean())),
    }
    parts = (
        ("last 10 years", series.values[-120:]),
        ("last 20 years", recent),
        ("last 40 years", series.values[-480:]),
        (f"since {str(series.dates[0])[:7]}", series.values),
    )
    return Finding(
        evidence=(Evidence("share of months with a wider gap", wider, share, wider, len(recent)),),
        headline=(
            f"discount {100 * series.values[-1]:.1f}% in {last}; {share(ever)} of all months had a wider one"
        ),
        sample=f"{len(series.values)} months since {str(series.dates[0])[:7]}",
        picture=History(series.dates, 100.0 * series.values, "discount of small to large caps, %"),
        tables=(laid_out(f"where {last} stands", windows, parts),),
        notes=(
            (
                f"The widest month of the last {WidestRule().years} years was {str(widest)[:7]}, with "
                f"{100 * recent.max():.1f}%."
            ),
            _ABOUT_PROXY if market.proxy else _ABOUT_BOOK,
        ),
    )


@claimed(
    origin="articles on the great rotation, 2025",
    test=_TEST.format(what="the share of the large half in all capitalisation"),
    rule=_RULE,
    revised=_REVISED,
)
def concentration(market: MarketData) -> Finding:
    """High concentration of the market in its largest names precedes small-cap outperformance."""
    return _precedes(market, "concentration", "share")
