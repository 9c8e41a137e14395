"""The real tables of the stock screener and of SimFin, end to end, and French's portfolios."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from backtest.universe.build import Rules, frame
from backtest.universe.mapping import load_mapping
from backtest.universe.schemes import load_scheme
from tests.universe.made import built, saved

ROTATION = str(Path(sys.executable).with_name("rotation"))
COMMON = "regexp_matches(name, '(?i)(common|ordinary) (stock|shares?)( *\\(.*\\))?$')"


def _rotation(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [ROTATION, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def market(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    stocks = shared_data / "stocks"
    _rotation(
        folder, "universe", "build", str(stocks / "us_month_end.csv.gz"), "--mapping", "us_screener", "--mapping", "simfin",
        "--fundamentals", str(stocks / "us-income-annual.zip"),
        "--fundamentals", str(stocks / "us-balance-annual.zip"),
        "--scheme", "us", "--policy", "FED_TARGET", "--out", "markets/my_us",
    )  # fmt: skip
    return folder / "markets" / "my_us"


def test_the_real_tables_make_a_market_that_runs(market: Path) -> None:
    done = _rotation(
        market.parents[1],
        "run",
        "valuation_discount",
        "--market",
        "markets/my_us",
        "--set",
        "history=24",
        "--json",
    )
    document = json.loads(done.stdout)
    assert document["market"] == "my_us"
    assert document["end"] == "2026-07-31"  # August 2026 was not over
    assert document["bars"] > 36
    assert "prices without dividends" in document["proxy"]
    page = (market / "index.html").read_text()
    assert '<figure id="valuation" class="chart"' in page


def test_class_counts_of_a_date_are_those_of_a_query_written_by_hand(
    shared_data: Path, tmp_path: Path
) -> None:
    # Only lines whose names end as those of common shares, one a name, with a price and a capitalisation.
    source = shared_data / "stocks" / "us_month_end.csv.gz"
    by_hand = duckdb.sql(
        f"""
        SELECT CASE WHEN mcap < 300e6 THEN 'micro' WHEN mcap < 2e9 THEN 'small' WHEN mcap < 10e9 THEN 'mid'
            ELSE 'large' END AS class, count(*), sum(mcap)
        FROM read_csv('{source}', all_varchar = false, types = {{'symbol': 'VARCHAR'}}, nullstr = '')
        WHERE date = '2024-06-28' AND {COMMON} AND price > 0 AND mcap > 0 GROUP BY 1"""
    ).fetchall()
    rows = duckdb.sql(
        f"SELECT * FROM read_csv('{source}', all_varchar = true) WHERE date <= '2024-06-28' AND {COMMON}"
    ).df()
    path = saved(rows, tmp_path, "common.csv")
    mapping = tmp_path / "plain.toml"
    mapping.write_text(
        'currency = "USD"\n[columns]\ndate = "date"\ncompany = "symbol"\nprice = "price"\ncapitalisation = "mcap"\n'
    )
    arguments = ("--mapping", str(mapping), "--country", "all", "--date", "2024-06-28", "--json")
    found = json.loads(_rotation(tmp_path, "universe", "classify", str(path), *arguments).stdout)
    told = {row["class"]: (row["companies"], row["capitalisation"]) for row in found["classes"]}
    jumped = sum(a["rows"] for a in found["set_aside"] if "jumped" in a["reason"])
    counted = {name: n for name, n, _ in by_hand}
    # What had jumped by that date is the only difference, and no class may lose more than its rows.
    lost = {name: n - told[name][0] for name, n in counted.items()}
    assert sum(counted.values()) > 3500
    assert all(0 <= n <= 12 for n in lost.values()), lost
    assert sum(lost.values()) <= jumped
    for name, _, total in by_hand:
        if lost[name] == 0:
            assert told[name][1] == pytest.approx(total, rel=1e-9)


def test_no_class_holds_a_second_line_of_a_company_or_a_preferred_share(market: Path) -> None:
    members = pd.read_parquet(market / "members.parquet")
    day = members[members["date"] == "2026-06-30"]
    assert not day["company"].isin(["GOOGL", "GOOGM", "GOOGN", "BRK/B"]).any()
    assert set(day["company"]) >= {"GOOG", "BRK/A", "AAPL", "NVDA", "JPM", "ET"}
    assert not day["company"].isin(["TSM", "BABA", "SKHY", "TM"]).any()  # of other countries
    assert not day["name"].str.contains(r"Preferred Stock|Warrant|Notes due", regex=True).any()
    assert (members.groupby(["date", "company"]).size() == 1).all()
    assert "TRUE" in set(members["company"])  # a ticker, not a truth value


def test_what_was_set_aside_is_counted_with_examples(market: Path) -> None:
    record = json.loads((market / "universe.json").read_text())
    aside = {a["reason"]: a for a in record["set_aside"]}
    for reason in ("left out by rule: preferred shares", "left out by rule: warrants", "left out by rule: shells",
                   "a second line of its company", "accounts published before their year ended"):  # fmt: skip
        assert aside[reason]["rows"] > 50
        assert aside[reason]["examples"]
    split = next(a for reason, a in aside.items() if reason.startswith("a split found"))
    assert any("NVDA" in example for example in split["examples"])
    before = [a["rows"] for reason, a in aside.items() if "split" not in reason and "accounts" not in reason
              and "jumped" not in reason and "implausible" not in reason]  # fmt: skip
    used = record["rows"] - sum(before)
    members = pd.read_parquet(market / "members.parquet")
    jumped = next(a["rows"] for reason, a in aside.items() if "jumped" in reason)
    assert used - jumped == len(members)  # nothing else is lost
    listed = pd.read_csv(market / "set_aside.csv", keep_default_na=False)
    sums = listed.groupby("reason")["rows"].sum().to_dict()
    assert sums == {reason: a["rows"] for reason, a in aside.items() if "account" not in reason}
    assert (listed[listed["reason"].str.contains("second")]["company"] == "GOOGL").sum() == 1


def _monthly(text: str, title: str) -> pd.DataFrame:
    """Return one monthly table of a file of the French library, percent, by month."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if title in line) + 1
    names = [name.strip() for name in lines[start].split(",")[1:]]
    rows = []
    for line in lines[start + 1 :]:
        if not re.match(r"\s*\d{6}\s*,", line):
            break
        rows.append([cell.strip() for cell in line.split(",")])
    index = pd.PeriodIndex([row[0] for row in rows], freq="M")
    return pd.DataFrame([[float(c) for c in row[1:]] for row in rows], index=index, columns=names)


def _market_return(shared_data: Path) -> pd.Series[float]:
    text = (shared_data / "french" / "F-F_Research_Data_Factors.csv").read_text(encoding="latin-1")
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(",Mkt-RF"))
    rows = [line.split(",") for line in lines[start + 1 :] if re.match(r"\s*\d{6}\s*,", line)]
    index = pd.PeriodIndex([row[0].strip() for row in rows], freq="M")
    return pd.Series([(float(r[1]) + float(r[4])) / 100.0 for r in rows], index)


def test_the_classes_move_as_frenchs_market_and_size_factor_do(market: Path, shared_data: Path) -> None:
    # Prices without dividends, foreign listings included: the level is not the same, the months are.
    returns = pd.read_parquet(market / "returns.parquet").set_index("date")
    returns.index = pd.DatetimeIndex(returns.index).to_period("M")
    theirs = _market_return(shared_data)
    both = returns.index.intersection(theirs.index)
    assert len(both) >= 60
    assert np.corrcoef(returns.loc[both, "market"], theirs[both])[0, 1] > 0.99
    apart = 12.0 * float((returns.loc[both, "market"] - theirs[both]).mean())
    assert -0.04 < apart < 0.0  # at least the dividends


def test_six_french_portfolios_by_firms_and_size_give_the_market(shared_data: Path, tmp_path: Path) -> None:
    # Each portfolio is put in as a company: its capitalisation at the end of a month is firms times average size as
    # the file has them for the month after, which is the weight at that month's beginning.
    text = (shared_data / "french" / "6_Portfolios_2x3.csv").read_text(encoding="latin-1")
    returns = _monthly(text, "Average Value Weighted Returns -- Monthly") / 100.0
    firms = _monthly(text, "Number of Firms in Portfolios")
    size = _monthly(text, "Average Market Cap")
    cap = (firms * size).shift(-1)
    rows = [
        (month.to_timestamp(how="end").normalize(), name, cap.loc[month, name], returns.loc[month, name])
        for month in returns.index[:-1]
        for name in returns.columns
    ]
    table = pd.DataFrame(rows, columns=["date", "company", "capitalisation", "total_return"])
    scheme = tmp_path / "halves.toml"
    scheme.write_text('title = "t"\nsource = "s"\nby = "rank"\nclasses = ["small", "large"]\nborders = [3]\n')
    with built(saved(table, tmp_path), load_scheme(str(scheme))) as (_, taken, portfolios):
        assert taken.set_aside == []
        made = frame(portfolios, load_scheme(str(scheme)))["market"]
    made.index = pd.DatetimeIndex(made.index).to_period("M")
    theirs = _market_return(shared_data)
    both = made.dropna().index.intersection(theirs.index)
    assert len(both) > 1190
    assert np.corrcoef(made[both], theirs[both])[0, 1] > 0.999


def test_the_mapping_of_the_screener_reads_its_columns(shared_data: Path) -> None:
    mapping = load_mapping("us_screener")
    header = pd.read_csv(shared_data / "stocks" / "us_month_end.csv.gz", nrows=1).columns.tolist()
    assert set(mapping.resolve(header, "us_month_end.csv.gz")) == set(mapping.columns)
    assert Rules().reconstitute == "monthly"
