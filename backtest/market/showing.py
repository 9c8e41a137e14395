"""Showing series: what is written down about each, and its values with the days they became known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.errors import UsageError, joined
from backtest.market.catalogue import catalogue, entry
from backtest.market.definition import roles_like
from backtest.market.fetch import is_stale
from backtest.market.reading import known, table_of
from backtest.market.sources import source_of
from backtest.market.store import Store

if TYPE_CHECKING:
    from backtest.market.entry import Entry, SourceTable
    from backtest.market.store import Vintage


class FoundSeries(msgspec.Struct, frozen=True):
    """A series that a search found, as ``data search --json`` prints it."""

    id: str
    title: str
    source: str


class FoundRole(msgspec.Struct, frozen=True):
    """What markets have by a name that a search found, and the ways in which they make it of series."""

    id: str
    made_of: list[str]


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a series is, and its first and last date; None where nothing of it is stored."""

    id: str
    title: str
    source: str
    unit: str
    frequency: str
    known_at: str
    first: str | None
    last: str | None


class ListedSeries(Described, frozen=True, kw_only=True):
    """A series and what is stored of it, as ``data list --json`` prints it."""

    stored: bool
    downloaded: str | None
    stale: bool
    vintage: str | None
    notes: list[str]


class DescribedSeries(Described, frozen=True, kw_only=True):
    """A series where its values are: ``source`` is the address that they came from."""

    sha256: str
    notes: list[str]


class ShownSeries(DescribedSeries, frozen=True, kw_only=True):
    """A series with its vintages and values, as ``data show --json`` prints it."""

    vintages: list[dict[str, Any]]
    rows: list[dict[str, Any]]


def _about(entry: Entry, first: Any, last: Any) -> dict[str, Any]:
    said = {name: getattr(entry, name) for name in ("id", "title", "source", "unit", "frequency")}
    ends = (None if day is None else str(day) for day in (first, last))
    return {**said, "known_at": entry.rule, **dict(zip(("first", "last"), ends, strict=True))}


def listed(about: Entry, record: Vintage | None) -> ListedSeries:
    """Return a series' description and what is stored of it, which ``record`` says."""
    first, last = (record.first, record.last) if record else (None, None)
    if source_of(about).carried:
        table = table_of(about)
        first, last, record = str(table.dates[0]), str(table.last), None
    return ListedSeries(
        **_about(about, first, last),
        stored=first is not None,
        downloaded=record.downloaded if record else None,
        stale=record is not None and is_stale(about, record),
        vintage=record.vintage if record else None,
        notes=record.notes if record else [],
    )


def show_series(id: str, tail: int, vintage: str | None = None) -> ShownSeries:
    """Return a series' description, its vintages and its last ``tail`` rows (0: all).

    Raises
    ------
    UsageError
        When there is no such series.
    DataError
        When it is not stored, or damaged.
    """
    if id not in catalogue() and id not in Store().ids() and (made := roles_like([id]).get(id)):
        each = "; ".join(f"{words} on {joined(markets)}" for words, markets in made.items())
        raise UsageError(
            f"'{id}' is no series but what markets make of some: {each}; show one of those, such as: "
            f"rotation data show {re.split(r'[ ,[]', next(iter(made)))[0]}"
        )
    about = entry(id)
    vintages, notes = [], []
    table = table_of(about, vintage)
    origin, became_known = table.origin, known(about, table)
    if not source_of(about).carried:
        store = Store()
        record = store.find(id, vintage)
        origin, notes = record.address, record.notes
        shown = ("vintage", "downloaded", "first", "last", "rows")
        vintages = [{name: getattr(r, name) for name in shown} for r in store.vintages(id)]
    return ShownSeries(
        **{**_about(about, table.dates[0], table.last), "source": origin},
        sha256=table.sha256,
        notes=notes,
        vintages=vintages,
        rows=[_row(table, became_known, i) for i in range(len(table.dates))[-tail if tail else 0 :]],
    )


def _row(table: SourceTable, known: np.ndarray, i: int) -> dict[str, Any]:
    values = (None if np.isnan(v) else float(v) for v in table.values[i])
    return {
        "date": str(table.dates[i]),
        "known_at": None if np.isnat(known[i]) else str(known[i]),
        **dict(zip(table.columns, values, strict=True)),
    }
