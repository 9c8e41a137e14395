"""Printed figures beside the same figures from the series that are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.definition import absent
from backtest.market.formulas import Reference
from backtest.market.reading import read
from backtest.market.units import unit
from backtest.replications.definition import Missing, PrintedTable, printed
from backtest.replications.statistics import STATISTICS, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backtest.dates import Floats
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
    older
        The same with an older file, as far as that goes; NaN where there is none.
    """

    what: str
    printed: str
    ours: float
    older: float = float("nan")

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
    """A printed table and ours: its figures in the order of the print."""

    name: str
    about: PrintedTable
    figures: tuple[Figure, ...]

    @property
    def agrees(self) -> bool:
        """Whether every figure does."""
        return all(figure.agrees for figure in self.figures)


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
    sources
        Every series that went into it, by id.
    """

    each: tuple[Replication, ...]
    papers: Mapping[str, str]
    missing: Mapping[str, Missing]
    sources: Mapping[str, Series]
    name: str = "replications"
    title: str = "Printed figures of the size premium, and ours"
    proxy: str = ""

    @property
    def last(self) -> np.datetime64:
        """The last day of any of its series."""
        return max(series.last for series in self.sources.values())

    @property
    def figures(self) -> list[Figure]:
        """All figures, table by table."""
        return [figure for each in self.each for figure in each.figures]


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
        When a series is not stored yet, with the command that gets it, or has a gap in a sample.
    """
    wanted = printed().named(names)
    written = [text for table in wanted.tables.values() for text in _written(table) if text]
    require(dict.fromkeys(Reference.parse(text).id for text in written))
    read_once: dict[str, Series] = {}
    for text in written:
        if text not in read_once:
            reference = Reference.parse(text)
            read_once[text] = read(entry(reference.id), reference.column)
    each = tuple(_replication(name, table, read_once) for name, table in wanted.tables.items())
    sources = {series.id: series for series in read_once.values()}
    return Replications(each, wanted.papers, wanted.missing, sources)


def require(ids: Iterable[str]) -> None:
    """Raise a DataError with the command that gets them where series are not stored."""
    lacking = [id for id in ids if absent(entry(id))]
    if lacking:
        raise DataError(
            f"the printed figures need series that are not stored yet; get them with: "
            f"rotation data fetch {' '.join(lacking)}"
        )


def _written(table: PrintedTable) -> Sequence[str]:
    return table.returns, table.market, table.older_returns, table.older_market


def _replication(name: str, table: PrintedTable, series: Mapping[str, Series]) -> Replication:
    now = _sample(table, series)
    then = _sample(table, series, older=True) if table.older_returns else None
    figures = []
    for key, text in table.printed.items():
        of = STATISTICS[key].of
        figures.append(Figure(STATISTICS[key].label, text, of(now), of(then) if then else float("nan")))
    return Replication(name, table, tuple(figures))


def _sample(table: PrintedTable, series: Mapping[str, Series], *, older: bool = False) -> Sample:
    """Return a table's sample; with ``older`` of the older series as far as they go, then of the newer."""

    def values(name: str, before: str) -> Floats:
        if not name:
            return np.full(len(table.months), np.nan)
        found = _found(series[name], table.months)
        if older and before:
            first = _found(series[before], table.months)
            found = np.where(np.isnan(first), found, first)
        _refuse_gap(found, series[name], table)
        return found

    returns, market = values(table.returns, table.older_returns), values(table.market, table.older_market)
    return Sample(table.months.astype(int) % 12 + 1, returns, market)


def _found(series: Series, months: np.ndarray) -> Floats:
    """Return a series' values in percent at some months, NaN where it has none."""
    scale = unit(series.unit).scale
    if scale is None:
        raise DataError(f"{series.id} counts {series.unit}, which is no return")
    own = series.dates.astype("datetime64[M]")
    at = np.minimum(np.searchsorted(own, months), len(own) - 1)
    return np.where(own[at] == months, 100.0 * scale * series.values[at], np.nan)


def _refuse_gap(values: Floats, series: Series, table: PrintedTable) -> None:
    gap = np.isnan(values)
    if gap.any():
        raise DataError(
            f"{series.id} has no value of {table.months[gap.argmax()]}, which is within the sample "
            f"{table.first} to {table.last}; get its newest file with: rotation data fetch {series.id}"
        )
