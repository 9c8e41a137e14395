"""A sitting: what docs/explore.md quotes is what a hand that does so is told."""

from __future__ import annotations

import re

import pytest

from backtest import MarketData, load_strategy
from backtest.explore.parts import by_luck
from backtest.explore.position import Wanted
from backtest.explore.sitting import Sitting
from backtest.terms import Terms
from tests.conftest import REPOSITORY


def test_the_page_of_the_docs_quotes_what_such_a_hand_is_told(embedded: MarketData) -> None:
    sitting = Sitting(["rate_cut"], [load_strategy("rate_cut")], embedded, Terms(), [{}])
    for delay in range(10):
        for hold in (18, 24, 30, 36):
            sitting.shown(Wanted(({"delay": delay, "hold": hold},), {}))
    last = Wanted(({"delay": 6, "hold": 26},), {})
    sitting.shown(last)
    settled = sitting.settled(last)
    assert settled is not None
    text = re.sub(r"\n>? ?", " ", (REPOSITORY / "docs" / "explore.md").read_text(encoding="utf-8"))
    assert by_luck(settled.luck[0], settled.runs[0]) in text
    assert settled.runs[0].metrics["alpha_pvalue"] == pytest.approx(0.047, abs=5e-4)


def test_another_start_of_the_same_rule_is_another_try(embedded: MarketData) -> None:
    sitting = Sitting(["rate_cut"], [load_strategy("rate_cut")], embedded, Terms(), [{"hold": 36}])
    for year in (1984, 1987, 1990, 1993, 1996, 1999):
        wanted = Wanted(({"hold": 36},), {"start": f"{year}-06-30"})
        sitting.shown(wanted)
    settled = sitting.settled(wanted)
    assert settled is not None
    assert settled.luck[0].tried == 6
    assert 1.5 < settled.luck[0].independent < 6.0
    assert settled.luck[0].pvalue > settled.runs[0].metrics["alpha_pvalue"]
