"""A parameter of words: declared, validated, shown, and one word at a time in a sweep."""

from __future__ import annotations

import numpy as np
import pytest

from backtest import MarketData, UsageError, load_strategy, param, run
from backtest.parameters import Parameter, Unit

WHEN = Parameter("when", Unit(""), "both", -1, 1, "which", ("both", "either", "none"))


def test_a_word_is_one_of_its_choices() -> None:
    assert WHEN.validate("either") == "either"
    assert WHEN.range == "both, either or none"
    assert WHEN.text("both") == "both"
    with pytest.raises(UsageError) as error:
        WHEN.validate("eihter")
    assert str(error.value) == "when must be both, either or none, not 'eihter'; did you mean 'either'?"
    with pytest.raises(UsageError, match="when must be both, either or none, not '3'"):
        WHEN.validate(3)


def test_a_default_must_be_one_of_them() -> None:
    with pytest.raises(UsageError, match="a default of 'all' is none of its own choices"):
        param("all", choices=("both", "either"), help="...")
    with pytest.raises(UsageError, match="a default of 'all' needs its choices"):
        param("all", help="...")


def test_a_sweep_asks_the_script_once_a_word(embedded: MarketData) -> None:
    strategy = load_strategy("rate_cut_and_discount")
    rows = strategy.bind({}) | {
        "when": np.array(["both", "either", "both", "either"]),
        "hold": np.array([12, 12, 24, 24]),
    }
    groups = strategy.decide_sets(embedded.known(), rows)
    assert [sets.tolist() for sets, _ in groups] == [[0, 2], [1, 3]]
    assert [len(decision.first) for _, decision in groups] == [2, 2]


def test_a_word_is_in_the_result_and_changes_it(embedded: MarketData) -> None:
    both, either = (run("rate_cut_and_discount", embedded, when=word) for word in ("both", "either"))
    assert (both.parameters["when"], either.parameters["when"]) == ("both", "either")
    assert both.metrics["time_in_small"] < either.metrics["time_in_small"]
