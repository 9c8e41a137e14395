"""The store: every downloaded or imported series on disk, each vintage of it a Parquet file and its record.

    DATA/ID/0c88f9d1e2a74b55.parquet    the values; the name is the beginning of the file's own checksum
    DATA/ID/1a2b3c4d5e6f.json           the record: address, time, checksum, first, last, rows

A vintage is named by a hash of its values, and its record is renamed into place after its values. So a
vintage is there whole or not at all whenever a process dies, and two processes that store at once cannot
disturb each other; no lock is needed. The vintage that arrived last is the current one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError, UsageError
from backtest.files import content_of, in_arrow, whole_file
from backtest.folders import expanded
from backtest.market.entry import (
    Entry,
    SourceTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.^=-]{0,79}")
_RECORD = re.compile(r"[0-9a-f]{12}\.json")


def data_folder() -> Path:
    """Return where series are stored: ``ROTATION_DATA``, else the user's data folder by platformdirs."""
    given = os.environ.get("ROTATION_DATA")
    if given:
        return expanded(given)
    import platformdirs

    return platformdirs.user_data_path("size-rotation", appauthor=False)


@dataclass(frozen=True)
class Vintage:
    """What is written down about one stored vintage.

    ``downloaded`` is the time at which the values were last seen at ``address`` (UTC, ISO), ``sha256`` the
    checksum of the Parquet file, ``answer_sha256`` that of the bytes it was read from. ``entry`` describes
    a series that the catalogue does not have, because a user brought it; ``seal`` is its checksum.
    """

    id: str
    vintage: str
    address: str
    downloaded: str
    sha256: str
    answer_sha256: str
    first: str
    last: str
    rows: int
    columns: list[str]
    notes: list[str] = field(default_factory=list)
    entry: Entry | None = None
    seal: str = ""

    @property
    def file(self) -> str:
        """The name of the file with the values."""
        return f"{self.sha256[:16]}.parquet"

    @property
    def origin(self) -> str:
        """Where the values come from, for people."""
        return f"{self.address}, seen {self.downloaded[:10]}, vintage {self.vintage}"

    @property
    def age(self) -> float:
        """Seconds since ``downloaded``."""
        return time.time() - dt.datetime.fromisoformat(self.downloaded).timestamp()


class Store:
    """The series stored in one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = data_folder() if folder is None else folder

    def _home(self, id: str) -> Path:
        if not _ID.fullmatch(id) or id.endswith("."):
            raise UsageError(f"'{id}' cannot name a series; use letters, digits and _ . - only")
        return self.folder / id

    def ids(self) -> list[str]:
        """Return the ids of which something is stored; folders that are not the store's are passed over."""
        if not self.folder.is_dir():
            return []
        return sorted(p.name for p in self.folder.iterdir() if _ID.fullmatch(p.name) and any(_records(p)))

    def vintages(self, id: str) -> list[Vintage]:
        """Return the records of one series, the current vintage last.

        Raises
        ------
        DataError
            When a record is damaged.
        """
        records = []
        for path in _records(self._home(id)):
            try:
                record = msgspec.json.decode(content_of(path), type=Vintage)
            except (OSError, ValueError, msgspec.DecodeError) as error:
                raise DataError(
                    f"the record {path} is damaged ({error}); delete the file and store {id} again"
                ) from None
            if record != sealed(record) or (record.id, f"{record.vintage}.json") != (id, path.name):
                raise DataError(f"the record {path} is not what was stored; delete it and store {id} again")
            records.append(record)
        return sorted(records, key=lambda record: (record.downloaded, record.vintage))

    def current(self, id: str) -> Vintage | None:
        """Return the record of the vintage that arrived last; None where nothing is stored."""
        records = self.vintages(id)
        return records[-1] if records else None

    def find(self, id: str, vintage: str | None = None) -> Vintage:
        """Return the record of one vintage (its first letters will do), by default of the current one.

        Raises
        ------
        DataError
            When it is not stored; the sentence says which command gets it, or which vintages there are.
        """
        records = self.vintages(id)
        if not records:
            raise DataError(f"{id} is not stored in {self.folder}; get it with: rotation data fetch {id}")
        if vintage is None:
            return records[-1]
        found = [record for record in records if record.vintage.startswith(vintage)]
        if len(found) != 1:
            known = ", ".join(f"{r.vintage} ({r.downloaded[:10]})" for r in records)
            raise DataError(f"{id} has no vintage '{vintage}'; there are: {known}")
        return found[0]

    def read(self, record: Vintage) -> SourceTable:
        """Return the values of a vintage after comparing the file with its checksum.

        Raises
        ------
        DataError
            When the file is missing, or not the one that was stored.
        """
        import pyarrow.parquet as pq

        path = self._home(record.id) / record.file
        cure = f"delete {path.parent} and store {record.id} again"
        try:
            content = content_of(path)
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}); {cure}") from None
        if hashlib.sha256(content).hexdigest() != record.sha256:
            raise DataError(f"{path} is damaged: its checksum is not the one it was stored with; {cure}")
        frame = pq.read_table(in_arrow(content))
        dates = to_days(frame["date"].to_numpy())
        announced = to_days(frame["announced"].to_numpy()) if "announced" in frame.column_names else None
        columns = [frame[f"value:{name}"].to_numpy() for name in record.columns]
        table = SourceTable(
            dates,
            tuple(record.columns),
            np.column_stack(columns),
            record.origin,
            record.sha256,
            announced,
        )
        if vintage_of(table) != record.vintage:
            raise DataError(f"{path} has other values than its name says; {cure}")
        return table

    def save(
        self, id: str, table: SourceTable, notes: list[str] | None = None, entry: Entry | None = None
    ) -> Vintage:
        """Store a table as the current vintage and return its record; errors as ``whole_file``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        home = self._home(id)
        vintage = vintage_of(table)
        arrays = {"date": pa.array(table.dates)}
        if table.announced is not None:
            arrays["announced"] = pa.array(table.announced)
        for name, column in zip(table.columns, table.values.T, strict=True):
            arrays[f"value:{name}"] = pa.array(np.ascontiguousarray(column))
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(arrays), sink)
        content = sink.getvalue().to_pybytes()
        unsealed = Vintage(
            id=id,
            vintage=vintage,
            address=table.origin,
            downloaded=dt.datetime.now(tz=dt.UTC).isoformat(timespec="microseconds"),
            sha256=hashlib.sha256(content).hexdigest(),
            answer_sha256=table.sha256,
            first=str(table.dates[0]),
            last=str(table.dates[-1]),
            rows=len(table.dates),
            columns=list(table.columns),
            notes=notes or [],
            entry=entry,
        )
        record = sealed(unsealed)
        written = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
        for name, part in ((record.file, content), (f"{vintage}.json", written)):
            with whole_file(home / name, id, "free the disk, or name another folder with --data-dir") as file:
                file.write(part)
        return record


def sealed(record: Vintage) -> Vintage:
    """Return a record with the checksum of what it says."""
    told = msgspec.json.encode(replace(record, seal=""))
    return replace(record, seal=hashlib.sha256(told).hexdigest())


def vintage_of(table: SourceTable) -> str:
    """Return the name of a table's values: the first 12 digits of a sha256 over dates and numbers."""
    digest = hashlib.sha256("\n".join(table.columns).encode())
    digest.update(table.dates.astype("<i8").tobytes())
    digest.update(table.values.astype("<f8").tobytes())
    if table.announced is not None:
        digest.update(table.announced.astype("<i8").tobytes())
    return digest.hexdigest()[:12]


def _records(home: Path) -> Iterator[Path]:
    """Yield the records in a series' folder; other JSON files there are somebody else's."""
    return (path for path in home.glob("*.json") if _RECORD.fullmatch(path.name))
