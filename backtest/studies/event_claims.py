"""Claims about what followed certain days: first cuts, ends of recessions, any list of days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.event_study import event_study
from backtest.dates import Fills, to_days
from backtest.errors import UsageError
from backtest.series import Series
from backtest.signals.policy import PolicyRate
from backtest.studies.claim import SIZED, Claim, EffectSize, SignRule, claimed
from backtest.studies.findings import Cases, Evidence, Finding, Paths, TextTable, laid_out
from backtest.studies.inputs import missing, monthly, observed, turning_points
from backtest.wording import counted, pvalue, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backtest.analysis.event_study import EventStudy, Horizon
    from backtest.dates import Days, Floats
    from backtest.market.data import MarketData
    from backtest.studies.inputs import Monthly

HORIZONS = (-36, -24, -18, -12, -6, -3, -1, 1, 3, 6, 12, 18, 24, 36)
"""Months after a case, negative for before it."""

QUIET = 12
"""A first cut has no other cut in so many months before it."""

_HEADLINE = 12  # months after a case of which a finding speaks first

_SAME_SIDE = "the mean lies on the same side of the mean after ordinary months as of zero"
_SIZES = (EffectSize(0.05, "5 points over 12 months"), EffectSize(0.05, "5 points over 24 months"))
_RULE = SignRule(
    at_least=5,
    sizes=_SIZES,
    basis="what Chisholm (2024) found over 12 months, and kept for another 12",
    condition=_SAME_SIDE,
)
_WORTH_HAVING = SignRule(at_least=5, sizes=_SIZES, condition=_SAME_SIDE)


def month_name(months: int) -> str:
    """Return ``12 months after`` or ``3 months before``."""
    return f"{counted(abs(months), 'month')} {'after' if months > 0 else 'before'}"


def _so_far(bars: Monthly, names: tuple[str, str], study: EventStudy) -> Floats:
    """Return what each case has earned up to the end of the data, at most over the longest horizon."""
    rows = []
    for at in study.at:
        part = slice(max(0, int(at) + 1), int(at) + 1 + max(study.horizons))
        first, second = (float(np.prod(1.0 + bars.returns[name][part]) - 1.0) for name in names)
        rows.append([first, second, first - second])
    return np.array(rows).reshape(-1, 3)


def study_cases(bars: Monthly, days: Days, names: tuple[str, str], possible_from: np.datetime64) -> Cases:
    """Study two sleeves around days whose months lie in the data; days outside them are left out."""
    at = bars.index_of(days)
    inside = (at >= -1) & (at < len(bars.ends))
    days, at = days[inside], at[inside]
    at, kept = np.unique(at, return_index=True)
    study = event_study(
        bars.returns[names[0]],
        bars.returns[names[1]],
        at,
        HORIZONS,
        possible_from=max(0, int(bars.index_of(to_days([possible_from]))[0])),
    )
    after = tuple(int(len(bars.ends) - 1 - i) for i in study.at)
    return Cases(days[kept], names, study, after, _so_far(bars, names, study))


def _if_any(write: Callable[[Horizon], str]) -> Callable[[Horizon], str]:
    return lambda horizon: write(horizon) if horizon.n else "-"


_SUMMARY: dict[str, Callable[[Horizon], str]] = {
    "months": lambda h: month_name(h.bars),
    "cases": lambda h: str(h.n),
    "mean": lambda h: signed(h.mean),
    "median": lambda h: signed(h.median),
    "positive": _if_any(lambda h: f"{round(h.positive * h.n)} of {h.n}"),
    "worst": lambda h: signed(h.worst),
    "best": lambda h: signed(h.best),
    "95% interval": _if_any(lambda h: f"{signed(h.low)} to {signed(h.high)}"),
    "p against zero": lambda h: pvalue(h.pvalue_zero),
}


def _chance(dates: Days) -> dict[str, Callable[[Horizon], str]]:
    return {
        "months": lambda h: month_name(h.bars),
        "p against ordinary": lambda h: pvalue(h.pvalue_ordinary),
        "ordinary months": _if_any(lambda h: signed(h.ordinary)),
        "mean without one": _if_any(lambda h: f"{signed(h.without_low)} to {signed(h.without_high)}"),
        "most moved by": _if_any(lambda h: str(dates[h.heaviest]) if h.heaviest >= 0 else "-"),
    }


def summary_tables(cases: Cases) -> tuple[TextTable, TextTable]:
    """Return the summaries of all horizons as people read them, and how far chance and single cases go."""
    what, summary = f"{cases.names[0]} minus {cases.names[1]}, all complete cases", cases.study.summary
    chance = "chance, and the mean when one case is left out"
    return laid_out(what, _SUMMARY, summary), laid_out(chance, _chance(cases.dates), summary)


def case_tables(cases: Cases) -> tuple[TextTable, TextTable]:
    """Return every case with its differences after and before it; a window that is not whole is cut short."""
    what = f"{cases.names[0]} minus {cases.names[1]}, case by case"
    horizons, difference = cases.study.horizons, cases.study.difference

    def column(at: int) -> tuple[str, Callable[[int], str]]:
        def write(row: int) -> str:
            value = float(difference[row, at])
            return "cut short" if np.isnan(value) else signed(value)

        return f"{horizons[at]:+d}", write

    def so_far(row: int) -> str:
        months = cases.months_after[row]
        whole = months >= max(HORIZONS)
        return "" if whole else f"{signed(float(cases.so_far[row, 2]))} in {counted(months, 'month')}"

    case: dict[str, Callable[[int], str]] = {"case": lambda row: str(cases.dates[row])}
    after = dict(column(at) for at, months in enumerate(horizons) if months > 0)
    before = dict(column(at) for at, months in reversed([*enumerate(horizons)]) if months < 0)
    rows = range(len(cases.dates))
    return (
        laid_out(f"{what}, months after", case | after | {"to the end of the data": so_far}, rows),
        laid_out(f"{what}, months before", case | before, rows),
    )


def _paths(cases: Cases, what: str) -> Paths:
    reach = max(HORIZONS)
    return Paths(
        np.arange(-reach, reach + 1, dtype=np.float64),
        100.0 * cases.study.paths,
        tuple(str(day) for day in cases.dates),
        f"{what}, percentage points since the case",
    )


def _evidence(horizon: Horizon, what: str, dates: Days) -> Evidence:
    excess = horizon.mean - horizon.ordinary
    return Evidence(
        label=f"{what}, {month_name(horizon.bars)}",
        estimate=horizon.mean,
        write=signed,
        pvalue=horizon.pvalue,
        n=horizon.n,
        holds=bool(excess * horizon.mean > 0.0),
        low=horizon.low,
        high=horizon.high,
        halves=horizon.halves,
        carrying=str(dates[horizon.carrying]) if horizon.carrying >= 0 else "",
        without=horizon.without_carrying,
    )


def finding_of(cases: Cases, decisive: Sequence[int], notes: Sequence[str] = ()) -> Finding:
    """Return the finding of a case study whose rule looks at the ``decisive`` horizons."""
    what = f"{cases.names[0]} minus {cases.names[1]}"
    by_bars = {h.bars: h for h in cases.study.summary}
    main = by_bars[_HEADLINE]
    short = sum(months < _HEADLINE for months in cases.months_after)
    said = (
        f"{what} over {_HEADLINE} months: mean {signed(main.mean)}, positive in "
        f"{round(main.positive * main.n)} of {main.n}"
        if main.n
        else f"{what} over {_HEADLINE} months: no complete case"
    )
    many = counted(main.n, "case")
    reach = 50 * (main.high - main.low)
    power = f"With {many} the mean over {_HEADLINE} months is known to about {reach:.0f} points either way."
    are = "is" if short == 1 else "are"
    cut = [f"{short} of {len(cases.dates)} cases {are} cut short by the end of the data."] if short else []
    return Finding(
        evidence=tuple(_evidence(by_bars[bars], what, cases.dates) for bars in decisive),
        headline=said,
        sample=many + (f", and {short} cut short" if short else ""),
        picture=_paths(cases, what),
        tables=(*summary_tables(cases), *case_tables(cases)),
        notes=(*([power] if main.n > 1 else []), *cut, *notes),
        cases=cases,
    )


def _left_out(bars: Monthly, days: Days) -> list[str]:
    late = [str(day) for day in days[bars.index_of(days) >= len(bars.ends)]]
    early = [str(day) for day in days[bars.index_of(days) < -1]]
    said = [f"Left out, after the end of the data ({bars.ends[-1]}): {', '.join(late)}."] if late else []
    return said + ([f"Left out, before the beginning of the data: {', '.join(early)}."] if early else [])


_REVISED = (
    SIZED,
    (
        "first drew returns anew in blocks, which took the wild months away from the cases, and placed "
        "cases at random"
    ),
)

TEST = (
    "Event study by months: the returns of the months after the month of the case, compounded, {what}. The "
    "mean of all complete cases is held against zero (by how far the cases lie apart, Student's t) and "
    "against ordinary months (with the error of the months outside all windows besides); both must reject."
)
"""How the days of an event are tested, ``what`` being earned after them."""


def _after_first_cuts(market: MarketData, *names: str) -> Finding:
    if market.policy is None:
        raise missing(market, "policy rate", "policy")
    bars = monthly(market, *names)
    events = market.known().policy.first_cuts(quiet=QUIET, at_least=0.25)
    days = events.dates()
    cases = study_cases(bars, days, (names[0], names[1]), events.known_from[0])
    return finding_of(cases, (12, 24), _left_out(bars, days))


@claimed(
    origin="articles on the great rotation, 2024 and 2025",
    test=TEST.format(what="small minus large")
    + f" A first cut is a fall of the target by 0.25 or more without another in the {QUIET} months before.",
    rule=_RULE,
    revised=_REVISED,
)
def first_cut(market: MarketData) -> Finding:
    """Small caps outperform large caps in the 12 to 24 months after the Fed starts to cut."""
    return _after_first_cuts(market, "small", "large")


def discount_rate_cuts(market: MarketData) -> tuple[Days, np.datetime64]:
    """Return the months of the first cuts of the discount rate, and from when they can be told.

    The series is a monthly average: a cut in mid-month shows in parts over two months. A fall by 0.10 within
    a month counts, dated in that month.
    """
    rate = observed(market, "discount_rate", "discount rate")
    dated = Series(rate.id, rate.dates, rate.values, rate.dates)
    events = PolicyRate(Fills(rate.dates), dated).first_cuts(quiet=QUIET, at_least=0.10)
    return events.dates(), events.known_from[0]


@claimed(
    origin="the same articles, over the longest history of a policy rate",
    test=TEST.format(what="small minus large") + " A first cut is a fall of the monthly average by 0.10 or "
    f"more without another in the {QUIET} months before.",
    rule=_RULE,
    published=(
        "Chisholm (Fidelity, 2024): since 1954 small caps beat the S&P 500 in the 12 months after a "
        "first cut 70% of the time, by more than 5% on average."
    ),
    revised=_REVISED,
)
def first_cut_discount_rate(market: MarketData) -> Finding:
    """Since 1950 small caps outperform in the 12 to 24 months after the first cut of the discount rate."""
    bars = monthly(market, "small", "large")
    days, known_from = discount_rate_cuts(market)
    cases = study_cases(bars, days, ("small", "large"), known_from)
    note = (
        "The discount rate is a monthly average: a cut counts in the month in which the average falls by "
        "0.10 or more, so a cut at a month's end is dated a month late."
    )
    return finding_of(cases, (12, 24), [note, *_left_out(bars, days)])


@claimed(
    origin="articles on the great rotation, 2025",
    test=TEST.format(what="value minus growth") + " First cuts as in the study first-cut.",
    rule=_WORTH_HAVING,
    revised=_REVISED,
)
def value_after_cuts(market: MarketData) -> Finding:
    """Value beats growth after rates fall."""
    return _after_first_cuts(market, "value", "growth")


@claimed(
    origin="Switzer (2010), often repeated",
    test=TEST.format(what="small minus large") + " A case is a trough of the NBER, as dated afterwards.",
    rule=SignRule(at_least=5, sizes=_SIZES[:1], condition=_SAME_SIDE),
    published=(
        "Switzer (2010), North American Journal of Economics and Finance 21: small beat large in the "
        "year after every trough but that of June 1938."
    ),
    revised=_REVISED,
)
def after_troughs(market: MarketData) -> Finding:
    """Small caps beat large caps in the year after a recession ends."""
    bars = monthly(market, "small", "large")
    dates, peaks = turning_points()
    cases = study_cases(bars, dates[~peaks], ("small", "large"), bars.ends[0])
    note = "Nobody knew a trough in its month: the NBER announces it 4 to 21 months later."
    return finding_of(cases, (12,), [note])


def about_days(days: Days, origin: str) -> Claim:
    """Return a claim about any list of days: what small and large earned after them.

    It is examined with a UsageError where none of the days lies in the data.
    """

    def examine(market: MarketData) -> Finding:
        bars = monthly(market, "small", "large")
        at = bars.index_of(days)
        if not ((at >= -1) & (at < len(bars.ends))).any():
            raise UsageError(
                f"none of the days lies in the data of '{market.name}', "
                f"which run from {bars.ends[0]} to {bars.ends[-1]}"
            )
        cases = study_cases(bars, days, ("small", "large"), days.min())
        return finding_of(cases, (12, 24), [f"The cases are {origin}.", *_left_out(bars, days)])

    return Claim(
        id="events",
        statement=f"Small caps outperform large caps in the 12 to 24 months after {origin}.",
        origin="you",
        test=TEST.format(what="small minus large"),
        rule=_WORTH_HAVING,
        examine=examine,
    )
