"""A rule in words is read off its expression: every operation has words, and every parameter stands where it acts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from backtest import MarketData, load_strategy, run
from backtest.cli.scripts import explain
from backtest.market.definition import read_definition
from backtest.market.known import ANYTHING
from backtest.reporting.sentences import terms
from backtest.rules.operation import OPERATIONS
from backtest.rules.reading import explained, nodes, reads
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from pathlib import Path

STORM = """\
hold small while this says yes, otherwise large:
  all of these say yes:
    from 0 to hold (24) months after:
      a cut of FED_TARGET by at least min_cut (0.25) after quiet (12) months without one
    at or above wide (60), until below closed (40):
      the percentile in all of its past, once there are history (60) months, of
        discount"""


def test_the_perfect_storm_in_words(embedded: MarketData) -> None:
    strategy = load_strategy("rate_cut_and_discount")
    values = strategy.bind({})
    rule = strategy.rule(embedded.known(), values)
    assert "\n".join(explained(rule, values)) == STORM
    assert reads(rule, embedded.known().names) == ("FED_TARGET", "discount")


@pytest.mark.parametrize("name", strategy_names())
def test_every_parameter_that_a_rule_uses_stands_in_its_words(name: str) -> None:
    strategy = load_strategy(name)
    for p in strategy.parameters:
        for word in p.choices or [p.default]:
            values = strategy.bind({p.name: word} if p.choices else {})
            rule = strategy.draw(ANYTHING, {q.name: values[q.name] for q in strategy.parameters if q.choices})
            said = "\n".join(explained(rule, values))
            for used in rule.parameters:
                assert re.search(rf"\b{used} \([-\d.]+\)", said), (used, said)
            assert {node.op for node in nodes(rule)} <= {*OPERATIONS, "parameter"}


def test_the_command_says_the_rule_and_what_it_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert explain("rotation explain", None, ["rate_cut_and_discount"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(STORM)
    assert "known from  1983-09-30, on embedded" in said
    assert explain("rotation explain", None, ["credit", "--measure", "change", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["needs"] == ["credit_spread"]
    assert document["not_used"] == ["wide", "narrow", "history", "wide_level", "narrow_level"]
    assert document["rule"][3] == "      the change over months (3) months of"


def test_what_a_rule_reads_is_said_with_what_it_is_made_of(
    embedded: MarketData, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    made = "MOODYS_BAA less MOODYS_AAA (Moody's seasoned Baa corporate bond yield, monthly average; Moody's "
    explain("rotation explain", None, ["credit"])
    assert f"made of     credit_spread: {made}" in capsys.readouterr().out
    read = [said for word, said in terms(run("credit", embedded)) if word == "reads"]
    assert len(read) == 1
    assert read[0].startswith(f"credit_spread: {made}")
    assert [said for word, said in terms(run("trend", embedded)) if word == "reads"] == []


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("VIXCLS", "VIXCLS"),
        ({"BAA": 1.0, "AAA": -1.0}, "BAA less AAA"),
        ({"AAA": -1.0, "BAA": 2.0}, "less AAA plus 2 times BAA"),
        ({"splice": ["DFEDTAR", "DFEDTARU"]}, "DFEDTAR, then DFEDTARU"),
        (
            {"relative": ["small", "large"], "months": 60},
            "1 less the growth of small over that of large in 60 months",
        ),
    ],
)
def test_a_formula_in_words(formula: object, said: str, tmp_path: Path) -> None:
    written = json.dumps(formula).replace('": ', '" = ')  # as TOML writes it
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "french_monthly"\n[series]\nmine = {written}\n')
    assert read_definition(file).series["mine"].words == said
