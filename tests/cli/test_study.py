"""rotation study as a user meets it: real processes, in a folder of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backtest import MarketData, UsageError
from backtest.cli.study import parse_days
from backtest.dates import to_days
from backtest.studies.register import first_days, study_capacity
from tests.cli.test_command import assert_sentence, rotation
from tests.scripting.test_loading import GOOD, written


def test_list_names_every_study(tmp_path: Path) -> None:
    done = rotation(tmp_path, "study", "list")
    assert done.returncode == 0
    for name in ("first-cut ", "wide-discount", "margin", "capacity"):
        assert name in done.stdout
    listed = json.loads(rotation(tmp_path, "study", "list", "--json").stdout)
    assert {"study", "statement", "origin", "rule"} == listed[0].keys()


def test_one_study_prints_claim_numbers_verdict_and_page(tmp_path: Path) -> None:
    done = rotation(tmp_path, "study", "first-cut", COLUMNS="140")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("Cannot be told: ")
    for text in (
        "12 months after",
        "7 cases",
        "1984-09-20",
        "proves nothing about the next",
    ):
        assert text in done.stdout
    assert "after the end of the data (2018-11-30): 2019-07-31, 2024-09-18" in " ".join(done.stdout.split())
    report = Path(done.stdout.splitlines()[-1].removeprefix("Report: "))
    assert report.parent == tmp_path / "reports" / "study-first-cut"
    assert sorted(p.name for p in report.iterdir()) == ["index.html", "study.json"]


def test_json_has_the_fixed_keys_and_nothing_else_is_printed(tmp_path: Path) -> None:
    done = rotation(tmp_path, "study", "first-cut", "--json", "--out", "here")
    document = json.loads(done.stdout)
    assert document == json.loads((tmp_path / "here" / "study.json").read_text())
    assert {
        "study": "first-cut",
        "market": "embedded",
        "verdict": "cannot be told",
    }.items() <= document.items()
    assert document["report"] == str(tmp_path / "here")
    case = document["cases"][0]
    assert case["date"] == "1984-09-20"
    assert {"small", "large", "difference"} == case["horizons"]["12"].keys()
    small, large = case["horizons"]["12"]["small"], case["horizons"]["12"]["large"]
    assert case["horizons"]["12"]["difference"] == pytest.approx(small - large)
    keys = {"n", "mean", "median", "positive", "low", "high", "pvalue"}
    assert keys <= document["summary"]["12"].keys()
    assert set(document["summary"]) == {
        str(h) for h in (-36, -24, -18, -12, -6, -3, -1, 1, 3, 6, 12, 18, 24, 36)
    }
    told = document["evidence"][0]
    assert told["low"] < told["estimate"] < told["high"]
    assert told["smallest_visible"] > (told["high"] - told["low"]) / 2
    assert {"halves", "without_one"} <= told.keys()
    assert document["data"]["last"] == "2018-11-30"


def test_all_claims_make_one_page(tmp_path: Path) -> None:
    done = rotation(tmp_path, "study", "claims", "--json", "--out", "here")
    document = json.loads(done.stdout)
    words = [each["verdict"] for each in document["claims"]]
    assert sum(document["counts"].values()) == len(words) == 16
    names = {each["study"] for each in document["claims"]}
    written = {p.name for p in (tmp_path / "here").iterdir()}
    assert written == {"index.html", "claims.json", *(f"{name}.html" for name in names)}
    page = (tmp_path / "here" / "index.html").read_text()
    for each in document["claims"]:
        assert f'href="{each["study"]}.html"' in page
        assert each["verdict"] in page
    assert "2018-11-30" in page
    assert "proves nothing about the next one" in page
    assert "proxy" in page


def test_days_of_ones_own_and_first_days_of_a_strategy(tmp_path: Path) -> None:
    (tmp_path / "days.txt").write_text("# hand-picked\n1990-07-02\n2001-01-03, 2007-09\n")
    done = rotation(tmp_path, "study", "events", "--dates", "days.txt", "--json")
    assert [case["date"] for case in json.loads(done.stdout)["cases"]] == [
        "1990-07-02",
        "2001-01-03",
        "2007-09-01",
    ]
    assert json.loads(done.stdout)["verdict"] == "cannot be told"
    done = rotation(tmp_path, "study", "events", "--strategy", "rate_cut", "--set", "hold=12", "--json")
    assert [case["date"] for case in json.loads(done.stdout)["cases"]][:2] == ["1984-09-28", "1987-11-30"]


def test_what_is_held_when_the_data_begin_is_no_decision_to_buy(embedded: MarketData, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from backtest import Market, rotate, strategy\n\n@strategy\ndef mine(market: Market):\n"
        '    return rotate(~market.months_of_year(1), into="small", otherwise="large")\n'
    )
    days = first_days(str(tmp_path / "mine.py"), embedded, {}).astype(str).tolist()
    # Small since July 1926, and again after each January: at the fill of its end.
    assert days[:2] == ["1927-01-31", "1928-01-31"]
    assert {day[5:7] for day in days} == {"01"}
    with pytest.raises(UsageError, match="never goes into small on 'embedded' from something else"):
        first_days("buy_and_hold", embedded, {"sleeve": "small"})


def test_a_case_of_the_last_month_has_had_one_month(tmp_path: Path) -> None:
    said = rotation(tmp_path, "study", "events", "--dates", "1990-07,2018-10", COLUMNS="200").stdout
    assert " in 1 month\n" in said.replace("  ", "") or " in 1 month " in said
    assert "in 1 months" not in said
    assert "most moved by" in said


def test_one_case_is_a_case(tmp_path: Path) -> None:
    done = rotation(tmp_path, "study", "events", "--dates", "1990-07", COLUMNS="200")
    assert "positive in 1 of 1 (1 case)" in done.stdout or "positive in 0 of 1 (1 case)" in done.stdout
    assert "With 1 case" not in done.stdout
    assert "the rule asks for 5 cases at least, and finds 1." in done.stdout


def test_the_margin_calculator(tmp_path: Path) -> None:
    done = rotation(tmp_path, "study", "margin", "--gain-bps", "200", "--margin", "0.06", "--margin", "0.18")
    assert done.stdout.splitlines() == [
        "200 basis points on a margin of 6.0%: earnings +33.3%",
        "200 basis points on a margin of 18.0%: earnings +11.1%",
    ]
    done = rotation(tmp_path, "study", "margin", "--gain-bps", "200", "--change", "0.33", "--json")
    (row,) = json.loads(done.stdout)["rows"]
    assert row["margin"] == pytest.approx(0.02 / 0.33)
    assert not (tmp_path / "reports").exists()


def test_more_impact_leaves_less(tmp_path: Path, embedded: MarketData) -> None:
    done = rotation(tmp_path, "study", "capacity", "--impact", "3", "--orders", "4", "--json")
    dear = [row[3] for row in json.loads(done.stdout)["tables"][0]["rows"]]
    finding = study_capacity(embedded).finding
    assert finding is not None
    plain = [row[3] for row in finding.tables[0].rows]
    assert all(float(a[:-1]) >= float(b[:-1]) for a, b in zip(plain, dear, strict=True))
    assert plain != dear


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("frist-cut",), 2, "there is no study 'frist-cut'; did you mean 'first-cut'?"),
        (("first-cut", "--market", "embeded"), 2, "did you mean 'embedded'?"),
        (("first-cut", "--markt", "embedded"), 2, "did you mean '--market'?"),
        (("events",), 2, "give either --dates or --strategy"),
        (("events", "--dates", "1984-13-01"), 2, "the day '1984-13-01' is not a date"),
        (("events", "--dates", "1850-01-01"), 2, "none of the days lies in the data of 'embedded'"),
        (
            ("events", "--dates", "days.txt"),
            2,
            "there is no file days.txt, and it is no list of days such as",
        ),
        (("events", "--dates", ","), 2, "--dates takes days"),
        (("events", "--dates", "1990-01-01", "--set", "hold=3"), 2, "name it with --strategy"),
        (("margin", "--margin", "0.06"), 2, "give --gain-bps with either --margin or --change"),
        (("margin", "--gain-bps", "200", "--margin", "6"), 2, "--margin must lie in 0.0001 to 1, not 6"),
        (("capacity", "--orders", "0"), 2, "--orders must lie in 0.01 to 252, not 0"),
    ],
)
def test_a_wrong_call_gets_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    assert_sentence(rotation(tmp_path, "study", *arguments), status, sentence)
    assert not (tmp_path / "reports").exists()


def test_without_a_store_the_real_market_says_how_to_get_it(tmp_path: Path) -> None:
    done = rotation(
        tmp_path, "study", "claims", "--market", "french_monthly", ROTATION_DATA=str(tmp_path / "none")
    )
    assert_sentence(done, 1, "get them with: rotation data fetch")


def test_days_are_read_in_any_order_and_a_month_is_its_first_day() -> None:
    assert (parse_days("2001-01, 1984-09-20") == to_days(["1984-09-20", "2001-01-01"])).all()
    with pytest.raises(UsageError):
        parse_days("")
    assert parse_days("1990-01-31").dtype == np.dtype("datetime64[D]")


def test_a_list_of_days_longer_than_a_files_name_may_be() -> None:
    days = [f"{year}-06-15" for year in range(1950, 2010)]
    assert (parse_days(",".join(days)) == to_days(days)).all()


def test_first_days_need_small_companies_and_a_signal_that_is_known(
    tmp_path: Path, embedded: MarketData
) -> None:
    keep = [i for i, name in enumerate(embedded.bars.sleeves) if name != "small"]
    bars = embedded.bars
    lean = replace(bars, sleeves=tuple(bars.sleeves[i] for i in keep), returns=bars.returns[:, keep])
    with pytest.raises(UsageError, match="'embedded' has no sleeve small"):
        first_days("rate_cut", replace(embedded, bars=lean), {})
    never = written(tmp_path, GOOD.replace("quiet=12", "quiet=1200"))
    with pytest.raises(UsageError, match="decides nothing on 'embedded'"):
        first_days(never, embedded, {})
