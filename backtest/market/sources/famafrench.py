"""Kenneth R. French's data library, by the transport and the parser of pandas-datareader."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import SourceTable
from backtest.market.sources import source_of_files
from backtest.market.text import GAPS, decoded, unzipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.market.entry import Entry

ADDRESS = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp"

_TITLE = re.compile(r"^\s*(\d+) : (.*?)\s*\(\d+ rows x \d+ cols\)$", re.MULTILINE)
_FREQUENCY = {"daily": "D", "monthly": "M"}


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pattern of the title of the table in its file; none where the first is meant, which has no title."""

    table: str = ""


@source_of_files("famafrench", Title)
def famafrench(file: str) -> Callable[[Entry], SourceTable]:
    """Return what gives the tables of one file of the library; ``ROTATION_FRENCH_URL`` names a mirror.

    pandas-datareader sends the request, in our session, and takes the file apart. By itself it would ask over
    plain HTTP, unpack whatever a zip holds, and begin five years ago. The ``columns`` of an entry are the
    headers that must be there, spelt so. DataError where the file cannot be had, or is not in the layout of
    the library.
    """
    from pandas_datareader.famafrench import FamaFrenchReader

    from backtest.market.http import Session

    address = f"{(os.environ.get('ROTATION_FRENCH_URL') or ADDRESS).rstrip('/')}/{file}_CSV.zip"
    with Session(file) as session:
        reader = FamaFrenchReader(file, "1700-01-01", "2200-01-01", retry_count=0, session=session)
        content = reader._get_response(address).content
    text = _text(content, file)
    reader._read_zipfile = lambda _: text
    try:
        tables = reader.read()
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise DataError(f"{file} was refused: it is not in the layout of the library ({error})") from None
    titles = {int(number): title for number, title in _TITLE.findall(tables["DESCR"])}
    return lambda entry: _table(entry, tables, titles, address, content)


def _text(content: bytes, file: str) -> str:
    """Return the text of a file, whole, in the layout that pandas-datareader's parser takes."""
    text = decoded(unzipped(content, file), file)
    if not re.search(r"^\s*Copyright \d{4}", text, re.MULTILINE):
        raise DataError(f"{file} was refused: its last line is missing, so the file ended early")
    # It splits at empty lines of Windows: other line ends would make the file one block, and of two empty
    # lines it would take the second for a header.
    return re.sub(r"(\r\n){3,}", r"\r\n\r\n", re.sub(r"\r?\n", "\r\n", text))


def _table(
    entry: Entry, tables: dict[Any, Any], titles: dict[int, str], url: str, content: bytes
) -> SourceTable:
    import pandas as pd

    wanted = entry.told(Title).table
    for number, title in titles.items():
        frame = tables[number]
        fits = bool(re.search(wanted, title)) if wanted else True
        if fits and frame.index.freqstr.startswith(_FREQUENCY[entry.frequency]):
            break
    else:
        raise DataError(f"{entry.id} was refused: the file has no {entry.frequency} table '{wanted}'")
    headers = [str(header).strip() for header in frame.columns]
    for column in entry.columns:
        if headers.count(column) != 1:
            raise DataError(
                f"{entry.id} was refused: it has no column '{column}' (a spreadsheet mangles such "
                f"headers); there are: {', '.join(headers)}"
            )
    chosen = frame.set_axis(headers, axis=1)[list(entry.columns)]
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in chosen.dtypes):
        raise DataError(f"{entry.id} was refused: there is something else than numbers in it")
    values = chosen.to_numpy(dtype=np.float64)
    if np.isnan(values).any():  # the library never leaves a field empty
        at = frame.index[np.isnan(values).any(axis=1).argmax()]
        raise DataError(f"{entry.id} was refused: the line of {at} lacks a value")
    values = np.where(np.isin(values, GAPS), np.nan, values)
    dates = to_days(frame.index.to_timestamp(how="start").to_numpy())
    return SourceTable.of(entry.columns, dates, values, url, content)
