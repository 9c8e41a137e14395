"""FRED: the Federal Reserve Bank of St. Louis' series, and by ALFRED the days of their real release.

FRED answers through the transport of pandas-datareader. ALFRED needs fredapi, an optional extra, and a key.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import Entry, SourceTable
from backtest.market.release import known_at
from backtest.market.sources import source
from backtest.market.text import decoded, read_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Releases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which values to take where ALFRED is asked: as first released, or as of now; empty: it is not asked."""

    vintages: Literal["", "first", "latest"] = ""


@source("fred", options=Releases)
def fred(entry: Entry) -> SourceTable:
    """Return one series, whole, from ``fredgraph.csv``; ``ROTATION_FRED_URL`` names a mirror.

    pandas-datareader has the address and sends the request, in our session. Its parser is not used: it skips
    the first line unread, so that an error page or another series would pass. DataError where the series
    cannot be had, or the answer is not that series in FRED's layout.
    """
    if entry.told(Releases).vintages and _has_key():
        return _releases(entry)
    from pandas_datareader.fred import FredReader

    from backtest.market.http import Session

    with Session(entry.download) as session:
        reader = FredReader(entry.download, retry_count=0, session=session)
        address = f"{os.environ.get('ROTATION_FRED_URL') or reader.url}?id={entry.download}"
        content = reader._get_response(address).content
    text = decoded(content, entry.id)
    dates, values = read_series(text, entry.id, headers=("observation_date", "DATE"), column=entry.download)
    return SourceTable.of(entry.id, dates, values, address, content)


MOST_ROWS = 100_000
"""ALFRED answers with no more rows than this, and fredapi does not ask for the rest."""


def _has_key() -> bool:
    return bool(os.environ.get("FRED_API_KEY")) and importlib.util.find_spec("fredapi") is not None


@contextlib.contextmanager
def _asking(what: str) -> Iterator[Any]:
    """Give fredapi's reader, which without a limit would wait for ever; DataError where it has no answer."""
    import fredapi

    from backtest.market.http import timeout_seconds

    reader = fredapi.Fred()
    reader.root_url = os.environ.get("ROTATION_ALFRED_URL") or fredapi.Fred.root_url
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout_seconds())
    try:
        yield reader
    except (OSError, ValueError, SyntaxError) as error:  # SyntaxError: XML that is none
        raise DataError(f"{what}: {error}") from None
    finally:
        socket.setdefaulttimeout(before)


_TITLES = 20  # of what FRED finds; the best come first


def titled(words: Sequence[str]) -> list[Entry]:
    """Return the series that FRED finds for some words, by its own rank; none without a key and fredapi.

    Their release rule is not known: nobody but the user can say it. DataError where FRED does not answer.
    """
    if not _has_key():
        return []
    with _asking("FRED's titles could not be searched") as reader:
        frame = reader.search(" ".join(words), limit=_TITLES)
    if frame is None:
        return []
    return [
        Entry(row.id, str(row.title), "fred", str(row.units), str(row.frequency).lower(), "", download=row.id)
        for row in frame.itertuples(index=False)
    ]


def _releases(entry: Entry) -> SourceTable:
    """Return a series with the day of each value's first release, by ALFRED.

    The option ``vintages`` says which values: ``first`` as first released, or ``latest``, for a series
    whose base year moves, so that values of different releases cannot stand beside each other. What was
    in ALFRED's first vintage had been released before there was an ALFRED: the catalogue's rule dates it.

    Raises
    ------
    DataError
        When the answer cannot be had, or is cut at the most rows that ALFRED gives.
    """
    with _asking(f"{entry.id} could not be fetched from ALFRED") as reader:
        frame: Any = reader.get_series_all_releases(entry.download)
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
    chosen = first if entry.told(Releases).vintages == "first" else last
    values = chosen["value"].to_numpy(dtype=np.float64)
    address = f"{reader.root_url}/series/observations?series_id={entry.download}"
    return SourceTable.of(entry.id, dates, values, address, frame.to_csv().encode(), announced)
