"""The workshop: a DuckDB session on a temporary folder, which works out of core within a memory limit."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import signal
import tempfile
import threading
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.compiling import threads
from backtest.errors import DataError, RotationError, UsageError
from backtest.files import held, require_regular, sweep
from backtest.spreadsheets import AS_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType, TracebackType

    import pandas as pd

MEMORY = "2GB"
"""What the queries may hold at once; Python and the compiled loops need about another gigabyte."""

_UNPACKED, _TIMES = 2**30, 100
"""How much may be in a packed file: so many bytes, or so many times its size; tables come to ten."""
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError)
"""What Python raises where a packed file is damaged, encrypted (RuntimeError) or packed in another way."""

_SIZE = re.compile(r"\d+(\.\d+)? ?(MB|GB|TB)", re.IGNORECASE)
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_LEFT = re.compile(r"rotation-universe-\w+")
_CSV = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".txt", ".txt.gz")
_PARQUET = (".parquet", ".pq")


def quoted(name: str) -> str:
    """Return a name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as SQL takes it."""
    return "'" + value.replace("'", "''") + "'"


def as_text(column: str, kind: str) -> str:
    """Return what SQL reads a column's text by; in a CSV it may be kept from being a formula."""
    written = f"trim({column}::VARCHAR)"
    if kind == "csv":
        written = f"regexp_replace({written}, {text(AS_WRITTEN)}, '\\1')"
    return f"nullif({written}, '')"


def as_number(column: str) -> str:
    """Return what SQL reads a column's text as a number by; NULL where it is none."""
    written = f"nullif(trim({column}::VARCHAR), '')"
    return f"CASE WHEN NOT contains({written}, '_') THEN try_cast({written} AS DOUBLE) END"


def as_day(column: str) -> str:
    """Return what SQL reads a column's text as a day by: 2024-06-28 or 20240628, of the years 1600 to 2199.

    The engine alone takes 22-12-31 for the year 22, and words such as epoch.
    """
    written = f"trim({column}::VARCHAR)"
    compact = f"CASE WHEN length({written}) = 8 THEN try_strptime({written}, '%Y%m%d')::DATE END"
    day = f"CASE WHEN {written} < ':' THEN coalesce(try_cast({written} AS DATE), {compact}) END"
    return f"CASE WHEN year({day}) BETWEEN 1600 AND 2199 THEN {day} END"


def names(found: Sequence[Path]) -> str:
    """Return paths as a list in SQL, each the one file of that name: DuckDB reads ``*?[`` as patterns."""
    return "[" + ", ".join(text(re.sub(r"([*?\[])", r"[\1]", str(file))) for file in found) + "]"


def parquet(found: Sequence[Path]) -> str:
    """Return what SQL reads Parquet files from; stamps with a time zone become the local time of that zone.

    DuckDB would show them in the zone of the machine, so that a day could be another one elsewhere.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for file in found:
        groups.setdefault(_zones(file), []).append(file)
    parts = []
    for zones, members in groups.items():
        local = ", ".join(f"{_local(quoted(column), zone)} AS {quoted(column)}" for column, zone in zones)
        chosen = f"* REPLACE ({local})" if local else "*"
        parts.append(f"SELECT {chosen} FROM read_parquet({names(members)}, union_by_name = true)")
    return f"({' UNION ALL BY NAME '.join(parts)})"


def _zones(file: Path) -> tuple[tuple[str, str], ...]:
    try:
        schema = pq.read_schema(file)
        return tuple((f.name, f.type.tz) for f in schema if pa.types.is_timestamp(f.type) and f.type.tz)
    except (pa.ArrowException, OSError):
        return ()  # DuckDB says what is wrong with it
    except UnicodeDecodeError:
        raise DataError(f"{file.name} cannot be read: a column has no name in UTF-8; get it again") from None


def _local(column: str, zone: str) -> str:
    offset = _OFFSET.fullmatch(zone)
    if offset is None:
        return f"timezone({text(zone)}, {column})"
    minutes = int(offset[2]) * 60 + int(offset[3])
    return f"make_timestamp(epoch_us({column})) {offset[1]} INTERVAL {minutes} MINUTE"


@dataclass(frozen=True)
class Relation:
    """Rows in a workshop, which alone can name them; in SQL they are read ``FROM {relation}``.

    Parameters
    ----------
    name
        What SQL knows them by.
    columns
        Each column, and its type as SQL calls it.
    """

    name: str
    columns: dict[str, str]

    def __str__(self) -> str:
        """Return the name, as SQL takes it."""
        return self.name


class _Interruptions:
    """Notes Ctrl-C: engines turn it into errors of their own, and what is being cleaned up must not stop.

    DuckDB itself hears of it on the main thread only, and then waits for what its own threads have in work,
    which may be the whole query; so they are told to stop.
    """

    def __init__(self) -> None:
        self.noted, self.held = False, True
        self.connection: duckdb.DuckDBPyConnection | None = None
        main = threading.current_thread() is threading.main_thread()
        self._installed = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._installed:
            signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - what a handler is given
        self.noted = True
        if self.connection is not None:
            self.connection.interrupt()
        if not self.held:
            raise KeyboardInterrupt

    def close(self) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class Workshop:
    """A session: ``with Workshop() as shop``; its temporary files go with it.

    Parameters
    ----------
    memory
        What the queries may hold at once, such as ``2GB``; what is larger goes to disk.
    folder
        Where the temporary files go; by default the system's own folder.
    """

    def __init__(self, memory: str = MEMORY, folder: Path | None = None) -> None:
        if not _SIZE.fullmatch(memory):
            raise UsageError(f"--memory takes a size such as 2GB, not '{memory}'")
        self._interruptions = _Interruptions()
        sweep(Path(folder or tempfile.gettempdir()), _LEFT)
        self.folder = Path(tempfile.mkdtemp(prefix="rotation-universe-", dir=folder))
        self._numbers = count()
        self._hold = ExitStack()
        self._hold.enter_context(held(self.folder))
        try:
            self.connection = duckdb.connect(str(self.folder / "workshop.duckdb"))
            self._interruptions.connection = self.connection
            self._set(f"memory_limit = '{memory}'")
            self._set(f"threads = {threads()}")
            self._set(f"temp_directory = {text(str(self.folder / 'spill'))}")
            self._set("preserve_insertion_order = false")
            self._set("enable_progress_bar = false")
        except duckdb.Error as error:
            self._close()
            raise UsageError(
                f"the queries cannot be set up with --memory {memory}; give a size such as 2GB "
                f"({str(error).splitlines()[0]})"
            ) from None

    def _set(self, setting: str) -> None:
        self.connection.execute(f"SET {setting}")

    def _close(self) -> None:
        self._interruptions.held = True
        self._interruptions.connection = None
        if hasattr(self, "connection"):
            self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._hold.close()
        self._interruptions.close()

    def __enter__(self) -> Workshop:
        try:
            self._interruptions.held = False
            if self._interruptions.noted:
                signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        # DuckDB says "Query interrupted", numba "no compiled object yet": the user only pressed Ctrl-C.
        if self._interruptions.noted and not isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt from None

    def _named(self, word: str) -> str:
        return f"{word}_{next(self._numbers)}"

    def relation(self, name: str) -> Relation:
        """Return the rows that were just put under a name."""
        return Relation(name, {row[0]: row[1] for row in self.rows(f"DESCRIBE {name}")})

    def table(self, word: str, sql: str) -> Relation:
        """Return a query's rows, stored; the word is for whoever reads an engine's message."""
        name = self._named(word)
        self.run(f"CREATE TABLE {name} AS {sql}")
        return self.relation(name)

    def view(self, word: str, sql: str) -> Relation:
        """Return a query's rows, found anew at each reading."""
        name = self._named(word)
        self.run(f"CREATE VIEW {name} AS {sql}")
        return self.relation(name)

    def told(
        self, word: str, rows: pd.DataFrame | pa.Table | pa.RecordBatchReader, sql: str = ""
    ) -> Relation:
        """Return the rows of a table or stream of Python's, stored; or those of a query ``FROM told``."""
        self.connection.register("told", rows)
        made = self.table(word, sql or "SELECT * FROM told")
        self.connection.unregister("told")
        return made

    def spool(self, word: str, schema: pa.Schema) -> Spool:
        """Return a place on disk for rows that come piece by piece."""
        return Spool(self, self._named(word), schema)

    def pieces(self, spooled: Relation, rows: int) -> Iterator[pa.RecordBatch]:
        """Give rows that were put on disk in the order in which they came, at most so many at a time."""
        with pq.ParquetFile(self.folder / f"{spooled}.parquet") as file:
            yield from file.iter_batches(rows)

    def read(self, path: Path) -> tuple[Relation, str]:
        """Return the rows of a file, a zip or a folder of them, and their kind; those of CSV are all text."""
        kind, found = files(path, self.folder)
        as_written = "all_varchar = true, header = true, union_by_name = true"
        reader = f"read_csv({names(found)}, {as_written})" if kind == "csv" else parquet(found)
        kept = self.table if kind == "csv" else self.view
        return kept("read", f"SELECT * FROM {reader}"), kind

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Execute a statement; DataError, with the engine's own first line, where it fails."""
        with _in_words():
            return self.connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with _in_words():
            return self.connection.execute(sql).fetchall()

    def value(self, sql: str) -> Any:
        """Return the first value of a query's first row."""
        return self.rows(sql)[0][0]

    def frame(self, sql: str) -> pd.DataFrame:
        """Return a query's rows as a pandas table."""
        with _in_words():
            return self.connection.execute(sql).df()

    def stream(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Give a query's rows in order, at most ``rows`` at a time; nothing else may run meanwhile."""
        with _in_words():
            yield from self.connection.sql(sql).to_arrow_reader(rows)


class Spool:
    """Rows on their way to disk; ``done`` closes it, and they are a relation."""

    def __init__(self, shop: Workshop, name: str, schema: pa.Schema) -> None:
        self._shop, self._name, self._schema = shop, name, schema
        self._place = shop.folder / f"{name}.parquet"
        self._writer = pq.ParquetWriter(self._place, schema, compression="lz4")

    def write(self, columns: Any) -> None:
        """Add rows: arrays of one length by the names of the schema."""
        self._writer.write_table(pa.table({name: columns[name] for name in self._schema.names}, self._schema))

    def done(self) -> Relation:
        """Return what was written."""
        self._writer.close()
        self._shop.run(f"CREATE VIEW {self._name} AS SELECT * FROM {parquet([self._place])}")
        return self._shop.relation(self._name)


@contextmanager
def _in_words() -> Iterator[None]:
    """Say for people what the engine says, also of values that it has but cannot hand out."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise RotationError(
            "the queries need more memory, or more disk for their temporary files; "
            "give them more with: --memory 4GB"
        ) from None
    except duckdb.Error as error:
        raise DataError(f"the table cannot be read: {str(error).splitlines()[0]}") from None


def files(path: Path, into: Path) -> tuple[str, list[Path]]:
    """Return ``csv`` or ``parquet``, and the files of a table: a file, a zip of them, or a folder of them.

    A zip is unpacked below ``into``.

    Raises
    ------
    UsageError
        When there is nothing there, or files of both kinds, or of neither.
    """
    if not path.exists():
        raise UsageError(f"there is no table '{path}'")
    found = sorted(p for p in path.rglob("*") if not p.is_dir()) if path.is_dir() else [path]
    unpacked: list[Path] = []
    for file in found:
        require_regular(file)
        unpacked.extend(_unpacked(file, into))
    csv = [p for p in unpacked if p.name.lower().endswith(_CSV)]
    parquet = [p for p in unpacked if p.name.lower().endswith(_PARQUET)]
    if csv and parquet:
        raise UsageError(f"{path} has CSV and Parquet files; a table is of one kind")
    if not csv and not parquet:
        raise UsageError(f"{path} is no table: name a CSV or Parquet file, a zip, or a folder of them")
    for file in csv:
        _refuse_no_text(file)
    return ("csv", csv) if csv else ("parquet", parquet)


def _refuse_no_text(file: Path) -> None:
    """Refuse a CSV file that is empty, or whose header is not UTF-8 text; DataError says how to save it."""
    if file.suffix.lower() == ".zst":  # only DuckDB unpacks it
        return
    with file.open("rb") as content:
        header = content.readline(2**16)
    if not header.strip():
        raise DataError(f"{file.name} is empty; name a file with a header and rows")
    if header.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in header:
        raise DataError(f"{file.name} is not UTF-8 text; save it as CSV in UTF-8, then read it again")


def _unpacked(file: Path, into: Path) -> list[Path]:
    """Return what is in a zip or gzip file, unpacked here: only so are its checksums compared."""
    kind = file.suffix.lower()
    if kind not in (".zip", ".gz"):
        return [file]
    target = Path(tempfile.mkdtemp(prefix=f"{file.stem[:60]}-", dir=into))
    room = max(_UNPACKED, _TIMES * file.stat().st_size)
    found: list[Path] = []
    try:
        with ExitStack() as stack:
            if kind == ".gz":
                packed: list[tuple[str, Any]] = [(file.stem, stack.enter_context(gzip.open(file)))]
            else:
                archive = stack.enter_context(zipfile.ZipFile(file))
                members = [each for each in archive.infolist() if not each.is_dir()]
                packed = [(Path(each.filename).name, archive.open(each)) for each in members]
            for number, (name, content) in enumerate(packed):
                place = target / str(number) / name
                place.parent.mkdir()
                with content, place.open("wb") as out:
                    while piece := content.read(2**20):
                        room -= out.write(piece)
                        if room < 0:
                            raise DataError(
                                f"{file} was refused: what is in it is more than {_TIMES} times its size"
                            )
                found.append(place)
    except (*BROKEN, OSError) as error:
        raise DataError(f"{file} cannot be unpacked: {error or type(error).__name__}; get it again") from None
    return found
