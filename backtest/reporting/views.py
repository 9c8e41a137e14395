"""What a result shows of itself, for ``backtest.shown``: words, picture and tables by kind of record."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from backtest.errors import UsageError
from backtest.files import require_free
from backtest.folders import expanded
from backtest.measures import MEASURES
from backtest.reporting import blocks as b
from backtest.reporting import tables
from backtest.reporting.standing import standing_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from backtest.records.comparison import Comparison
    from backtest.records.record import RunRecord
    from backtest.records.standing import Standing
    from backtest.reporting.saving import Workbook
    from backtest.runs import Run
    from backtest.studies.register import Claims, Study
    from backtest.tuning.tune import Sweep

_SHORT = {m.label for m in MEASURES if m.key in {"cagr", "volatility", "sharpe", "max_drawdown", "alpha"}}
"""The measures of a table that stands below a long verdict."""


@dataclass(frozen=True)
class View(ABC):
    """What one record shows."""

    of: Any

    @property
    @abstractmethod
    def brief(self) -> Iterable[b.Block]:
        """The page; its brief blocks are shown in a notebook."""

    @property
    def short(self) -> Iterable[b.Block]:
        """What is left of them in a few lines of letters."""
        return self.brief

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return the record as one table."""

    @abstractmethod
    def sheets(self) -> Workbook:
        """Return the sheets of its workbook."""

    @abstractmethod
    def document(self) -> Any:
        """Return what its command prints with ``--json``."""


class Paged(View):
    """What one record that has a page shows."""

    @abstractmethod
    def write(self, folder: Path | str | None) -> Path:
        """Write its page; return the folder."""


class Drawn(Paged):
    """What one record that has a page and a picture shows."""

    @abstractmethod
    def draw(self) -> Figure:
        """Return its picture; UsageError where there is nothing to be drawn."""


@dataclass(frozen=True)
class _Run(Drawn):
    of: Run

    @property
    def brief(self) -> Iterable[b.Block]:
        from backtest.reporting.page import brief

        return brief(self.of)

    @property
    def short(self) -> Iterable[b.Block]:
        return [block for block in self.brief if not isinstance(block, b.Definitions)]

    @property
    def _record(self) -> RunRecord:
        from backtest.records.record import record_of

        return record_of(self.of)

    def frame(self) -> pd.DataFrame:
        return self._record.bars()

    def sheets(self) -> Workbook:
        return tables.run_sheets(self.of, self._record)

    def document(self) -> Any:
        from backtest.records.run_document import RunDocument

        return RunDocument.of(self.of)

    def draw(self) -> Figure:
        from backtest.reporting.figures import growth_figure

        return growth_figure(self._record)

    def write(self, folder: Path | str | None) -> Path:
        from backtest.reporting.folder import write_report

        return write_report(self.of, folder)


@dataclass(frozen=True)
class _Comparison(Drawn):
    of: Comparison

    @property
    def brief(self) -> Iterable[b.Block]:
        from backtest.reporting.comparison_page import page

        return page(self.of).blocks

    @property
    def short(self) -> Iterable[b.Block]:
        return map(_shortened, self.brief)

    def frame(self) -> pd.DataFrame:
        return tables.comparison_frame(self.of)

    def sheets(self) -> Workbook:
        from backtest.reporting.comparison_page import verdict

        return tables.comparison_sheets(self.of, self.document(), verdict(self.of))

    def document(self) -> Any:
        from backtest.records.comparison import ComparisonDocument

        return ComparisonDocument.of(self.of)

    def draw(self) -> Figure:
        from backtest.reporting.comparison_figures import growth_figure

        return growth_figure(self.of)

    def write(self, folder: Path | str | None) -> Path:
        from backtest.reporting.comparison_page import write_comparison

        return write_comparison(self.of, folder)


@dataclass(frozen=True)
class _Sweep(Drawn):
    of: Sweep

    @property
    def brief(self) -> Iterable[b.Block]:
        from backtest.reporting.sweep_page import sweep_page

        return sweep_page(self.of).blocks

    @property
    def short(self) -> Iterable[b.Block]:
        # The statistics of the winner's worth are what the verdict says in words.
        return (_shortened(block) for block in self.brief if not _of_words(block))

    def frame(self) -> pd.DataFrame:
        return tables.sweep_frame(self.of)

    def sheets(self) -> Workbook:
        from backtest.reporting.sweep_page import sheets

        return sheets(self.of)

    def document(self) -> Any:
        from backtest.tuning.document import SweepDocument

        return SweepDocument.of(self.of)

    def draw(self) -> Figure:
        from backtest.reporting.style import WIDE
        from backtest.reporting.sweep_page import distribution

        return distribution(self.of).draw(WIDE)

    def write(self, folder: Path | str | None) -> Path:
        from backtest.reporting.sweep_folder import write_sweep
        from backtest.reporting.sweep_page import sweep_page

        sweep, home = self.of, self.of.results.folder
        place = home if folder is None else expanded(folder)
        if place.resolve() != home.resolve():
            require_free(place)
            shutil.copytree(home, place, dirs_exist_ok=True)
            sweep = replace(sweep, results=replace(sweep.results, folder=place))
        return write_sweep(sweep, sweep_page(sweep)).parent


@dataclass(frozen=True)
class _Study(Drawn):
    of: Study

    @property
    def brief(self) -> Iterable[b.Block]:
        from backtest.reporting.study_pages import study_page

        return study_page(self.of).blocks

    def frame(self) -> pd.DataFrame:
        return tables.study_frame(self.of)

    def sheets(self) -> Workbook:
        return tables.study_sheets(self.of)

    def document(self) -> Any:
        from backtest.studies.document import study_document

        return study_document(self.of)

    def draw(self) -> Figure:
        from backtest.reporting.study_figures import study_figure

        if self.of.finding is None:
            raise UsageError(f"there is nothing to be drawn: {self.of.verdict.because}")
        return study_figure(self.of.finding.picture)

    def write(self, folder: Path | str | None) -> Path:
        from backtest.reporting.study_folder import write_study

        return write_study(self.of, folder)


@dataclass(frozen=True)
class _Claims(Paged):
    of: Claims

    @property
    def brief(self) -> Iterable[b.Block]:
        from backtest.reporting.study_pages import claims_brief

        return claims_brief(self.of)

    @property
    def short(self) -> Iterable[b.Block]:
        from backtest.reporting.study_pages import claims_short

        return claims_short(self.of)

    def frame(self) -> pd.DataFrame:
        return tables.claims_frame(self.of)

    def sheets(self) -> Workbook:
        return tables.claims_sheets(self.of)

    def document(self) -> Any:
        from backtest.studies.document import claims_document

        return claims_document(self.of)

    def write(self, folder: Path | str | None) -> Path:
        from backtest.reporting.study_folder import write_claims

        return write_claims(self.of, folder)


@dataclass(frozen=True)
class _Standing(View):
    of: Standing

    @property
    def brief(self) -> Iterable[b.Block]:
        return [b.Definitions(tuple(standing_lines(self.of)), brief=True)]

    def frame(self) -> pd.DataFrame:
        return tables.standing_frame(self.of)

    def sheets(self) -> Workbook:
        return tables.standing_sheets(self.of)

    def document(self) -> Any:
        return self.of


_VIEWS: dict[str, type[View]] = {
    "Run": _Run,
    "Comparison": _Comparison,
    "Sweep": _Sweep,
    "Study": _Study,
    "Claims": _Claims,
    "Standing": _Standing,
}


def view(record: object) -> Any:
    """Return what a record shows of itself: a ``View``, ``Paged`` with a page, ``Drawn`` with a picture."""
    return _VIEWS[type(record).__name__](record)


def _of_words(block: b.Block) -> bool:
    return isinstance(block, b.Table) and "w" in block.columns


def _shortened(block: b.Block) -> b.Block:
    """Return a table of measures with a few of them, and any other block as it is."""
    if not isinstance(block, b.Table):
        return block
    kept = tuple(row for row in block.rows if row[0] in _SHORT)
    return replace(block, rows=kept) if kept else block
