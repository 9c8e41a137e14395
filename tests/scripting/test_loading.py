"""Scripts are found by name and by path, and each way to get one wrong has its sentence."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from backtest import UsageError, load_market, load_strategy, run
from backtest.cli import signal, tune
from backtest.cli.run import _parser as _run_parser
from backtest.errors import RotationError
from backtest.scripting.loading import strategy_names
from backtest.scripting.strategy import RESERVED

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
        ("import sys\nsys.exit(3)\n", "{path}, line 2: SystemExit: 3"),
        (
            GOOD + "\nfrom backtest import main\nmain(mine)\n",
            "{path}, line 10: main(...) must stand below: if __name__ == ",
        ),
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


def test_a_strategy_that_exits_has_failed(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("    return rotate", "    raise SystemExit(3)\n    return rotate"))
    with pytest.raises(RotationError, match=r"mine failed in .*mine\.py, line 7: SystemExit: 3"):
        run(path)


def test_a_strategy_must_return_a_rotation(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("return rotate", "rotate"))
    with pytest.raises(RotationError, match=r"mine must return what rotate\(\.\.\.\) gives, not NoneType"):
        run(path)


def test_a_sleeve_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace('"small"', '"smal"'))
    with pytest.raises(UsageError, match="the market has no sleeve 'smal'; did you mean 'small'?"):
        run(path)


def test_no_parameter_can_bear_the_name_of_an_option() -> None:
    parsers = [_run_parser("rotation run", None), *(m._parser("rotation x", None) for m in (signal, tune))]
    options = {
        option.removeprefix("--").replace("-", "_")
        for parser in parsers
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--")
    }
    words = {name for name, p in inspect.signature(run).parameters.items() if p.kind != p.VAR_KEYWORD}
    assert options | words == RESERVED


def test_a_script_that_opens_a_missing_file_is_told_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, 'open("/nowhere/at/all")\n')
    with pytest.raises(UsageError, match=r"mine.py, line 1: FileNotFoundError: .*/nowhere/at/all"):
        load_strategy(path)


def test_a_home_folder_that_is_not_there_is_a_wrong_call() -> None:
    for load in (load_strategy, load_market):
        with pytest.raises(UsageError, match="a home folder that does not exist"):
            load("~nobody_of_that_name/mine.py")


def test_a_script_beside_is_named_where_a_strategy_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agree.py").write_text("")
    with pytest.raises(UsageError, match=r"no strategy 'agree'; did you mean the script agree.py\?"):
        load_strategy("agree")
