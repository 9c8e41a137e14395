"""FRED: the Federal Reserve Bank of St. Louis' series, by the transport of pandas-datareader."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from pandas_datareader.fred import FredReader

from backtest.market.sources import alfred
from backtest.market.sources.base import Table
from backtest.market.sources.http import Session
from backtest.market.sources.text import decoded, read_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.errors import DataError
    from backtest.market.entry import Entry

ADDRESS = "https://fred.stlouisfed.org/graph/fredgraph.csv"


class _Reader(FredReader):  # type: ignore[misc] # it has no types
    """pandas-datareader's reader with our session, and without its parser.

    Its parser skips the first line unread and takes what follows for data: an error page or another
    series would pass; and it begins five years ago unless told otherwise. The retries are the session's.
    """

    def __init__(self, series: str, base: str) -> None:
        super().__init__(series, start="1700-01-01", retry_count=0, session=Session(series))
        self._base = base

    @property
    def url(self) -> str:
        """The address of the series."""
        return f"{self._base}?id={self.symbols}"

    def content(self) -> bytes:
        """Return the bytes of the answer."""
        try:
            return self._get_response(self.url).content
        finally:
            self.close()


class Fred:
    """Downloads ``fredgraph.csv``; ``ROTATION_FRED_URL`` names a mirror."""

    def download(self, entries: Sequence[Entry]) -> dict[str, Table | DataError]:
        """Return one series, whole.

        Raises
        ------
        DataError
            When it cannot be had, or the answer is not that series in FRED's layout.
        """
        (entry,) = entries
        if alfred.wanted(entry):
            return {entry.id: alfred.releases(entry)}
        reader = _Reader(entry.download, os.environ.get("ROTATION_FRED_URL") or ADDRESS)
        content = reader.content()
        text = decoded(content, entry.id)
        dates, values = read_series(
            text, entry.id, headers=("observation_date", "DATE"), column=entry.download
        )
        sha256 = hashlib.sha256(content).hexdigest()
        return {entry.id: Table(dates, (entry.id,), values[:, None], reader.url, sha256)}
