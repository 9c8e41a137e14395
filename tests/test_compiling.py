"""The first sweep after an installation: it says that it compiles, and compiles nothing that it does not need."""

import os
import subprocess
import sys
from pathlib import Path

SWEEP = """
import sys
from numba.core import event
from backtest.cli import entry

class Names(event.Listener):
    def on_start(self, e):
        print(e.data["dispatcher"].py_func.__module__, file=sys.__stdout__)  # rich takes the other one away
    def on_end(self, e):
        pass

event.register("numba:compile", Names())
sys.argv = ["rotation", "tune", "rate_cut", "--grid", "hold=12,24", "--placebo", "0", "--out", sys.argv[1]]
entry()
"""


def sweep(place: Path, name: str) -> tuple[list[str], str]:
    """Sweep as on a terminal; return the modules whose functions were compiled, and what was said meanwhile."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(place / "cache"), "FORCE_COLOR": "1"}
    command = [sys.executable, "-c", SWEEP, str(place / name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules = [line for line in done.stdout.splitlines() if line.startswith(("numba.", "backtest."))]
    return modules, done.stderr


def test_the_first_sweep_says_that_it_compiles_and_the_second_has_nothing_to_compile(tmp_path: Path) -> None:
    compiled, said = sweep(tmp_path, "first")
    assert said.count("compiling the loops") == 1
    assert 20 < len(compiled) < 110
    # numba spells out why rows do not fit, which takes two seconds; ``compiling.copy`` has no such sentence.
    assert not [module for module in compiled if module.startswith("numba.cpython.unicode")]
    compiled, said = sweep(tmp_path, "second")
    assert not compiled
    assert "compiling" not in said
