"""The data command and the runs it makes possible, as processes."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backtest.dates import last_business_day
from backtest.market.load import load_market
from backtest.market.toml import names_of
from tests.conftest import REPOSITORY
from tests.market.made import FILES
from tests.market.server import Library, answer

DOCS = REPOSITORY / "docs"


def _rotation(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from backtest.cli import entry; entry()", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False, env=os.environ
    )


def test_ten_series_of_which_one_fails_store_nine_and_say_so(library: Library) -> None:
    ids = ["AAA", "BAA", "GS10", "TB3MS", "UNRATE", "INDPRO", "FEDFUNDS", "DFF", "DGS10", "VIXCLS"]
    library.fails("UNRATE", answer(b"", 404))
    done = _rotation("data", "fetch", *ids)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "1 of 10 series failed (UNRATE), the others are stored" in done.stderr
    listed = json.loads(_rotation("data", "list", "--json").stdout)
    stored = {line["id"] for line in listed if line["stored"] and line["source"] == "fred"}
    assert stored == set(ids) - {"UNRATE"}
    assert {"id", "source", "unit", "frequency", "known_at", "first", "last", "stored"} <= listed[0].keys()


def test_the_list_has_what_each_market_offers_to_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The template of a new script points here for the names that ``market.level`` takes."""
    markets = json.loads(_rotation("data", "list", "--markets", "--json").stdout)
    listed = {each["name"]: each for each in markets}
    assert list(listed) == names_of("market")
    embedded = load_market("embedded")
    roles = listed["embedded"]["roles"]
    assert set(roles) == {r for r, id in embedded.roles.items() if id not in embedded.after_the_fact}
    for role in roles:
        assert np.isfinite(embedded.known().as_of(role)).any()
    assert set(listed["embedded"]["sleeves"]) == set(embedded.bars.sleeves)
    assert set(listed["embedded"]["only_afterwards"]) == {"recession_months"}
    assert {"term_spread", "unemployment", "policy"} <= set(listed["french_monthly"]["roles"])
    monkeypatch.setenv("COLUMNS", "60")
    text = _rotation("data", "list").stdout
    _, _, offered = text.partition("what a strategy may ask a market for")
    *lines, place = offered.splitlines()[1:]
    assert place.startswith("stored in ")
    assert max(map(len, lines)) <= 60
    said = " ".join(" ".join(lines[lines.index("french_monthly, monthly") :]).split())
    for names in (listed["french_monthly"]["sleeves"], listed["french_monthly"]["roles"]):
        assert ", ".join(names) in said


def test_a_series_is_found_by_its_words() -> None:
    done = _rotation("data", "search", "high", "YIELD")
    assert done.returncode == 0
    found, _, made = done.stdout.partition("\n\n")
    assert "high_yield_spread  BAMLH0A0HYM2" in made
    assert [line.split()[0] for line in found.splitlines() if not line.startswith(" ")] == ["BAMLH0A0HYM2"]
    found = json.loads(_rotation("data", "search", "moody", "aaa", "--json").stdout)
    assert {each["id"] for each in found} >= {"MOODYS_AAA", "AAA"}
    assert all("aaa" in f"{each['id']} {each['title']}".lower() for each in found)
    nothing = _rotation("data", "search", "moodies")
    assert (nothing.returncode, nothing.stdout, nothing.stderr.count("\n")) == (2, "", 1)
    assert "did you mean 'Moody's'?" in nothing.stderr
    empty = _rotation("data", "search", "", " ")
    assert (empty.returncode, empty.stdout) == (2, "")
    assert empty.stderr == "rotation: say which words to look for; all series: rotation data list\n"


def test_without_a_network_each_failure_is_said_once_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name in ("ROTATION_FRED_URL", "ROTATION_FRENCH_URL"):
        monkeypatch.setenv(name, nobody)
    done = _rotation("data", "fetch", "AAA")
    assert done.returncode == 1
    assert (done.stdout + done.stderr).count("could not be fetched") == 1
    assert done.stderr == (
        "rotation: 1 of 1 series failed (AAA); what is stored stays usable, and the embedded market needs no "
        "network; fetch again later\n"
    )


def test_what_is_brought_is_not_to_be_fetched_later() -> None:
    done = _rotation("data", "fetch", "FIRST_CPI")
    assert done.returncode == 1
    assert "bring it: rotation data import pcpiMvMd.xlsx --id FIRST_CPI" in done.stdout
    assert done.stderr.endswith("the embedded market needs no network; bring a file of each\n")


def test_fetch_list_show_verify_and_run(library: Library, tmp_path: Path) -> None:
    missing = _rotation("run", "rate_cut", "--market", "french_monthly")
    assert missing.returncode == 1
    assert missing.stderr.rstrip().endswith("get them with: rotation data fetch")
    fetched = _rotation("data", "fetch", "french_monthly", "french_daily", "--json")
    assert fetched.returncode == 0, fetched.stderr
    assert {outcome["status"] for outcome in json.loads(fetched.stdout)} == {"new"}
    again = json.loads(_rotation("data", "fetch", "french_monthly", "french_daily", "--json").stdout)
    assert {outcome["status"] for outcome in again} == {"fresh"}
    shown = json.loads(_rotation("data", "show", "DFEDTARU", "--tail", "5", "--json").stdout)
    assert [row["known_at"] for row in shown["rows"]] == [f"2010-06-{day}" for day in range(24, 29)]
    assert "2010-06-29" in _rotation("data", "show", "DFEDTARU").stdout
    assert _rotation("data", "verify").returncode == 0
    assert "6_Portfolios_2x3_daily.size" in _rotation("data", "list").stdout
    for market in ("french_monthly", "french_daily"):
        done = _rotation("run", "rate_cut", "--market", market, "--json", "--out", str(tmp_path / market))
        assert done.returncode == 0, done.stderr
        series = json.loads(done.stdout)["data"]["series"]
        assert re.search(r"vintage [0-9a-f]{12}", series["DFEDTAR"]["source"])
    assert library.asked.count("6_Portfolios_2x3_CSV.zip") == 1  # four series, one file


def test_a_damaged_record_is_listed_as_such_and_hides_no_other(
    library: Library, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert library.address
    assert _rotation("data", "fetch", "AAA", "BAA").returncode == 0
    (record,) = (store_folder / "AAA").glob("*.json")
    record.write_text(record.read_text().replace('"rows": ', '"rows": 1'))
    done = _rotation("data", "list", "--json")
    assert done.returncode == 1
    assert done.stderr.startswith("rotation: what is stored of AAA is damaged: the record ")
    listed = {line["id"]: line for line in json.loads(done.stdout)}
    assert (listed["AAA"]["stored"], listed["BAA"]["stored"]) == (False, True)
    assert "  damaged  " in _rotation("data", "list").stdout
    assert _rotation("data", "verify").returncode == 1


def test_a_file_that_arrives_whole_in_part_stores_its_good_part(library: Library) -> None:
    broken = FILES["BAA"].replace(b"observation_date,BAA", b"<html>")
    library.fails("BAA", answer(broken))
    done = _rotation("data", "fetch", "AAA", "BAA")
    assert done.returncode == 1
    assert "AAA to 2010-06-01 (new)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "lst"], "did you mean 'list'?"),
        (["data", "fetch", "FEDFUND"], "did you mean 'FEDFUNDS'?"),
        (["data", "show", "UNRATES"], "did you mean 'UNRATE'?"),
        (["data", "show", "AAA", "--tail", "-1"], "--tail must lie in 0 to 1000000000, not -1"),
        (
            ["data", "import", "no.csv", "--id", "X", "--kind", "price", "--unit", "level"],
            "there is no file no.csv",
        ),
        (["run", "rate_cut", "--market", "french_month"], "did you mean 'french_monthly'?"),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments: list[str], said: str) -> None:
    done = _rotation(*arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr


def test_the_data_folder_can_be_named_for_one_command(library: Library, tmp_path: Path) -> None:
    assert library.address
    assert _rotation("data", "fetch", "AAA", "--data-dir", str(tmp_path / "other")).returncode == 0
    assert (tmp_path / "other" / "AAA").is_dir()
    assert "AAA is not stored" in _rotation("data", "show", "AAA").stderr


def test_the_report_on_embedded_says_what_it_is_and_what_gets_more(tmp_path: Path) -> None:
    done = _rotation("run", "rate_cut", "--out", str(tmp_path / "out"))
    said = " ".join(done.stdout.split())
    assert "proxy small and large are the market plus and minus half of SMB" in said
    assert "rotation data fetch, then --market french_monthly" in said
    assert "2018-11-30" in said


def _block(text: str, name: str) -> str:
    """Return the indented block that follows a comment in a page of the docs."""
    after = text.partition(f"<!-- {name} -->\n")[2]
    lines = []
    for line in after.splitlines():
        if line and not line.startswith("    "):
            break
        lines.append(line[4:])
    return "\n".join(lines).strip() + "\n"


def test_the_page_on_thailand_works_as_it_is_written(tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    ends = last_business_day(np.arange(np.datetime64("2005-01"), np.datetime64("2020-01")))
    for name in ("set_tri", "mai_tri"):
        levels = 100.0 * np.cumprod(1.0 + random.normal(0.008, 0.05, len(ends)))
        rows = "".join(f"{day},{level:.4f}\n" for day, level in zip(ends, levels, strict=True))
        (tmp_path / f"{name}.csv").write_text(f"date,close\n{rows}")
    (tmp_path / "bot_rate.csv").write_text(
        "date,rate\n2004-12-15,2.0\n2006-06-07,5.0\n2008-12-03,2.75\n2011-08-24,3.5\n2019-08-07,1.5\n"
    )
    page = (DOCS / "markets.md").read_text(encoding="utf-8")
    for line in _block(page, "commands").splitlines():
        done = _rotation(*shlex.split(line)[1:], cwd=tmp_path)
        assert done.returncode == 0, (line, done.stderr)
    (tmp_path / "thailand.toml").write_text(_block(page, "market"), encoding="utf-8")
    done = _rotation("run", "rate_cut", "--market", "thailand.toml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["market"], result["end"], result["metrics"]["switches"]) == ("thailand", "2019-12-31", 3)


@pytest.mark.usefixtures("stored")
def test_the_picture_of_the_page_on_data_is_drawn(tmp_path: Path) -> None:
    script = _block((DOCS / "data.md").read_text(encoding="utf-8"), "picture")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "discount.png").stat().st_size > 10_000


def test_what_markets_make_of_series_is_found_by_its_name() -> None:
    found = _rotation("data", "search", "term spread").stdout
    assert "term_spread        GS10 less TB3MS\n" in found
    shown = _rotation("data", "show", "term_spread")
    assert shown.returncode == 2
    assert (
        "'term_spread' is no series but what markets make of some: GS10 less TB3MS on etf, " in shown.stderr
    )
    assert shown.stderr.rstrip().endswith("such as: rotation data show GS10")
    listed = _rotation("data", "list", "--markets").stdout
    assert "MOODYS_BAA less MOODYS_AAA (embedded); BAA less AAA (etf," in " ".join(listed.split())
    (market,) = (
        market
        for market in json.loads(_rotation("data", "list", "--markets", "--json").stdout)
        if market["name"] == "french_monthly"
    )
    assert set(market["made_of"]) == {*market["roles"]} - {"policy"}
    assert market["made_of"]["vix"] == "VIXCLS"


def test_an_import_says_what_it_took(tmp_path: Path) -> None:
    rows = "".join(f"2020-{month:02d}-01,{month}\n" for month in range(1, 7))
    (tmp_path / "mine.csv").write_text(f"date,value\n{rows}")
    command = ["data", "import", "mine.csv", "--kind", "other", "--unit", "level", "--known-at"]
    taken = _rotation(*command, "the 14th of the next month", "--id", "LATE", cwd=tmp_path).stdout
    assert taken == (
        "LATE to 2020-06-01 (new)\n"
        "6 rows, 2020-01-01 to 2020-06-01, monthly, level; known at: the 14th of the next month\n"
    )
    # A figure about a month that is known on its first day: it is taken, and not in silence.
    early = _rotation(*command, "the day itself", "--id", "EARLY", cwd=tmp_path).stdout
    assert "the value of 2020-06-01 is known on 2020-06-01, before its month is over" in early
    assert "before its month" not in taken
