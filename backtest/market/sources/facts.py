"""The project's own tables of public facts, with their sources in their first lines."""

from __future__ import annotations

import csv
import hashlib
import re
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from backtest.dates import parse_day, to_days
from backtest.folders import shipped
from backtest.market.entry import SourceTable
from backtest.market.sources import source

if TYPE_CHECKING:
    from backtest.market.entry import Entry

_CHECKED = re.compile(rb"^# checked-through: (\S+)$", re.MULTILINE)


class FactsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of ``data/``, its columns of dates and values, and which number a word of these is."""

    file: str
    date: str
    column: str
    words: dict[str, float] = {}


@source("facts", options=FactsFile, carried=True)
def facts(entry: Entry) -> SourceTable:
    """Return a column by the dates of another; ``# checked-through: DATE`` says how far it speaks."""
    told = entry.told(FactsFile)
    content = (shipped("data") / told.file).read_bytes()
    lines = [line for line in content.decode("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    values = np.array(
        [told.words[row[told.column]] if told.words else float(row[told.column]) for row in rows]
    )
    announced = to_days([row["announced"] or "NaT" for row in rows]) if told.words else None
    checked = _CHECKED.search(content)
    return SourceTable(
        dates=to_days([row[told.date] for row in rows]),
        columns=(entry.id,),
        values=values[:, None],
        origin=f"the project's table {told.file}",
        sha256=hashlib.sha256(content).hexdigest(),
        announced=announced,
        checked=parse_day(checked[1].decode(), told.file) if checked else None,
    )
