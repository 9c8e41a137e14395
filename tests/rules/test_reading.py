"""A rule in words is read off its expression: every operation has words, and every parameter stands where it acts."""

from __future__ import annotations

import json
import re

import pytest

from backtest import MarketData, load_strategy
from backtest.cli.explain import explain
from backtest.market.names import ANYTHING
from backtest.rules.evaluate import OPERATIONS
from backtest.rules.reading import explained, nodes, reads
from backtest.scripting.loading import strategy_names

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


def test_the_command_says_the_rule_and_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("rotation explain", None, ["rate_cut_and_discount"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(STORM)
    assert "known from  1983-09-30, on embedded" in said
    assert explain("rotation explain", None, ["credit", "--measure", "change", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["needs"] == ["credit_spread"]
    assert document["not_used"] == ["wide", "narrow", "history", "wide_level", "narrow_level"]
    assert document["rule"][3] == "      the change over months (3) months of"
