"""The project's own tables of public facts, with their sources in their first lines."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from backtest.dates import parse_day, to_days
from backtest.folders import shipped
from backtest.market.sources import source
from backtest.market.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.errors import DataError
    from backtest.market.entry import Entry

_CHECKED = re.compile(rb"^# checked-through: (\S+)$", re.MULTILINE)


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of ``data/``, its columns of dates and values, and which number a word of these is."""

    file: str
    date: str
    column: str
    words: dict[str, float] = {}


@source("facts", options=Columns, carried=True)
def facts(entries: Sequence[Entry]) -> dict[str, Table | DataError]:
    """Return a column each by the dates of another; ``# checked-through: DATE`` says how far it speaks."""
    return {about.id: _column(about.id, about.told(Columns)) for about in entries}


def _column(id: str, told: Columns) -> Table:
    import pandas as pd

    content = (shipped("data") / told.file).read_bytes()
    table = pd.read_csv(BytesIO(content), comment="#")
    column = table[told.column]
    values = np.asarray(column.map(told.words) if told.words else column, dtype=np.float64)
    announced = to_days(pd.to_datetime(table["announced"]).to_numpy()) if told.words else None
    checked = _CHECKED.search(content)
    return Table(
        dates=to_days(table[told.date].to_numpy(dtype=str)),
        columns=(id,),
        values=values[:, None],
        origin=f"the project's table {told.file}",
        sha256=hashlib.sha256(content).hexdigest(),
        announced=announced,
        checked=parse_day(checked[1].decode(), told.file) if checked else None,
    )
