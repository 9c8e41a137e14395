"""``rotation compare`` and ``rotation gallery`` as real processes, from an empty folder."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.cli.test_command import assert_sentence, rotation
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


def test_strategies_and_reports_side_by_side(tmp_path: Path) -> None:
    assert rotation(tmp_path, "run", "rate_cut", "--hold", "12", "--out", "A").returncode == 0
    done = rotation(tmp_path, "compare", "A", "buy_and_hold", "--json", "--out", "page")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["start"], document["end"]) == ("1983-09-30", "2018-11-30")
    assert [run["name"] for run in document["runs"]] == ["rate_cut", "buy_and_hold"]
    assert document["runs"][0]["parameters"]["hold"] == 12
    stored = json.loads((tmp_path / "A" / "result.json").read_text())
    assert document["runs"][0]["metrics"] == pytest.approx(stored["metrics"], nan_ok=True)
    (difference,) = document["differences"]
    assert {"a": "rate_cut", "b": "buy_and_hold"}.items() <= difference.items()
    assert 0.0 < difference["pvalue"] <= 1.0
    assert document["report"] == str(tmp_path / "page")
    assert (tmp_path / "page" / "index.html").is_file()


def test_one_strategy_with_other_parameters(tmp_path: Path) -> None:
    script = tmp_path / "a:b.py"
    script.write_text((REPOSITORY / "strategies" / "rate_cut.py").read_text())
    assert rotation(tmp_path, "run", "rate_cut", "--hold", "12", "--delay", "3", "--out", "A").returncode == 0
    runs = ["rate_cut", "rate_cut:hold=12, delay=3", f"{script}:min-cut=0.5", str(script)]
    done = rotation(tmp_path, "compare", *runs, "--json", "--out", "page")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["runs"]
    sets = [(run["parameters"]["hold"], run["parameters"]["min_cut"]) for run in found]
    assert sets == [(24, 0.25), (12, 0.25), (24, 0.5), (24, 0.25)]
    stored = json.loads((tmp_path / "A" / "result.json").read_text())
    assert found[1]["parameters"] == stored["parameters"]
    assert found[1]["metrics"] == pytest.approx(stored["metrics"], nan_ok=True)


def test_a_scripts_own_command_compares_its_strategy(tmp_path: Path) -> None:
    script = str(REPOSITORY / "strategies" / "rate_cut.py")
    done = rotation(tmp_path, script, "compare", "buy_and_hold", command=sys.executable, COLUMNS="100")
    assert done.returncode == 0, done.stderr
    for text in (
        "cut to the common one",
        "Proxy: ",
        "Sharpe ratio",
        "No two Sharpe ratios differ by more than",
    ):
        assert text in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"Report: {tmp_path}/reports/compare/")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compare"], "name two to twenty runs: rotation compare RUN RUN ..."),
        (["compare", "rate_cut"], "name two to twenty runs"),
        (["compare", *["rate_cut"] * 21], "name two to twenty runs"),
        (["compare", "rate_cut", "rate_cuts"], "there is no strategy 'rate_cuts'; did you mean 'rate_cut'?"),
        (["compare", "rate_cut", "."], ". is not the folder of a report: it has no result.json"),
        (["compare", "rate_cut", "hold=12"], "a parameter stands behind the run that it is of: RUN:hold=12"),
        (
            ["compare", "trend", "rate_cut:hould=12"],
            "rate_cut has no parameter 'hould'; did you mean 'hold'?",
        ),
        (["compare", "trend", "rate_cut:hold=12,x"], "a run takes NAME=VALUE, such as hold=18, not 'x'"),
        (
            ["compare", "trend", "rate_cut:hold"],
            "'hold' is no parameter with a value; write rate_cut:NAME=VALUE, or rate_cut alone",
        ),
        (["compare", "trend", "rate_cut:"], "'' is no parameter with a value; write rate_cut:NAME=VALUE"),
        (["compare", "trend", "reports/x"], "there is neither a report's folder nor a script 'reports/x'"),
        (["compare", "kept", "kept", "--cost-bps", "10"], "so --cost-bps changes nothing; leave it out"),
        (["compare", "kept", "kept", "--market", "embedded"], "so --market changes nothing; leave it out"),
        (["compare", "trend", "sweep"], "sweep is a sweep; the report of its recommended set is sweep/rec"),
        (["compare", "trend", "rate_cut:hold=1,hold=2"], "hold is given more than once"),
        (
            ["compare", "trend", "kept:hold=12"],
            "kept is a folder, and a report keeps its parameters; name its strategy",
        ),
        (["compare", "rate_cut", "trend", "--jsn"], "there is no option '--jsn'; did you mean '--json'?"),
        (["gallery", "--out", "kept"], "kept is no gallery; name another folder with --out"),
    ],
)
def test_a_wrong_call_gets_one_sentence_and_status_2(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.txt").write_text("mine")
    (tmp_path / "sweep" / "recommended").mkdir(parents=True)
    (tmp_path / "sweep" / "recommended" / "result.json").write_text("{}")
    assert_sentence(rotation(tmp_path, *arguments), 2, sentence)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "sweep"]
    assert (tmp_path / "kept" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("run", "rate_cut", "--no-report", "--csv"), "--no-report writes no page, so --csv has no use"),
        (("run", "rate_cut", "--json", "--xlsx"), "--json writes no page, so --xlsx has no use"),
        (("compare", "rate_cut", "easing", "--json", "--csv"), "--json writes no page, so --csv has no use"),
    ],
)
def test_files_without_a_page_are_refused(tmp_path: Path, call: tuple[str, ...], said: str) -> None:
    assert_sentence(rotation(tmp_path, *call), 2, said)


def test_files_that_a_colleague_can_open(tmp_path: Path) -> None:
    files = ("--csv", "--xlsx")
    for verb, call, made in (
        ("run", ("rate_cut",), ("bars.csv", "trades.csv", "rate_cut.xlsx")),
        ("compare", ("rate_cut", "easing"), ("returns.csv", "comparison.xlsx")),
        (
            "tune",
            ("rate_cut", "--grid", "hold=12,24", "--placebo", "0"),
            ("trials.csv", "sweep.xlsx", "recommended/bars.csv", "recommended/rate_cut.xlsx"),
        ),
    ):
        done = rotation(tmp_path, verb, *call, *files, "--json", "--out", verb)
        assert done.returncode == 0, done.stderr
        assert all((tmp_path / verb / file).is_file() for file in made)
    parquet, csv = (
        pd.read_parquet(tmp_path / "run" / "bars.parquet"),
        pd.read_csv(tmp_path / "run" / "bars.csv"),
    )
    assert np.array_equal(parquet["return"], csv["return"], equal_nan=True)
    assert csv["date"].iloc[-1] == "2018-11-30"
    assert pd.read_csv(tmp_path / "tune" / "trials.csv")["hold"].tolist() == [12, 24]
