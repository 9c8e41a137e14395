"""A sweep's page and reports, beside its dataset."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from backtest.files import whole_file, whole_folder
from backtest.records.document import to_json
from backtest.reporting.folder import write_figures, write_report
from backtest.reporting.html import render
from backtest.reporting.saving import write_workbook
from backtest.reporting.sweep_page import RECOMMENDED, WALKED, sheets
from backtest.spreadsheets import csv_of
from backtest.tuning.document import SweepDocument
from backtest.tuning.results import GO_ON

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from backtest.reporting.blocks import Page
    from backtest.tuning.tune import Sweep


def write_sweep(sweep: Sweep, page: Page, *, also: Collection[str] = ()) -> Path:
    """Write a sweep's page into its folder, beside its dataset, and return the page's place.

    ``index.html`` and ``sweep.json``; ``recommended/`` is the report of the recommended set,
    which ``rotation compare`` takes; ``walk_forward/`` that of the stitched run. What an earlier call
    wrote is replaced; the page comes last, so that it is there only with all that it shows. ``also`` may ask
    for ``csv``, the trials in ``trials.csv``, for ``xlsx``, one Excel workbook, and for ``png``, the figures.

    Raises
    ------
    RotationError
        When the disk is full or the folder cannot be written to.
    """
    folder = sweep.results.folder
    place, document = folder / "index.html", folder / "sweep.json"
    for file in (place, document, folder / "trials.csv", folder / "sweep.xlsx"):
        file.unlink(missing_ok=True)
    for name in (RECOMMENDED, WALKED, "figures"):
        shutil.rmtree(folder / name, ignore_errors=True)
    tried = sweep.counts["combinations"]
    write_report(sweep.recommended.result, folder / RECOMMENDED, tried=tried, also=also)
    if sweep.walk_forward is not None:
        write_report(sweep.walk_forward.result, folder / WALKED, tried=tried, also=also)
    text = render(page)
    if "png" in also:
        with whole_folder(folder / "figures") as draft:
            write_figures(page.blocks, draft)
    if "csv" in also:
        with whole_file(folder / "trials.csv", "the trials", GO_ON) as written:
            for which, part in enumerate(sweep.results.whole()):
                written.write(csv_of(sweep.results.table(part).to_pandas(), header=which == 0))
    if "xlsx" in also:
        with whole_file(folder / "sweep.xlsx", "the workbook", GO_ON) as written:
            write_workbook(sheets(sweep), written)
    answers = to_json(SweepDocument.of(sweep, place.resolve())) + "\n"
    for path, content in ((document, answers), (place, text)):
        with whole_file(path, "the sweep's page", GO_ON) as written:
            written.write(content.encode())
    return place
