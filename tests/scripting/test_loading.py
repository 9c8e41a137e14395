"""Scripts are found by name and by path, and each way to get one wrong has its sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtest import UsageError, load_strategy, run
from backtest.errors import RotationError
from backtest.scripting.loading import strategy_names

GOOD = '''"""Small caps after a cut."""
from backtest import Market, Months, main, param, rotate, strategy

@strategy
def mine(market: Market, hold: Months = param(12, low=1, high=60, help="how long")):
    cuts = market.policy.first_cuts(quiet=12, at_least=0.25)
    return rotate(cuts.within(0, hold), into="small", otherwise="large")
'''


def written(folder: Path, text: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_shipped_strategies_load_by_name() -> None:
    assert "rate_cut" in strategy_names()
    for name in strategy_names():
        assert load_strategy(name).name == name
        assert load_strategy(name).thesis


def test_a_script_anywhere_runs_by_its_path_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    mine = load_strategy(path)
    assert mine.thesis == "Small caps after a cut."
    assert [p.name for p in mine.parameters] == ["hold"]
    assert run(mine, hold=24).metrics == run("rate_cut").metrics
    assert [p.name for p in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def f(:\n", "{path}, line 1: invalid syntax"),
        ("x = 1\n", "{path} must define exactly one @strategy; it defines none"),
        (
            GOOD + GOOD.replace("def mine", "def other"),
            "{path} must define exactly one @strategy; it defines mine, other",
        ),
        ("\n1 / 0\n", "{path}, line 2: ZeroDivisionError: division by zero"),
        ("import nothing_of_that_name\n", "{path}, line 1: ModuleNotFoundError: No module named"),
        (
            GOOD.replace(": Months", ""),
            "{path}, line 4: parameter 'hold' needs a unit, such as: hold: Months",
        ),
        (
            GOOD.replace('param(12, low=1, high=60, help="how long")', "12"),
            "{path}, line 4: parameter 'hold' needs a declaration, such as: hold: Months = param(",
        ),
        (
            GOOD.replace("hold", "market", 1).replace("market: Market", "m: Market"),
            "{path}, line 4: a parameter",
        ),
        (GOOD.replace("param(12", "param(99"), "{path}, line 5: a default of 99 lies outside its own range"),
        ("\x00", "{path} is not a Python script"),
        ("", "{path} must define exactly one @strategy; it defines none"),
    ],
)
def test_a_script_that_cannot_be_used_gets_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as error:
        load_strategy(path)
    assert str(error.value).startswith(sentence.format(path=path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rate_cuts", "there is no strategy 'rate_cuts'; did you mean 'rate_cut'?"),
        ("nowhere/rate_cut.py", "there is no script 'nowhere/rate_cut.py'"),
        ("./", ". is a folder; name the script in it"),
    ],
)
def test_a_strategy_that_is_not_there(name: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        load_strategy(name)
    assert str(error.value) == sentence


def test_a_strategy_that_fails_names_its_own_line(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("first_cuts(quiet=12", "first_cuts(quite=12"))
    with pytest.raises(RotationError, match=r"mine failed in .*mine\.py, line 6: TypeError"):
        run(path)


def test_a_strategy_must_return_a_rotation(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("return rotate", "rotate"))
    with pytest.raises(RotationError, match=r"mine must return what rotate\(\.\.\.\) gives, not NoneType"):
        run(path)


def test_a_sleeve_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace('"small"', '"smal"'))
    with pytest.raises(UsageError, match="the market has no sleeve 'smal'; did you mean 'small'?"):
        run(path)
