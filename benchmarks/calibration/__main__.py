"""Simulates every experiment and writes docs/calibration.md: python -m benchmarks.calibration.

What has been simulated is kept in ``build/calibration`` and is not simulated again, so that the program may
be stopped and started at will; delete that folder after a change of what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks.calibration.experiments import Experiment, counted
from benchmarks.calibration.registry import experiments
from benchmarks.calibration.table import written

ROOT = Path(__file__).resolve().parents[2]
BLOCK = 50

Counts = dict[str, tuple[int, int]]


def _block(number: int, first: int, last: int) -> Counts:
    return counted(experiments()[number].outcomes(first, last))


def _kept(folder: Path, experiment: Experiment) -> Path:
    words = f"{experiment.name} {experiment.case}"
    return folder / f"{''.join(c if c.isalnum() else '-' for c in words)}.jsonl"


def _done(path: Path) -> dict[int, Counts]:
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {row["first"]: {name: tuple(pair) for name, pair in row["counts"].items()} for row in rows}


def _added(blocks: list[Counts]) -> Counts:
    names = dict.fromkeys(name for block in blocks for name in block)
    pairs = {name: [block[name] for block in blocks if name in block] for name in names}
    return {name: (sum(a for a, _ in p), sum(b for _, b in p)) for name, p in pairs.items()}


def main() -> None:
    """Simulate what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="experiments whose name or case has this in it")
    parser.add_argument("--share", type=float, default=1.0, help="of the simulations of each experiment")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "calibration")
    parser.add_argument("--out", type=Path, help="where the table goes; by default docs/calibration.md")
    asked = parser.parse_args()
    asked.kept.mkdir(parents=True, exist_ok=True)
    everything = experiments()
    chosen = [i for i, e in enumerate(everything) if asked.only in f"{e.name} {e.case}"]
    began = time.monotonic()
    with ProcessPoolExecutor(asked.workers) as pool:
        waiting = {}
        for i in chosen:
            path = _kept(asked.kept, everything[i])
            there = _done(path)
            for first in range(0, max(BLOCK, round(everything[i].simulations * asked.share)), BLOCK):
                if first not in there:
                    waiting[pool.submit(_block, i, first, first + BLOCK)] = (path, first)
        for done, future in enumerate(as_completed(waiting), 1):
            path, first = waiting[future]
            with path.open("a") as file:
                file.write(json.dumps({"first": first, "counts": future.result()}) + "\n")
            if sys.stderr.isatty():
                print(
                    f"\r{done} of {len(waiting)} blocks, {time.monotonic() - began:.0f} s",
                    end="",
                    file=sys.stderr,
                )
    table = written(
        {everything[i]: _added(list(_done(_kept(asked.kept, everything[i])).values())) for i in chosen}
    )
    if asked.only and asked.out is None:
        print(table)
    else:
        out = asked.out or ROOT / "docs" / "calibration.md"
        out.write_text(table)
        print(out)


if __name__ == "__main__":
    main()
