"""ALFRED: the days on which FRED's figures were really released, by fredapi, an optional extra with a key."""

from __future__ import annotations

import hashlib
import os
import socket
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.release import known_at
from backtest.market.sources.base import Table
from backtest.market.sources.http import timeout_seconds

if TYPE_CHECKING:
    from backtest.market.entry import Entry

MOST_ROWS = 100_000
"""ALFRED answers with no more rows than this, and fredapi does not ask for the rest."""


def wanted(entry: Entry) -> bool:
    """Return whether to ask ALFRED: the catalogue says so, a key is set and fredapi is installed."""
    import importlib.util

    has_key = bool(os.environ.get("FRED_API_KEY")) and importlib.util.find_spec("fredapi") is not None
    return "vintages" in entry.options and has_key


def releases(entry: Entry) -> Table:
    """Return a series with the day of each value's first release.

    The option ``vintages`` says which values: ``first`` as first released, or ``latest``, for a series
    whose base year moves, so that values of different releases cannot stand beside each other. What was
    in ALFRED's first vintage had been released before there was an ALFRED: the catalogue's rule dates it.

    Raises
    ------
    DataError
        When the answer cannot be had, or is cut at the most rows that ALFRED gives.
    """
    import fredapi

    reader = fredapi.Fred()
    reader.root_url = os.environ.get("ROTATION_ALFRED_URL") or fredapi.Fred.root_url
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout_seconds())  # fredapi would wait for ever
    try:
        frame: Any = reader.get_series_all_releases(entry.download)
    except (OSError, ValueError, SyntaxError) as error:  # SyntaxError: XML that is none
        raise DataError(f"{entry.id} could not be fetched from ALFRED: {error}") from None
    finally:
        socket.setdefaulttimeout(before)
    if len(frame) >= MOST_ROWS:
        raise DataError(f"{entry.id} was refused: ALFRED cut its answer at {MOST_ROWS:,} rows")
    # fredapi marks a missing value by NaN, which pandas makes a NaT of among objects.
    frame = frame.dropna(subset=["value"]) if len(frame) else frame
    if frame.empty:
        raise DataError(f"{entry.id} was refused: ALFRED has no value of it")
    frame = frame.astype({"value": float}).sort_values(["date", "realtime_start"])
    first, last = frame.groupby("date").first(), frame.groupby("date").last()
    dates = to_days(first.index.to_numpy())
    released = to_days(first["realtime_start"].to_numpy())
    by_rule = known_at(entry.known_at, dates)
    announced = np.where(released == released.min(), np.minimum(by_rule, released), released)
    # A month that was left out and came later was known after its successor: as of then, not before.
    announced = np.maximum.accumulate(announced)
    chosen = first if entry.options["vintages"] == "first" else last
    values = chosen["value"].to_numpy(dtype=np.float64)
    address = f"{reader.root_url}/series/observations?series_id={entry.download}"
    sha256 = hashlib.sha256(frame.to_csv().encode()).hexdigest()
    return Table(dates, (entry.id,), values[:, None], address, sha256, announced)
