"""AQR's factors by country, from the workbook that a user brings; its terms forbid passing it on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import SourceTable
from backtest.market.sources import source_to_bring
from backtest.market.worksheets import figure, rows_of

if TYPE_CHECKING:
    from backtest.market.entry import Entry


class Worksheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sheet of the workbook that has the table."""

    table: str


@source_to_bring(
    "aqr",
    "AQR's terms do not allow it to be passed on; get its workbook '{file}' from its pages",
    options=Worksheet,
    needs="openpyxl",
)
def workbook(entry: Entry, content: bytes, file: str) -> SourceTable:
    """Return an entry's sheet; an empty cell is NaN.

    Raises
    ------
    DataError
        When it is no such workbook, or a cell is neither a date or a number nor empty; the sentence has the
        place.
    """
    sheet = entry.told(Worksheet).table
    where = f"{file} was refused"
    rows = rows_of(content, where, sheet)
    begin = next((i for i, row in enumerate(rows) if row and row[0] == "DATE"), None)
    if begin is None:
        raise DataError(f"{where}: the sheet '{sheet}' has no row that begins with DATE")
    lacking = [column for column in entry.columns if rows[begin].count(column) != 1]
    if lacking:
        raise DataError(f"{where}: the sheet '{sheet}' has no column {lacking[0]}")
    at = [rows[begin].index(column) for column in entry.columns]
    there = [(number, row) for number, row in enumerate(rows[begin + 1 :], begin + 2) if row and row[0]]
    dates = [_day(row[0], f"{where}: row {number}") for number, row in there]
    values = [[figure(row[i], f"{where}: row {number}") for i in at] for number, row in there]
    return SourceTable.of(entry.columns, to_days(dates), np.array(values), f"file {file}, {sheet}", content)


def _day(cell: Any, where: str) -> dt.date:
    try:
        return cell.date() if isinstance(cell, dt.datetime) else dt.datetime.strptime(cell, "%m/%d/%Y").date()  # noqa: DTZ007
    except (TypeError, ValueError):
        raise DataError(f"{where} has '{cell}' for a date; AQR writes 07/31/1926") from None
