"""Why a rule says what it says: facts and moves, read off its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest import MarketData, load_strategy, run
from backtest.records.document import plain
from backtest.records.record import record_of
from backtest.records.sheet import reasons
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
    assert len(kinds) == 12


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


WAITS = """
@strategy
def mine(market: Market):
    wide = market.level("credit_spread") > market.level("credit_spread").average(6)
    return rotate(wide.{wait}, into="small", otherwise="large")
"""


@pytest.mark.parametrize(
    ("wait", "rule"),
    [
        ("at_least(6)", "held for at least 6 months"),
        ("paused(6)", "after a run nothing for 6 months"),
        ("cooldown(6)", "kept for 6 months after a change"),
    ],
)
def test_a_trade_that_the_end_of_a_wait_made_says_so(
    wait: str, rule: str, embedded: MarketData, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(HEAD + WAITS.format(wait=wait))
    result = run(str(tmp_path / "mine.py"), embedded)
    said, dates = reasons(result, record_of(result)), [str(day)[:10] for day in result.trades["date"]]
    assert said[0] == "first purchase"
    months, over = np.array(dates, dtype="datetime64[M]").astype(int), 0
    free = run(bare(tmp_path), embedded)
    turns = {str(day)[:10] for day in free.trades["date"]}
    for i in range(2, len(dates)):  # the first purchase is no change
        by_time = f"{rule} since {dates[i - 1]}, over on {dates[i]}"
        assert (by_time in said[i]) == (dates[i] not in turns), (dates[i], said[i])
        if dates[i] not in turns:
            over += 1
            assert months[i] - months[i - 1] == 6
    assert over > 10
    # On such a day, and until the next change, `signal` says it too.
    last = next(i for i in reversed(range(2, len(dates))) if dates[i] not in turns)
    now = signal(str(tmp_path / "mine.py"), embedded, as_of=dates[last])
    assert [fact.fact for fact in now.because][-1] == f"{rule} since {dates[last - 1]}, over on {dates[last]}"


def bare(folder: Path) -> str:
    """Write the rule of ``WAITS`` without its wait."""
    (folder / "bare.py").write_text(HEAD + WAITS.replace("wide.{wait}", "wide"))
    return str(folder / "bare.py")


def test_what_would_turn_a_signal_that_must_wait_says_until_when(
    embedded: MarketData, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(HEAD + WAITS.format(wait="cooldown(6)"))
    result = run(str(tmp_path / "mine.py"), embedded)
    dates = [str(day)[:10] for day in result.trades["date"]]
    free = {str(day)[:10] for day in run(bare(tmp_path), embedded).trades["date"]}
    turned = next(i for i in range(2, len(dates)) if dates[i] in free)
    month_after = np.datetime64(dates[turned], "M") + 1
    kept = np.datetime64(dates[turned], "M") + 6
    now = signal(str(tmp_path / "mine.py"), embedded, as_of=f"{month_after}-10")
    (said,) = now.flips_if
    assert f", but not before {kept}-" in said or f"nothing before {kept}-" in said
    assert said.endswith("(kept for 6 months after a change)")
    # Once the wait is over, the move alone turns it, and nothing is said of a wait.
    later = signal(str(tmp_path / "mine.py"), embedded, as_of=f"{kept + 1}-10")
    if later.since == now.since:
        assert "kept for" not in " ".join(later.flips_if)


def test_moves_of_which_each_is_enough_are_joined_by_or(embedded: MarketData, tmp_path: Path) -> None:
    said = standing(tmp_path, embedded, COMPARED.format(needed=1), as_of="1994-06-15")
    assert [head for head, _ in lines(said) if "if" in head] == ["flips if", "or if"]
