"""Local series: Parquet files beside a market file, each of which says itself what it holds.

A market file names them as ``returns.parquet[small]``. A file has a column ``date`` and one or several of
values; its metadata hold, under ``size-rotation``, what the catalogue would say of a series (as JSON).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.files import in_arrow, require_regular, unchanged
from backtest.market.entry import SourceTable
from backtest.market.sources import source

if TYPE_CHECKING:
    from backtest.dates import Days, Floats
    from backtest.market.entry import Entry

LOCAL_FILE = "file"
"""The source of a series that lies beside its market file."""

_KEY = b"size-rotation"
_NAME = re.compile(r"(?P<file>[^\[\]/\\]+\.parquet)(?P<column>\[[^\[\]]+\])?")


def is_local(id: str) -> bool:
    """Return whether a series' id is a Parquet file."""
    return id.endswith(".parquet")


def beside(content: Any, folder: Path) -> Any:
    """Return a market file's content with the names of local series made paths in its folder."""
    if isinstance(content, dict):
        return {beside(key, folder): beside(value, folder) for key, value in content.items()}
    if isinstance(content, list):
        return [beside(item, folder) for item in content]
    if isinstance(content, str) and _NAME.fullmatch(content):
        return f"{folder.absolute()}/{content}"
    return content


def write_local(path: Path, dates: Days, columns: dict[str, Floats], about: dict[str, str]) -> None:
    """Write a file of local series.

    Parameters
    ----------
    path
        A new ``.parquet`` file.
    dates
        (n,) datetime64[D], increasing.
    columns
        Names to (n,) float64; NaN where there is no value.
    about
        ``title``, ``unit``, ``frequency``, ``known_at``, ``kind``: as in the catalogue.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"date": pa.array(dates), **{name: pa.array(values) for name, values in columns.items()}}
    )
    pq.write_table(table.replace_schema_metadata({_KEY: json.dumps(about).encode()}), path)


def describe(path: Path) -> dict[str, Any]:
    """Return what a file says of itself, as the catalogue writes it.

    Raises
    ------
    DataError
        When there is no such file, or it says nothing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        require_regular(path)
        schema = pq.read_schema(path)
        names = schema.names  # decoded only when it is asked for
    except FileNotFoundError:
        raise DataError(f"the market's file {path.name} is missing from {path.parent}") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a Parquet file: {error}") from None
    said = (schema.metadata or {}).get(_KEY)
    if said is None or "date" not in names:
        raise DataError(f"{path} does not say what it holds; make it anew with: rotation universe build")
    values = [name for name in names if name != "date"]
    try:
        about = msgspec.json.decode(said, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise damaged(path) from None
    return {
        **about,
        "source": LOCAL_FILE,
        "path": str(path),
        "columns": values if len(values) > 1 else [],
    }


def damaged(path: Path, why: str = "") -> DataError:
    """Return the error that says that a file's own words are damaged."""
    return DataError(
        f"what {path} says of itself is damaged{why}; make it anew with: rotation universe build"
    )


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the file is."""

    path: str


@source(LOCAL_FILE, options=Place, carried=True)
def local(entry: Entry) -> SourceTable:
    """Return the columns of a file; DataError where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(entry.told(Place).path)
    try:
        content = unchanged(path)
        table = pq.read_table(in_arrow(content))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged ({error}); make it anew with: rotation universe build") from None
    names = [name for name in table.column_names if name != "date"]
    try:
        values = np.column_stack([table[name].to_numpy().astype(np.float64) for name in names])
        dates = to_days(table["date"].to_numpy())
    except (ValueError, TypeError):
        raise DataError(f"{path} has something else than dates and numbers in its columns") from None
    return SourceTable.of(tuple(names), dates, values, f"file {path.name}", content)
