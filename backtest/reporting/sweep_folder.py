"""A sweep's page and reports, beside its dataset."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from backtest.files import whole_file, whole_folder
from backtest.records.document import to_json
from backtest.reporting.folder import write_report
from backtest.reporting.html import render
from backtest.reporting.style import png
from backtest.reporting.sweep_document import sweep_document
from backtest.reporting.sweep_page import RECOMMENDED, WALKED
from backtest.tuning.results import GO_ON

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.reporting.blocks import Page
    from backtest.tuning.tune import Sweep


def write_sweep(sweep: Sweep, page: Page) -> Path:
    """Write a sweep's page into its folder, beside its dataset, and return the page's place.

    ``index.html``, ``sweep.json`` and ``figures/``; ``recommended/`` is the report of the recommended set,
    which ``rotation compare`` takes; ``walk_forward/`` that of the stitched run. What an earlier call
    wrote is replaced; the page comes last, so that it is there only with all that it shows.

    Raises
    ------
    RotationError
        When the disk is full or the folder cannot be written to.
    """
    folder = sweep.results.folder
    place, document = folder / "index.html", folder / "sweep.json"
    for file in (place, document):
        file.unlink(missing_ok=True)
    for name in (RECOMMENDED, WALKED, "figures"):
        shutil.rmtree(folder / name, ignore_errors=True)
    tried = sweep.counts["combinations"]
    write_report(sweep.recommended.result, folder / RECOMMENDED, tried=tried)
    if sweep.walk_forward is not None:
        write_report(sweep.walk_forward.result, folder / WALKED, tried=tried)
    text, drawn = render(page)
    with whole_folder(folder / "figures") as draft:
        for name, figure in drawn.items():
            png(figure, draft / f"{name}.png")
    answers = to_json(sweep_document(sweep, place.resolve())) + "\n"
    for path, content in ((document, answers), (place, text)):
        with whole_file(path, "the sweep's page", GO_ON) as written:
            written.write(content.encode())
    return place
