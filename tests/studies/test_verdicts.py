"""Verdicts on markets whose truth is known: noise, and planted effects both ways."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backtest.market.data import Bars
from backtest.reporting.html import render
from backtest.reporting.study_pages import claims_page
from backtest.studies.inputs import recession_months, turning_points
from backtest.studies.register import CLAIMS, study, study_claims
from tests.studies.simulated import ENDS, MONTHS, Plant, simulated

MARKETS = 24

Arrays = dict[str, np.ndarray]


def test_on_noise_no_more_than_one_claim_in_twenty_comes_out_supported() -> None:
    found = [each.verdict for seed in range(MARKETS) for each in study_claims(simulated(seed))]
    words = [verdict.word for verdict in found]
    assert len(words) == MARKETS * len(CLAIMS)
    assert words.count("supported") / len(words) <= 0.05
    assert words.count("contradicted") / len(words) <= 0.05
    # "margin" needs companies, and turns may fall into the same month; all else has cases enough.
    assert sum("the rule asks for" in verdict.because for verdict in found) <= 2 * MARKETS


def after(marks: np.ndarray, months: int) -> np.ndarray:
    """True in the months after each mark."""
    inside = np.zeros(len(marks), dtype=bool)
    for i in np.flatnonzero(marks):
        inside[i + 1 : i + 1 + months] = True
    return inside


def after_cuts(a: str, b: str, sign: int) -> Plant:
    def plant(returns: Arrays, levels: Arrays) -> None:
        for name, way in ((a, 1), (b, -1)):
            returns[name][after(levels["first_cut"], 24)] += way * sign * 0.008

    return plant


def after_troughs(sign: int) -> Plant:
    def plant(returns: Arrays, _levels: Arrays) -> None:
        dates, peaks = turning_points()
        marks = np.isin(MONTHS, dates[~peaks].astype("datetime64[M]"))
        returns["small"][after(marks, 12)] += sign * 0.02

    return plant


def foretold_by(role: str, sign: int) -> Plant:
    def plant(returns: Arrays, levels: Arrays) -> None:
        returns["small"][2:] += sign * 0.006 * levels[role][:-2]

    return plant


def moved_by(role: str, sign: int) -> Plant:
    def plant(returns: Arrays, levels: Arrays) -> None:
        change = levels["policy"] if role == "policy" else np.diff(levels[role], prepend=levels[role][0])
        returns["small"] += sign * 0.02 * change

    return plant


def both(*plants: Plant) -> Plant:
    def plant(returns: Arrays, levels: Arrays) -> None:
        for each in plants:
            each(returns, levels)

    return plant


def volatile(sign: int) -> Plant:
    def plant(returns: Arrays, _levels: Arrays) -> None:
        name = "small" if sign > 0 else "large"
        returns[name] *= 1.3

    return plant


def turning(sign: int) -> Plant:
    """Long falls and rises of the market, which one half goes through three months before the other."""

    def plant(returns: Arrays, _levels: Arrays) -> None:
        swing = np.where(np.arange(len(MONTHS)) % 60 < 36, 0.04, -0.03)
        rng = np.random.default_rng(0)
        for name, shift in (("small", 3 * sign), ("market", 0), ("large", -3 * sign)):
            returns[name][:] = np.roll(swing, -shift) + rng.normal(0.0, 0.001, len(MONTHS))

    return plant


def by_month(where: np.ndarray, sign: int) -> Plant:
    def plant(returns: Arrays, _levels: Arrays) -> None:
        returns["small"] += sign * np.where(where, -0.008, 0.006)

    return plant


def announced() -> np.ndarray:
    series = simulated(0).observations["recession"]
    at = np.searchsorted(series.known_at, ENDS, "left") - 1
    known = (at >= 0) & (series.values[np.maximum(at, 0)] == 1.0)
    return np.r_[False, known[:-1]]


def expansive(sign: int) -> Plant:
    def plant(returns: Arrays, levels: Arrays) -> None:
        moves = np.flatnonzero(levels["policy"])
        for i, j in zip(moves, [*moves[1:], len(MONTHS) - 1], strict=True):
            if levels["policy"][i] < 0:
                returns["small"][i + 1 : j + 1] += sign * 0.008

    return plant


def widest(sign: int) -> Plant:
    def plant(_returns: Arrays, levels: Arrays) -> None:
        levels["discount"][-1] = sign * 10.0

    return plant


def paid(sign: int) -> Plant:
    def plant(returns: Arrays, _levels: Arrays) -> None:
        returns["small"] += sign * 0.004

    return plant


PLANTED = {
    "first-cut": lambda sign: after_cuts("small", "large", sign),
    "first-cut-discount-rate": lambda sign: after_cuts("small", "large", sign),
    "value-after-cuts": lambda sign: after_cuts("value", "growth", sign),
    "after-troughs": after_troughs,
    "wide-discount": lambda sign: foretold_by("discount", sign),
    "widest-gap": widest,
    "concentration": lambda sign: foretold_by("concentration", sign),
    "more-volatile": volatile,
    "first-to-turn": turning,
    "expansions": lambda sign: by_month(recession_months(ENDS), sign),
    "expansions-in-time": lambda sign: by_month(announced(), sign),
    "expansive-policy": expansive,
    "rate-sensitive": lambda sign: both(moved_by("ten_year_yield", -sign), moved_by("policy", -sign)),
    "credit-spreads": lambda sign: moved_by("credit_spread", -sign),
    "capacity": paid,
}


def test_every_claim_that_returns_can_decide_has_a_planted_effect() -> None:
    assert {claim.id for claim in CLAIMS} - PLANTED.keys() == {"margin"}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_effect_makes_the_verdict_supported(name: str) -> None:
    found = study(name, simulated(3, PLANTED[name](1)))
    assert found.verdict.word == "supported", found.verdict.because


# A premium that is negative is not taken away by impact, so its claim can only fail, not turn.
TURNED = {name: "not supported" if name == "capacity" else "contradicted" for name in PLANTED}


@pytest.mark.parametrize("name", PLANTED)
def test_the_opposite_effect_turns_it(name: str) -> None:
    found = study(name, simulated(3, PLANTED[name](-1)))
    assert found.verdict.word == TURNED[name], found.verdict.because


def as_claimed(name: str, a: str, b: str) -> Plant:
    """Five points over the twelve months after each first cut, or trough, kept for another twelve."""

    def plant(returns: Arrays, levels: Arrays) -> None:
        marks = levels["first_cut"]
        if name == "after-troughs":
            dates, peaks = turning_points()
            marks = np.isin(MONTHS, dates[~peaks].astype("datetime64[M]"))
        # With what the market gains meanwhile, 0.4% a month is 5 points after a year.
        returns[a][after(marks, 12)] += 0.002
        returns[b][after(marks, 12)] -= 0.002

    return plant


def two_points_a_year(where: np.ndarray) -> Plant:
    def plant(returns: Arrays, _levels: Arrays) -> None:
        returns["small"] += np.where(where, -0.02, 0.02) / 12

    return plant


SIZED = {
    "first-cut": as_claimed("first-cut", "small", "large"),
    "value-after-cuts": as_claimed("value-after-cuts", "value", "growth"),
    "after-troughs": as_claimed("after-troughs", "small", "large"),
    "expansions": two_points_a_year(recession_months(ENDS)),
    "expansions-in-time": two_points_a_year(announced()),
    "capacity": two_points_a_year(np.zeros(len(ENDS), dtype=bool)),
}


@pytest.mark.parametrize("name", SIZED)
def test_an_effect_of_the_claimed_size_is_found_or_cannot_be_told(name: str) -> None:
    words = [study(name, simulated(seed, SIZED[name])).verdict.word for seed in range(60)]
    # At most one in twenty, two standard errors away.
    assert words.count("not supported") <= 6, words
    assert words.count("contradicted") <= 2, words


@pytest.mark.parametrize("months", [2, 14, 40, 130])
def test_a_young_market_gets_verdicts_and_pages_and_no_error(months: int) -> None:
    whole = simulated(2)
    young = dataclasses.replace(whole, bars=whole.bars.window(len(ENDS) - months, len(ENDS) - 1))
    found = study_claims(young)
    words = [each.verdict.word for each in found]
    assert words.count("cannot be told") >= (8 if months < 60 else 4)
    assert "<main>" in render(claims_page(found))


def test_a_market_without_sleeves_or_policy_says_what_it_lacks() -> None:
    whole = simulated(2)
    bare = dataclasses.replace(
        whole,
        bars=Bars(ENDS, ("small", "cash"), whole.bars.returns[:, [0, 5]]),
        observations={},
        policy=None,
        roles={},
    )
    found = [each for each in study_claims(bare) if each.claim.id != "margin"]
    assert {each.verdict.word for each in found} == {"cannot be told"}
    assert all("french_monthly" in each.verdict.because for each in found)


@pytest.mark.parametrize("daily", [False, True])
def test_years_are_years_whether_a_discount_comes_by_the_day_or_the_month(daily: bool) -> None:
    market = simulated(3)
    days = np.arange(np.datetime64("1990-01-01"), np.datetime64("2026-05-30")) if daily else ENDS
    wide_then = (days >= np.datetime64("2008-01-01")) & (days < np.datetime64("2010-01-01"))
    discount = dataclasses.replace(
        market.observations["discount"], dates=days, values=np.where(wide_then, 0.6, 0.2), known_at=days + 1
    )
    told = study(
        "widest-gap", dataclasses.replace(market, observations={**market.observations, "discount": discount})
    )
    # The gap was wider for two of the last twenty years.
    assert told.verdict.word == "not supported"
    assert told.finding.evidence[0].estimate == pytest.approx(0.1, abs=0.005)
