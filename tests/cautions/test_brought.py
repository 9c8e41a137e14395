"""What a script brings along by itself is named: a model of the whole sample can hide nowhere that is looked at."""

from __future__ import annotations

import functools
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest import MarketData, load_strategy, run
from backtest.cautions.brought import MANY, carries
from backtest.errors import RotationError
from backtest.scripting.loading import strategy_names

HERE = Path(__file__).parent
TABLE = np.arange(100.0)
FRAME = pd.DataFrame({"a": range(30), "b": range(30)})
MODEL = SimpleNamespace(weights=np.ones(40), layers=[np.ones(10), {"bias": np.ones(5)}])
FEW = (0.5, 0.25, 0.25)


def of_globals(past: Any) -> float:
    return float(past[-1] + TABLE[0] + len(FRAME) + FEW[0])


def through_another(past: Any) -> float:
    return of_globals(past)


def within_itself(past: Any) -> float:
    return sum(each(past) for each in [lambda past: past[-1] * MODEL.weights[0]])


def by_default(past: Any, table: Any = TABLE) -> float:
    return float(past[-1] * table[0])


def enclosing(values: Any) -> Any:
    return lambda past: past[-1] * values[0]


class Model:
    def __init__(self) -> None:
        self.table = TABLE

    def __call__(self, past: Any) -> float:
        return float(past[-1])

    def predict(self, past: Any) -> float:
        return float(past[-1])


def plain(past: Any) -> float:
    return float(np.mean(past) - np.median(past))


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (of_globals, {"TABLE": 100, "FRAME": 60, "FEW": 3}),
        (through_another, {"TABLE": 100, "FRAME": 60, "FEW": 3}),
        (within_itself, {"MODEL": 55}),
        (by_default, {"table": 100}),
        (enclosing(list(range(50))), {"values": 50}),
        (functools.partial(by_default, table=TABLE[:30]), {"table": 130}),
        (Model(), {"self": 100}),
        (Model().predict, {"self": 100}),
        (lambda past: past[-1] in ("a", "b", *"abcdefghijklmnopqrstuvwxyz"), {}),
        (plain, {}),
    ],
)
def test_what_a_function_carries_is_found_wherever_it_lies(function: Any, found: dict[str, int]) -> None:
    assert {name: n for name, n in carries(function, HERE).items() if name != "constants"} == found


def calls(past: Any) -> float:
    made = [
        np.sum(past, axis=0, dtype=float),
        np.std(past, axis=0, ddof=1),
        np.mean(past, axis=0, where=True),
    ]
    made += [
        np.percentile(past, q=50, axis=0, method="linear", keepdims=True),
        np.max(past, axis=0, initial=0.0),
    ]
    made += [
        np.quantile(past, q=0.5, axis=0, method="linear"),
        np.min(past, axis=0, initial=0.0, keepdims=True),
    ]
    made += [
        np.clip(past, a_min=0, a_max=1),
        np.round(past, decimals=2),
        np.var(past, axis=0, dtype=float, ddof=1),
    ]
    return float(max(np.max(each) for each in made))


def literal(past: Any) -> float:
    known = (1990.1, 1990.2, 1991.5, 1993.1, 1994.7, 1995.2, 1996.6, 1998.1, 1999.9, 2000.4, 2001.2, 2002.9)
    others = (2003.1, 2004.2, 2005.5, 2006.1, 2007.7, 2008.2, 2009.6, 2010.1, 2011.9, 2012.4, 2013.2, 2014.9)
    return float(past[-1] in known or past[-1] in others)


def test_a_literal_is_carried_too() -> None:
    assert carries(literal, HERE) == {"constants": MANY}
    assert carries(calls, HERE) == {}  # what Python keeps of a call's named arguments is no table


SCRIPT = """
    '''A model of the whole sample.'''
    import numpy as np
    from backtest import {imported}, main, rotate, strategy

    {top}

    def f(past):
        return {answer}

    @strategy
    def whole(market):
        return rotate({rule}, into="small", otherwise="large")
"""
APPLIED = 'market.level("credit_spread").apply(f, months=12) > 0'


def doubts_of(tmp_path: Path, embedded: MarketData, **parts: str) -> str:
    script = tmp_path / "whole.py"
    script.write_text(textwrap.dedent(SCRIPT).format(**parts))
    return " | ".join(run(str(script), embedded).doubts)


def test_a_model_of_the_whole_sample_is_named(tmp_path: Path, embedded: MarketData) -> None:
    said = doubts_of(
        tmp_path,
        embedded,
        imported="load_series",
        top='ALL = np.asarray(load_series("MOODYS_BAA").values)',
        answer="past[-1] - ALL.mean()",
        rule=APPLIED,
    )
    assert "its function f carries values of its own, ALL (1,200)" in said
    assert "its script opens whole series by itself, MOODYS_BAA" in said


def test_a_number_made_of_a_whole_series_is_named_without_any_function(
    tmp_path: Path, embedded: MarketData
) -> None:
    said = doubts_of(
        tmp_path,
        embedded,
        imported="load_series",
        top='HIGH = float(np.quantile(load_series("MOODYS_BAA").values, 0.8))',
        answer="0.0",
        rule='market.level("MOODYS_BAA") > HIGH',
    )
    assert said.startswith("its script opens whole series by itself, MOODYS_BAA: what it made of them")


def test_a_market_that_is_opened_counts_where_a_function_could_use_it(
    tmp_path: Path, embedded: MarketData
) -> None:
    parts = {"imported": "load_market", "top": 'HERE = load_market("embedded")', "answer": "past[-1] - 1.0"}
    assert "opens whole series by itself, embedded" in doubts_of(tmp_path, embedded, **parts, rule=APPLIED)
    assert doubts_of(tmp_path, embedded, **parts, rule='market.level("credit_spread") > 1') == ""


@pytest.mark.parametrize("name", strategy_names())
def test_the_shipped_theses_bring_nothing(name: str, embedded: MarketData) -> None:
    try:
        result = run(load_strategy(name), embedded)
    except RotationError as lacking:
        pytest.skip(str(lacking))
    assert result.doubts == ()
