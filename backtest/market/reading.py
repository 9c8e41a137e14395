"""Reading a series: from what comes with the installation, or from the store."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import last_business_day
from backtest.errors import DataError, nearest
from backtest.market.catalogue import LOCAL
from backtest.market.local import LOCAL_FILE, read_local
from backtest.market.release import AFTER_THE_FACT, known_at
from backtest.market.sources.arch_figures import ArchFigures
from backtest.market.sources.facts import Facts
from backtest.market.store import Store
from backtest.series import Series

if TYPE_CHECKING:
    from backtest.dates import Days
    from backtest.market.entry import Entry
    from backtest.market.sources.base import Remote, Source, Table

CARRIED: dict[str, Source] = {"arch": ArchFigures(), "facts": Facts()}
"""Sources whose values come with the installation."""

REMOTE = {
    "fred": "backtest.market.sources.fred:Fred",
    "famafrench": "backtest.market.sources.french:FamaFrench",
    "etf": "backtest.market.sources.etf:Etf",
}
"""Sources whose values are downloaded into the store; imported when they are asked, for they are heavy."""

_EXTRAS = {"etf": "yfinance"}


def lacking(source: str) -> str:
    """Return the package that a source needs and that is not installed; empty where it has all."""
    package = _EXTRAS.get(source, "")
    return package if package and importlib.util.find_spec(package) is None else ""


def remote(name: str) -> Remote:
    """Return the source that downloads.

    Raises
    ------
    DataError
        When it needs an extra that is not installed; the sentence has the command that installs it.
    """
    if lacking(name):
        raise DataError(
            f"the source '{name}' needs the package {lacking(name)}; install it with: "
            f"pip install 'size-rotation[{name}]'"
        )
    module, _, kind = REMOTE[name].partition(":")
    return getattr(importlib.import_module(module), kind)()


def table_of(entry: Entry, vintage: str | None = None) -> Table:
    """Return a series as its source has it: what comes with the installation, or what is stored.

    Parameters
    ----------
    entry
        What the catalogue says of it.
    vintage
        Which stored vintage; by default the one that arrived last.

    Raises
    ------
    DataError
        When there is no such source, or the store does not have the series.
    """
    if entry.source in CARRIED:
        return CARRIED[entry.source].read(entry)
    if entry.source == LOCAL_FILE:
        return read_local(Path(entry.options["path"]))
    if entry.source not in (*REMOTE, LOCAL):
        raise DataError(
            f"series {entry.id}: there is no source '{entry.source}'; "
            f"{nearest(entry.source, [*CARRIED, *REMOTE])}"
        )
    store = Store()
    return store.read(store.find(entry.id, vintage))


def known(entry: Entry, table: Table) -> Days:
    """Return when each row of a table became known, (n,) datetime64[D]; NaT where nobody knew it in time."""
    if entry.known_at == AFTER_THE_FACT:
        return np.full(len(table.dates), np.datetime64("NaT"), dtype="datetime64[D]")
    return table.announced if table.announced is not None else known_at(entry.known_at, table.dates)


def column_of(entry: Entry, table: Table, column: str = "") -> Series:
    """Return one column of a table as a series, without what is missing and what was never announced.

    Raises
    ------
    DataError
        When there is no such column, or no value in it.
    """
    if entry.columns and column not in table.columns:
        raise DataError(f"{entry.id} has no column '{column}'; {nearest(column, table.columns)}")
    values = table.values[:, table.columns.index(column) if entry.columns else 0]
    present = np.isfinite(values)
    if not present.any():
        raise DataError(f"{entry.id} has no value in its column '{column}'")
    became_known = known(entry, table)
    if table.checked is not None:
        checked = table.checked
    else:
        # A monthly value, wherever stamped, speaks for its month. What is stamped after it was known has been
        # looked up as far as its last value was, not to its stamp.
        last = table.dates[present][-1:]
        whole = last_business_day(last) if entry.frequency == "monthly" else last
        checked = np.fmin(whole, became_known[present][-1:])[0]
    if entry.known_at != AFTER_THE_FACT:
        present &= ~np.isnat(became_known)
    return Series(
        entry.id,
        table.dates[present],
        values[present],
        became_known[present],
        checked,
        entry.unit,
        table.origin,
        table.sha256,
    )


def read(entry: Entry, column: str = "", vintage: str | None = None) -> Series:
    """Return one column of a series, in one vintage; errors as ``table_of`` and ``column_of``."""
    return column_of(entry, table_of(entry, vintage), column)
