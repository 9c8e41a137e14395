"""``rotation run`` and ``signal`` in a day's work: words before pages, several at once, a report again, changes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backtest import UsageError
from backtest.cli import witness as heard
from backtest.cli.command import dispatch
from backtest.errors import RotationError

if TYPE_CHECKING:
    from collections.abc import Iterator

IDEA = '''\
"""Small caps while the rate is low."""

from backtest import Market, Percent, main, param, rotate, strategy


@strategy
def {name}(market: Market, low: Percent = param({low}, low=0, high=20, help="below this")):
    return rotate(market.level("FED_TARGET") < low, into="small", otherwise="large")


if __name__ == "__main__":
    main({name})
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "100")
    with contextlib.chdir(tmp_path):
        yield tmp_path


def rotation(*words: str) -> int:
    return dispatch("rotation", None, words)


def test_the_words_of_a_run_wait_for_no_heavy_library() -> None:
    code = (
        "import sys; from backtest.runs import run; "
        "from backtest.reporting.page import brief; from backtest.reporting.terminal import show; "
        "result = run('rate_cut'); show(brief(result)); "
        "print({'pandas', 'numba', 'matplotlib', 'pyarrow'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "time in small" in said
    assert said.endswith("set()\n")


def test_the_witness_loads_nothing_for_notebooks() -> None:
    code = (
        "import sys; from backtest import run; from backtest.cli import witness; "
        "witness._replay(run('rate_cut'), type('Tell', (), {'send': lambda _, said: print(repr(said))})()); "
        "print([name for name in (*witness.UNUSED, 'vectorbt') if sys.modules.get(name)])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "''\n['vectorbt']\n"


def test_without_a_report_nothing_is_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rotation("run", "rate_cut", "--no-report") == 0
    said = capsys.readouterr().out
    assert said.startswith("Cannot be told: Alpha")
    assert said.index("Sharpe ratio") < said.index("thesis")
    assert rotation("run", "rate_cut", "--json") == 0
    assert json.loads(capsys.readouterr().out)["report"] is None
    assert list(here.iterdir()) == []
    with pytest.raises(UsageError, match="--no-report writes nothing, so --out has no use"):
        rotation("run", "rate_cut", "--no-report", "--out", "x")


@pytest.mark.usefixtures("here")
def test_the_words_stand_before_the_page_is_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RotationError("the disk is full")

    monkeypatch.setattr("backtest.reporting.folder.write_report", full)
    with pytest.raises(RotationError, match="the disk is full"):
        rotation("run", "rate_cut")
    assert "Sharpe ratio" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_ledger_that_disagrees_ends_with_an_error(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def apart(*_: object) -> None:
        raise RotationError("the ledger disagrees with the engine by 1e-3")

    monkeypatch.setattr("backtest.runs.replay", apart)
    monkeypatch.setattr(heard.sys, "platform", platform)
    with pytest.raises(RotationError, match="the ledger disagrees with the engine by 1e-3"):
        rotation("run", "rate_cut", "--no-report")


@pytest.mark.usefixtures("here")
def test_a_ledger_that_dies_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtest.runs.replay", lambda *_: os._exit(9))
    with pytest.raises(RotationError, match="the ledger ended before it had replayed the run"):
        rotation("run", "rate_cut", "--no-report")


def test_several_strategies_and_a_folder_of_scripts_run_in_one_call(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ideas = here / "ideas"
    ideas.mkdir()
    for name, low in (("one", 3), ("two", 5)):
        (ideas / f"{name}.py").write_text(IDEA.format(name=name, low=low))
    call = ("run", "rate_cut:hold=12", "ideas", "--end", "2000-12-29")
    assert rotation(*call, "--json", "--out", "all") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["strategy"] for each in found] == ["rate_cut", "one", "two"]
    assert found[0]["parameters"]["hold"] == 12
    assert {each["end"] for each in found} == {"2000-12-29"}
    for each in found:
        assert json.loads((Path(each["report"]) / "result.json").read_text()) == each
    assert rotation(*call, "--no-report") == 0
    said = capsys.readouterr().out
    assert [said.index(f"\n{name}\n") if name != "rate_cut" else 0 for name in ("one", "two")] == sorted(
        said.index(f"\n{name}\n") for name in ("one", "two")
    )
    (here / "none").mkdir()
    with pytest.raises(UsageError, match="there is no script in the folder none"):
        rotation("run", "none")
    with pytest.raises(UsageError, match="--set is of one strategy"):
        rotation("run", "rate_cut", "trend", "--set", "hold=3")


def test_a_report_is_run_again_and_what_differs_is_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = here / "idea.py"
    script.write_text(IDEA.format(name="idea", low=3))
    terms = ("--start", "1990-01-31", "--cost-bps", "small=25,large=5", "--delay-fill", "1", "--low", "4")
    assert rotation("run", "idea.py", *terms, "--json", "--out", "before") == 0
    before = json.loads(capsys.readouterr().out)
    assert rotation("run", "--from", "before", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["differs"] == {"version": None, "script": False, "series": [], "window": None, "metrics": {}}
    assert {key: again[key] for key in before if key != "report"} == {
        key: before[key] for key in before if key != "report"
    }
    script.write_text(IDEA.format(name="idea", low=3).replace('"small"', '"market"'))
    assert rotation("run", "--from", "before", "--no-report") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Other numbers than the report's: total return ")
    assert "Other than when the report was written: the script." in said
    with pytest.raises(UsageError, match="'1990-01-31' has no use|'start' has no use"):
        rotation("run", "--from", "before", "--start", "1990-01-31")
    with pytest.raises(UsageError, match="nowhere is not the folder of a report"):
        rotation("run", "--from", "nowhere")
    script.unlink()
    with pytest.raises(UsageError, match="there is no script"):
        rotation("run", "--from", "before")


def test_changed_tells_a_scheduled_job_what_is_held_otherwise_than_when_last_asked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rotation("signal", "rate_cut", "trend", "--as-of", "2007-09-01", "--changed") == 0
    first = capsys.readouterr().out.splitlines()
    assert [line.split("; ")[-1] for line in first] == ["first asked", "first asked"]
    assert rotation("signal", "rate_cut", "--as-of", "2007-09-10", "--changed") == 0
    assert capsys.readouterr().out.rstrip().endswith("; unchanged")
    assert rotation("signal", "rate_cut", "trend", "--as-of", "2007-10-15", "--changed", "--json") == 3
    told = json.loads(capsys.readouterr().out)
    assert (told[0]["strategy"], told[0]["changed"]) == ("rate_cut", True)
    assert told[0]["before"] == {"large": 1.0}
    assert told[0]["hold"] == {"small": 1.0}
    # Other parameters are another strategy.
    assert rotation("signal", "rate_cut", "--hold", "12", "--as-of", "2007-10-15", "--changed") == 0
    for damaged in (b"{", b'{"\xe1": {}}', b'{"a": {"b": "c"}}'):
        (here / "store" / "signals.json").write_bytes(damaged)
        with pytest.raises(UsageError, match=r"signals\.json cannot be read; remove it"):
            rotation("signal", "rate_cut", "--changed")


@pytest.mark.usefixtures("here")
def test_several_signals_stand_one_below_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert rotation("signal", "rate_cut", "trend", "--as-of", "2007-10-15") == 0
    said = capsys.readouterr().out
    assert said.index("rate_cut on embedded") < said.index("trend on embedded")
    assert rotation("signal", "rate_cut", "trend", "--as-of", "2007-10-15", "--json") == 0
    assert [each["strategy"] for each in json.loads(capsys.readouterr().out)] == ["rate_cut", "trend"]
