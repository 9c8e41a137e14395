"""Files a colleague can open: CSV, one Excel workbook, Parquet, JSON. No text in them becomes a formula."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias

import pandas as pd

from backtest.errors import UsageError
from backtest.files import in_arrow, whole_file
from backtest.folders import expanded
from backtest.records.document import to_json
from backtest.spreadsheets import csv_of, is_formula
from backtest.wording import count, number, percent, pvalue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

_FORMS: dict[Any, str] = {percent: "0.00%", number: "0.00", count: "0", pvalue: "0.000"}
_DAY = "yyyy-mm-dd"
_WIDEST = 80  # letters of a column, before its cells wrap


class WorkbookSheet(NamedTuple):
    """A sheet of a workbook.

    Parameters
    ----------
    table
        Its rows, with the index left out.
    forms
        How numbers are shown, by the name of their column or by what stands first in their row: a function
        of ``wording``. A number without one is shown as it is.
    """

    table: pd.DataFrame
    forms: Mapping[str, Callable[[float], str]] = {}


Workbook: TypeAlias = "Mapping[str, WorkbookSheet]"


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its index as columns, where that says anything."""
    return frame if frame.index.name is None else frame.reset_index()


def write_workbook(sheets: Workbook, file: BinaryIO) -> None:
    """Write sheets by name: dates as dates, fractions as percentages, headings that stay in sight."""
    import xlsxwriter

    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        top = {"valign": "top"}
        forms = {form: book.add_format({**top, "num_format": form}) for form in (*_FORMS.values(), _DAY)}
        plain, head = book.add_format(top), book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        text = book.add_format({**top, "text_wrap": True})
        quoted = book.add_format({**top, "text_wrap": True, "quote_prefix": True})
        for name, (table, shown) in sheets.items():
            page = book.add_worksheet(name)
            page.freeze_panes(1, 1)
            for at, column in enumerate(table.columns):
                page.write_string(0, at, str(column), head)
            rows = table.astype(object).itertuples(index=False, name=None)
            for line, row in enumerate(rows, 1):
                for at, value in enumerate(row):
                    form = _FORMS.get(shown.get(str(table.columns[at])) or shown.get(str(row[0])))
                    style = forms[form] if form else plain
                    if isinstance(value, str):
                        page.write_string(line, at, value, quoted if is_formula(value) else text)
                    elif isinstance(value, dt.date) and not pd.isna(value):
                        _write_day(page, line, at, value, forms[_DAY])
                    elif isinstance(value, bool):
                        page.write_boolean(line, at, value)
                    elif value is not None and abs(float(value)) < float("inf"):  # NaN is no cell at all
                        page.write_number(line, at, float(value), style)
            for at, column in enumerate(table.columns):
                page.set_column(at, at, _width(table.iloc[:, at], str(column)))


def _write_day(page: Any, line: int, at: int, day: dt.date, form: Any) -> None:
    if day.year < 1900:  # before the first day that a spreadsheet knows
        page.write_string(line, at, str(day)[:10])
    else:
        page.write_datetime(line, at, day, form)


def _width(column: pd.Series[Any], name: str) -> int:
    """Return a width in letters: of the longest text, or of a number and its heading's longest word."""
    words = [value for value in column.head(1000) if isinstance(value, str)]
    return min(max(11, *map(len, name.replace(":", " ").split()), *map(len, words)), _WIDEST) + 1


def save(
    file: Path | str,
    frame: Callable[[], pd.DataFrame],
    sheets: Callable[[], Workbook],
    document: Callable[[], Any],
) -> Path:
    """Write a file of the kind that its name ends in, whole or not at all; return its place.

    Raises
    ------
    UsageError
        When the name ends in none of the four.
    RotationError
        When the file cannot be written.
    """
    place = expanded(file)
    writers: dict[str, Callable[[BinaryIO], object]] = {
        ".csv": lambda out: out.write(csv_of(flat(frame()))),
        ".xlsx": lambda out: write_workbook(sheets(), out),
        ".parquet": lambda out: frame().to_parquet(out),
        ".json": lambda out: out.write(f"{to_json(document())}\n".encode()),
    }
    writer = writers.get(place.suffix.lower())
    if writer is None:
        raise UsageError(f"'{place.name}' says no kind of file; end it in {', '.join(writers)}")
    with whole_file(place, "the file", "free the disk, or name another place") as out:
        writer(out)
    return place


def write_also(folder: Path, also: Collection[str], name: str, sheets: Callable[[], Workbook]) -> None:
    """Write what a folder has as Parquet as CSV too, and one workbook, as far as ``also`` asks for them."""
    if "csv" in also:
        for file in sorted(folder.glob("*.parquet")):
            file.with_suffix(".csv").write_bytes(csv_of(pd.read_parquet(in_arrow(file.read_bytes()))))
    if "xlsx" in also:
        with (folder / f"{name}.xlsx").open("wb") as out:
            write_workbook(sheets(), out)
