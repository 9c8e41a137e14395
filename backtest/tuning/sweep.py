"""A sweep: the common window, then every chunk of trials, measured by an executor and written as it comes."""

from __future__ import annotations

import importlib.metadata
import shutil
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import RotationError, UsageError
from backtest.placement import window_of
from backtest.scripting.own_modules import digest
from backtest.terms import KEPT_OF_SWEEP
from backtest.tuning.executors import ALIKE, CREW, each
from backtest.tuning.results import encode, vintage
from backtest.tuning.search import Search

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.dates import Ints
    from backtest.tuning.asked import Asked
    from backtest.tuning.executors import Crew
    from backtest.tuning.results import Results
    from backtest.tuning.trials import Trials, Window

LARGEST_CHUNK = 1 << 16
_SMALLEST_CHUNK = 1 << 10
_CHUNKS = 16  # at least, where there is enough to do
_PROBE = 1024  # trials measured to tell how long the rest will take
_ALL_STARTS = 50_000_000  # combinations up to which every single first fill is asked for
_SOME_STARTS = 1 << 15  # and how many are asked beyond that


@dataclass(frozen=True)
class Estimate:
    """What a sweep will take: combinations, seconds and bytes on the disk, from a probe."""

    combinations: int
    seconds: float
    size: int


def chunk_size(n: int) -> int:
    """Return how many trials a chunk has; of their number alone, so that every machine cuts the same."""
    return int(np.clip(-(-n // _CHUNKS), _SMALLEST_CHUNK, LARGEST_CHUNK))


def numbers_of(chosen: Ints | None, start: int, stop: int) -> Ints:
    """Return the numbers of the trials from one place to another; all combinations where none were chosen."""
    return np.arange(start, stop) if chosen is None else chosen[start:stop]


def pieces_of(n: int, size: int) -> list[tuple[int, int]]:
    """Return the beginning and the end of each chunk of ``n`` trials."""
    return [(start, min(start + size, n)) for start in range(0, n, size)]


def _first(asked: tuple[Trials, Ints | None], start: int, stop: int, last: int) -> int:
    trials, chosen = asked
    return trials.first_fill(numbers_of(chosen, start, stop), last)


def sample_of(size: int, n: int) -> Ints:
    """Return about ``n`` numbers below ``size``, rising, with the ends; all where there are fewer."""
    if size <= n:
        return np.arange(size)
    drawn = np.random.default_rng(0).integers(size, size=n)
    return np.unique(np.r_[0, drawn, size - 1])


def common_window(trials: Trials, chosen: Ints | None, crew: Crew = CREW) -> Window:
    """Return the first fill and the last bar that all combinations share: the latest start among them.

    Combinations whose inputs are not known before the end have no say. Beyond 50,000,000 combinations (or
    where Optuna chooses) the corners of the grid and a sample speak for all; a combination that then needs
    a later start counts as unknown.

    Raises
    ------
    UsageError
        When no combination can run, or no bar is left.
    """
    n = trials.grid.size if chosen is None else len(chosen)
    if n > _ALL_STARTS:
        chosen = np.unique(np.r_[corners(trials.grid.shape), sample_of(trials.grid.size, _SOME_STARTS)])
        n = len(chosen)
    pieces = pieces_of(n, chunk_size(n))
    dates = trials.market.bars.dates
    last = len(dates) - 1
    if trials.terms.end is not None:
        last = int(np.searchsorted(dates, np.datetime64(trials.terms.end), "right")) - 1
    latest, calls = -1, [(*piece, last) for piece in pieces]
    for done, (_, found) in enumerate(each(_first, (trials, chosen), calls, crew.executor), 1):
        latest = max(latest, found)
        crew.tell("common window", done * n // len(pieces), n)
    if latest < 0 and not any(trials.keeps(numbers_of(chosen, *piece)).any() for piece in pieces):
        rules = " and ".join(rule.text for rule in trials.constraints)
        raise UsageError(f"none of the {n:,} combinations keeps to {rules}; loosen the --constraint")
    warm_up = latest if latest >= 0 else len(trials.market.bars.dates)
    return window_of(trials.market.bars, warm_up, trials.terms, trials.strategy.name, trials.needed)


def corners(shape: tuple[int, ...]) -> Ints:
    """Return the numbers of the combinations that have each axis at one of its ends, 65,536 at most."""
    ends = [np.unique([0, n - 1]) for n in shape]
    numbers = np.zeros(1, dtype=np.int64)
    for both, n in zip(ends, shape, strict=True):
        digits = both if len(numbers) < 1 << 15 else both[-1:]
        numbers = (numbers[:, None] * n + digits).reshape(-1)
    return numbers


def manifest_of(trials: Trials, asked: Asked, window: Window) -> dict[str, Any]:
    """Return what a sweep is of, as it stands in its manifest."""
    dates = trials.market.bars.dates
    search = asked.search or Search()
    n = search.count(trials.grid)
    names = (*ALIKE, "optuna") if search.kind == "optuna" else ALIKE
    return {
        "strategy": trials.strategy.name,
        "script": digest(trials.strategy),
        "market": trials.market.name,
        "vintage": vintage(trials.market),
        "grid": trials.grid.document(),
        "search": asdict(search),
        "objective": asked.objective if search.kind == "optuna" else None,
        "constraints": [constraint.text for constraint in trials.constraints],
        "window": {"start": str(dates[window[0]]), "end": str(dates[window[1]])},
        "costs": dict(zip(trials.market.bars.sleeves, trials.costs, strict=True)),
        "benchmark": trials.benchmark,
        **{name: getattr(trials.terms, name) for name in KEPT_OF_SWEEP},
        "asked": asked.document(),
        "combinations": n,
        "chunk": chunk_size(n),
        "versions": {name: importlib.metadata.version(name) for name in names},
    }


def probe(trials: Trials, chosen: Ints | None, window: Window, workers: int) -> Estimate:
    """Measure a few trials and return what all of them will take."""
    n = trials.grid.size if chosen is None else len(chosen)
    places = sample_of(n, _PROBE)
    numbers = places if chosen is None else chosen[places]
    trials.measure(numbers[:2], [window])  # what is compiled or built once is not to be multiplied
    began = time.perf_counter()
    size = len(measured_chunk(trials, numbers, window, (0, len(numbers))))
    seconds = time.perf_counter() - began
    return Estimate(n, seconds * n / len(numbers) / workers, size * n // len(numbers))


def refuse_full_disk(folder: Path, size: int) -> None:
    """Raise RotationError when what is still to be written of a sweep will not fit on the disk."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if size > free:
        raise RotationError(
            f"the sweep needs about {size / 1e6:,.1f} MB; where {folder} lies, {free / 1e6:,.1f} MB are "
            "free; free the disk or name another folder with --out"
        )


def measured_chunk(trials: Trials, chosen: Ints | None, window: Window, part: tuple[int, int]) -> bytes:
    """Return a chunk's Parquet file."""
    numbers = numbers_of(chosen, *part)
    status, measured = trials.measure(numbers, [window])
    dates = trials.market.bars.dates
    return encode(trials.grid, numbers, status, measured[0], (dates[window[0]], dates[window[1]]))


def measure_chunks(
    trials: Trials, chosen: Ints | None, window: Window, results: Results, crew: Crew = CREW
) -> int:
    """Measure and write the chunks that are not there yet; return how many trials were measured now."""
    n = trials.grid.size if chosen is None else len(chosen)
    pieces, there = pieces_of(n, results.manifest["chunk"]), results.done()
    missing = [which for which in range(len(pieces)) if which not in there]
    calls: list[tuple[Any, ...]] = []
    for start, stop in (pieces[which] for which in missing):
        own = None if chosen is None else chosen[start:stop]  # what is sent is no more than what is needed
        calls.append((own, window, (start, stop) if own is None else (0, stop - start)))
    measured = 0
    before = n - sum(stop - start for start, stop in (pieces[which] for which in missing))
    for place, content in each(measured_chunk, trials, calls, crew.executor):
        start, stop = pieces[missing[place]]
        results.write(missing[place], content)
        measured += stop - start
        crew.tell("measuring", before + measured, n)
    return measured
