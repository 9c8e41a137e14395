"""A position: what a page sends is read as options are, and its command line gives its numbers."""

from __future__ import annotations

import json
import shlex

import msgspec
import pytest

from backtest import MarketData, load_strategy
from backtest.cli.command import dispatch
from backtest.errors import UsageError
from backtest.explore.follower import Engine, Follower
from backtest.explore.position import Position, Wanted, command, read_position
from backtest.terms import BY_HAND, Terms, read_terms

RATE_CUT = load_strategy("rate_cut")


def wanted(*values: dict[str, str | float], **terms: str | float | bool) -> Wanted:
    return Wanted(values, terms)


def test_what_is_left_empty_has_its_default() -> None:
    position = read_position(wanted({"hold": "18", "delay": ""}, start="", cost_bps="25"), [RATE_CUT])
    assert position.values[0] == {"delay": 0, "hold": 18, "quiet": 12, "min_cut": 0.25}
    assert position.terms == Terms(cost_bps=25.0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (wanted({"hold": 61}), "hold must lie in 1 to 60 months, not 61"),
        (wanted({"hold": "many"}), "hold must be"),
        (wanted({"holt": 18}), "rate_cut has no parameter 'holt'; did you mean 'hold'?"),
        (wanted({}, start="2020-02-31"), "the start"),
        (wanted({}, cost_bps="-1"), "cost_bps"),
        (wanted({}, decide="friday"), "there is no decision calendar 'friday'"),
        (wanted({}, nothing="1"), "there is no term 'nothing'"),
        (wanted(), "1 strategies are explored, not 0; reload the page"),
    ],
)
def test_what_cannot_be_used_is_said_as_on_the_command_line(asked: Wanted, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read_position(asked, [RATE_CUT])
    assert said in str(error.value)


def test_a_page_cannot_send_what_it_should_not() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"values": [], "terms": {}, "more": 1}', type=Wanted)


@pytest.mark.parametrize(
    "position",
    [
        Position(({"delay": 3, "hold": 18, "quiet": 12, "min_cut": 0.5},), Terms()),
        Position(
            ({"delay": 0, "hold": 24, "quiet": 12, "min_cut": 0.25},),
            read_terms(
                {
                    "start": "1990-01-31",
                    "end": "2010-12-31",
                    "cost_bps": "small=25,large=5",
                    "benchmark": "60% large, 40% small",
                    "delay_fill": "2",
                    "decide": "quarter-end",
                    "real": True,
                }
            ),
        ),
    ],
)
def test_the_command_line_gives_the_numbers_of_the_position(
    position: Position, embedded: MarketData, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(command(position, ["rate_cut"], [RATE_CUT], "embedded"))
    assert words[0] == "rotation"
    assert dispatch("rotation", None, [*words[1:], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    glimpse = Follower(RATE_CUT, embedded, Engine()).glimpse(position.terms, position.values[0])
    for key, value in glimpse.metrics.items():
        if key not in ("alpha_tstat", "alpha_pvalue"):
            assert found["metrics"][key] == pytest.approx(value, rel=1e-12), key


def test_every_term_can_be_written_as_an_option() -> None:
    given = {
        "cost_bps": 3.0,
        "start": "1990-01-31",
        "end": "2000-01-31",
        "benchmark": "small",
        "same_close": True,
    }
    terms = read_terms({**given, "delay_fill": 1, "decide": "month-end", "real": True})
    position = Position((RATE_CUT.bind({}),), terms)
    words = shlex.split(command(position, ["rate_cut"], [RATE_CUT], "french_daily"))
    assert [
        f"--{name.replace('_', '-')}" for name in BY_HAND if f"--{name.replace('_', '-')}" not in words
    ] == []
    assert words[3:5] == ["--market", "french_daily"]


def test_two_strategies_are_compared() -> None:
    other = load_strategy("buy_and_hold")
    position = Position((RATE_CUT.bind({"hold": 18, "delay": 1}), other.bind({})), Terms())
    said = command(position, ["rate_cut", "buy_and_hold"], [RATE_CUT, other], "embedded")
    assert said == "rotation compare rate_cut:delay=1,hold=18 buy_and_hold"
