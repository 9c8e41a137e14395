"""Showing a series: what is written down about it, and its values with the days they became known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError, joined
from backtest.market.catalogue import catalogue, entry
from backtest.market.definition import roles_like
from backtest.market.reading import carried, known, table_of
from backtest.market.store import Store

if TYPE_CHECKING:
    from backtest.market.entry import SourceTable


def show_series(id: str, tail: int, vintage: str | None = None) -> dict[str, Any]:
    """Return a series' description, its vintages and its last ``tail`` rows (0: all), ready for JSON.

    Raises
    ------
    UsageError
        When there is no such series.
    DataError
        When it is not stored, or damaged.
    """
    if id not in catalogue() and id not in Store().ids() and (made := roles_like([id]).get(id)):
        each = "; ".join(f"{words} on {joined(markets)}" for words, markets in made.items())
        raise UsageError(
            f"'{id}' is no series but what markets make of some: {each}; show one of those, such as: "
            f"rotation data show {re.split(r'[ ,[]', next(iter(made)))[0]}"
        )
    about = entry(id)
    vintages, notes = [], []
    table = table_of(about, vintage)
    last, origin, became_known = table.last, table.origin, known(about, table)
    if not carried(about):
        store = Store()
        record = store.find(id, vintage)
        origin, notes = record.address, record.notes
        shown = ("vintage", "downloaded", "first", "last", "rows")
        vintages = [{name: getattr(r, name) for name in shown} for r in store.vintages(id)]
    return {
        "id": about.id,
        "title": about.title,
        "source": origin,
        "unit": about.unit,
        "frequency": about.frequency,
        "known_at": about.rule,
        "first": str(table.dates[0]),
        "last": str(last),
        "sha256": table.sha256,
        "notes": notes,
        "vintages": vintages,
        "rows": [_row(table, became_known, i) for i in range(len(table.dates))[-tail if tail else 0 :]],
    }


def _row(table: SourceTable, known: np.ndarray, i: int) -> dict[str, Any]:
    values = (None if np.isnan(v) else float(v) for v in table.values[i])
    return {
        "date": str(table.dates[i]),
        "known_at": None if np.isnat(known[i]) else str(known[i]),
        **dict(zip(table.columns, values, strict=True)),
    }
