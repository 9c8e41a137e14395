"""What was printed: ``data/replications.toml`` as records, each figure with the digits of its print."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market.formulas import Reference
from backtest.market.toml import WrongError, declared, record
from backtest.numerals import number
from backtest.replications.statistics import OF_CASES, STATISTICS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path


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
    other: str = ""
    other_returns: str = ""
    other_market: str = ""
    note: str = ""
    differs: str = ""

    @property
    def months(self) -> np.ndarray:
        """(n,) datetime64[M]: every month of the sample."""
        return np.arange(np.datetime64(self.first, "M"), np.datetime64(self.last, "M") + 1)

    @property
    def sample(self) -> str:
        """What the figures are of, in words."""
        return f"{self.first} to {self.last}, {len(self.months)} months of {self.returns}."


@dataclass(frozen=True)
class PrintedCases:
    """Real returns after several month ends; its fields are the keys of the file, which explains them."""

    paper: str
    title: str
    exhibit: str
    returns: tuple[str, ...]
    prices: tuple[str, ...]
    months: int
    printed: dict[str, str]
    after: dict[str, str]
    recessions: tuple[str, ...] = ()
    other: str = ""
    other_returns: str = ""
    note: str = ""
    differs: str = ""

    @property
    def first(self) -> str:
        """The month of the first case."""
        return next(iter(self.after))

    @property
    def last(self) -> str:
        """The month of the last case."""
        return list(self.after)[-1]

    @property
    def sample(self) -> str:
        """What the figures are of, in words."""
        return (
            f"The {self.months} months from {len(self.after)} month ends, {self.first} to {self.last}: "
            f"{' + '.join(self.returns)}, less the rise of consumer prices."
        )


Table: TypeAlias = PrintedTable | PrintedCases


@dataclass(frozen=True)
class Missing:
    """A publication without a figure here, and why."""

    citation: str
    why: str


@dataclass(frozen=True)
class Printed:
    """The content of the file: papers, tables (those of cases too) and what is missing, by name."""

    papers: dict[str, str]
    tables: dict[str, Table]
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
    cases: dict[str, dict[str, Any]]
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
        tables: dict[str, Table] = {n: _table(n, lines, file.papers) for n, lines in file.tables.items()}
        for name, lines in file.cases.items():
            if name in tables:
                raise WrongError(("cases", name), f"there is a table '{name}' already; choose another name")
            tables[name] = _cases(name, lines, file.papers)
        missing = {name: record(Missing, lines, ("missing", name)) for name, lines in file.missing.items()}
    return Printed(file.papers, tables, missing)


def _table(name: str, lines: dict[str, Any], papers: Collection[str]) -> PrintedTable:
    where = ("tables", name)
    made = record(PrintedTable, lines, where)
    _known((*where, "paper"), "paper", made.paper, papers)
    for key in ("first", "last"):
        _month((*where, key), getattr(made, key))
    if not len(made.months):
        raise WrongError((*where, "last"), f"the last month {made.last} lies before the first, {made.first}")
    for key in ("returns", "market", "other_returns", "other_market"):
        _reference((*where, key), getattr(made, key))
    for statistic, text in made.printed.items():
        at = (*where, "printed", statistic)
        _known(at, "statistic", statistic, STATISTICS)
        if STATISTICS[statistic].needs_market and not made.market:
            raise WrongError(at, f"'{statistic}' needs the market; name its series with market")
        _number(at, text)
    return made


def _cases(name: str, lines: dict[str, Any], papers: Collection[str]) -> PrintedCases:
    where = ("cases", name)
    made = record(PrintedCases, lines, where)
    _known((*where, "paper"), "paper", made.paper, papers)
    if made.months < 1:
        raise WrongError((*where, "months"), f"a case needs one month after it at least, not {made.months}")
    for key in ("returns", "prices", "after"):
        if not getattr(made, key):
            raise WrongError((*where, key), f"'{key}' is empty; name one at least")
    for key, texts in (
        ("returns", made.returns),
        ("prices", made.prices),
        ("other_returns", [made.other_returns]),
    ):
        for text in texts:
            _reference((*where, key), text)
    for month, text in made.after.items():
        _month((*where, "after", month), month)
        _number((*where, "after", month), text)
    for month in made.recessions:
        _known((*where, "recessions"), "case", month, made.after)
    for statistic, text in made.printed.items():
        _known((*where, "printed", statistic), "statistic", statistic, OF_CASES)
        _number((*where, "printed", statistic), text)
    return made


def _known(where: tuple[str, ...], what: str, name: str, there: Collection[str]) -> None:
    if name not in there:
        raise WrongError(where, f"there is no {what} '{name}'; {nearest(name, there)}")


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
