"""Tables: dates and values as a source has them, and where exactly they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from backtest.dates import Days, Floats


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A series as its source has it, undated: from the installation, a server, a file or the store.

    Parameters
    ----------
    dates
        (n,) datetime64[D] as stamped by the source.
    columns
        The names of its columns; a series of single values has one, named as the series.
    values
        (n, n_columns) float64 in the catalogue's unit; NaN where a value is missing.
    origin
        Where it came from, for people: a URL, the name of a file, a vintage of the store.
    sha256
        Of the bytes that came from there.
    announced
        (n,) datetime64[D]: when each row became known, where the source says so; NaT where it never was.
    checked
        The last day that the source speaks for, where that is not its last date: of a table of changes the
        day to which it has been looked up.
    """

    dates: Days
    columns: tuple[str, ...]
    values: Floats
    origin: str
    sha256: str
    announced: Days | None = None
    checked: np.datetime64 | None = None

    @property
    def last(self) -> np.datetime64:
        """The last day that it speaks for."""
        return self.dates[-1] if self.checked is None else self.checked
