"""What a result shows of itself: words, page, picture, tables and document, by kind of record.

``backtest.shown`` asks for it in Python and in a notebook, ``cli.options.tell`` on the command line.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from backtest.errors import UsageError
from backtest.files import require_free
from backtest.folders import expanded
from backtest.measures import MEASURES
from backtest.reporting import blocks as b
from backtest.reporting.standing import standing_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from matplotlib.figure import Figure

    from backtest.panels.run import PanelRun
    from backtest.panels.tune import PanelSweep
    from backtest.records.comparison import Comparison
    from backtest.records.record import RunRecord
    from backtest.records.robustness import Robustness
    from backtest.records.standing import Standing
    from backtest.replications.replicate import Replications
    from backtest.reporting.chart import Chart
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
        The page, or what a terminal and a notebook show of it: its brief blocks.
    document
        What its command prints with ``--json``; its argument is the folder of its page, if one was written.
    short
        What is left of ``brief`` in a few lines of letters.
    frame, sheets
        The record as one table, and the sheets of its workbook; None where it is never saved.
    write
        Writes its page, where it has one, into a folder, or one in ``reports/`` for None, and gives the
        folder; ``also`` may ask for ``csv``, ``xlsx`` and ``png`` beside it.
    draw
        Its picture as a matplotlib figure, where it has one; UsageError where there is nothing to be drawn.
    """

    brief: Words
    document: Callable[[Path | None], Any]
    short: Words | None = None
    frame: Any = None
    sheets: Any = None
    write: Any = None
    draw: Any = None

    def letters(self) -> str:
        """Return it in a few lines of letters."""
        from backtest.reporting.terminal import text

        return text((self.short or self.brief)())

    def html(self) -> str:
        """Return its brief blocks as a part of a notebook."""
        from backtest.reporting.html import fragment

        return fragment(block for block in self.brief() if block.brief)

    def save(self, file: Path | str) -> Path:
        """Write it into a file; kinds and errors as ``backtest.shown.Shown.save``."""
        from backtest.reporting.saving import save

        return save(file, self.frame, self.sheets, lambda: self.document(None))


# Tables need pandas, and the words of a run do not wait for it.


def _tables() -> Any:
    from backtest.reporting import tables

    return tables


def _record(run: Run) -> RunRecord:
    from backtest.records.record import record_of

    return record_of(run)


def _drawn(chart: Chart) -> Figure:
    from backtest.reporting.chart_figure import chart_figure

    return chart_figure(chart)


def run_view(run: Run, robust: Robustness | None = None) -> View:
    """Return what a run shows; ``robust`` are its trials at other costs and with later fills."""
    from backtest.records.run_document import RunDocument
    from backtest.reporting.figures import growth
    from backtest.reporting.page import brief

    def write(folder: Path | str | None, also: Collection[str] = ()) -> Path:
        from backtest.reporting.folder import write_report

        return write_report(run, folder, robust, also=also)

    return View(
        brief=lambda: brief(run, robust),
        short=lambda: [block for block in brief(run) if not isinstance(block, b.Definitions)],
        document=lambda place: RunDocument.of(run, place, robust),
        frame=lambda: _record(run).bars(),
        sheets=lambda: _tables().run_sheets(run, _record(run)),
        write=write,
        draw=lambda: _drawn(growth(_record(run))),
    )


def paged(
    name: str,
    page: Callable[[], b.Page],
    document: Callable[..., Any],
    file: str,
    *,
    beside: Callable[[Path], object] | None = None,
    **more: Any,
) -> View:
    """Return the view of what is its page: its brief blocks, written as ``folder.write_result`` does."""
    from backtest.reporting.folder import write_result

    page = cache(page)

    def write(folder: Path | str | None = None, also: Collection[str] = ()) -> Path:
        numbers, sheets = (document, file), more.get("sheets")
        return write_result(name, page(), numbers, folder, also=also, beside=beside, sheets=sheets)

    return View(**{"brief": lambda: page().blocks, "document": document, "write": write, **more})


def _comparison(comparison: Comparison) -> View:
    from backtest.records.comparison import ComparisonDocument
    from backtest.reporting.comparison_figures import growth
    from backtest.reporting.comparison_page import page, verdict
    from backtest.reporting.tables import comparison_frame, comparison_sheets, returns_of

    return paged(
        "compare",
        partial(page, comparison),
        document := partial(ComparisonDocument.of, comparison),
        "comparison",
        short=lambda: map(_shortened, page(comparison).blocks),
        frame=lambda: comparison_frame(comparison),
        sheets=lambda: comparison_sheets(comparison, document(), verdict(comparison)),
        beside=lambda draft: returns_of(comparison).to_parquet(draft / "returns.parquet", index=False),
        draw=lambda: _drawn(growth(comparison)),
    )


def _sweep(sweep: Sweep) -> View:
    from backtest.reporting.sweep_figures import distribution
    from backtest.reporting.sweep_page import sheets, sweep_page, write_sweep
    from backtest.tuning.document import SweepDocument

    def write(folder: Path | str | None, also: Collection[str] = ()) -> Path:
        home, own = sweep.results.folder, sweep
        place = home if folder is None else expanded(folder)
        if place.resolve() != home.resolve():
            require_free(place)
            shutil.copytree(home, place, dirs_exist_ok=True)
            own = replace(sweep, results=replace(sweep.results, folder=place))
        return write_sweep(own, sweep_page(own), also=also).parent

    return View(
        brief=lambda: sweep_page(sweep).blocks,
        # The statistics of the winner's worth are what the verdict says in words.
        short=lambda: (_shortened(block) for block in sweep_page(sweep).blocks if not _of_words(block)),
        document=partial(SweepDocument.of, sweep),
        frame=lambda: _tables().sweep_frame(sweep),
        sheets=lambda: sheets(sweep),
        write=write,
        draw=lambda: _drawn(distribution(sweep)),
    )


def _study(study: Study) -> View:
    from backtest.reporting.study_figures import study_chart
    from backtest.reporting.study_pages import study_page
    from backtest.studies.document import study_document

    def draw() -> Figure:
        if study.finding is None:
            raise UsageError(f"there is nothing to be drawn: {study.verdict.because}")
        return _drawn(study_chart(study.claim.id, study.finding.picture))

    return paged(
        f"study-{study.claim.id}",
        partial(study_page, study),
        partial(study_document, study),
        "study",
        frame=lambda: _tables().study_frame(study),
        sheets=lambda: _tables().study_sheets(study),
        draw=draw,
    )


def _claims(claims: Claims) -> View:
    from backtest.reporting.study_pages import claims_brief, claims_page, claims_short, write_each
    from backtest.studies.document import claims_document

    return paged(
        "study-claims",
        partial(claims_page, claims),
        partial(claims_document, claims),
        "claims",
        brief=lambda: claims_brief(claims),
        short=lambda: claims_short(claims),
        frame=lambda: _tables().claims_frame(claims),
        sheets=lambda: _tables().claims_sheets(claims),
        beside=partial(write_each, claims),
    )


def _panel_run(result: PanelRun) -> View:
    from backtest.panels.run import PanelRunDocument
    from backtest.reporting.panel_pages import panel_run_page

    name, document = f"{result.strategy.name}-on-{result.panel.name}", partial(PanelRunDocument.of, result)
    return paged(name, partial(panel_run_page, result), document, "run")


def _panel_sweep(sweep: PanelSweep) -> View:
    from backtest.panels.tune import PanelSweepDocument
    from backtest.reporting.panel_pages import panel_sweep_page

    name, document = (
        f"{sweep.strategy.name}-tuned-on-{sweep.panel.name}",
        partial(PanelSweepDocument.of, sweep),
    )
    return paged(name, partial(panel_sweep_page, sweep), document, "tune")


def _replications(found: Replications) -> View:
    from backtest.replications.replicate import ReplicationsDocument
    from backtest.reporting.replication_page import replication_page

    document = partial(ReplicationsDocument.of, found)
    return paged(found.name, partial(replication_page, found), document, "replications")


def _standing(standing: Standing) -> View:
    return View(
        brief=lambda: [b.Definitions(tuple(standing_lines(standing)), brief=True)],
        document=lambda _: standing,
        frame=lambda: _tables().standing_frame(standing),
        sheets=lambda: _tables().standing_sheets(standing),
    )


_VIEWS: dict[str, Callable[[Any], View]] = {
    "Run": run_view,
    "Comparison": _comparison,
    "Sweep": _sweep,
    "Study": _study,
    "Claims": _claims,
    "Standing": _standing,
    "PanelRun": _panel_run,
    "PanelSweep": _panel_sweep,
    "Replications": _replications,
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
