"""The command line as a user meets it: real processes, from a folder that is not the checkout."""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backtest.measures import BY_KEY
from tests.conftest import REPOSITORY

ROTATION = str(Path(sys.executable).with_name("rotation"))


def rotation(
    folder: Path, *arguments: str, command: str = ROTATION, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_sentence(done: subprocess.CompletedProcess[str], status: int, sentence: str) -> None:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_run_prints_terms_table_verdict_and_report(tmp_path: Path) -> None:
    done = rotation(tmp_path, "run", "rate_cut", "--set", "hold=18", COLUMNS="100")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in ("hold 18 months", "1983-09-30 to 2018-11-30", "Sharpe ratio", "Cannot be told: Alpha"):
        assert text in done.stdout
    report = Path(done.stdout.splitlines()[-1].removeprefix("Report: "))
    assert report.parent == tmp_path / "reports" / "rate_cut"
    assert (report / "index.html").is_file()


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    done = rotation(tmp_path, "run", "rate_cut", "--json", "--hold", "18", "--out", "here")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {
        "strategy": "rate_cut",
        "parameters": {"delay": 0, "hold": 18, "quiet": 12, "min_cut": 0.25},
        "market": "embedded",
        "frequency": "monthly",
        "start": "1983-09-30",
        "end": "2018-11-30",
        "bars": 422,
        "report": str(tmp_path / "here"),
    }.items() <= document.items()
    assert set(document["metrics"]) == {*BY_KEY, "time_in_large"}
    assert set(document["benchmarks"]) == {"large", "small", "market"}
    assert document["data"]["last"] == "2018-11-30"
    assert all(set(s) == {"source", "sha256", "last"} for s in document["data"]["series"].values())
    assert json.loads((tmp_path / "here" / "result.json").read_text()) == document


def test_a_script_runs_itself_as_the_command_runs_it(tmp_path: Path) -> None:
    script = str(REPOSITORY / "strategies" / "rate_cut.py")
    alone = rotation(tmp_path, script, "run", "--hold", "18", "--json", command=sys.executable)
    by_name = rotation(tmp_path, "run", "rate_cut", "--set", "hold=18", "--json")
    by_path = rotation(tmp_path, "run", script, "--set", "hold=18", "--json")
    documents = [json.loads(done.stdout) for done in (alone, by_name, by_path)]
    for document in documents:
        del document["report"]
    assert documents[0] == documents[1] == documents[2]


def test_help_shows_the_strategys_own_parameters(tmp_path: Path) -> None:
    done = rotation(tmp_path, "run", "rate_cut", "--help", COLUMNS="200")
    assert done.returncode == 0
    assert "then hold small caps this long (1 to 60 months, default 24)" in done.stdout
    assert "--min-cut" in done.stdout
    assert "run a strategy on a market" in rotation(tmp_path, "--help").stdout
    said = rotation(tmp_path, "--version", ROTATION_DATA=str(tmp_path / "kept"), COLUMNS="400").stdout
    assert said.startswith(f"size-rotation {importlib.metadata.version('size-rotation')}; Python 3.")
    assert said.endswith(f"; series in {tmp_path / 'kept'}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "rate_cuts"], "there is no strategy 'rate_cuts'; did you mean 'rate_cut'?"),
        (
            ["run", "rate_cut", "--market", "embeded"],
            "there is no market 'embeded'; did you mean 'embedded'?",
        ),
        (["run", "rate_cut", "--set", "hlod=3"], "rate_cut has no parameter 'hlod'; did you mean 'hold'?"),
        (["run", "rate_cut", "--set", "hold"], "--set takes NAME=VALUE, such as hold=18, not 'hold'"),
        (["run", "rate_cut", "--hold", "1", "--set", "hold=2"], "hold is given more than once"),
        (["run", "rate_cut", "--hold", "99"], "hold must lie in 1 to 60 months, not 99"),
        (["run", "rate_cut", "--hold", "-1"], "hold must lie in 1 to 60 months, not -1"),
        (["run", "rate_cut", "--hodl", "3"], "there is no option '--hodl'; did you mean '--hold'?"),
        (["run", "rate_cut", "--benchmark", "smal"], "there is no benchmark 'smal'; did you mean 'small'?"),
        (["run", "rate_cut", "--start", "2030-01-01"], "the start 2030-01-01 lies outside the data"),
        (["run", "rate_cut", "--start", "soon"], "the start 'soon' is not a date; write it as 2007-09-18"),
        (
            ["run", "rate_cut", "--cost-bps", "cheap"],
            "cost_bps must be a number from 0 to 1000 basis points, not 'cheap'",
        ),
        (["run", "rate_cut", "extra"], "there is no strategy 'extra'"),
        (["run", "--hold", "18", "rate_cut"], "name the strategy first: rotation run STRATEGY [options]"),
        (["run"], "name the strategy first"),
        (["rnu", "rate_cut"], "there is no command 'rnu'; did you mean 'run'?"),
    ],
)
def test_a_wrong_call_gets_one_sentence_and_status_2(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    assert_sentence(rotation(tmp_path, *arguments), 2, sentence)
    assert list(tmp_path.iterdir()) == []


def test_a_report_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = rotation(tmp_path, "run", "rate_cut", "--out", "file/report")
    assert_sentence(done, 2, "file is not a folder; name another one with --out")


def test_a_report_where_nobody_may_write_is_status_1(tmp_path: Path) -> None:
    # /proc takes no new folders, whoever asks.
    done = rotation(tmp_path, "run", "rate_cut", "--out", "/proc/report")
    assert done.returncode == 1
    assert "Sharpe ratio" in done.stdout  # the words need no disk
    assert "the report cannot be written to /proc/report" in done.stderr
    assert done.stderr.count("\n") == 1


def test_other_figures_under_the_same_name_are_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "arch" / "data" / "frenchdata"
    folder.mkdir(parents=True)
    (tmp_path / "arch" / "__init__.py").write_text("")
    (folder / "frenchdata.csv.gz").write_bytes(gzip.compress(b"Date,Mkt-RF,SMB,HML,RF\n192607,1,1,1,1\n"))
    done = rotation(tmp_path, "run", "rate_cut", PYTHONPATH=str(tmp_path))
    assert_sentence(done, 1, "carries other figures than the ones tested")
    (folder / "frenchdata.csv.gz").write_bytes(b"not gzip")
    assert_sentence(rotation(tmp_path, "run", "rate_cut", PYTHONPATH=str(tmp_path)), 1, "cannot be read")


@pytest.mark.parametrize("after", [0.3, 1.0, 2.0])
def test_an_interrupted_run_says_so_and_leaves_nothing(tmp_path: Path, after: float) -> None:
    process = subprocess.Popen(
        [ROTATION, "run", "rate_cut"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the run was done before the interruption")
    assert process.returncode == 1, error
    assert error == "rotation: interrupted; nothing was left half written\n"
    assert not list(tmp_path.rglob("*.part"))


def test_a_reader_that_goes_away_is_no_error_message(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{ROTATION}' run rate_cut | true"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
