"""Printed figures beside the same figures from the series that are stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.definition import absent
from backtest.market.formulas import Reference
from backtest.market.reading import read
from backtest.market.sources import commands
from backtest.market.units import unit
from backtest.replications.definition import PrintedCases, printed
from backtest.replications.statistics import OF_CASES, STATISTICS, RealReturns, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from backtest.dates import Floats
    from backtest.market.entry import Entry
    from backtest.replications.definition import Missing, PrintedTable, Table
    from backtest.series import Series

_ROUNDING = 1e-9
"""What a figure that lies between two printed ones may be off by, since it is no decimal."""


@dataclass(frozen=True)
class Figure:
    """A printed figure and ours.

    Parameters
    ----------
    what
        What it is, with its unit.
    printed
        As it is printed.
    ours
        From the series as they are stored, in the unit of the print.
    other
        The same from the other series of its table; NaN where there is none.
    """

    what: str
    printed: str
    ours: float
    other: float = float("nan")

    @property
    def digits(self) -> int:
        """How many decimals are printed."""
        return len(self.printed.partition(".")[2])

    @property
    def difference(self) -> float:
        """Ours less the printed one."""
        return self.ours - float(self.printed)

    @property
    def agrees(self) -> bool:
        """Whether ours is the printed one when it is rounded to as many digits."""
        return abs(self.difference) <= 0.5 * 10.0**-self.digits + _ROUNDING


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
        Tables that are reproduced, but not from what is stored here now, by name.
    """

    each: tuple[Replication, ...]
    papers: Mapping[str, str]
    missing: Mapping[str, Missing]
    lacking: Mapping[str, Lacking]
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


def replicate(names: Iterable[str] = ()) -> Replications:
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
    wanted = printed().named(names)
    series: dict[str, Series] = {}
    made, lacking = [], {}
    absentees: dict[str, Entry] = {}
    for name, table in wanted.tables.items():
        written = tuple(_written(table))
        away = {id: entry(id) for id in _ids(written) if absent(entry(id))}
        absentees |= away
        if away:
            why = f"not stored here: {', '.join(away)}"
            lacking[name] = Lacking(why, tuple(commands(away.values())))
            continue
        try:
            series |= {text: _read(text) for text in written if text not in series}
            made.append(_replication(name, table, {text: series[text] for text in written}))
        except DataError as error:
            lacking[name] = Lacking(str(error))
    if not made and absentees:
        cures = ", and ".join(commands(absentees.values()))
        raise DataError(f"the printed figures need series that are not stored yet; get them with: {cures}")
    if not made:
        raise DataError("; ".join(dict.fromkeys(each.why for each in lacking.values())))
    return Replications(tuple(made), wanted.papers, wanted.missing, lacking)


def _ids(written: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(Reference.parse(text).id for text in written)


def _read(text: str) -> Series:
    reference = Reference.parse(text)
    return read(entry(reference.id), reference.column)


def _written(table: Table) -> Iterator[str]:
    """Give the series that a table needs, as they are written; of prices the first that is stored."""
    if isinstance(table, PrintedCases):
        yield from table.returns
        yield _prices(table)
        yield from filter(None, [table.other_returns])
    else:
        yield from filter(None, [table.returns, table.market, table.other_returns, table.other_market])


def _prices(table: PrintedCases) -> str:
    stored = (text for text in table.prices if not absent(entry(Reference.parse(text).id)))
    return next(stored, table.prices[0])


def _replication(name: str, table: Table, used: Mapping[str, Series]) -> Replication:
    if isinstance(table, PrintedCases):
        return _of_cases(name, table, used)
    now = _sample(table, used)
    then = _sample(table, used, other=True) if table.other_returns else None
    figures = []
    for key, text in table.printed.items():
        of = STATISTICS[key].of
        figures.append(Figure(STATISTICS[key].label, text, of(now), of(then) if then else float("nan")))
    return Replication(name, table, tuple(figures), (), used)


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

    def figure(what: str, text: str, of: Callable[[RealReturns], float]) -> Figure:
        return Figure(what, text, of(ours), of(beside) if beside else float("nan"))

    figures = [figure(OF_CASES[key].label, text, OF_CASES[key].of) for key, text in table.printed.items()]
    cases = []
    for i, (month, text) in enumerate(table.after.items()):
        what = f"{month}, recession" if recession[i] else month
        cases.append(figure(what, text, partial(_case, i)))
    return Replication(name, table, tuple(figures), tuple(cases), used)


def _case(number: int, cases: RealReturns) -> float:
    return float(cases.returns[number])


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
    scale = unit(series.unit).scale
    if scale is None:
        raise DataError(f"{series.id} counts {series.unit}, which is no return")
    return 100.0 * scale * _found(series, months)


def _values(series: Series, months: np.ndarray) -> Floats:
    found = _found(series, months)
    _refuse_gap(found, series, months)
    return found


def _found(series: Series, months: np.ndarray) -> Floats:
    """Return a series' values at some months, of any shape; NaN where it has none."""
    own = series.dates.astype("datetime64[M]")
    at = np.minimum(np.searchsorted(own, months), len(own) - 1)
    return np.where(own[at] == months, series.values[at], np.nan)


def _refuse_gap(values: Floats, series: Series, months: np.ndarray) -> None:
    gap = np.isnan(values)
    if gap.any():
        raise DataError(
            f"{series.id} has no value of {months[gap].min()}, which a printed figure needs; fetch or "
            "bring a file that has it"
        )
