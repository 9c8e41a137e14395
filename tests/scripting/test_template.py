"""A new script is refused under a name that would break it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtest import UsageError, load_strategy
from backtest.scripting.template import write_script


@pytest.mark.parametrize("name", ["main", "rotate", "Market", "Months", "Percent", "param", "strategy"])
def test_a_name_that_the_script_imports_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is a name that the script itself imports"):
        write_script(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a b", "class", "~nobody_of_that_name/idea"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        write_script(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["market", "lead", "months"])
def test_other_names_of_the_script_do_no_harm(tmp_path: Path, name: str) -> None:
    assert load_strategy(str(write_script(str(tmp_path / name)))).name == name
