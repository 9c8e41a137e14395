"""The tables of a terminal: a number is never cut, however narrow the window."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from backtest import MarketData, run, study
from backtest.reporting.study_table import show_claims, show_study
from backtest.reporting.table import ROWS, cell, fitting, proper, robustness_tables, tables
from backtest.robustness import robustness


def test_a_long_name_leaves_the_labels_whole() -> None:
    (table,) = fitting(
        ["", "return a year"], [("small_caps_after_the_first_cut_while_cheap", ["10.00%"])], 40
    )
    console = Console(file=io.StringIO(), width=40)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "return a year" in shown
    assert "\u2026" not in shown
    assert "small_caps_after_the_fi" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_every_number_is_shown_whole(embedded: MarketData, width: int) -> None:
    result = run("rate_cut", embedded)
    console = Console(file=io.StringIO(), width=width)
    for table in (*tables(result, width), *robustness_tables(robustness(result), width)):
        console.print(table)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    words = shown.split()
    for metrics in (result.metrics, *result.benchmarks.values()):
        assert all(cell(metrics[key], form) in words for key, _, form in ROWS)
    assert len(tables(result, 200)) == len(tables(result, 80)) == 1


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_no_number_of_a_study_is_cut(
    embedded: MarketData, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    # Its second table has two columns of one name.
    studied = study("first-to-turn", embedded)
    show_study(studied, None)
    show_claims([studied], None)
    shown = capsys.readouterr().out
    assert "\u2026" not in shown
    assert max(map(len, shown.splitlines())) <= width
    assert studied.finding is not None
    words = Counter(shown.split())
    for table in studied.finding.tables:
        for row in table.rows:
            needed = Counter(word for cell in row[1:] for word in cell.split())
            assert all(words[word] >= n for word, n in needed.items())


def test_a_minus_sign_stands_before_numbers_and_not_in_dates() -> None:
    said = proper("in 2003-12-31 to 2018-11-30 it was -0.62% a year (t = -1.79, -.5), month-end")
    assert (
        said == "in 2003-12-31 to 2018-11-30 it was \u22120.62% a year (t = \u22121.79, \u2212.5), month-end"
    )
    assert proper("-") == "\u2013"
