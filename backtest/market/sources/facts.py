"""The project's own tables of public facts, with their sources in their first lines."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.dates import parse_day, to_days
from backtest.folders import shipped
from backtest.market.sources.base import Table

if TYPE_CHECKING:
    from backtest.market.entry import Entry

_CHECKED = re.compile(rb"^# checked-through: (\S+)$", re.MULTILINE)


class Facts:
    """Reads a CSV of ``data/``; a line ``# checked-through: DATE`` says how far it speaks."""

    def read(self, entry: Entry) -> Table:
        """Return one column by the dates of another; ``words`` says which number a word of it stands for."""
        content = (shipped("data") / entry.options["file"]).read_bytes()
        table = pd.read_csv(BytesIO(content), comment="#")
        dates = to_days(table[entry.options["date"]].to_numpy(dtype=str))
        column = table[entry.options["column"]]
        words = entry.options.get("words")
        values = (column.map(words) if words else column).to_numpy(dtype=np.float64)
        announced = to_days(pd.to_datetime(table["announced"]).to_numpy()) if words else None
        checked = _CHECKED.search(content)
        last = parse_day(checked[1].decode(), entry.options["file"]) if checked else None
        origin = f"the project's table {entry.options['file']}"
        sha256 = hashlib.sha256(content).hexdigest()
        return Table(dates, (entry.id,), values[:, None], origin, sha256, announced, last)
