"""Files for other programs: nothing in them becomes a formula, and a spreadsheet knows days and percentages."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest

from backtest import compare, run
from backtest.reporting.saving import WorkbookSheet, write_workbook
from backtest.spreadsheets import csv_of
from backtest.wording import percent

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import MarketData

EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0")


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_a_formula_in_csv(evil: str) -> None:
    frame = pd.DataFrame({"word": [evil, "plain"], evil: [1.5, -2.0], "kind": pd.Categorical([evil, "x"])})
    read = pd.read_csv(io.BytesIO(csv_of(frame)), dtype=str, keep_default_na=False)
    safe = f"'{evil}".replace("\r", "\n")
    assert list(read.columns) == ["word", safe, "kind"]
    assert read["word"].tolist() == [safe, "plain"]
    assert read["kind"].tolist() == [safe, "x"]
    assert read.iloc[:, 1].tolist() == ["1.5", "-2.0"]  # a number is none


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_a_formula_in_a_workbook(evil: str) -> None:
    file = io.BytesIO()
    write_workbook({"it": WorkbookSheet(pd.DataFrame({evil: [evil, "https://example.org", "12"]}))}, file)
    cells = [row[0] for row in openpyxl.load_workbook(file)["it"].iter_rows()]
    assert all(cell.data_type == "s" for cell in cells)
    assert all(cell.hyperlink is None for cell in cells)
    assert cells[1].value.strip() == evil.replace("\r", "_x000D_").strip()
    assert cells[1].quotePrefix


def test_days_percentages_and_what_is_not_defined() -> None:
    table = pd.DataFrame(
        {
            "": ["a", "b"],
            "day": pd.to_datetime(["1926-07-30", "1871-01-31"]).astype("datetime64[s]"),
            "part": [0.125, float("nan")],
            "n": [1, 2],
            "holds": [True, False],
            "far": [float("inf"), -1.5],
        }
    )
    file = io.BytesIO()
    write_workbook({"it": WorkbookSheet(table, {"part": percent})}, file)
    page = openpyxl.load_workbook(file)["it"]
    assert page.freeze_panes == "B2"
    (_, day, part, n, holds, far), (_, old, lacks, *_rest, low) = list(page.iter_rows(min_row=2))
    assert day.value == dt.datetime(1926, 7, 30)  # noqa: DTZ001 - a day has no zone
    assert day.number_format == "yyyy-mm-dd"
    assert old.value == "1871-01-31"  # a spreadsheet's days begin in 1900
    assert (part.value, part.number_format) == (0.125, "0.00%")
    assert (n.value, holds.value) == (1, True)
    assert lacks.value is None
    assert far.value is None
    assert low.value == -1.5


def test_the_workbook_of_a_run(embedded: MarketData, tmp_path: Path) -> None:
    one = run("rate_cut", embedded)
    one.save(tmp_path / "run.xlsx")
    book = openpyxl.load_workbook(tmp_path / "run.xlsx")
    assert book.sheetnames == ["summary", "starts", "start by end", "bars", "trades", "terms"]
    summary = {row[0].value.strip(): row[1] for row in book["summary"].iter_rows(min_row=2)}
    assert summary["Sharpe ratio"].value == pytest.approx(one.metrics["sharpe"])
    assert summary["Sharpe ratio"].number_format == "0.00"
    assert summary["deepest drawdown"].number_format == "0.00%"
    assert book["bars"].max_row == len(one.equity) + 1
    last = [cell.value for cell in book["trades"][book["trades"].max_row]]
    assert last[0] == one.trades["date"].iloc[-1].to_pydatetime()
    assert last[1] == one.trades["hold"].iloc[-1]
    assert book["trades"]["C2"].number_format == "0.00%"
    assert [row[0].value for row in book["terms"].iter_rows(min_row=2)][:2] == ["verdict", "thesis"]


def test_the_workbook_of_a_comparison(embedded: MarketData, tmp_path: Path) -> None:
    both = compare(run("rate_cut", embedded), run("easing", embedded))
    both.save(tmp_path / "both.xlsx")
    book = openpyxl.load_workbook(tmp_path / "both.xlsx")
    assert book.sheetnames == ["summary", "returns", "differences", "terms"]
    assert book["returns"].max_row == len(both.records[0].returns) + 1
