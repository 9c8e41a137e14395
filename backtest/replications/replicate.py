"""Printed figures beside the same figures from the series that are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.formulas import Reference
from backtest.market.load import read_written
from backtest.market.reading import absent, scale_of
from backtest.market.sources import commands
from backtest.records.document import DataDocument
from backtest.replications.definition import Missing, PrintedCases, printed
from backtest.replications.statistics import OF_CASES, STATISTICS, RealReturns, Sample

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from backtest.dates import Floats
    from backtest.market.entry import Entry
    from backtest.replications.definition import PrintedTable, Table
    from backtest.replications.statistics import Statistic
    from backtest.series import Series

T = TypeVar("T")

_ROUNDING = 1e-9
"""What a figure that lies between two printed ones may be off by, since it is no decimal."""


class Figure(msgspec.Struct, frozen=True):
    """A printed figure and ours, as the JSON document has it.

    Parameters
    ----------
    what
        What it is, with its unit.
    printed, digits
        As it is printed, and with how many decimals.
    ours, difference
        From the series as they are stored, in the unit of the print; and that less the printed one.
    agrees
        Whether ours is the printed one when it is rounded to as many digits.
    other
        The same from the other series of its table; NaN, and null in JSON, where there is none.
    """

    what: str = msgspec.field(name="figure")
    printed: str
    digits: int
    ours: float
    difference: float
    agrees: bool
    other: float

    @classmethod
    def of(cls, what: str, printed: str, ours: float, other: float = float("nan")) -> Figure:
        """Return the figure of what is printed and what was found."""
        digits, difference = len(printed.partition(".")[2]), ours - float(printed)
        agrees = abs(difference) <= 0.5 * 10.0**-digits + _ROUNDING
        return cls(what, printed, digits, ours, difference, agrees, other)


@dataclass(frozen=True)
class Replication:
    """A printed table and ours.

    Parameters
    ----------
    name, about
        Which table, and what is said of it.
    figures, cases
        Its figures in the order of the print, and those of single cases.
    used
        The series it is made of, by how they are written.
    """

    name: str
    about: Table
    figures: tuple[Figure, ...]
    cases: tuple[Figure, ...]
    used: Mapping[str, Series]

    @property
    def agrees(self) -> bool:
        """Whether every figure does."""
        return all(figure.agrees for figure in (*self.figures, *self.cases))


@dataclass(frozen=True)
class Lacking:
    """Why a table was not made from what is stored, and the commands that get what it lacks."""

    table: str
    why: str
    commands: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Both in a sentence."""
        return self.why + (f"; get them with: {', and '.join(self.commands)}" if self.commands else "")


@dataclass(frozen=True, eq=False)
class Replications:
    """All tables that were asked for.

    Parameters
    ----------
    each
        A replication a table.
    papers
        Citations by the name that a table has for its paper.
    missing
        What is not reproduced, by name.
    lacking
        Tables that are reproduced, but not from what is stored here now.
    """

    each: tuple[Replication, ...]
    papers: Mapping[str, str]
    missing: Mapping[str, Missing]
    lacking: tuple[Lacking, ...]
    name: str = "replications"
    title: str = "Printed figures of the size premium, and ours"
    proxy: str = ""

    @property
    def sources(self) -> Mapping[str, Series]:
        """Every series that went into it, by id."""
        return {series.id: series for each in self.each for series in each.used.values()}

    @property
    def last(self) -> np.datetime64:
        """The last day of any of its series."""
        return max(series.last for series in self.sources.values())

    @property
    def figures(self) -> list[Figure]:
        """The figures of all tables."""
        return [figure for each in self.each for figure in each.figures]

    @property
    def cases(self) -> list[Figure]:
        """The single cases of all tables."""
        return [figure for each in self.each for figure in each.cases]


class TableDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A table: where it is printed, its sample, its figures, those of single cases, and why ours differ."""

    table: str
    title: str
    citation: str
    exhibit: str
    first: str
    last: str
    series: list[str]
    other: str | None
    figures: tuple[Figure, ...]
    cases: tuple[Figure, ...]
    note: str | None
    differs: str | None

    @classmethod
    def of(cls, each: Replication, citation: str) -> TableDocument:
        """Return the document of a table."""
        about = each.about
        return cls(
            table=each.name,
            title=about.title,
            citation=citation,
            exhibit=about.exhibit,
            first=about.first,
            last=about.last,
            series=list(each.used),
            other=about.other_returns or None,
            figures=each.figures,
            cases=each.cases,
            note=about.note or None,
            differs=None if each.agrees else about.differs,
        )


class ReplicationsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``replicate --json`` prints; ``report`` is the folder of the page, where one was written."""

    figures: int
    agree: int
    cases: int
    cases_agree: int
    tables: list[TableDocument]
    not_reproduced: list[Missing]
    lacking: tuple[Lacking, ...]
    data: DataDocument
    report: str | None = None

    @classmethod
    def of(cls, found: Replications, report: Path | None = None) -> ReplicationsDocument:
        """Return the document of all tables."""
        return cls(
            figures=len(found.figures),
            agree=sum(figure.agrees for figure in found.figures),
            cases=len(found.cases),
            cases_agree=sum(figure.agrees for figure in found.cases),
            tables=[TableDocument.of(each, found.papers[each.about.paper]) for each in found.each],
            not_reproduced=list(found.missing.values()),
            lacking=found.lacking,
            data=DataDocument.of(found),
            report=None if report is None else str(report),
        )


def replicate(names: Collection[str] = ()) -> Replications:
    """Return what was printed beside the same from the stored series.

    Parameters
    ----------
    names
        Tables or papers of ``data/replications.toml``; all for none.

    Raises
    ------
    UsageError
        When a name is that of no table; the nearest one is named.
    DataError
        When not one of the tables can be made: its series are not stored yet, with the command that gets
        them, or have a gap in its sample.
    """
    known = printed()
    series: dict[str, Series] = {}
    made, lacking = [], []
    absentees: dict[str, Entry] = {}
    for name, table in known.named(names).items():
        written = _written(table)
        entries = {about.id: about for about in (entry(Reference.parse(text).id) for text in written)}
        away = {id: about for id, about in entries.items() if absent(about)}
        absentees |= away
        if away:
            why = f"not stored here: {', '.join(away)}"
            lacking.append(Lacking(name, why, tuple(commands([*away.values()]))))
            continue
        try:
            series |= {text: read_written(text) for text in written if text not in series}
            made.append(_replication(name, table, {text: series[text] for text in written}))
        except DataError as error:
            lacking.append(Lacking(name, str(error)))
    if not made and absentees:
        cures = ", and ".join(commands([*absentees.values()]))
        raise DataError(f"the printed figures need series that are not stored yet; get them with: {cures}")
    if not made:
        raise DataError("; ".join(dict.fromkeys(each.why for each in lacking)))
    return Replications(tuple(made), known.papers, {} if names else known.missing, tuple(lacking))


def _written(table: Table) -> list[str]:
    """Return the series that a table needs, as they are written; of prices the first that is stored."""
    if isinstance(table, PrintedCases):
        each = [*table.returns, _prices(table), table.other_returns]
    else:
        each = [table.returns, table.market, table.other_returns, table.other_market]
    return [text for text in each if text]


def _prices(table: PrintedCases) -> str:
    stored = (text for text in table.prices if not absent(entry(Reference.parse(text).id)))
    return next(stored, table.prices[0])


def _replication(name: str, table: Table, used: Mapping[str, Series]) -> Replication:
    if isinstance(table, PrintedCases):
        return _of_cases(name, table, used)
    now = _sample(table, used)
    then = _sample(table, used, other=True) if table.other_returns else None
    figures = [_figure(STATISTICS[key], text, now, then) for key, text in table.printed.items()]
    return Replication(name, table, tuple(figures), (), used)


def _figure(of: Statistic[T], text: str, ours: T, beside: T | None) -> Figure:
    return Figure.of(of.label, text, of.of(ours), float("nan") if beside is None else of.of(beside))


def _sample(table: PrintedTable, series: Mapping[str, Series], *, other: bool = False) -> Sample:
    """Return a table's sample; with ``other`` of its other series, where they have values."""

    def values(name: str, beside: str) -> Floats:
        if not name:
            return np.full(len(table.months), np.nan)
        return _returns([series[name]], series[beside] if other and beside else None, table.months)

    returns, market = values(table.returns, table.other_returns), values(table.market, table.other_market)
    return Sample(table.months.astype(int) % 12 + 1, returns, market)


def _of_cases(name: str, table: PrintedCases, used: Mapping[str, Series]) -> Replication:
    months = np.array(list(table.after), dtype="datetime64[M]")
    recession = np.isin(list(table.after), table.recessions)
    prices = used[_prices(table)]
    after = months[:, None] + np.arange(1, table.months + 1)
    dearer = _values(prices, after[:, -1]) / _values(prices, months)

    def real(other: Series | None) -> RealReturns:
        earned = _returns([used[text] for text in table.returns], other, after)
        return RealReturns(100.0 * (np.prod(1.0 + earned / 100.0, axis=1) / dearer - 1.0), recession)

    ours = real(None)
    beside = real(used[table.other_returns]) if table.other_returns else None

    figures = [_figure(OF_CASES[key], text, ours, beside) for key, text in table.printed.items()]
    cases = []
    for i, (month, text) in enumerate(table.after.items()):
        what = f"{month}, recession" if recession[i] else month
        found = [float(each.returns[i]) for each in (ours, beside) if each]
        cases.append(Figure.of(what, text, *found))
    return Replication(name, table, tuple(figures), tuple(cases), used)


def _returns(series: Sequence[Series], other: Series | None, months: np.ndarray) -> Floats:
    """Return the sum of series at some months, percent, or the other one where it has a value.

    Raises
    ------
    DataError
        When one is no return, or has no value of a month.
    """
    found = np.sum([_percent(each, months) for each in series], axis=0)
    if other is not None:
        first = _percent(other, months)
        found = np.where(np.isnan(first), found, first)
    _refuse_gap(found, series[0], months)
    return found


def _percent(series: Series, months: np.ndarray) -> Floats:
    return 100.0 * scale_of(series) * series.in_months(months)


def _values(series: Series, months: np.ndarray) -> Floats:
    found = series.in_months(months)
    _refuse_gap(found, series, months)
    return found


def _refuse_gap(values: Floats, series: Series, months: np.ndarray) -> None:
    gap = np.isnan(values)
    if gap.any():
        raise DataError(
            f"{series.id} has no value of {months[gap].min()}, which a printed figure needs; fetch or "
            "bring a file that has it"
        )
