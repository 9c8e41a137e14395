"""Verdicts on markets whose truth is known: noise, and planted effects both ways."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.analysis.event_study import Chance
from backtest.studies.inputs import recession_months, turning_points
from backtest.studies.register import CLAIMS, hold_against, study, study_claims
from tests.studies.simulated import ENDS, MONTHS, Plant, simulated

QUICK = Chance(draws=150, seed=7)
MARKETS = 24

Arrays = dict[str, np.ndarray]


def test_on_noise_no_more_than_one_claim_in_twenty_comes_out_supported() -> None:
    words = [each.verdict.word for seed in range(MARKETS) for each in study_claims(simulated(seed), QUICK)]
    assert len(words) == MARKETS * len(CLAIMS)
    assert words.count("supported") / len(words) <= 0.05
    assert words.count("contradicted") / len(words) <= 0.05
    # "margin" needs companies, and turns may fall into the same month; all else can be told.
    assert words.count("cannot be told") <= 2 * MARKETS


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
        returns["small"][2:] += sign * 0.004 * levels[role][:-2]

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
    found = study(name, simulated(3, PLANTED[name](1)), QUICK)
    assert found.verdict.word == "supported", found.verdict.because


# A premium that is negative is not taken away by impact, so its claim can only fail, not turn.
TURNED = {name: "not supported" if name == "capacity" else "contradicted" for name in PLANTED}


@pytest.mark.parametrize("name", PLANTED)
def test_the_opposite_effect_turns_it(name: str) -> None:
    found = study(name, simulated(3, PLANTED[name](-1)), QUICK)
    assert found.verdict.word == TURNED[name], found.verdict.because


def test_the_same_market_and_seed_give_the_same_verdicts() -> None:
    claim = CLAIMS[0]
    one, two = (hold_against(claim, simulated(1), QUICK) for _ in range(2))
    assert one.finding is not None
    assert two.finding is not None
    assert one.finding.evidence == two.finding.evidence
