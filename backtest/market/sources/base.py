"""What every source gives: dates and values as published, and where exactly they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from backtest.dates import Days, Floats
    from backtest.errors import DataError
    from backtest.market.entry import Entry


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """A series as its source has it.

    Parameters
    ----------
    dates, values
        (n,) datetime64[D] as stamped by the source, and (n,) float64 in the catalogue's unit; without
        missing values.
    origin
        Where the values come from, for people.
    sha256
        Of the bytes they were read from.
    last
        The last day that the source speaks for: of a table of changes the day to which it has been
        checked, which may be much later than the last change.
    announced
        (n,) datetime64[D]: when each value was announced, where the source says so; NaT where it was not.
    """

    dates: Days
    values: Floats
    origin: str
    sha256: str
    last: np.datetime64
    announced: Days | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """A series as it arrives from a server or a file, before it is checked and stored.

    Parameters
    ----------
    dates
        (n,) datetime64[D] as stamped by the source.
    columns
        The names of its columns; a series of single values has one, named as the series.
    values
        (n, n_columns) float64 in the catalogue's unit; NaN where a value is missing.
    address
        Where it came from: a URL or the name of a file.
    answer_sha256
        Of the bytes that came from there.
    announced
        (n,) datetime64[D]: when each row became known, where the source says so.
    """

    dates: Days
    columns: tuple[str, ...]
    values: Floats
    address: str
    answer_sha256: str
    announced: Days | None = None


class Source(Protocol):
    """Reads the series of the catalogue that name it, from this computer."""

    def read(self, entry: Entry) -> SourceSeries:
        """Return the values of one series; DataError where they cannot be had."""


class Remote(Protocol):
    """Downloads the series of the catalogue that name it, for the store."""

    def download(self, entries: Sequence[Entry]) -> dict[str, Table | DataError]:
        """Return the tables by id of entries that come from one file (their ``download``).

        DataError where the file cannot be had; where only a part of it is not what the catalogue says, the
        error stands in the place of that part's table.
        """
