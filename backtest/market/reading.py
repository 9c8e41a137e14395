"""Reading a series: from what comes with the installation, or from the store."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError, nearest
from backtest.market.catalogue import LOCAL
from backtest.market.local import LOCAL_FILE, read_local
from backtest.market.sources.arch_figures import ArchFigures
from backtest.market.sources.base import SourceSeries
from backtest.market.sources.facts import Facts
from backtest.market.store import Store

if TYPE_CHECKING:
    from backtest.market.entry import Entry
    from backtest.market.sources.base import Remote, Source

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


def read(entry: Entry, column: str = "", vintage: str | None = None) -> SourceSeries:
    """Return a series' values: those that come with the installation, or those in the store.

    Parameters
    ----------
    entry
        What the catalogue says of it.
    column
        Which column of a series that has several.
    vintage
        Which stored vintage; by default the one that arrived last.

    Raises
    ------
    DataError
        When there is no such source or column, or the store does not have the series.
    """
    if entry.source in CARRIED:
        return CARRIED[entry.source].read(entry)
    if entry.source == LOCAL_FILE:
        return read_local(Path(entry.options["path"]), column)
    if entry.source not in (*REMOTE, LOCAL):
        raise DataError(
            f"series {entry.id}: there is no source '{entry.source}'; "
            f"{nearest(entry.source, [*CARRIED, *REMOTE])}"
        )
    store = Store()
    record = store.find(entry.id, vintage)
    table = store.read(record)
    if entry.columns and column not in table.columns:
        raise DataError(f"{entry.id} has no column '{column}'; {nearest(column, table.columns)}")
    values = table.values[:, table.columns.index(column) if entry.columns else 0]
    present = np.isfinite(values)
    if not present.any():
        raise DataError(f"{entry.id} has no value in its column '{column}'")
    return SourceSeries(
        table.dates[present],
        values[present],
        f"{record.address}, seen {record.downloaded[:10]}, vintage {record.vintage}",
        record.sha256,
        table.dates[present][-1],
        None if table.announced is None else table.announced[present],
    )
