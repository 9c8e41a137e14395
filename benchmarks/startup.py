"""How long a user waits: for help, and for a run, with and without compiled code on disk."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ROUNDS = 5
ROTATION = [sys.executable, "-c", "from backtest.cli import entry; entry()"]
COMPILE = """
import numpy as np
from benchmarks.world import world
from backtest.engine import path
here = world(2000)
decision = here.decide(np.arange(500_000, 500_064))
here.measurer.measure(decision, [here.yardstick])
"""


def seconds(command: list[str], rounds: int = ROUNDS, **environment: str) -> float:
    """Return the median of the seconds that a command takes, from start to end."""
    clocks = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run(
            command, check=True, capture_output=True, cwd=HERE.parent, env={**os.environ, **environment}
        )
        clocks.append(time.perf_counter() - begin)
    return statistics.median(clocks)


def main() -> None:
    """Time each command, print a table and write ``startup.json``."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)

        def run(name: str) -> list[str]:
            return [*ROTATION, "run", "rate_cut", "--out", str(place / name)]

        results = {
            "rotation --help": seconds([*ROTATION, "--help"]),
            "rotation run rate_cut, compiled code not on disk": seconds(
                run("first"), 1, NUMBA_CACHE_DIR=str(place / "cache")
            ),
            "rotation run rate_cut": statistics.median(seconds(run(f"warm{i}"), 1) for i in range(ROUNDS)),
            "a first sweep, compiled code not on disk": seconds(
                [sys.executable, "-c", COMPILE], 1, NUMBA_CACHE_DIR=str(place / "sweep")
            ),
            "a first sweep": seconds([sys.executable, "-c", COMPILE], 3),
        }
    (HERE / "startup.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    shown = Table("command", "seconds", title="From start to end; medians")
    for name, took in results.items():
        shown.add_row(name, f"{took:.2f}")
    Console(width=100).print(shown)


if __name__ == "__main__":
    main()
