"""Claims about what moves small caps more than large ones: risk, turns, the cycle, rates and credit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.lead_lag import lead, sign_test, turns, volatility_ratio
from backtest.analysis.long_run import fit
from backtest.dates import Fills
from backtest.studies.claim import Claim, Evidence, SignRule
from backtest.studies.findings import Dots, Finding, Table
from backtest.studies.inputs import change_within, monthly, observed, recession_months
from backtest.studies.wording import number, percent, probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.analysis.event_study import Chance
    from backtest.dates import Bools, Days, Floats
    from backtest.market.data import MarketData

DEPTH = 0.20
"""A downturn is a fall of the market by so much from its highest value."""

_NORMAL = 1.959964


def _dots(labels: Sequence[str], values: Sequence[float], errors: Sequence[float], xlabel: str) -> Dots:
    value, half = np.array(values, dtype=float), _NORMAL * np.array(errors, dtype=float)
    return Dots(tuple(labels), value, value - half, value + half, xlabel)


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


def _episodes(yes: Bools) -> int:
    return int((np.diff(yes.astype(int), prepend=0) == 1).sum())


def _by_regime(ends: Days, excess: Floats, bad: Bools, names: tuple[str, str], note: str) -> Finding:
    """Compare small minus large in good months (named first) and bad ones; the claim is plus and minus."""
    found = fit(excess, np.column_stack([~bad, bad]).astype(float))
    labels, evidence, rows = [], [], []
    for column, (name, inside, sign) in enumerate(zip(names, (~bad, bad), (1, -1), strict=True)):
        mean, error = (12 * float(x[column]) for x in (found.coefficients, found.errors))
        labels.append(name)
        evidence.append(
            Evidence(
                f"small minus large a year in {name}",
                mean,
                percent(mean),
                float(found.pvalues[column]),
                _episodes(inside),
                claimed=sign,
            )
        )
        rows.append(
            (
                name,
                str(int(inside.sum())),
                str(_episodes(inside)),
                percent(mean),
                f"{percent(mean - _NORMAL * error)} to {percent(mean + _NORMAL * error)}",
                number(float(found.tstats[column])),
                probability(float(found.pvalues[column])),
            )
        )
    head = f"small minus large a year: {evidence[0].shown} in {names[0]}, {evidence[1].shown} in {names[1]}"
    return Finding(
        evidence=tuple(evidence),
        headline=head,
        sample=f"{len(excess)} months, {_episodes(bad)} spells of {names[1]}",
        picture=_dots(
            labels,
            [100 * e.estimate for e in evidence],
            list(1200 * found.errors),
            "small minus large, % a year",
        ),
        tables=(
            Table(
                f"{str(ends[0])[:7]} to {str(ends[-1])[:7]}",
                ("months of", "months", "spells", "mean a year", "95% interval", "t (Newey-West)", "p"),
                tuple(rows),
            ),
        ),
        notes=(note,),
    )


def _expansions(market: MarketData, chance: Chance) -> Finding:  # noqa: ARG001 - nothing is drawn here
    bars = monthly(market, "small", "large")
    return _by_regime(
        bars.ends,
        bars.returns["small"] - bars.returns["large"],
        recession_months(bars.ends),
        ("expansions", "recessions"),
        "Recessions as the NBER dated them afterwards: nobody could have acted on them.",
    )


def _expansions_in_time(market: MarketData, chance: Chance) -> Finding:  # noqa: ARG001 - nothing is drawn here
    bars = monthly(market, "small", "large")
    # What is known at a month's end is held against the month after it.
    known = observed(market, "recession", "recession as announced").as_of(Fills(bars.ends))[:-1]
    usable = np.isfinite(known)
    excess = (bars.returns["small"] - bars.returns["large"])[1:]
    return _by_regime(
        bars.ends[1:][usable],
        excess[usable],
        known[usable] == 1.0,
        ("announced expansions", "announced recessions"),
        "As announced by the NBER, known before the month began; announcements exist since 1980.",
    )


def _expansive_policy(market: MarketData, chance: Chance) -> Finding:  # noqa: ARG001 - nothing is drawn here
    bars = monthly(market, "small", "large")
    rate = observed(market, "discount_rate", "discount rate")
    change = np.diff(rate.values)
    moved = np.abs(change) > 1e-9
    dates, cut = rate.dates[1:][moved].astype("datetime64[M]"), change[moved] < 0
    months = bars.ends.astype("datetime64[M]")
    last = np.searchsorted(dates, months, "left") - 1
    usable = (last >= 0) & (months <= rate.dates[-1].astype("datetime64[M]"))
    restrictive = ~cut[np.maximum(last, 0)][usable]
    excess = (bars.returns["small"] - bars.returns["large"])[usable]
    note = "A month is expansive when the last move of the discount rate before it was a cut."
    names = ("expansive months", "restrictive months")
    whole = _by_regime(bars.ends[usable], excess, restrictive, names, note)
    found = fit(excess, np.column_stack([np.ones(len(excess)), ~restrictive]).astype(float))
    difference = 12 * float(found.coefficients[1])
    published = (months[usable] >= np.datetime64("1966-01")) & (months[usable] <= np.datetime64("2013-12"))
    tables = whole.tables
    if published.any():
        part = _by_regime(
            bars.ends[usable][published], excess[published], restrictive[published], names, note
        )
        tables = (*tables, *part.tables)
    return replace(
        whole,
        evidence=(
            Evidence(
                "small minus large a year, expansive less restrictive months",
                difference,
                percent(difference),
                float(found.pvalues[1]),
                whole.evidence[1].n,
            ),
        ),
        tables=tables,
    )


def _betas(market: MarketData, drivers: Sequence[tuple[str, str, bool]]) -> Finding:
    """Regress small minus large on changes of each driver in the same month, one driver at a time."""
    bars = monthly(market, "small", "large")
    sleeves = {"small minus large": bars.returns["small"] - bars.returns["large"], **bars.returns}
    evidence, labels, values, errors, rows = [], [], [], [], []
    for role, what, carried in drivers:
        change = change_within(observed(market, role, what), bars.ends, carried=carried)
        usable = np.isfinite(change)
        design = np.column_stack([np.ones(int(usable.sum())), change[usable]])
        fits = {name: fit(100 * column[usable], design) for name, column in sleeves.items()}
        main = fits["small minus large"]
        n = int((np.abs(change[usable]) > 1e-9).sum())
        slope = float(main.coefficients[1])
        evidence.append(
            Evidence(what, slope, f"{slope:+.2f}% for +1 point", float(main.pvalues[1]), n, claimed=-1)
        )
        for name, found in fits.items():
            labels.append(f"{name} on {what}")
            values.append(float(found.coefficients[1]))
            errors.append(float(found.errors[1]))
            rows.append(
                (
                    name,
                    what,
                    f"{str(bars.ends[usable][0])[:7]} to {str(bars.ends[usable][-1])[:7]}" if n else "-",
                    str(n),
                    number(float(found.coefficients[1])),
                    number(float(found.tstats[1])),
                    probability(float(found.pvalues[1])),
                )
            )
    return Finding(
        evidence=tuple(evidence),
        headline="; ".join(f"small minus large {e.shown} of the {e.label}" for e in evidence),
        sample=", ".join(f"{e.n} months with a change of the {e.label}" for e in evidence),
        picture=_dots(labels, values, errors, "% in the month in which the driver rises by one point"),
        tables=(
            Table(
                "regressions on the change within the same month, one driver at a time",
                ("return of", "driver", "months", "with a change", "beta", "t (Newey-West)", "p"),
                tuple(rows),
            ),
        ),
        notes=("The same month: this is sensitivity, not a forecast.",),
    )


def _rates(market: MarketData, chance: Chance) -> Finding:  # noqa: ARG001 - nothing is drawn here
    return _betas(market, [("ten_year_yield", "10-year yield", False), ("policy", "policy rate", True)])


def _credit(market: MarketData, chance: Chance) -> Finding:  # noqa: ARG001 - nothing is drawn here
    return _betas(market, [("credit_spread", "Baa-Aaa spread", False)])


_SPELLS = SignRule(at_least=5, cases="spells")
_MONTHS = SignRule(at_least=60, cases="months")

SENSITIVITY_CLAIMS = (
    Claim(
        id="more-volatile",
        statement="Small caps are more volatile than large caps.",
        origin="common knowledge, repeated in every article",
        test=(
            "Ratio of the standard deviations of monthly returns, held against 1 by months drawn anew in "
            "blocks."
        ),
        rule=_MONTHS,
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
    Claim(
        id="expansions",
        statement="Small caps win in expansions and lose in downturns.",
        origin="articles on the great rotation, 2025",
        test="Mean of small minus large in the months of expansions and recessions, Newey-West errors.",
        rule=_SPELLS,
        examine=_expansions,
    ),
    Claim(
        id="expansions-in-time",
        statement="The same, with recessions as they were announced: knowing them helps to choose.",
        origin="the same articles, as an investor would have to act on them",
        test="The same in the month after an announcement stood; announcements of the NBER since 1980.",
        rule=_SPELLS,
        examine=_expansions_in_time,
    ),
    Claim(
        id="expansive-policy",
        statement="The small-cap premium is larger when policy is expansive than when it is restrictive.",
        origin="Johnson, Jensen and Garcia-Feijoo, on 1966 to 2013",
        test=(
            "Mean of small minus large by the direction of the last change of the discount rate, "
            "Newey-West errors."
        ),
        rule=_SPELLS,
        examine=_expansive_policy,
        published=(
            "Johnson, Jensen and Garcia-Feijoo: the small-cap premium is concentrated in expansive periods."
        ),
    ),
    Claim(
        id="rate-sensitive",
        statement="Small caps are hurt more than large caps by rising rates.",
        origin="articles on the great rotation, 2024 and 2025",
        test=(
            "Beta of small minus large to the change of the 10-year yield and of the policy rate in the "
            "same month."
        ),
        rule=_MONTHS,
        examine=_rates,
        published=(
            "CFA Institute (August 2024): small stocks no more rate-sensitive than large ones, 1926 to 2024."
        ),
    ),
    Claim(
        id="credit-spreads",
        statement="Widening credit spreads hurt small caps more than large caps.",
        origin="articles on the great rotation, 2025",
        test="Beta of small minus large to the change of Moody's Baa-Aaa spread in the same month.",
        rule=_MONTHS,
        examine=_credit,
    ),
)
