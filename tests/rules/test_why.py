"""Why a rule says what it says: facts and moves, read off its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest import MarketData, load_strategy
from backtest.records.document import plain
from backtest.records.standing import Standing, signal
from backtest.reporting.standing import standing_lines as lines
from backtest.rules.expressions import Signal
from backtest.rules.reading import nodes
from backtest.rules.why import facts, flips
from tests.strategies.sentences import EVERY

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "from backtest import Market, Months, param, rotate, strategy, vote, weigh\n\n"


def standing(folder: Path, market: MarketData, text: str, **asked: object) -> Standing:
    (folder / "mine.py").write_text(HEAD + text)
    return signal(str(folder / "mine.py"), market, **asked)


@pytest.mark.parametrize("day", ["1992-11-15", "2003-05-30"])
def test_every_signal_of_every_kind_has_something_that_turns_it(
    day: str, embedded: MarketData, tmp_path: Path
) -> None:
    (tmp_path / "every.py").write_text(EVERY)
    strategy = load_strategy(str(tmp_path / "every.py"))
    ruling = strategy.ruling(embedded, strategy.bind({}))
    fill = int(np.searchsorted(embedded.bars.dates, np.datetime64(day)))
    kinds = set()
    for node in nodes(ruling.rule):
        if isinstance(node, Signal):
            kinds.add(node.op)
            assert all(flips(ruling, node, fill)), node.op
            assert flips(ruling, node, fill) or node.op == "compared"
            assert all(fact.known_at < str(embedded.bars.dates[fill]) for fact in facts(ruling, node, fill))
    assert len(kinds) == 11


COMPARED = """
@strategy
def mine(market: Market, rest: Months = param(2, low=0, high=12, help="rest")):
    first, spread = market.months_of_year(1), market.level("credit_spread") > 50
    return rotate(vote(first, spread, rest > 6, needed={needed}), into="small", otherwise="large")
"""


@pytest.mark.parametrize(
    ("needed", "due"),
    [
        (1, ["the beginning of January, with the fill of 1994-12-30", "credit_spread above 50%"]),
        (2, ["the beginning of January, with the fill of 1994-12-30 and credit_spread above 50%"]),
        (3, []),
    ],
)
def test_what_parameters_say_is_turned_by_nothing(
    needed: int, due: list[str], embedded: MarketData, tmp_path: Path
) -> None:
    said = standing(tmp_path, embedded, COMPARED.format(needed=needed), as_of="1994-06-15")
    assert said.flips_if == due


def test_what_a_function_of_ones_own_weighs_is_among_the_facts(embedded: MarketData, tmp_path: Path) -> None:
    text = """
def half(spread, lead):
    return [0.5]

@strategy
def mine(market: Market):
    levels = market.level("credit_spread"), market.relative("small", "large", months=6)
    return weigh(half, *levels, into=("small",))
"""
    said = standing(tmp_path, embedded, text, as_of="1994-06-15")
    assert [(fact.fact, fact.series) for fact in said.because] == [
        ("credit_spread", ("credit_spread",)),
        ("lead of small over large in 6 months", ("small", "large")),
    ]
    assert {release.series for release in said.next_news} == {"credit_spread", "small", "large"}
    assert said.checked_up_to == "1994-05-31"
    assert said.flips_if == []


def test_a_day_chosen_by_hand_brings_no_figure(embedded: MarketData, tmp_path: Path) -> None:
    text = """
@strategy
def mine(market: Market):
    return rotate(market.events(["1990-10-01"]).within(0, 60), into="small", otherwise="large")
"""
    said = standing(tmp_path, embedded, text, as_of="1994-06-15")
    assert ("because", "the last day chosen by hand (known on 1990-10-01)") in lines(said)
    assert plain(said)["because"][0]["value"] is None


def test_what_waits_for_its_day_of_decision_is_said_so_of_every_kind(embedded: MarketData) -> None:
    said = signal("trend", embedded, as_of="2016-11-15", decide="quarter-end")
    assert said.flips_if
    assert all(move.endswith("(decided at quarter-ends)") for move in said.flips_if)
