"""Showing a series: what is written down about it, and its values with the days they became known."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.market.catalogue import entry
from backtest.market.reading import CARRIED, read
from backtest.market.release import AFTER_THE_FACT, known_at
from backtest.market.sources.base import Table
from backtest.market.store import Store


def show_series(id: str, tail: int, vintage: str | None = None) -> dict[str, Any]:
    """Return a series' description, its vintages and its last ``tail`` rows (0: all), ready for JSON.

    Raises
    ------
    UsageError
        When there is no such series.
    DataError
        When it is not stored, or damaged.
    """
    about = entry(id)
    vintages, notes = [], []
    if about.source in CARRIED:
        series = read(about)
        table = Table(
            series.dates, (about.id,), series.values[:, None], series.origin, series.sha256, series.announced
        )
        last, sha256 = str(series.last), series.sha256
    else:
        store = Store()
        record = store.find(id, vintage)
        table = store.read(record)
        last, sha256, notes = record.last, record.sha256, record.notes
        vintages = [
            {
                "vintage": r.vintage,
                "downloaded": r.downloaded,
                "first": r.first,
                "last": r.last,
                "rows": r.rows,
            }
            for r in store.vintages(id)
        ]
    if about.known_at == AFTER_THE_FACT:
        known = np.full(len(table.dates), np.datetime64("NaT"), dtype="datetime64[D]")
    elif table.announced is not None:
        known = table.announced
    else:
        known = known_at(about.known_at, table.dates)
    return {
        "id": about.id,
        "title": about.title,
        "source": table.address,
        "unit": about.unit,
        "frequency": about.frequency,
        "known_at": about.rule,
        "first": str(table.dates[0]),
        "last": last,
        "sha256": sha256,
        "notes": notes,
        "vintages": vintages,
        "rows": [_row(table, known, i) for i in range(len(table.dates))[-tail if tail else 0 :]],
    }


def _row(table: Table, known: np.ndarray, i: int) -> dict[str, Any]:
    values = (None if np.isnan(v) else float(v) for v in table.values[i])
    return {
        "date": str(table.dates[i]),
        "known_at": None if np.isnat(known[i]) else str(known[i]),
        **dict(zip(table.columns, values, strict=True)),
    }
