"""Policy rates as the Bank for International Settlements collects them, from its columnar archive."""

from __future__ import annotations

import csv
import os
import re
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import SourceTable
from backtest.market.sources import source_of_files
from backtest.market.text import decoded, number_of, unzipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.market.entry import Entry

ADDRESS = "https://data.bis.org/static/bulk"

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LONGEST = 10**6  # characters of one field


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of an economy, as the file has it: ``GB``, ``XM``."""

    area: str


@source_of_files("bis", Area)
def bis(file: str) -> Callable[[Entry], SourceTable]:
    """Return the daily rates of areas, by the days of effect; ``ROTATION_BIS_URL`` names a mirror.

    The archive of 0.3 MB has a row a series and a column a period, so all areas come with one request; the
    flat one of the same data unpacks to 470 MB and is never asked for. Left out are days on which an area has
    no value (weekends of most, times without a rate), and what its bank did not decide. DataError where the
    archive cannot be had, or is not in this layout.
    """
    from backtest.market.http import Session

    address = f"{(os.environ.get('ROTATION_BIS_URL') or ADDRESS).rstrip('/')}/{file}.zip"
    with Session(file) as session:
        content = session.get(address).content
    csv.field_size_limit(_LONGEST)
    try:
        header, *rows = csv.reader(decoded(unzipped(content, file), file).splitlines(), strict=True)
    except (csv.Error, ValueError) as error:
        raise DataError(f"{file} was refused: it is not a CSV file with a header ({error})") from None
    at = {name: header.index(name) for name in ("FREQ", "REF_AREA") if name in header}
    days = [(i, name) for i, name in enumerate(header) if _DAY.fullmatch(name)]
    if len(at) < 2 or not days:
        raise DataError(f"{file} was refused: its header has no FREQ, no REF_AREA or no days")
    daily = {row[at["REF_AREA"]]: row for row in rows if len(row) == len(header) and row[at["FREQ"]] == "D"}

    def rate(entry: Entry) -> SourceTable:
        area, where = entry.told(Area).area, f"{entry.id} was refused"
        row = daily.get(area)
        if row is None:
            raise DataError(f"{where}: the file has no whole daily row of its area")
        first = str(entry.decided.since) if entry.decided else ""
        last = str(entry.decided.until) if entry.decided and entry.decided.until else "9999"
        there = [(i, day) for i, day in days if first <= day <= last and row[i].strip()]
        values = np.array([number_of(row[i], f"{where}: {day}") for i, day in there])
        dates = to_days([day for _, day in there])
        return SourceTable.of(entry.id, dates, values, f"{address} ({area})", content)

    return rate
