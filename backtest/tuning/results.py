"""Results of a sweep: a Parquet dataset that grows chunk by chunk, and the manifest of what it is of.

Both carry their checksums. That of a part stands in its name, so that a part is there with it or not at
all, whoever else goes on with the same sweep; it is of its bytes, its number, and what the sweep is of.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import RotationError, UsageError
from backtest.files import content_of, in_arrow, whole_file, whole_folder
from backtest.measures import SWEPT
from backtest.terms import KEPT_OF_SWEEP
from backtest.tuning.trials import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from backtest.dates import Floats, Ints
    from backtest.market.data import MarketData
    from backtest.tuning.grid import Grid

MANIFEST = "manifest.json"
TRIALS = "trials"
GO_ON = "what was measured before is kept: free the disk and go on with --resume"
_CHUNK = re.compile(r"part-(\d{6,})-([0-9a-f]{16})\.parquet")

_NAMES = {
    "strategy": "the strategy",
    "script": "the strategy's script",
    "market": "the market",
    "vintage": "the data",
    "grid": "the grid",
    "search": "the search",
    "constraints": "the constraints on parameters",
    "objective": "the objective, which this search learns from,",
    "window": "the window",
    "costs": "the costs",
    "benchmark": "the benchmark",
    **{name: f"--{name.replace('_', '-')}" for name in KEPT_OF_SWEEP},
    "chunk": "the size of the chunks",
    "versions": "the versions of the software",
}


def vintage(market: MarketData) -> dict[str, str]:
    """Return the checksum of each series that a market is made of, and one of the values themselves."""
    digest = hashlib.sha256()
    digest.update(market.bars.dates.astype(np.int64).tobytes())
    digest.update(np.ascontiguousarray(market.bars.returns).tobytes())
    for id in sorted(market.observations):
        series = market.observations[id]
        digest.update(id.encode())
        digest.update(series.dates.astype(np.int64).tobytes())
        digest.update(series.known_at.astype(np.int64).tobytes())
        digest.update(np.ascontiguousarray(series.values).tobytes())
    digest.update(json.dumps([market.policy, sorted(market.roles.items())]).encode())
    return {**{id: of.sha256 for id, of in market.sources.items()}, "values": digest.hexdigest()}


@dataclass(frozen=True)
class Results:
    """The folder of a sweep: ``manifest.json``, and ``trials/`` with a Parquet file a chunk.

    Parameters
    ----------
    folder
        The sweep's folder.
    manifest
        What the sweep is of.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def trials(self) -> Path:
        """The folder of the dataset."""
        return self.folder / TRIALS

    @cached_property
    def identity(self) -> str:
        """A checksum of what the trials are of."""
        of = {key: self.manifest.get(key) for key in (*_NAMES, "combinations")}
        return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()

    def done(self) -> dict[int, Path]:
        """Return the place of each chunk that is there, by its number.

        Raises
        ------
        RotationError
            When there is a file that pandas or DuckDB would read as trials and that is no part of this sweep.
        """
        found: dict[int, Path] = {}
        for path in sorted(self.trials.glob("[!._]*")):
            name = _CHUNK.fullmatch(path.name)
            which = int(name[1]) if name else -1
            if which in found or not 0 <= which < self._n_chunks:
                raise RotationError(
                    f"{path} is no part of this sweep: move it elsewhere, and go on with --resume"
                )
            found[which] = path
        return found

    @property
    def _n_chunks(self) -> int:
        return int(-(-self.manifest["combinations"] // self.manifest["chunk"]))

    def write(self, which: int, content: bytes) -> None:
        """Write a chunk; errors as ``whole_file``."""
        place = self.trials / f"part-{which:06d}-{self._checksum(which, content)}.parquet"
        with whole_file(place, "a part of the sweep", GO_ON) as file:
            file.write(content)

    def _checksum(self, which: int, content: bytes) -> str:
        return hashlib.sha256(f"{self.identity} {which}\n".encode() + content).hexdigest()[:16]

    def whole(self) -> list[Path]:
        """Return the places of all chunks, in order; RotationError where one is missing, else as ``done``."""
        done = self.done()
        missing = [which for which in range(self._n_chunks) if which not in done]
        if missing:
            raise RotationError(f"part {missing[0]} is missing in {self.trials}: go on with --resume")
        return [done[which] for which in range(self._n_chunks)]

    def content(self, place: Path) -> bytes:
        """Return the Parquet file of a chunk after comparing it with its checksum.

        Raises
        ------
        RotationError
            When it cannot be read, or is not what was written.
        """
        cure = "delete it and go on with --resume"
        try:
            content = content_of(place)
        except OSError as error:
            raise RotationError(f"{place} cannot be read ({error.strerror}): {cure}") from None
        _, which, checksum = place.stem.split("-")
        if checksum != self._checksum(int(which), content):
            raise RotationError(f"{place} is not what was written, as its checksum says: {cure}")
        return content

    def table(self, place: Path, names: Sequence[str] | None = None) -> Any:
        """Return one chunk as a pyarrow table, all of it or some columns; errors as ``content``."""
        import pyarrow.parquet as pq

        return pq.read_table(in_arrow(self.content(place)), columns=names and list(dict.fromkeys(names)))


def _sealed(manifest: dict[str, Any]) -> bytes:
    """Return a manifest as its file has it: with a checksum of all that it says."""
    said = json.dumps({key: value for key, value in manifest.items() if key != "seal"}, indent=2)
    seal = hashlib.sha256(said.encode()).hexdigest()
    return (json.dumps({**json.loads(said), "seal": seal}, indent=2) + "\n").encode()


def manifest_to_resume(folder: Path) -> dict[str, Any]:
    """Return the manifest of the sweep in a folder; UsageError where none is, or another than was written."""
    place = folder / MANIFEST
    if not place.is_file():
        raise UsageError(f"there is no sweep to resume in {folder}; leave --resume out to start one")
    try:
        content = content_of(place)
        manifest: dict[str, Any] = json.loads(content)
        intact = content == _sealed(manifest)
    except (OSError, ValueError, AttributeError):
        intact = False
    if not intact:
        raise UsageError(
            f"{place} is not what this version wrote, so the sweep cannot be resumed; "
            "start another with --out"
        )
    return manifest


def open_results(folder: Path, manifest: dict[str, Any], *, resume: bool) -> Results:
    """Return the results in a folder: new ones, or those to be continued, each part as it was written.

    Raises
    ------
    UsageError
        When the folder is taken and not to be resumed, or holds a sweep of something else; the sentence names
        the difference.
    RotationError
        When it cannot be written, or a part is damaged or of another sweep.
    """
    place = folder / MANIFEST
    if resume:
        before = manifest_to_resume(folder)
        refuse_other(before, manifest, folder)
        results = Results(folder, before)
        for part in results.done().values():
            results.content(part)
        return results
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        more = "; add --resume to go on with the sweep in it" if place.is_file() else ""
        raise UsageError(f"{folder} exists already; name a new folder with --out{more}")
    with whole_folder(folder, "the sweep") as draft:
        (draft / MANIFEST).write_bytes(_sealed(manifest))
        (draft / TRIALS).mkdir()
    return Results(folder, manifest)


def refuse_other(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Raise UsageError when a sweep to be resumed is one of something else."""
    now = json.loads(json.dumps(now))
    for key, name_of in _NAMES.items():
        old, new = before.get(key), now.get(key)
        if old == new:
            continue
        detail = ""
        if isinstance(old, dict) and isinstance(new, dict):
            parts = [name for name in {**old, **new} if old.get(name) != new.get(name)]
            detail = f" ({', '.join(parts)})"
        elif not (isinstance(old, str) and len(old) == 64):
            detail = f" ({old} then, {new} now)"
        raise UsageError(
            f"the sweep in {folder} cannot be resumed: {name_of} changed{detail}; "
            "start a new one with another --out"
        )


def encode(
    grid: Grid,
    numbers: Ints,
    status: NDArray[np.int8],
    measures: Floats,
    window: tuple[np.datetime64, np.datetime64],
) -> bytes:
    """Return a chunk as a Parquet file: one row a trial.

    Columns: ``combination`` (its number in the grid), every parameter, ``status``, the measures (not a number
    where not measured), and the window's ``start`` and ``end``. The same rows give the same bytes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = len(numbers)
    columns: dict[str, Any] = {"combination": numbers}
    repeated = ["status", "start", "end"]
    for axis, digit in zip(grid.axes, grid.digits(numbers), strict=True):
        places = pa.array(digit.astype(np.int32))
        columns[axis.name] = (
            axis.array[digit]
            if axis.ordered
            else pa.DictionaryArray.from_arrays(places, pa.array(axis.values))
        )
        repeated.append(axis.name)
    columns["status"] = pa.DictionaryArray.from_arrays(pa.array(status.astype(np.int32)), pa.array(STATUSES))
    columns |= {name: measures[:, i] for i, name in enumerate(SWEPT)}
    for name, day in zip(("start", "end"), window, strict=True):
        columns[name] = pa.array(np.full(n, day.astype("datetime64[D]")))
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), out, compression="zstd", compression_level=1, use_dictionary=repeated)
    return out.getvalue().to_pybytes()
