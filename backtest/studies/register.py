"""The register of claims, and the functions that study one of them, all of them, or any list of days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError, nearest
from backtest.market.load import load_market
from backtest.scripting.loading import load_strategy
from backtest.shown import Pictured, Reported
from backtest.studies import (
    cycle_claims,
    event_claims,
    forecast_claims,
    rate_claims,
    risk_claims,
    size_claims,
)
from backtest.studies.claim import CANNOT_BE_TOLD, Claim, MissingInputError, Verdict, claims_in
from backtest.studies.event_claims import about_days
from backtest.studies.size_claims import Assumptions, capacity, examine_capacity

if TYPE_CHECKING:
    from backtest.dates import Days
    from backtest.market.data import MarketData, Sourced
    from backtest.studies.findings import Finding

CLAIMS = claims_in(event_claims, forecast_claims, risk_claims, cycle_claims, rate_claims, size_claims)

DEFAULT = Assumptions()


@dataclass(frozen=True, eq=False, repr=False)
class Study(Pictured):
    """A claim held against a market.

    Parameters
    ----------
    claim
        What was claimed and how it is tested.
    market
        The data it was held against.
    finding
        None where the market lacks a series.
    verdict
        What the claim's rule says.

    Examples
    --------
    >>> from backtest import study
    >>> cuts = study("first-cut")
    >>> len(cuts.finding.cases.dates), cuts.plot().get_axes()[0].get_xlabel()
    (7, 'months from the case')
    """

    claim: Claim
    market: Sourced
    finding: Finding | None
    verdict: Verdict


class Claims(Reported, tuple[Study, ...]):
    """All claims held against one market: a tuple of ``Study``, in the order of ``rotation study list``.

    Examples
    --------
    >>> from backtest import study_claims
    >>> found = study_claims()
    >>> found.to_frame().loc["first-cut", "verdict"]
    'cannot be told'
    """


def claim(name: str) -> Claim:
    """Return a claim by its name; UsageError with the nearest one where there is none."""
    by_id = {each.id: each for each in CLAIMS}
    if name not in by_id:
        raise UsageError(f"there is no study '{name}'; {nearest(name, [*by_id, 'claims', 'events', 'list'])}")
    return by_id[name]


def hold_against(claim: Claim, market: Sourced) -> Study:
    """Examine a claim on a market, or on a panel; what it lacks makes the verdict "cannot be told"."""
    try:
        finding = claim.examine(market)
    except MissingInputError as reason:
        return Study(claim, market, None, Verdict(CANNOT_BE_TOLD, str(reason)))
    return Study(claim, market, finding, claim.rule.verdict(finding.evidence))


def study(name: str, market: MarketData | str = "embedded") -> Study:
    """Study one claim.

    Parameters
    ----------
    name
        As ``rotation study list`` shows it.
    market
        What ``load_market`` returns, or a name that it takes.

    Examples
    --------
    >>> from backtest import study
    >>> study("first-cut").verdict.word
    'cannot be told'
    """
    return hold_against(claim(name), load_market(market))


def study_claims(market: MarketData | str = "embedded") -> Claims:
    """Study all claims on one market.

    Examples
    --------
    >>> from backtest import study_claims
    >>> len(study_claims())
    16
    """
    loaded = load_market(market)
    return Claims(hold_against(each, loaded) for each in CLAIMS)


def first_days(strategy: str, market: MarketData, parameters: dict[str, Any]) -> Days:
    """Return the fills at which a strategy first holds small after not holding it.

    What it holds at its first fill is where the data begin, no decision to buy, and does not count.

    Raises
    ------
    UsageError
        When it never does, the market has no small companies, or the strategy's inputs are never known.
    """
    loaded = load_strategy(strategy)
    bars = market.bars
    if "small" not in bars.sleeves:
        raise UsageError(
            f"'{market.name}' has no sleeve small, so no strategy can buy it; see rotation data list"
        )
    decision = loaded.ruling(market, loaded.bind(parameters)).decision
    if decision.first_fill >= len(bars.dates) - 1:
        raise UsageError(
            f"{loaded.name} decides nothing on '{market.name}': its inputs are never known there"
        )
    targets = decision.targets(bars.sleeves, decision.first_fill, len(bars.dates) - 1)
    held = targets.weights[:, bars.sleeves.index("small")] > 0.0
    begins = held & ~np.r_[True, held[:-1]]
    if not begins.any():
        raise UsageError(f"{loaded.name} never goes into small on '{market.name}' from something else")
    return bars.dates[targets.fills[begins]]


def study_capacity(market: MarketData | str = "embedded", assumptions: Assumptions = DEFAULT) -> Study:
    """Study the claim about capacity under assumptions of one's own."""
    about = replace(capacity, examine=lambda market: examine_capacity(market, assumptions))
    return hold_against(about, load_market(market))


def study_days(
    days: Days,
    market: MarketData | str = "embedded",
    origin: str = "given days",
) -> Study:
    """Study any list of days: what small and large earned around them.

    Examples
    --------
    >>> from backtest import run, study_days
    >>> days = run("rate_cut").trades["date"].to_numpy().astype("datetime64[D]")
    >>> study_days(days[1:7]).finding.sample
    '6 cases'
    """
    return hold_against(about_days(days, origin), load_market(market))
