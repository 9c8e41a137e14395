"""Robert Shiller's table of the American market, from the workbook that a user brings."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import SourceTable
from backtest.market.sources import source_to_bring
from backtest.market.worksheets import figure

if TYPE_CHECKING:
    from backtest.market.entry import Entry

SHEET = "Data"


class SheetColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken of the sheet.

    Parameters
    ----------
    column
        The heading, in the row that begins with ``Date``.
    first
        The first month that counts, ``1913-01``.
    decimals
        How many the figures are published with; later ones with more are the author's estimates.
    estimated
        Months with an estimate that has no more decimals than a figure.
    """

    column: str
    first: str
    decimals: int
    estimated: tuple[str, ...] = ()


@source_to_bring(
    "shiller",
    "its address changes with every release; get {file} from his pages",
    options=SheetColumn,
    needs="xlrd",
)
def table(entry: Entry, content: bytes, file: str) -> SourceTable:
    """Return a column of the sheet, months stamped by their first day, without what is an estimate.

    A date is a number there: 1871.01 is January and 1871.1 October.

    Raises
    ------
    DataError
        When it is no such workbook, or a cell is not a number; the sentence has the row.
    """
    told = entry.told(SheetColumn)
    where = f"{file} was refused"
    rows = _rows(content, where)
    begin = next((i for i, row in enumerate(rows) if row and row[0] == "Date"), None)
    if begin is None or rows[begin].count(told.column) != 1:
        raise DataError(
            f"{where}: its sheet '{SHEET}' has no column {told.column} in a row that begins with Date"
        )
    at = rows[begin].index(told.column)
    months, values = [], []
    for number, row in enumerate(rows[begin + 1 :], begin + 2):
        if isinstance(row[0], float) and row[at] != "":
            months.append(_month(row[0], f"{where}: row {number}"))
            values.append(figure(row[at], f"{where}: row {number}"))
    stamped = np.array(months, dtype="datetime64[M]")
    dates, found = to_days(stamped), np.array(values, dtype=np.float64)
    if (np.diff(dates).astype(int) <= 0).any():
        raise DataError(f"{where}: a month stands there twice, or out of order")
    estimate = np.isin(stamped, np.array(told.estimated, dtype="datetime64[M]"))
    estimate |= np.abs(found - np.round(found, told.decimals)) > 1e-6
    kept = ~estimate & (dates >= np.datetime64(told.first, "D"))
    if not kept.any():
        raise DataError(f"{where}: it has no {told.column} from {told.first} on")
    return SourceTable.of(entry.id, dates[kept], found[kept], f"file {file}, {SHEET}", content)


def _rows(content: bytes, where: str) -> list[list[Any]]:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True)
        sheet = book.sheet_by_name(SHEET)
        return [sheet.row_values(number) for number in range(sheet.nrows)]
    except Exception as error:  # noqa: BLE001 - of a damaged file xlrd raises whatever it stumbles over
        raise DataError(
            f"{where}: it is not Shiller's workbook ie_data.xls with a sheet '{SHEET}' ({error})"
        ) from None


def _month(cell: float, where: str) -> np.datetime64:
    year, month = divmod(round(100.0 * cell), 100)
    if not (1600 <= year < 2200 and 1 <= month <= 12):
        raise DataError(f"{where} has '{cell}' for a month; Shiller writes 1929.09")
    return np.datetime64(f"{year}-{month:02d}", "M")
