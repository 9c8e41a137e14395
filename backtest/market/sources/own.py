"""Files of a user's own: a column of dates and one of numbers, as CSV or as Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.files import in_arrow
from backtest.market.entry import SourceTable
from backtest.market.sources import source_to_bring
from backtest.market.text import GAPS, column_at, decoded, read_series, refuse_disorder

if TYPE_CHECKING:
    from backtest.dates import Days, Floats
    from backtest.market.entry import Entry

OWN = "import"
"""The source of a series that a user brought."""


class OwnColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header of the values; None where there is one column of them."""

    column: str | None = None


def is_parquet(content: bytes, file: str) -> bool:
    """Return whether a file is one of Parquet, by its name or by how it begins."""
    return file.lower().endswith((".parquet", ".pq")) or content.startswith(b"PAR1")


@source_to_bring(OWN, "it is a file of your own; take a newer one", options=OwnColumn)
def own(entry: Entry, content: bytes, file: str) -> SourceTable:
    """Return the dates and values of a file.

    Raises
    ------
    UsageError
        When there are several columns, and none is named.
    DataError
        When the file cannot be right; the sentence names the line or the row.
    """
    column = entry.told(OwnColumn).column
    if is_parquet(content, file):
        dates, values = _of_parquet(content, file, column)
    else:
        dates, values = read_series(decoded(content, file), file, headers=None, column=column)
    return SourceTable.of(entry.id, dates, values, f"file {file}", content)


def _of_parquet(content: bytes, what: str, column: str | None) -> tuple[Days, Floats]:
    import pandas as pd
    import pyarrow as pa

    try:
        frame: Any = pd.read_parquet(in_arrow(content))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{what} was refused: it is not a Parquet file ({error})") from None
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    if len(names) < 2:
        raise DataError(f"{what} was refused: it has no column of dates and one of values")
    at = column_at(names, what, column)
    try:
        # A time zone is dropped, not converted: the day it was where the file was made, as for the ETFs.
        stamps = pd.to_datetime(frame.iloc[:, 0], format="ISO8601").dt.tz_localize(None)
        dates = to_days(stamps.to_numpy())
        values = frame.iloc[:, at].to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(f"{what} was refused: its columns are not dates and numbers ({error})") from None
    if np.isnat(dates).any():
        raise DataError(f"{what} was refused: row {int(np.isnat(dates).argmax()) + 1} has no date")
    refuse_disorder(dates, what, "row", range(1, len(dates) + 1))
    return dates, np.where(np.isin(values, GAPS), np.nan, values)
