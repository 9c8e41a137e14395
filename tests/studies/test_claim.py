"""Rules turn evidence into verdicts by what they say, and in no other way."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import MarketData, UsageError, load_market
from backtest.studies.claim import SignRule, WidestRule, holm
from backtest.studies.findings import Evidence
from backtest.studies.register import CLAIMS, claim, study

RULE = SignRule(at_least=5)
pvalues = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6)


def evidence(estimate: float, pvalue: float, n: int = 9, *, claimed: int = 1, holds: bool = True) -> Evidence:
    return Evidence("what", estimate, "shown", pvalue, n, claimed, holds)


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
    word = RULE.verdict(tuple(evidence(sign, p) for p in values)).word
    beyond = min(holm(values)) < 0.05
    assert word == (("supported" if up else "contradicted") if beyond else "not supported")


def test_signs_that_disagree_support_nothing() -> None:
    found = RULE.verdict((evidence(1.0, 0.001), evidence(-1.0, 0.001)))
    assert (found.word, "disagree" in found.because) == ("not supported", True)


def test_an_estimate_may_be_claimed_to_be_negative() -> None:
    assert RULE.verdict((evidence(1.0, 0.001), evidence(-1.0, 0.9, claimed=-1))).word == "supported"


def test_a_condition_that_is_not_met_supports_nothing() -> None:
    rule = SignRule(at_least=5, condition="the moon is full")
    assert rule.verdict((evidence(1.0, 0.001, holds=False),)).word == "not supported"
    assert "the moon is full" in rule.verdict((evidence(1.0, 0.001, holds=False),)).because
    # One p-value carries the verdict, another one the condition: neither is enough.
    assert rule.verdict((evidence(1.0, 0.001, holds=False), evidence(1.0, 0.5))).word == "not supported"


@pytest.mark.parametrize("found", [(), (evidence(1.0, 0.001, n=4),), (evidence(float("nan"), float("nan")),)])
def test_too_few_cases_or_no_number_cannot_be_told(found: tuple[Evidence, ...]) -> None:
    assert RULE.verdict(found).word == "cannot be told"


def test_an_estimate_of_zero_has_no_sign() -> None:
    assert RULE.verdict((evidence(0.0, 0.001),)).word == "not supported"


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
