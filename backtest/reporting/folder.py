"""A report folder: the page, its figures and the numbers behind them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.files import being_written, whole_folder
from backtest.folders import as_one_name, expanded
from backtest.records.document import write_document
from backtest.records.record import write_record
from backtest.records.run_document import RunDocument
from backtest.records.sheet import Sheet
from backtest.reporting import blocks as b
from backtest.reporting.chart import Chart
from backtest.reporting.html import render
from backtest.reporting.page import run_page
from backtest.reporting.saving import write_also
from backtest.reporting.tables import run_sheets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from backtest.records.robustness import Robustness
    from backtest.reporting.blocks import Page
    from backtest.reporting.saving import Workbook
    from backtest.runs import Run


def default_place(name: str) -> Path:
    """Return ``reports/NAME/STAMP`` below the current folder, not taken yet, nor being written just now."""
    stamp = dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")
    home = Path("reports", as_one_name(name))
    place, again = home / stamp, 2
    while place.exists() or being_written(place):
        place, again = home / f"{stamp}-{again}", again + 1
    return place


def write_page(page: Page, folder: Path, also: Collection[str] = ()) -> None:
    """Write a page as ``index.html`` into a folder; ``also`` may ask for ``png``, its figures."""
    (folder / "index.html").write_text(render(page), encoding="utf-8")
    if "png" in also:
        (folder / "figures").mkdir()
        write_figures(page.blocks, folder / "figures")


def write_result(
    name: str,
    page: Page,
    numbers: tuple[Callable[[Path], Any], str],
    out: Path | str | None = None,
    *,
    also: Collection[str] = (),
    beside: Callable[[Path], object] | None = None,
    sheets: Callable[[], Workbook] | None = None,
) -> Path:
    """Write a result's page beside its numbers into a folder, whole or not at all, and return the folder.

    Parameters
    ----------
    name, out
        The folder to write (new, or empty); by default ``reports/NAME/STAMP``.
    page, numbers
        ``index.html``; and what gives the document of a result whose page lies in a folder, with the name of
        its file.
    also
        As ``write_report``.
    beside
        Writes what else lies in the folder.
    sheets
        The workbook, where one is asked for.
    """
    place, (document, file) = expanded(out) if out is not None else default_place(name), numbers
    with whole_folder(place) as draft:
        write_page(page, draft, also)
        write_document(document(place.resolve()), draft / f"{file}.json")
        if beside is not None:
            beside(draft)
        if sheets is not None:
            write_also(draft, also, file, sheets)
    return place


def write_figures(blocks: Iterable[b.Block], folder: Path) -> None:
    """Write the figures among blocks as PNG, each under its name."""
    from backtest.reporting.chart_figure import chart_figure, png

    for block in blocks:
        if isinstance(block, b.Section):
            write_figures([*block.blocks, *([block.beside] if block.beside else [])], folder)
        elif isinstance(block, Chart):
            png(chart_figure(block), folder / f"{block.name}.png")


def write_report(
    result: Run,
    out: Path | str | None = None,
    robust: Robustness | None = None,
    *,
    tried: int = 1,
    also: Collection[str] = (),
) -> Path:
    """Write a run's report and return its folder.

    ``index.html`` is the page; ``bars.parquet``, ``trades.parquet``, ``sheet.json`` and ``result.json`` have
    all numbers behind it.

    Parameters
    ----------
    result
        The run.
    out
        The folder to write (new, or empty); by default ``reports/STRATEGY/STAMP``.
    robust
        Trials at other costs and with later fills, to be kept in ``result.json``.
    tried
        How many combinations of parameters were tried before this one was chosen.
    also
        ``csv`` for CSV beside Parquet, ``xlsx`` for one Excel workbook, ``png`` for pictures in ``figures/``.
    """
    place = expanded(out) if out is not None else default_place(result.strategy.name)
    with whole_folder(place, sealed=True) as draft:
        content = Sheet(result, RunDocument.of(result, place.resolve(), robust, tried=tried))
        write_page(run_page(result, content), draft, also)
        write_record(content.record, draft)
        write_also(draft, also, result.strategy.name, lambda: run_sheets(result, content.record, tried))
        write_document(content.document(), draft / "sheet.json")
    return place
