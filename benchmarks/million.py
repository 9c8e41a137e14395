"""A million combinations end to end: parameters, signals, simulation, 12 measures, Parquet; prints JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.measures import SWEPT
from benchmarks.world import GRID, n_combinations, parameters, world

CHUNK = 65_536
KEPT = [name for name in SWEPT if name not in ("turnover", "time_in_small")]


def sweep(place: Path, n_sets: int) -> dict[str, float]:
    """Measure the first ``n_sets`` combinations into a Parquet file; return seconds by stage."""
    spent = dict.fromkeys(("signals", "simulation and measures", "Parquet"), 0.0)
    here = world()
    schema = pa.schema([*((name, pa.float64()) for name in (*GRID, *KEPT))])
    columns = [SWEPT.index(name) for name in KEPT]
    begin = time.perf_counter()
    with pq.ParquetWriter(place, schema, use_dictionary=list(GRID), compression="snappy") as writer:
        for start in range(0, n_sets, CHUNK):
            clock = time.perf_counter()
            which = np.arange(start, min(start + CHUNK, n_sets))
            rows = parameters(which)
            decision = here.decide(which)
            decided = time.perf_counter()
            answer = here.measurer.measure(decision, [here.yardstick])[0]
            measured = time.perf_counter()
            arrays = [rows[name].astype(np.float64) for name in GRID]
            arrays += [np.ascontiguousarray(answer[:, column]) for column in columns]
            writer.write_table(pa.table(arrays, schema))
            spent["signals"] += decided - clock
            spent["simulation and measures"] += measured - decided
            spent["Parquet"] += time.perf_counter() - measured
    return {"seconds": time.perf_counter() - begin, **spent}


def peak_memory() -> int:
    """Return the most memory that this process has had; unlike ``getrusage``, without its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    """Run once to compile, then time ``n`` combinations (by default all of the grid)."""
    n_sets = int(sys.argv[1]) if len(sys.argv) > 1 else n_combinations()
    with tempfile.TemporaryDirectory() as folder:
        sweep(Path(folder) / "warm.parquet", 1000)
        rounds = [sweep(Path(folder) / "results.parquet", n_sets) for _ in range(3)]
        size = (Path(folder) / "results.parquet").stat().st_size
    spent = sorted(rounds, key=lambda one: one["seconds"])[1]
    print(json.dumps({"combinations": n_sets, **spent, "peak_bytes": peak_memory(), "file_bytes": size}))


if __name__ == "__main__":
    main()
