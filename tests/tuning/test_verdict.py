"""The verdict follows the rule of docs/tuning.md, whatever the other figures say."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backtest.analysis.crossvalidation import Overfitting
from backtest.analysis.overfitting import Deflated
from backtest.analysis.superior import Superior
from backtest.reporting.blocks import Text
from backtest.reporting.sweep_page import _truth, sweep_page
from backtest.reporting.terminal import words_of
from backtest.tuning.placebo import Placebo
from backtest.tuning.sentences import cautions, outcome_of, verdict
from backtest.tuning.truth import Truth
from backtest.tuning.tune import tune
from backtest.tuning.verdict import HOLDS, LUCK, OPEN, judged

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import MarketData

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
    tested = Superior(spa, NONE, 100, math.nan if math.isnan(spa) else hurdle)
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
        return SimpleNamespace(result=SimpleNamespace(cautions=doubts))

    by_hand = "it uses days chosen by hand, with hindsight: 1990-10-01"
    elsewhere = "what it holds does not come from the data"
    told: Any = SimpleNamespace(best=choice(by_hand), recommended=choice(by_hand, elsewhere))
    assert cautions(told) == [
        "It uses days chosen by hand, with hindsight: 1990-10-01.",
        "The recommended set: what it holds does not come from the data.",
    ]
    assert cautions(SimpleNamespace(best=choice(), recommended=choice())) == []  # type: ignore[arg-type]


def test_one_trial_is_one() -> None:
    one = replace(truth(), superior=replace(truth().superior, strategies=1), distinct=1)
    said = " ".join(outcome_of(judged(one), one))
    assert "Hansen's test of 1 trial against" in said
    table = " ".join(cell for row in _truth(one) for cell in row)
    assert "mean monthly returns of 1 distinct trial;" in table
    assert "1 of them differs in" in table
    assert not re.search(r"\b1 (distinct )?trials", table)


IDLE = """
from backtest import Choice, Market, Percent, param, rotate, strategy

@strategy
def mine(
    market: Market,
    by: Choice = param("spread", choices=("spread", "lead"), help="what decides"),
    wide: Percent = param(1, low=0, high=3, help="spread that is wide"),
    band: Percent = param(2, low=0, high=9, help="lead that counts"),
):
    if by == "spread":
        return rotate(market.level("credit_spread") > wide, into="small", otherwise="large")
    return rotate(market.relative("small", "large", months=12) > band, into="small", otherwise="large")
"""


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("spread", "band has no effect: with by spread the rule does not use it."),
        ("lead", "wide has no effect: with by lead the rule does not use it."),
        ("spread,lead", ""),
    ],
)
def test_a_parameter_that_nothing_comes_of_is_named(
    by: str, said: str, embedded: MarketData, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(IDLE)
    grid = {"by": by, "wide": "0.8,1.2", "band": "0,2"}
    sweep = tune(str(tmp_path / "mine.py"), embedded, grid=grid, out=tmp_path / "out", placebo=0)
    assert [each for each in verdict(sweep) if "no effect" in each] == ([said] if said else [])
    lead, *_ = (words_of(block.said) for block in sweep_page(sweep).blocks if isinstance(block, Text))
    assert "combinations on embedded" in lead
    assert "second" not in lead  # most of them went into compiling
