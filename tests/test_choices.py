"""A parameter of words: declared, validated, shown, and one word at a time in a sweep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtest import MarketData, UsageError, load_strategy, param, run
from backtest.parameters import CountedIn, Parameter
from backtest.terms import Terms
from backtest.tuning.grid import make_grid
from backtest.tuning.trials import Trials

WHEN = Parameter("when", CountedIn(""), "both", -1, 1, "which", ("both", "either", "none"))


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
    asked = []
    counted = replace(
        strategy, function=lambda *a, **k: asked.append(k["when"]) or strategy.function(*a, **k)
    )
    grid = make_grid(strategy.parameters, {"when": None, "hold": "12,24"}, {}, strategy.name)
    trials = Trials(counted, embedded, grid, (), Terms(benchmark="market"))
    for _ in range(3):
        groups = trials.decide(np.arange(4)).groups
        assert [group.places.tolist() for group in groups] == [[0, 1], [2, 3]]
        assert [group.of.tolist() for group in groups] == [[0, 1], [0, 1]]
    assert asked == ["both", "either"]


def test_a_word_is_in_the_result_and_changes_it(embedded: MarketData) -> None:
    both, either = (run("rate_cut_and_discount", embedded, when=word) for word in ("both", "either"))
    assert (both.parameters["when"], either.parameters["when"]) == ("both", "either")
    assert both.metrics["time_in_small"] < either.metrics["time_in_small"]
