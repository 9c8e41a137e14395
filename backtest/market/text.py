"""Reading a CSV, or the one in a zip, strictly: what is not plainly a date and a number is refused."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import parse_day, to_days
from backtest.errors import DataError, UsageError, nearest
from backtest.files import LIMIT
from backtest.numerals import plain
from backtest.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Days, Floats

MISSING = frozenset(
    {"", ".", "-99.99", "-999", "-999.0", "-999.00", "-999.99", "-99.9900", "nan", "na", "n/a"}
)
"""How sources write a value that is missing (in lower case)."""

GAPS = (-99.99, -999.0)
"""The numbers among them."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+|[+-]?\d{1,3}(\.\d{3})+,\d+", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
# What a spreadsheet makes of "Dec 2", and of a date: 2-Dec, Dec-02, 1/31/1990.
_MANGLED = re.compile(r"\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{2}|#[A-Z/0!?]+!?|\d{1,2}/\d{1,2}/\d{2,4}|#+")

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


def decoded(content: bytes, what: str) -> str:
    """Return the text of an answer or a file.

    Raises
    ------
    DataError
        When it is empty, a page of HTML, or no text.
    """
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise DataError(f"{what} was refused: it is empty")
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<!--")):
        raise DataError(f"{what} was refused: it is an HTML page (an error page, as a rule), not data")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{what} was refused: it is not UTF-8 text, as which it must be saved") from None
    if "\0" in text:
        raise DataError(f"{what} was refused: it is not text")
    return text


def unzipped(content: bytes, what: str, limit: int = LIMIT) -> bytes:
    """Return the one file of a zip, without ever writing it to disk.

    Raises
    ------
    DataError
        When it is no zip, is damaged, holds anything but one plain file, or unpacks to more than ``limit``.
    """
    if not content.startswith(b"PK"):
        decoded(content, what)  # says so where it is empty or an HTML page
        raise DataError(f"{what} was refused: it is not a zip file")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].is_dir():
                raise DataError(
                    f"{what} was refused: the zip holds {len(members)} entries instead of one file"
                )
            path = PurePosixPath(members[0].filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                raise DataError(f"{what} was refused: the zip holds a path out of its folder, {path}")
            with archive.open(members[0]) as file:
                text = file.read(limit + 1)
    except _DAMAGED as error:
        raise DataError(f"{what} was refused: the zip is damaged or cut off ({error})") from None
    if len(text) > limit:
        raise DataError(f"{what} was refused: the zip unpacks to more than {limit / 2**20:,.0f} MB")
    return text


def read_series(
    text: str, what: str, *, headers: Sequence[str] | None, column: str | None
) -> tuple[Days, Floats]:
    """Return the dates and values of one column; a missing value is NaN.

    Parameters
    ----------
    text
        A header line, then lines of a date (``2007-09-18``, or ``2007-09`` for its first day) and numbers.
    what
        Names the series in the errors.
    headers
        What the first header may be; None for anything: the user's own file, whose lines must be in order.
    column
        The header of the values; None where there is one column of them.

    Raises
    ------
    DataError
        When a header or a line is not of this layout; the sentence has the number of the line.
    """
    if not text.endswith(("\n", "\r")) and headers is not None:
        raise DataError(f"{what} was refused: its last line is not complete, so the file ended early")
    header, lines = read_lines(text, what)
    at = _position(header, what, headers, column)
    dates, values, numbers = [], [], []
    for number, line in lines:
        refuse_other_fields(line, header, f"{what} was refused: line {number}")
        numbers.append(number)
        dates.append(day_of(line[0], what, number))
        values.append(number_of(line[at], f"{what} was refused: line {number}"))
    if not dates:
        raise DataError(f"{what} was refused: it has no line of data")
    if headers is None:
        refuse_disorder(to_days(dates), what, "line", numbers)
    return to_days(dates), np.array(values, dtype=np.float64)


def read_lines(text: str, what: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a CSV, and the fields of each line that is not empty with its number."""
    try:
        lines = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise DataError(f"{what} was refused: it is not a CSV file ({error})") from None
    header = [name.strip() for name in lines[0]] if lines else []
    return header, [(number, line) for number, line in enumerate(lines[1:], start=2) if line]


def refuse_other_fields(line: list[str], header: list[str], where: str) -> None:
    """Raise DataError where a line has another number of fields than the header; ``where`` begins it."""
    if len(line) != len(header):
        raise DataError(
            f"{where} has {counted(len(line), 'field')}, the header {len(header)}{_why_fields(line, header)}"
        )


def _why_fields(line: list[str], header: list[str]) -> str:
    """Return what to do about a line with another number of fields; empty where nothing suggests itself."""
    if len(line) == 1 and _separator(line[0]):
        return "; separate the columns by commas"
    # Of two columns 1234,5 makes three; the part after the comma has nothing but digits.
    if len(line) == 2 * len(header) - 1 and all(part.strip().isdecimal() for part in line[2::2]):
        return "; write decimals with a point, as in 1234.5"
    return ""


def _separator(text: str) -> str:
    """Return what stands between the columns of a line that has no comma between them; empty for none."""
    return next((mark for mark in (";", "\t", "|") if mark in text), "")


def refuse_disorder(dates: Days, what: str, place: str, numbers: Sequence[int]) -> None:
    """Refuse dates that do not strictly increase, and say what to do.

    Parameters
    ----------
    dates
        (n,) datetime64[D].
    what
        Names the file in the error.
    place, numbers
        What a date stands on (``line``, ``row``), and on which of them each date does.

    Raises
    ------
    DataError
        When a date stands twice, or comes after a later one.
    """
    steps = np.diff(dates).astype(int)
    if (steps > 0).all():
        return
    at = int((steps <= 0).argmax())
    if steps[at] == 0:
        raise DataError(
            f"{what} was refused: {dates[at]} stands twice, on {place}s {numbers[at]} and {numbers[at + 1]}; "
            f"keep one of the two {place}s"
        )
    raise DataError(
        f"{what} was refused: on {place} {numbers[at + 1]} {dates[at + 1]} comes after {dates[at]}; "
        f"sort the {place}s by date, oldest first"
    )


def _position(header: list[str], what: str, headers: Sequence[str] | None, column: str | None) -> int:
    for name in header:
        if _MANGLED.fullmatch(name):
            raise DataError(f"{what} was refused: the header '{name}' was mangled by a spreadsheet")
    if len(header) == 1 and _separator(header[0]):
        mark = {"\t": "a tab"}.get(_separator(header[0]), f"'{_separator(header[0])}'")
        raise DataError(
            f"{what} was refused: line 1 has {mark} between its columns; separate the columns by commas, and "
            "write decimals with a point"
        )
    if len(header) < 2:
        raise DataError(f"{what} was refused: its first line is no header of a date and a value")
    if headers is not None and header[0] not in headers:
        raise DataError(f"{what} was refused: the first header is '{header[0]}', not {headers[0]}")
    for i, name in enumerate(header):
        if name in header[:i]:
            raise DataError(f"{what} was refused: the header '{name}' stands twice")
        if i and plain(name) is not None:
            raise DataError(f"{what} was refused: its first line is no header, but has the number {name}")
    return column_at(header, what, column)


def column_at(header: list[str], what: str, column: str | None) -> int:
    """Return where the values stand; an error says when nothing tells which column, or it is not there."""
    if column is None:
        if len(header) > 2:
            raise UsageError(
                f"{what} has several columns ({', '.join(header[1:])}); choose one with --column NAME"
            )
        return 1
    if column not in header[1:]:
        raise DataError(f"{what} was refused: it has no column '{column}'; {nearest(column, header[1:])}")
    return header.index(column)


def day_of(text: str, what: str, number: int) -> np.datetime64:
    """Return a day, or a month's first; DataError, with the number of the line, for anything else."""
    text = text.strip()
    try:
        return parse_day(f"{text}-01" if _MONTH.fullmatch(text) else text, "")
    except UsageError:
        raise DataError(
            f"{what} was refused: line {number} has '{text[:40]}' for a date; dates are written 2007-09-18"
        ) from None


def number_of(text: str, where: str) -> float:
    """Return a number, NaN where it is missing; ``where`` begins the error's sentence.

    Raises
    ------
    DataError
        When the text is neither a number with a decimal point nor a sign of a missing value.
    """
    text = text.strip()
    if text.casefold() in MISSING:
        return np.nan
    if _DECIMAL_COMMA.fullmatch(text):
        raise DataError(f"{where} has '{text[:40]}' for a number; write decimals with a point, as in 1234.5")
    value = plain(text)
    if value is None:
        raise DataError(f"{where} has '{text[:40]}' for a number; write it as 1234.5")
    return value
