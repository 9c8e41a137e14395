"""Checks on arrival: what every table must pass before a byte of it is stored."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.units import unit

if TYPE_CHECKING:
    from backtest.market.entry import Entry, SourceTable

LONGEST_CLOSURE = 10
"""Days without a value that a daily series may have unremarked; exchanges rarely close for longer."""

MOST_SILENCES = 5
"""Stretches without a value that are named one by one; of more their number is said."""


def check(entry: Entry, table: SourceTable) -> list[str]:
    """Refuse a table that cannot be right, and return what is to be said of one that can.

    Parameters
    ----------
    entry
        What the catalogue says of it.
    table
        As it arrived.

    Returns
    -------
    list of str
        A sentence for each kind of thing worth knowing: the months that are missing, long silences.

    Raises
    ------
    DataError
        When it is empty, its dates do not strictly increase or lie in the future, or a value is
        impossible in its unit; the sentence names the series and the first bad date.
    """
    where = f"{entry.id} was refused"
    if len(table.dates) == 0 or not np.isfinite(table.values).any():
        raise DataError(f"{where}: it has no value")
    if table.values.shape != (len(table.dates), len(table.columns)):
        raise DataError(f"{where}: its dates and values do not fit together")
    steps = np.diff(table.dates).astype(int)
    if (steps <= 0).any():
        at = (steps <= 0).argmax()
        what = "stands twice" if steps[at] == 0 else f"comes after {table.dates[at]}"
        raise DataError(f"{where}: {table.dates[at + 1]} {what}")
    tomorrow = to_days(dt.datetime.now(tz=dt.UTC).date()) + np.timedelta64(2, "D")
    if table.dates[-1] > tomorrow or table.dates[0] < np.datetime64("1600-01-01"):
        odd = table.dates[-1] if table.dates[-1] > tomorrow else table.dates[0]
        when = "is to come" if odd > tomorrow else "is too early"
        raise DataError(f"{where}: it has a value of {odd}, a day that {when}")
    impossible = unit(entry.unit).impossible(table.values) | np.isinf(table.values)
    if impossible.any():
        row, column = np.argwhere(impossible)[0]
        name = f" in {table.columns[column]}" if len(table.columns) > 1 else ""
        raise DataError(
            f"{where}: {table.values[row, column]:g} on {table.dates[row]}{name} is no possible {entry.unit}"
        )
    if entry.frequency == "monthly":
        return _missing_months(where, table)
    return _silences(table) if entry.frequency == "daily" else []


def _missing_months(where: str, table: SourceTable) -> list[str]:
    months = table.dates.astype("datetime64[M]")
    twice = np.diff(months).astype(int) == 0
    if twice.any():
        raise DataError(f"{where}: {months[1:][twice.argmax()]} has two values, but the series is monthly")
    notes = []
    for column, name in enumerate(table.columns):
        present = months[np.isfinite(table.values[:, column])]
        if len(present) == 0:
            notes.append(f"{name} has no value")
            continue
        missing = np.setdiff1d(np.arange(present[0], present[-1] + 1), present)
        if len(missing):
            whose = f"{name} has " if len(table.columns) > 1 else ""
            notes.append(f"{whose}no value for {_ranges(missing)}")
    return notes


def _ranges(months: np.ndarray) -> str:
    """Name months, those in a row as ``1950-02 to 1950-05``."""
    breaks = np.flatnonzero(np.diff(months).astype(int) > 1) + 1
    parts = np.split(months, breaks)
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]} to {p[-1]}" for p in parts)


def _silences(table: SourceTable) -> list[str]:
    dates = table.dates[np.isfinite(table.values).any(axis=1)]
    long = np.flatnonzero(np.diff(dates).astype(int) > LONGEST_CLOSURE)
    said = [f"no value between {dates[i]} and {dates[i + 1]}" for i in long[:MOST_SILENCES]]
    rest = len(long) - len(said)
    return [*said, f"nor in {rest:,} other stretches of more than {LONGEST_CLOSURE} days"] if rest else said
