"""The command as a user meets it: real processes, one sentence when a call is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from backtest.cli.universe import universe
from backtest.errors import RotationError, UsageError
from tests.universe.made import companies, saved

ROTATION = str(Path(sys.executable).with_name("rotation"))


def rotation(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [ROTATION, "universe", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cli")
    saved(companies(60, 100, seed=41).assign(industry="Tools"), place)
    lines = [f"C{n:04},2019-12-02,2019-11-30,{n - 3}e6,{n + 1}e7,{n + 5}e6" for n in range(60)]
    (place / "accounts.csv").write_text(
        "company,published,period_end,earnings,sales,book\n" + "\n".join(lines)
    )
    (place / "simfin.csv").write_text("Ticker;Publish Date;Revenue\nC0001;2020-01-01;5\n")
    (place / "facts.json").write_text('{"cik": 1, "facts": {}}')
    (place / "own.toml").write_text('[columns]\ncompany = "ticker"\n')
    return place


def test_build_run_classify_and_screen(folder: Path) -> None:
    built = rotation(
        folder,
        "build",
        "companies.parquet",
        "--fundamentals",
        "accounts.csv",
        "--out",
        "markets/mine",
        "--json",
    )
    assert built.returncode == 0, built.stderr
    record = json.loads(built.stdout)
    assert record["market"] == "mine"
    assert Path(record["report"]).is_file()
    done = subprocess.run(
        [ROTATION, "run", "buy_and_hold", "--market", "markets/mine", "--json"],
        cwd=folder, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["market"] == "mine"

    again = rotation(folder, "build", "companies.parquet", "--out", "markets/mine")
    assert again.returncode == 2
    assert "exists already" in again.stderr

    classified = rotation(
        folder, "classify", "companies.parquet", "--date", "2020-01-31", "--out", "classes.csv"
    )
    assert classified.returncode == 0, classified.stderr
    written = pd.read_csv(folder / "classes.csv")
    day = written[written["date"] == "2020-01-31"]
    assert f"market  {len(day):>9}" in classified.stdout
    assert not list(folder.glob(".classes*"))

    arguments = ("classify", "companies.parquet", "--fundamentals", "accounts.csv", "--date", "2020-01-31")
    valued = rotation(folder, *arguments, "--json")
    assert valued.returncode == 0, valued.stderr
    (market,) = [row for row in json.loads(valued.stdout)["valuation"] if row["class"] == "market"]
    # Of company n the accounts say n - 3 million earned: 0, 1, 2 and 3 earn nothing or less.
    there = [int(company[1:]) for company in day["company"]]
    assert (market["pe_losses"], market["pe_companies"]) == (sum(n <= 3 for n in there), len(there))
    assert market["pe"] == pytest.approx(day["capitalisation"].sum() / sum((n - 3) * 1e6 for n in there))

    screened = rotation(folder, "screen", "companies.parquet", "--fundamentals", "accounts.csv", "--json")
    assert screened.returncode == 0, screened.stderr
    found = json.loads(screened.stdout)
    assert {"company", "pe", "pe_peers", "flags", "reason"} <= set(found["companies"][0])


def test_schemes_are_listed_and_scaled(folder: Path) -> None:
    listed = rotation(folder, "schemes")
    assert listed.returncode == 0, listed.stderr
    for text in (
        "us_six",
        "200.00 billion USD",
        "rank 1,000",
        "70% of total",
        "percentile 50 of nyse",
        "CPIAUCSL",
    ):
        assert text in listed.stdout
    scaled = rotation(
        folder,
        "schemes",
        "us_six",
        "--exchange-rate",
        "31",
        "--purchasing-power",
        "1.615",
        "--currency",
        "THB",
        "--json",
    )
    (scheme,) = json.loads(scaled.stdout)
    assert scheme["currency"] == "THB"
    assert scheme["borders"][-1] == pytest.approx(3_839_009, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["classfy"], "there is no verb 'classfy' of rotation universe; did you mean 'classify'?"),
        (
            ["classify", "companies.parquet", "--scheme", "uss"],
            "did you mean 'us'?",
        ),
        (["classify", "companes.parquet"], "there is no table 'companes.parquet'"),
        (
            ["classify", "companies.parquet", "--scheme", "rank", "--index", "nothing.csv"],
            "the borders of rank move with no series of yours; leave --index out",
        ),
        (["classify", "companies.parquet", "--date", "2020-02-30"], "is not a date"),
        (
            ["classify", "companies.parquet", "--date", "2020-02-03"],
            "the nearest date with classes is 2020-01-31",
        ),
        (["classify", "companies.parquet", "--out", "x.txt"], "takes a .csv or a .parquet file"),
        (
            ["classify", "companies.parquet", "--mapping", "us"],
            "there is no mapping 'us' (one of your own is named by the path of its .toml file); there are: sec_facts, simfin, us_screener",
        ),
        (
            ["classify", "companies.parquet", "--memory", "lots"],
            "--memory takes a size such as 2GB, not 'lots'",
        ),
        (
            ["classify", "companies.parquet", "--bnad", "0.1"],
            "there is no option '--bnad'; did you mean '--band'?",
        ),
        (["build", "companies.parquet"], "--out"),
        (["build", "companies.parquet", "--out", "m", "--policy", "FED_TARGT"], "did you mean 'FED_TARGET'?"),
        (
            ["build", "companies.parquet", "--out", "m", "--weights", "both"],
            "--weights is 'capitalisation' or 'equal'",
        ),
        (["build", "companies.parquet", "--out", "m", "--losses", "dropp"], "did you mean 'drop'?"),
        (["classify", "x.csv", "--out", "accounts.csv"], "accounts.csv exists already; name a new file"),
        (["screen", "x.csv", "--rows", "-1"], "--rows must lie in 0 to 1000000000, not -1"),
        (["screen", "companies.parquet"], "a screen needs accounts"),
        (
            ["screen", "companies.parquet", "--fundamentals", "simfin.csv"],
            "simfin.csv has no column 'company' for company; it has the columns that --mapping simfin reads",
        ),
        (
            ["screen", "companies.parquet", "--fundamentals", "facts.json"],
            "no mapping says which facts are earnings or sales; shipped for it: --mapping sec_facts",
        ),
        (
            ["classify", "companies.parquet", "--mapping", "us_screener", "--mapping", "own.toml"],
            "two mappings say different things of columns company; leave 'own.toml' out, or change it",
        ),
        (
            ["classify", "companies.parquet", "--about", "simfin.csv", "--about", "simfin.csv"],
            "simfin.csv has no column 'company' for the companies",
        ),
        (["schemes", "--exchange-rate", "31"], "name the scheme that is to be scaled"),
        (["schemes", "rank", "--exchange-rate", "31"], "no amounts of money"),
    ],
)
def test_a_wrong_call_is_a_usage_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError) as refused:
        universe("rotation universe", None, arguments)
    assert sentence in str(refused.value)
    assert not (folder / "m").exists()


def test_a_wrong_call_is_answered_in_one_sentence(folder: Path) -> None:
    done = rotation(folder, "classify", "companies.parquet", "--scheme", "uss")
    assert done.returncode == 2
    assert done.stderr == (
        "rotation: there is no scheme 'uss' (one of your own is named by the path of its .toml file); "
        "did you mean 'us'?\n"
    )
    assert done.stdout == ""


def test_a_place_that_cannot_be_written_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file where a folder should be: permissions do not stop every user of a machine.
    monkeypatch.chdir(folder)
    (folder / "taken").write_text("")
    with pytest.raises(RotationError) as refused:
        universe("rotation universe", None, ["classify", "companies.parquet", "--out", "taken/c.csv"])
    assert "the table cannot be written to taken/c.csv" in str(refused.value)
    assert "name another place with --out" in str(refused.value)
