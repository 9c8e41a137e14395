"""Rules turn evidence into verdicts by what they say, and in no other way."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import MarketData, UsageError, load_market
from backtest.studies.claim import EffectSize, SignRule, WidestRule, holm
from backtest.studies.findings import Evidence
from backtest.studies.register import CLAIMS, claim, study

ONE = EffectSize(1.0, "one")
pvalues = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6)


def rule(tests: int = 1, condition: str = "") -> SignRule:
    return SignRule(at_least=5, sizes=(ONE,) * tests, condition=condition)


def evidence(
    estimate: float,
    pvalue: float,
    n: int = 9,
    *,
    claimed: int = 1,
    holds: bool = True,
    interval: tuple[float, float] = (-2.0, 2.0),
    halves: tuple[float, float] = (float("nan"), float("nan")),
    without: float = float("nan"),
) -> Evidence:
    return Evidence(
        *("what", estimate, "{:+.1f} feet".format, pvalue, n, claimed, holds),
        *interval,
        halves,
        "March 1933",
        without,
    )


@given(pvalues)
def test_holms_adjustment_is_the_closed_test_of_bonferroni(values: list[float]) -> None:
    """A hypothesis falls when Bonferroni rejects every set of hypotheses that it belongs to."""
    places = range(len(values))
    sets = [s for size in range(1, len(values) + 1) for s in itertools.combinations(places, size)]
    closed = [
        max(min(1.0, len(s) * min(values[place] for place in s)) for s in sets if own in s) for own in places
    ]
    assert holm(values) == pytest.approx(closed)


@given(pvalues, st.booleans())
def test_supported_turns_into_contradicted_when_every_sign_turns(values: list[float], up: bool) -> None:
    sign = 1.0 if up else -1.0
    word = rule(len(values)).verdict(tuple(evidence(sign, p) for p in values)).word
    beyond = min(holm(values)) < 0.05
    assert word == (("supported" if up else "contradicted") if beyond else "cannot be told")


def test_signs_that_disagree_support_nothing() -> None:
    found = rule(2).verdict((evidence(1.0, 0.001), evidence(-1.0, 0.001)))
    assert (found.word, "disagree" in found.because) == ("cannot be told", True)


def test_an_estimate_may_be_claimed_to_be_negative() -> None:
    assert rule(2).verdict((evidence(1.0, 0.001), evidence(-1.0, 0.9, claimed=-1))).word == "supported"


def test_a_condition_that_is_not_met_supports_nothing() -> None:
    full = rule(condition="the moon is full")
    assert full.verdict((evidence(1.0, 0.001, holds=False),)).word == "cannot be told"
    assert "the moon is full" in full.verdict((evidence(1.0, 0.001, holds=False),)).because
    # One p-value carries the verdict, another one the condition: neither is enough.
    found = rule(2).verdict((evidence(1.0, 0.001, holds=False), evidence(1.0, 0.5)))
    assert found.word == "cannot be told"


@pytest.mark.parametrize("found", [(), (evidence(1.0, 0.001, n=4),), (evidence(float("nan"), float("nan")),)])
def test_too_few_cases_or_no_number_cannot_be_told(found: tuple[Evidence, ...]) -> None:
    assert rule().verdict(found).word == "cannot be told"


def test_an_estimate_of_zero_has_no_sign() -> None:
    assert rule().verdict((evidence(0.0, 0.001),)).word == "cannot be told"


@pytest.mark.parametrize(
    ("claimed", "interval", "word"),
    [
        (1, (-0.5, 0.99), "not supported"),
        (1, (-0.5, 1.01), "cannot be told"),
        (1, (-3.0, -1.0), "not supported"),
        (-1, (-0.99, 0.5), "not supported"),
        (-1, (-1.01, 0.5), "cannot be told"),
    ],
)
def test_not_supported_is_said_only_where_the_claimed_size_lies_outside_the_interval(
    claimed: int, interval: tuple[float, float], word: str
) -> None:
    found = rule().verdict((evidence(0.2, 0.5, claimed=claimed, interval=interval),))
    assert found.word == word


def test_what_cannot_be_told_comes_with_the_smallest_effect_that_would_show_four_times_in_five() -> None:
    found = rule().verdict((evidence(-0.2, 0.5, claimed=-1, interval=(-1.96, 1.96)),))
    # A z test of size 5% whose error is 1 rejects four times in five at 1.96 + 0.84.
    assert "-2.8 feet is the smallest effect" in found.because
    sharp = rule().verdict((evidence(0.8, 0.2, interval=(0.45, 1.05)),))
    assert (sharp.word, "smallest effect" in sharp.because) == ("cannot be told", False)


def test_supported_shows_both_halves_and_names_the_one_or_the_case_that_carries_it() -> None:
    def because(halves: tuple[float, float], without: float, way: float = 1.0) -> str:
        told = evidence(2.0 * way, 0.001, halves=halves, without=without, interval=(0.5, 3.5))
        return rule().verdict((told,)).because

    assert "+1.5 feet in the first half of the sample, +2.5 feet in the second" in because((1.5, 2.5), 0.01)
    assert "rests" not in because((1.5, 2.5), 0.01)
    assert "it rests on the second half" in because((0.9, 3.0), 0.01)
    assert "it rests on the first half" in because((3.0, -0.5), 0.01)
    assert "it rests on the first half" in because((-3.0, -0.5), 0.01, way=-1.0)
    assert "it rests on one case: without March 1933 p is 0.20" in because((1.5, 2.5), 0.2)


def test_one_case_that_hides_an_effect_is_named() -> None:
    found = rule().verdict((evidence(0.9, 0.06, without=0.02),))
    assert (found.word, "without March 1933 p is 0.020" in found.because) == ("cannot be told", True)
    assert "without" not in rule().verdict((evidence(-0.9, 0.06, without=0.02),)).because


def test_what_has_the_claimed_sign_and_is_smaller_than_claimed_is_said_to_be() -> None:
    found = rule().verdict((evidence(0.5, 0.001, interval=(0.2, 0.8)),))
    assert (found.word, "ends at +0.8 feet, short of one" in found.because) == ("supported", True)


@pytest.mark.parametrize(
    ("share", "months", "word"),
    [
        (0.0, 240, "supported"),
        (0.01, 240, "not supported"),
        (0.6, 240, "contradicted"),
        (0.0, 239, "cannot be told"),
    ],
)
def test_the_widest_gap_is_a_matter_of_rank(share: float, months: int, word: str) -> None:
    assert WidestRule().verdict((evidence(share, share, months),)).word == word


def test_every_claim_says_who_says_so_and_what_decides() -> None:
    assert len({c.id for c in CLAIMS}) == len(CLAIMS)
    for each in CLAIMS:
        assert each.statement.endswith(".")
        assert each.origin
        for word in ("Supported:", "Cannot be told:", "not supported"):
            assert word in each.rule.text


def test_an_unknown_study_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'first-cut'"):
        claim("first_cut")


def test_what_a_market_lacks_cannot_be_told_and_a_market_that_has_it_is_named(embedded: MarketData) -> None:
    found = study("first-cut-discount-rate", embedded)
    assert found.finding is None
    assert found.verdict.word == "cannot be told"
    assert "french_monthly" in found.verdict.because
    assert study("concentration", load_market("embedded")).verdict.word == "cannot be told"
