"""What was printed: ``data/replications.toml`` as records, each figure with the digits of its print."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market.formulas import Reference
from backtest.market.toml import WrongError, declared, record
from backtest.numerals import number
from backtest.replications.statistics import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

T = TypeVar("T")


@dataclass(frozen=True)
class PrintedTable:
    """Figures of one sample of monthly returns; its fields are the keys of the file, which explains them."""

    paper: str
    title: str
    exhibit: str
    first: str
    last: str
    returns: str
    printed: dict[str, str]
    market: str = ""
    older_returns: str = ""
    older_market: str = ""
    assumed: str = ""
    differs: str = ""

    @property
    def months(self) -> np.ndarray:
        """(n,) datetime64[M]: every month of the sample."""
        return np.arange(np.datetime64(self.first, "M"), np.datetime64(self.last, "M") + 1)


@dataclass(frozen=True)
class Missing:
    """A publication without a figure here, and why."""

    citation: str
    why: str


@dataclass(frozen=True)
class Printed:
    """The content of the file: papers, tables and what is missing, by name."""

    papers: dict[str, str]
    tables: dict[str, PrintedTable]
    missing: dict[str, Missing]

    def named(self, names: Iterable[str]) -> Printed:
        """Return only the tables that are named, by their own name or their paper's; all for no name.

        Raises
        ------
        UsageError
            When a name is that of nothing here; the nearest one is named.
        """
        wanted = list(names)
        known = {*self.tables, *self.papers}
        for name in wanted:
            if name in self.missing:
                raise UsageError(f"{name} is not reproduced: {self.missing[name].why}")
            if name not in known:
                raise UsageError(f"there is no table '{name}'; {nearest(name, known)}")
        if not wanted:
            return self
        chosen = {name: table for name, table in self.tables.items() if {name, table.paper} & set(wanted)}
        return replace(self, tables=chosen, missing={})


@dataclass(frozen=True)
class _File:
    papers: dict[str, str]
    tables: dict[str, dict[str, Any]]
    missing: dict[str, dict[str, Any]]


def printed(path: Path | None = None) -> Printed:
    """Return what was printed.

    Raises
    ------
    DataError
        When the file is wrong; the sentence has the file, the line and the reason.
    """
    with declared(path or shipped("data") / "replications.toml") as content:
        file = record(_File, content)
        tables = {name: _table(name, lines, file.papers) for name, lines in file.tables.items()}
        missing = {name: record(Missing, lines, ("missing", name)) for name, lines in file.missing.items()}
    return Printed(file.papers, tables, missing)


def _table(name: str, lines: dict[str, Any], papers: dict[str, str]) -> PrintedTable:
    where = ("tables", name)
    made = record(PrintedTable, lines, where)
    _paper(where, made.paper, papers)
    for key in ("first", "last"):
        _month((*where, key), getattr(made, key))
    if not len(made.months):
        raise WrongError((*where, "last"), f"the last month {made.last} lies before the first, {made.first}")
    for key in ("returns", "market", "older_returns", "older_market"):
        _reference((*where, key), getattr(made, key))
    for statistic, text in made.printed.items():
        at = (*where, "printed", statistic)
        if statistic not in STATISTICS:
            raise WrongError(at, f"there is no statistic '{statistic}'; {nearest(statistic, STATISTICS)}")
        if STATISTICS[statistic].needs_market and not made.market:
            raise WrongError(at, f"'{statistic}' needs the market; name its series with market")
        _number(at, text)
    return made


def _paper(where: tuple[str, ...], name: str, papers: dict[str, str]) -> None:
    if name not in papers:
        raise WrongError((*where, "paper"), f"there is no paper '{name}'; {nearest(name, papers)}")


def _month(where: tuple[str, ...], text: str) -> None:
    try:
        np.datetime64(text, "M")
    except ValueError:
        raise WrongError(where, f"'{text}' is not a month; write it as 1990-07") from None


def _reference(where: tuple[str, ...], text: str) -> None:
    try:
        if text:
            Reference.parse(text)
    except DataError as error:
        raise WrongError(where, str(error)) from None


def _number(where: tuple[str, ...], text: str) -> None:
    try:
        number(text, where[-1])
    except UsageError as error:
        raise WrongError(where, str(error)) from None
