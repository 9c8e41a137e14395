"""Classes, a screen and a scheme as the records that are their JSON documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from backtest.universe.intake import SetAside

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from backtest.universe.schemes import Scheme
    from backtest.universe.universe import Universe


def records_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows as JSON has them."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", date_format="iso"))
    return rows


class ClassesDocument(msgspec.Struct, frozen=True):
    """The classes of one date, what each costs where there are accounts, and what was set aside of the table.

    ``dates`` is the number of dates with classes, ``out`` the file of all classes, if one was written.
    """

    scheme: str
    currency: str
    date: str
    dates: int
    classes: list[dict[str, Any]]
    valuation: list[dict[str, Any]] | None
    set_aside: list[SetAside]
    out: str | None

    @classmethod
    def of(cls, universe: Universe, date: pd.Timestamp, out: Path | None) -> ClassesDocument:
        """Return the document of a universe's classes on a date."""

        def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
            return records_of(table[table["date"] == date].drop(columns="date"))

        return cls(
            scheme=universe.scheme.name,
            currency=universe.table.currency,
            date=f"{date:%Y-%m-%d}",
            dates=int(universe.classes["date"].nunique()),
            classes=rows(universe.classes),
            valuation=None if universe.valuation is None else rows(universe.valuation),
            set_aside=list(universe.set_aside),
            out=None if out is None else str(out.resolve()),
        )


class ScreenDocument(msgspec.Struct, frozen=True):
    """Every company of a date, held against its industry and class."""

    date: str
    companies: list[dict[str, Any]]

    @classmethod
    def of(cls, table: pd.DataFrame, date: np.datetime64) -> ScreenDocument:
        """Return the document of a screen."""
        return cls(str(date), records_of(table))


class SchemeDocument(msgspec.Struct, frozen=True):
    """A scheme, as ``Scheme`` says; None for an index or an exchange that it has not."""

    scheme: str
    title: str
    source: str
    by: str
    classes: tuple[str, ...]
    borders: tuple[float, ...]
    unit: float
    currency: str
    index: str | None
    exchange: str | None

    @classmethod
    def of(cls, scheme: Scheme) -> SchemeDocument:
        """Return the document of a scheme."""
        return cls(
            scheme=scheme.name,
            title=scheme.title,
            source=scheme.source,
            by=scheme.by,
            classes=scheme.classes,
            borders=scheme.borders,
            unit=scheme.unit,
            currency=scheme.currency,
            index=scheme.index or None,
            exchange=scheme.exchange or None,
        )
