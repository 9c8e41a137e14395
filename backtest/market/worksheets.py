"""Worksheets: the rows of a workbook in Excel's format, as a user brings it."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

import numpy as np

from backtest.errors import DataError


def rows_of(content: bytes, where: str, sheet: str = "") -> list[tuple[Any, ...]]:
    """Return the rows of a sheet, by default of the first one; an empty cell is None.

    Raises
    ------
    DataError
        When it is no such workbook, or has no such sheet; the sentence begins with ``where``.
    """
    import openpyxl

    try:
        book = openpyxl.load_workbook(BytesIO(content), read_only=True)
        return list(book[sheet or book.sheetnames[0]].iter_rows(values_only=True))
    except KeyError:
        raise DataError(f"{where}: it has no sheet '{sheet}'") from None
    except (zipfile.BadZipFile, OSError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise DataError(f"{where}: it is not a workbook in Excel's format ({error})") from None


def figure(cell: Any, where: str, *, absent: tuple[Any, ...] = (None, "")) -> float:
    """Return the number in a cell; NaN where it is one of those that stand for none, DataError otherwise."""
    if cell in absent:
        return np.nan
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        raise DataError(f"{where} has '{cell}' for a number")
    return float(cell)
