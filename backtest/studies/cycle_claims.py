"""Claims about the cycle: expansions and recessions, expansive and restrictive policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.studies.claim import SIZED, EffectSize, SignRule, claimed
from backtest.studies.findings import Dots, Finding, TextTable
from backtest.studies.inputs import known_level, observed, recession_months, size_premium, span
from backtest.studies.steadiness import coefficient, spells
from backtest.wording import pvalue, signed

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Floats
    from backtest.market.data import MarketData


def _episodes(yes: Bools) -> int:
    return int((np.diff(yes.astype(int), prepend=0) == 1).sum())


def _by_regime(ends: Days, excess: Floats, bad: Bools, names: tuple[str, str], note: str) -> Finding:
    """Compare small minus large in good months (named first) and bad ones; the claim is plus and minus."""
    design = np.column_stack([~bad, bad]).astype(np.float64)
    evidence = [
        replace(
            coefficient(
                f"small minus large a year in {name}",
                *(excess, design, column, spells(ends, bad), _episodes(inside), signed),
                scale=12.0,
            ),
            claimed=sign,
        )
        for column, (name, inside, sign) in enumerate(zip(names, (~bad, bad), (1, -1), strict=True))
    ]
    rows = [
        (
            name,
            str(int(inside.sum())),
            str(found.n),
            found.shown,
            f"{signed(found.low)} to {signed(found.high)}",
            pvalue(found.pvalue),
        )
        for name, inside, found in zip(names, (~bad, bad), evidence, strict=True)
    ]
    values, lows, highs = 100.0 * np.array([(e.estimate, e.low, e.high) for e in evidence]).T
    head = f"small minus large a year: {evidence[0].shown} in {names[0]}, {evidence[1].shown} in {names[1]}"
    return Finding(
        evidence=tuple(evidence),
        headline=head,
        sample=f"{len(excess)} months, {_episodes(bad)} spells of {names[1]}",
        picture=Dots(names, values, lows, highs, "small minus large, % a year"),
        tables=(
            TextTable(
                span(ends),
                ("months of", "months", "spells", "mean a year", "95% interval", "p"),
                tuple(rows),
            ),
        ),
        notes=(note,),
    )


def _rule(*sizes: EffectSize) -> SignRule:
    return SignRule(at_least=5, sizes=sizes, cases="spells")


_EACH = _rule(EffectSize(0.02, "2 points a year won"), EffectSize(0.02, "2 points a year lost"))


@claimed(
    origin="articles on the great rotation, 2025",
    test="Mean of small minus large in the months of expansions and recessions.",
    rule=_EACH,
    revised=(SIZED,),
)
def expansions(market: MarketData) -> Finding:
    """Small caps win in expansions and lose in downturns."""
    ends, excess = size_premium(market)
    note = "Recessions as the NBER dated them afterwards: nobody could have acted on them."
    return _by_regime(ends, excess, recession_months(ends), ("expansions", "recessions"), note)


@claimed(
    origin="the same articles, as an investor would have to act on them",
    test=(
        "Mean of small minus large in the months that began with an expansion or a recession announced, "
        "errors that respect autocorrelation; announcements of the NBER since 1980."
    ),
    rule=_EACH,
    revised=(SIZED,),
)
def expansions_in_time(market: MarketData) -> Finding:
    """Small caps win in announced expansions and lose in announced recessions: the news helps to choose."""
    ends, excess = size_premium(market)
    # What is known at a month's end is held against the month after it.
    known = known_level(market, "recession", "recession as announced", ends)[:-1]
    usable = np.isfinite(known)
    return _by_regime(
        ends[1:][usable],
        excess[1:][usable],
        known[usable] == 1.0,
        ("announced expansions", "announced recessions"),
        "As announced by the NBER, known before the month began; announcements exist since 1980.",
    )


@claimed(
    origin="Johnson, Jensen and Garcia-Feijoo, on 1966 to 2013",
    test=(
        "Mean of small minus large in the months after a cut of the discount rate less that in "
        "the months after a rise, whichever came last; errors respect autocorrelation."
    ),
    rule=_rule(EffectSize(0.02, "2 points a year")),
    published=(
        "Johnson, Jensen and Garcia-Feijoo (2015), Invest with the Fed: small caps gain most in "
        "expansive periods, 1966 to 2013. Theirs need both the discount rate and the federal funds rate "
        "to trend downward."
    ),
    revised=(
        SIZED,
        (
            "first asked for a loss in restrictive months, which nobody had claimed, and now asks for "
            "the difference that was published"
        ),
    ),
)
def expansive_policy(market: MarketData) -> Finding:
    """The small-cap premium is larger when policy is expansive than when it is restrictive."""
    ends, excess = size_premium(market)
    rate = observed(market, "discount_rate", "discount rate")
    change = np.diff(rate.values)
    moved = np.abs(change) > 1e-9
    dates, cut = rate.dates[1:][moved].astype("datetime64[M]"), change[moved] < 0
    months = ends.astype("datetime64[M]")
    last = np.searchsorted(dates, months, "left") - 1
    usable = (last >= 0) & (months <= rate.dates[-1].astype("datetime64[M]"))
    restrictive = ~cut[np.maximum(last, 0)][usable]
    ends, excess, months = ends[usable], excess[usable], months[usable]
    note = "A month is expansive when the last move of the discount rate before it was a cut."
    names = ("expansive months", "restrictive months")
    whole = _by_regime(ends, excess, restrictive, names, note)
    difference = coefficient(
        "small minus large a year, expansive less restrictive months",
        excess,
        np.column_stack([np.ones(len(excess)), ~restrictive]).astype(np.float64),
        *(1, spells(ends, restrictive), whole.evidence[1].n, signed),
        scale=12.0,
    )
    part, tables = (months >= np.datetime64("1966-01")) & (months <= np.datetime64("2013-12")), whole.tables
    if part.any():
        tables += _by_regime(ends[part], excess[part], restrictive[part], names, note).tables
    return replace(whole, evidence=(difference,), tables=tables)
