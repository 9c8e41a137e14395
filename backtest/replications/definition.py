"""What was printed: ``data/replications.toml`` as records, each figure with the digits of its print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np

from backtest.errors import UsageError, nearest
from backtest.folders import shipped
from backtest.market.formulas import Referred  # noqa: TC001 - the type of a record's fields
from backtest.market.toml import Month, WrongError, declared, record
from backtest.numerals import number
from backtest.replications.statistics import OF_CASES, STATISTICS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def _digits(text: str, key: str) -> None:
    number(text, key)


Digits: TypeAlias = Annotated[str, _digits]
"""A number as it is printed."""


def _require(where: tuple[str, ...], what: str, name: str, there: Collection[str]) -> None:
    if name not in there:
        raise WrongError(where, f"there is no {what} '{name}'; {nearest(name, there)}")


@dataclass(frozen=True)
class PrintedTable:
    """Figures of one sample of monthly returns; its fields are the keys of the file, which explains them."""

    paper: str
    title: str
    exhibit: str
    first: Month
    last: Month
    returns: Referred
    printed: dict[str, Digits]
    market: Referred = ""
    other: str = ""
    other_returns: Referred = ""
    other_market: Referred = ""
    note: str = ""
    differs: str = ""

    def __post_init__(self) -> None:
        if not len(self.months):
            said = f"the last month {self.last} lies before the first, {self.first}"
            raise WrongError(("last",), said)
        for name in self.printed:
            _require(("printed", name), "statistic", name, STATISTICS)
            if STATISTICS[name].needs_market and not self.market:
                said = f"'{name}' needs the market; name its series with market"
                raise WrongError(("printed", name), said)

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
    returns: tuple[Referred, ...]
    prices: tuple[Referred, ...]
    months: int
    printed: dict[str, Digits]
    after: dict[Month, Digits]
    recessions: tuple[str, ...] = ()
    other: str = ""
    other_returns: Referred = ""
    note: str = ""
    differs: str = ""

    def __post_init__(self) -> None:
        if self.months < 1:
            said = f"a case needs one month after it at least, not {self.months}"
            raise WrongError(("months",), said)
        for key in ("returns", "prices", "after"):
            if not getattr(self, key):
                raise WrongError((key,), f"'{key}' is empty; name one at least")
        for month in self.recessions:
            _require(("recessions",), "case", month, self.after)
        for name in self.printed:
            _require(("printed", name), "statistic", name, OF_CASES)

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
    """The content of the file by name: papers, tables, tables of cases, and what is missing."""

    papers: dict[str, str]
    tables: dict[str, PrintedTable]
    cases: dict[str, PrintedCases]
    missing: dict[str, Missing]

    def __post_init__(self) -> None:
        for group in ("tables", "cases"):
            for name, table in getattr(self, group).items():
                _require((group, name, "paper"), "paper", table.paper, self.papers)
        for name in self.cases:
            if name in self.tables:
                said = f"there is a table '{name}' already; choose another name"
                raise WrongError(("cases", name), said)

    @property
    def all(self) -> dict[str, Table]:
        """The tables, those of cases last."""
        return {**self.tables, **self.cases}

    def named(self, names: Collection[str]) -> dict[str, Table]:
        """Return only the tables that are named, by their own name or their paper's; all for no name.

        Raises
        ------
        UsageError
            When a name is that of nothing here; the nearest one is named.
        """
        known = {*self.all, *self.papers}
        for name in names:
            if name in self.missing:
                raise UsageError(f"{name} is not reproduced: {self.missing[name].why}")
            if name not in known:
                raise UsageError(f"there is no table '{name}'; {nearest(name, known)}")
        wanted = set(names)
        return {name: t for name, t in self.all.items() if not wanted or {name, t.paper} & wanted}


def printed(path: Path | None = None) -> Printed:
    """Return what was printed.

    Raises
    ------
    DataError
        When the file is wrong; the sentence has the file, the line and the reason.
    """
    with declared(path or shipped("data") / "replications.toml") as content:
        return record(Printed, content)
