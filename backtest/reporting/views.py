"""What a result shows of itself, for ``backtest.shown``: words, picture and tables by kind of record."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from backtest.errors import UsageError
from backtest.files import require_free
from backtest.folders import expanded
from backtest.measures import MEASURES
from backtest.reporting import blocks as b
from backtest.reporting import tables
from backtest.reporting.standing import standing_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from backtest.records.comparison import Comparison
    from backtest.records.standing import Standing
    from backtest.reporting.saving import Workbook
    from backtest.reporting.timeline import Timeline
    from backtest.runs import Run
    from backtest.studies.register import Claims, Study
    from backtest.tuning.tune import Sweep

Words: TypeAlias = "Callable[[], Iterable[b.Block]]"

_SHORT = {m.label for m in MEASURES if m.key in {"cagr", "volatility", "sharpe", "max_drawdown", "alpha"}}
"""The measures of a table that stands below a long verdict."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one record shows, each when it is asked for.

    Parameters
    ----------
    brief
        The page, or what a notebook shows of it: its brief blocks.
    short
        What is left of them in a few lines of letters.
    frame, sheets
        The record as one table, and the sheets of its workbook.
    document
        What its command prints with ``--json``.
    write
        Writes its page, where it has one, and gives the folder.
    draw
        Its picture, where it has one; UsageError where there is nothing to be drawn.
    """

    brief: Words
    short: Words
    frame: Callable[[], pd.DataFrame]
    sheets: Callable[[], Workbook]
    document: Callable[[], Any]
    write: Callable[[Path | str | None], Path] | None = None
    draw: Callable[[], Figure] | None = None

    def letters(self) -> str:
        """Return it in a few lines of letters."""
        from backtest.reporting.terminal import text

        return text(self.short())

    def html(self) -> str:
        """Return its brief blocks as a part of a notebook."""
        from backtest.reporting.html import fragment

        return fragment(block for block in self.brief() if block.brief)

    def save(self, file: Path | str) -> Path:
        """Write it into a file; kinds and errors as ``backtest.shown.Shown.save``."""
        from backtest.reporting.saving import save

        return save(file, self.frame, self.sheets, self.document)


def _drawn(timeline: Timeline) -> Figure:
    from backtest.reporting.timeline_figure import timeline_figure

    return timeline_figure(timeline)


def _run(run: Run) -> View:
    from backtest.records.record import record_of
    from backtest.records.run_document import RunDocument
    from backtest.reporting.figures import growth
    from backtest.reporting.folder import write_report
    from backtest.reporting.page import brief

    return View(
        brief=lambda: brief(run),
        short=lambda: [block for block in brief(run) if not isinstance(block, b.Definitions)],
        frame=lambda: record_of(run).bars(),
        sheets=lambda: tables.run_sheets(run, record_of(run)),
        document=lambda: RunDocument.of(run),
        write=lambda folder: write_report(run, folder),
        draw=lambda: _drawn(growth(record_of(run))),
    )


def _comparison(comparison: Comparison) -> View:
    from backtest.records.comparison import ComparisonDocument
    from backtest.reporting.comparison_figures import growth
    from backtest.reporting.comparison_page import page, verdict, write_comparison

    return View(
        brief=lambda: page(comparison).blocks,
        short=lambda: map(_shortened, page(comparison).blocks),
        frame=lambda: tables.comparison_frame(comparison),
        sheets=lambda: tables.comparison_sheets(
            comparison, ComparisonDocument.of(comparison), verdict(comparison)
        ),
        document=lambda: ComparisonDocument.of(comparison),
        write=lambda folder: write_comparison(comparison, folder),
        draw=lambda: _drawn(growth(comparison)),
    )


def _sweep(sweep: Sweep) -> View:
    from backtest.reporting.blocks import WIDE
    from backtest.reporting.sweep_folder import write_sweep
    from backtest.reporting.sweep_page import distribution, sheets, sweep_page
    from backtest.tuning.document import SweepDocument

    def write(folder: Path | str | None) -> Path:
        home, own = sweep.results.folder, sweep
        place = home if folder is None else expanded(folder)
        if place.resolve() != home.resolve():
            require_free(place)
            shutil.copytree(home, place, dirs_exist_ok=True)
            own = replace(sweep, results=replace(sweep.results, folder=place))
        return write_sweep(own, sweep_page(own)).parent

    return View(
        brief=lambda: sweep_page(sweep).blocks,
        # The statistics of the winner's worth are what the verdict says in words.
        short=lambda: (_shortened(block) for block in sweep_page(sweep).blocks if not _of_words(block)),
        frame=lambda: tables.sweep_frame(sweep),
        sheets=lambda: sheets(sweep),
        document=lambda: SweepDocument.of(sweep),
        write=write,
        draw=lambda: distribution(sweep).draw(WIDE),
    )


def _study(study: Study) -> View:
    from backtest.reporting.study_figures import study_figure
    from backtest.reporting.study_pages import study_page, write_study
    from backtest.studies.document import study_document

    def draw() -> Figure:
        if study.finding is None:
            raise UsageError(f"there is nothing to be drawn: {study.verdict.because}")
        return study_figure(study.finding.picture)

    return View(
        brief=lambda: study_page(study).blocks,
        short=lambda: study_page(study).blocks,
        frame=lambda: tables.study_frame(study),
        sheets=lambda: tables.study_sheets(study),
        document=lambda: study_document(study),
        write=lambda folder: write_study(study, folder),
        draw=draw,
    )


def _claims(claims: Claims) -> View:
    from backtest.reporting.study_pages import claims_brief, claims_short, write_claims
    from backtest.studies.document import claims_document

    return View(
        brief=lambda: claims_brief(claims),
        short=lambda: claims_short(claims),
        frame=lambda: tables.claims_frame(claims),
        sheets=lambda: tables.claims_sheets(claims),
        document=lambda: claims_document(claims),
        write=lambda folder: write_claims(claims, folder),
    )


def _standing(standing: Standing) -> View:
    def said() -> Iterable[b.Block]:
        return [b.Definitions(tuple(standing_lines(standing)), brief=True)]

    return View(
        brief=said,
        short=said,
        frame=lambda: tables.standing_frame(standing),
        sheets=lambda: tables.standing_sheets(standing),
        document=lambda: standing,
    )


_VIEWS: dict[str, Callable[[Any], View]] = {
    "Run": _run,
    "Comparison": _comparison,
    "Sweep": _sweep,
    "Study": _study,
    "Claims": _claims,
    "Standing": _standing,
}


def view(record: object) -> View:
    """Return what a record shows of itself."""
    return _VIEWS[type(record).__name__](record)


def _of_words(block: b.Block) -> bool:
    return isinstance(block, b.Table) and "w" in block.columns


def _shortened(block: b.Block) -> b.Block:
    """Return a table of measures with a few of them, and any other block as it is."""
    if not isinstance(block, b.Table):
        return block
    kept = tuple(row for row in block.rows if row[0] in _SHORT)
    return replace(block, rows=kept) if kept else block
