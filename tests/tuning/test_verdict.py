"""The verdict follows the rule of docs/tuning.md, whatever the other figures say."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backtest.analysis.crossvalidation import Overfitting
from backtest.analysis.overfitting import Deflated
from backtest.analysis.superior import Superior
from backtest.tuning.placebo import Placebo
from backtest.tuning.sentences import cautions, outcome_of
from backtest.tuning.truth import Truth
from backtest.tuning.verdict import HOLDS, LUCK, OPEN, judged

NONE = np.zeros(0, dtype=np.int64)


def truth(
    spa: float = 0.01,
    placebo: float | None = 0.01,
    named: bool | None = True,
    years: float = 90.0,
    overfitting: float = 0.1,
    behind: float = 0.1,
    hurdle: float = 3.0,
) -> Truth:
    deflated = Deflated(0.1, 0.05, 0.3, 100)
    crossed = Overfitting(overfitting, behind, NONE, NONE * 1.0, NONE * 1.0, NONE * 1.0, 100, 0)
    tested = Superior(spa, NONE, 100, 0.05, math.nan if math.isnan(spa) else hurdle)
    luck = None if placebo is None else Placebo(NONE * 1.0, NONE, 1.0, 100, placebo)
    return Truth(100, 100, 9.0, deflated, crossed, tested, named, luck, years)


@pytest.mark.parametrize(
    ("figures", "outcome", "said"),
    [
        ({}, HOLDS, "It holds up: Hansen's test of 100 trials against the benchmark gives p = 0.010, and 1%"),
        ({"spa": 0.05, "placebo": 0.05}, HOLDS, "It holds up"),
        ({"placebo": None}, HOLDS, "and no search at shifted dates was asked for."),
        ({"named": None}, HOLDS, "100 trials drawn by chance"),
        ({"named": False}, OPEN, "though for others than the winner, but 1% of the same searches"),
        ({"spa": 0.051}, OPEN, "because the tests disagree: Hansen's test"),
        ({"placebo": 0.051}, OPEN, "because the tests disagree: Hansen's test"),
        ({"spa": 0.4, "placebo": 0.3}, LUCK, "an information ratio of 0.5 a year would have shown"),
        ({"spa": 0.4, "placebo": 0.3, "years": 20.0}, OPEN, "only an information ratio of 0.86 a year"),
        ({"spa": math.nan, "placebo": 0.3}, OPEN, "Hansen's test against the benchmark has too little"),
        ({"spa": math.nan, "placebo": 0.01}, OPEN, "too little to go by, but 1% of the same searches"),
        ({"overfitting": 0.9, "behind": 0.9}, HOLDS, "It holds up"),
    ],
)
def test_the_outcome_is_by_the_rule(figures: dict[str, Any], outcome: str, said: str) -> None:
    found = truth(**figures)
    verdict = judged(found)
    assert verdict.outcome == outcome
    assert said in " ".join(outcome_of(verdict, found))


def test_what_qualifies_is_told_beside_it() -> None:
    assert not judged(truth()).unsettled
    near_equal = judged(truth(overfitting=0.31, behind=0.04))
    assert (near_equal.outcome, near_equal.unsettled, near_equal.follows) == (HOLDS, True, True)
    assert judged(truth(overfitting=0.31, behind=0.4)).follows is False


def test_the_smallest_edge_that_shows_has_a_power_of_80_percent() -> None:
    random = np.random.default_rng(0)
    years, visible = 30.0, judged(truth(years=30.0, hurdle=3.0)).visible
    sample = random.normal(visible / math.sqrt(12.0), 1.0, (4000, int(12 * years)))
    statistics = sample.mean(axis=1) / sample.std(axis=1, ddof=1) * math.sqrt(12 * years)
    assert (statistics > 3.0).mean() == pytest.approx(0.8, abs=0.03)


def test_the_recommended_set_has_its_own_doubts_told() -> None:
    def choice(*doubts: str) -> Any:
        return SimpleNamespace(result=SimpleNamespace(doubts=doubts))

    by_hand = "it uses days chosen by hand, with hindsight: 1990-10-01"
    elsewhere = "what it holds does not come from the data"
    told: Any = SimpleNamespace(best=choice(by_hand), recommended=choice(by_hand, elsewhere))
    assert cautions(told) == [
        "It uses days chosen by hand, with hindsight: 1990-10-01.",
        "The recommended set: what it holds does not come from the data.",
    ]
    assert cautions(SimpleNamespace(best=choice(), recommended=choice())) == []  # type: ignore[arg-type]
