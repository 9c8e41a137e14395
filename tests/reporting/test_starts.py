"""How much depends on the start, as a terminal, a page and a document say it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest import MarketData, run
from backtest.analysis.rolling import MODERN, Starts, YearLeads, starts
from backtest.records.document import plain
from backtest.records.run_document import RunDocument
from backtest.reporting import blocks as b
from backtest.reporting.chart import Chart
from backtest.reporting.folder import write_report
from backtest.reporting.page import brief
from backtest.reporting.starts import start_map, starts_blocks, starts_brief, turned
from backtest.reporting.terminal import text

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lead_that_turned_is_said_with_the_verdict(embedded: MarketData) -> None:
    result = run("january", embedded)
    (verdict,) = [block for block in brief(result) if isinstance(block, b.Conclusion)]
    found = result.starts
    assert found.whole > 0.0 > found.modern
    assert verdict.sentences[1:] == (
        (
            f"Against market it led by {found.whole:.2%} a year over the whole, and trailed by "
            f"{-found.modern:.2%} a year since 2009."
        ),
    )
    assert turned(Starts((), -0.012, 0.008), "large") == (
        "Against large it trailed by 1.20% a year over the whole, and led by 0.80% a year since 2009.",
    )
    steady = run("rate_cut", embedded)
    assert steady.starts.whole > 0.0 < steady.starts.modern
    assert turned(steady.starts, "market") == ()


def rows(block: b.Block) -> list[list[str]]:
    assert isinstance(block, b.Table)
    return [[str(cell) for cell in row] for row in (block.heads, *block.rows)]


def test_a_terminal_has_a_column_for_each_length(embedded: MarketData) -> None:
    found = run("rate_cut", embedded).starts
    heads, windows, led, worst, best = rows(starts_brief(found))
    assert heads == ["windows of", "1 year", "3 years", "5 years", "10 years", "20 years"]
    assert windows == ["number (apart)", "411 (35)", "387 (11)", "363 (7)", "303 (3)", "183 (1)"]
    assert led[1:] == [f"{row.led:.0%}" for row in found.windows]
    assert (worst[1], best[3]) == (f"{found.windows[0].worst:+.2%}", f"{found.windows[2].best:+.2%}")
    said = text([starts_brief(run("january", embedded).starts)]).splitlines()
    assert (len(said), max(map(len, said)) <= 80) == (6, True)


def test_a_length_that_does_not_fit_says_so() -> None:
    dates = np.arange("2000-01", "2004-03", dtype="datetime64[M]").astype("datetime64[D]")
    found = starts(dates, np.linspace(0.01, 0.02, 49), np.zeros(49), "monthly")
    assert rows(starts_brief(found))[1] == ["number (apart)", "38 (4)", "14 (1)", "none", "none", "none"]
    note, table, short = starts_blocks(found, "market", ("2000-01-01", "2004-02-01"))
    assert "less that of market" in str(note)
    assert rows(table)[1][:4] == ["1 year", "38", "4", "100%"]
    assert rows(table)[1][7:] == ["2000-02", "2003-03"]
    assert rows(table)[4] == ["10 years", "0", "0", *["-"] * 6]
    assert short == b.Text(
        "No window of 5 years, 10 years and 20 years fits into 2000-01-01 to 2004-02-01.", "note"
    )
    nothing = starts_brief(starts(dates[:8], np.zeros(7), np.zeros(7), "monthly"))
    assert nothing == b.Text("How much depends on the start cannot be told of less than a year.", brief=True)


def test_a_document_has_the_windows_and_the_lead_since_2009(embedded: MarketData) -> None:
    result = run("rate_cut", embedded)
    kept = plain(RunDocument.of(result))["starts"]
    assert kept["lead"] == result.starts.whole
    assert kept["since"] == {"month": str(MODERN), "lead": result.starts.modern}
    assert [row["years"] for row in kept["windows"]] == [1, 3, 5, 10, 20]
    assert kept["windows"][2]["worst_from"] == str(result.starts.windows[2].worst_from)
    assert kept["windows"][2]["worst"] == pytest.approx(result.starts.windows[2].worst, abs=0.0)
    short = plain(RunDocument.of(run("rate_cut", embedded, start="2016-01-31")))["starts"]
    assert short["since"] is None
    assert short["windows"][4] == {
        **dict.fromkeys(("led", "worst", "worst_from", "median", "best", "best_from")),
        "years": 20,
        "windows": 0,
        "apart": 0,
    }


def test_a_sheet_and_a_workbook_have_the_map(embedded: MarketData, tmp_path: Path) -> None:
    result = run("rate_cut", embedded)
    write_report(result, tmp_path / "report", also=["xlsx"])
    leads = result.year_leads.leads
    kept = json.loads((tmp_path / "report" / "sheet.json").read_text())["start_by_end"]
    assert (kept["first"], len(kept["leads"])) == (1984, 34)
    for i, row in enumerate(kept["leads"]):
        assert row == pytest.approx(leads[i, i:].tolist(), abs=5.1e-7)
    book = pd.read_excel(tmp_path / "report" / "rate_cut.xlsx", sheet_name=["starts", "start by end"])
    assert book["starts"]["windows"].tolist() == [row.windows for row in result.starts.windows]
    assert book["starts"]["best_from"].tolist() == [str(row.best_from) for row in result.starts.windows]
    table = book["start by end"].set_index("start")
    assert (table.index[0], list(table.columns[[0, -1]])) == (1984, ["1984", "2017"])
    assert table.to_numpy() == pytest.approx(leads, abs=1e-12, nan_ok=True)


def test_a_map_has_a_step_of_colour_for_each_size_of_a_lead() -> None:
    values = np.full((5, 5), np.nan)
    values[0] = [0.0, 0.49, -0.51, 1.5, -4.1]
    values[1, 1:] = [2.5, -2.5, 40.0, -0.01]
    drawn = start_map(YearLeads(1998, values / 100.0), "market")
    assert isinstance(drawn, Chart)
    (plot,) = drawn.plots
    cells = plot.cells
    assert cells is not None
    looks = [cells.looks[place].word if place >= 0 else "" for place in cells.painted[::-1].ravel()]
    assert looks[:5] == ["", "ahead under 0.5", "behind 0.5 to 1", "ahead 1 to 2", "behind over 4"]
    assert looks[5:10] == ["", "ahead 2 to 4", "behind 2 to 4", "ahead over 4", "behind under 0.5"]
    assert set(looks[10:]) == {""}
    assert [look.opacity for look in cells.looks] == [1.0, 0.72, 0.5, 0.32, 0.15, 0.15, 0.32, 0.5, 0.72, 1.0]
    assert cells.looks[0].colour != cells.looks[9].colour
    assert cells.read[-1] == ("+0.00", "+0.49", "-0.51", "+1.50", "-4.10")
    assert cells.read[2] == ("",) * 5
    assert plot.ticks() == [(4 - i, str(1998 + i)) for i in reversed(range(5))]
    long = start_map(YearLeads(1927, np.zeros((91, 91))), "market")
    assert isinstance(long, Chart)
    assert long.x.ticks[0] == (3, "1930")


def test_without_two_whole_years_there_is_no_map() -> None:
    said = start_map(YearLeads(1998, np.zeros((1, 1))), "market")
    assert said == b.Text("There are no two whole calendar years to draw a map of.", "note")
