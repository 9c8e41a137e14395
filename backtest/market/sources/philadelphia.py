"""First prints: figures of the economy as they were first published, by the Philadelphia Fed's vintages.

Its Real-Time Data Set for Macroeconomists has a workbook a figure, which a user brings: a row a month, and a
column for each vintage, ``EMPLOY08M9`` with all that had been published by September 2008, ``RUC08Q4`` with
what had been by the middle of that quarter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import SourceTable
from backtest.market.release import known_at
from backtest.market.sources import source_to_bring
from backtest.market.worksheets import figure, rows_of

if TYPE_CHECKING:
    from typing import Any

    from backtest.dates import Days, Floats, Ints
    from backtest.market.entry import Entry

NONE = (None, "", "#N/A")
"""What stands in a cell without a value."""


class Matrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken of a workbook.

    Parameters
    ----------
    heading
        What its columns are called, without the vintage.
    chained
        Whether its base moves from vintage to vintage, so that only changes inside of one can be compared.
    """

    heading: str
    chained: bool


@source_to_bring(
    "philadelphia",
    "its address changes with every release; get {file} from the bank's pages",
    options=Matrix,
    needs="openpyxl",
)
def first_prints(entry: Entry, content: bytes, file: str) -> SourceTable:
    """Return each month's figure as the first vintage that holds it has it, with the day it was known.

    The months of the first vintage of all stand as they do there; what of them had been published when is not
    told, and the rule of the series dates it. Later ones are chained where the base moves: each month is to
    the month before it as both are in the vintage that first holds it, from the first vintage's level on.
    Months from before the first vintage's first are left out: no vintage has their first print.

    Raises
    ------
    DataError
        When it is not the workbook of this figure; the sentence has the place.
    """
    told = entry.told(Matrix)
    where = f"{file} was refused"
    rows = rows_of(content, where)
    head = rows[0] if rows else ()
    vintages = [_vintage(cell, told.heading) for cell in head[1:]]
    fits = [*(cell == "DATE" for cell in head[:1]), *(vintage is not None for vintage in vintages)]
    if len(fits) < 2 or not all(fits):
        odd = next((cell for cell, fit in zip(head, fits, strict=True) if cell and not fit), "nothing")
        raise DataError(
            f"{where}: its first row must be DATE and vintages such as {told.heading}08M9, and has {odd}; "
            f"{entry.id} is in {entry.download}"
        )
    out = np.array([vintage for vintage, _ in filter(None, vintages)])
    ends = np.array([end for _, end in filter(None, vintages)])
    body = list(enumerate(rows[1:], 2))
    months = np.array([_month(row[0], f"{where}: row {i}") for i, row in body])
    if (np.diff(out).astype(int) <= 0).any() or (np.diff(months).astype(int) != 1).any():
        raise DataError(f"{where}: its vintages or its months are out of order, or one is missing")
    cells = [[figure(cell, f"{where}: row {i}", absent=NONE) for cell in row[1:]] for i, row in body]
    values = np.array(cells)
    whole = np.isfinite(values).any(axis=0)
    if not whole.any():
        raise DataError(f"{where}: it has no value")
    begin = int(whole.argmax())  # vintages without a value come before it
    first, kept = _first(values[:, begin:])
    values, out, ends = values[:, begin:], out[begin:], ends[begin:]
    printed = _chained(values, first, kept) if told.chained else values[kept, first[kept]]
    dates = to_days(months[kept])
    known = _known(entry, dates, first[kept], out, ends)
    return SourceTable.of(entry.id, dates, printed, f"file {file}", content, known)


def _vintage(cell: Any, heading: str) -> tuple[np.datetime64, np.datetime64] | None:
    """Return between which days what is new in a vintage came, the last included; None for no vintage."""
    match = re.fullmatch(rf"{heading}(\d\d)([MQ])(\d\d?)", str(cell))
    if match is None or not 1 <= int(match[3]) <= (12 if match[2] == "M" else 4):
        return None
    year = int(match[1]) + (1900 if int(match[1]) > 50 else 2000)
    if match[2] == "M":
        month = np.datetime64(f"{year}-{int(match[3]):02d}", "M")
        return month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - 1
    middle = np.datetime64(f"{year}-{3 * int(match[3]) - 1:02d}-15", "D")
    return middle, middle


def _month(cell: Any, where: str) -> np.datetime64:
    match = re.fullmatch(r"(\d{4}):(0[1-9]|1[0-2])", str(cell))
    if match is None:
        raise DataError(f"{where} has '{cell}' for a month; the Philadelphia Fed writes 1947:01")
    return np.datetime64(f"{match[1]}-{match[2]}", "M")


def _first(values: Floats) -> tuple[Ints, Ints]:
    """Return the first vintage that holds each month, as a column, and the rows of the months to take."""
    there = np.isfinite(values)
    begin = int(there[:, 0].argmax())
    return there.argmax(axis=1), np.flatnonzero(there.any(axis=1) & (np.arange(len(values)) >= begin))


def _chained(values: Floats, first: Ints, kept: Ints) -> Floats:
    levels = values[kept, first[kept]]
    for at in range(1, len(kept)):
        vintage = first[kept[at]]
        if vintage > 0:
            # The month before, or one further back where this vintage has that one not yet.
            before = at - 1 - int(np.isfinite(values[kept[at - 1 :: -1], vintage]).argmax())
            levels[at] = levels[before] * values[kept[at], vintage] / values[kept[before], vintage]
    return levels


def _known(entry: Entry, dates: Days, first: Ints, out: Days, ends: Days) -> Days:
    """Return when each month was known: by the rule, but never before the vintage that first holds it."""
    by_rule = known_at(entry.known_at, dates)
    known = np.where(by_rule < out[first], ends[first], by_rule)
    known = np.where(first == 0, np.minimum(by_rule, ends[0]), known)
    return np.maximum.accumulate(known)
