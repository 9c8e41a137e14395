"""Compiled code on disk: an installed copy that nobody may write to still works, and old code is not run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="says how Linux takes rights from root")

PACKAGE = Path(__file__).resolve().parents[2] / "backtest"

# Root may write anywhere. This gives that right up (prctl PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) and goes on.
WITHOUT_OVERRIDE = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(24, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""

CODE = """
import numpy as np
from backtest.engine.curves import fall
assert "installed" in fall.py_func.__code__.co_filename
assert fall(np.array([0.1, -0.5, 0.2]))[1] == -0.5
print(sum(fall.stats.cache_hits.values()))
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the package in which nobody can write, not even we."""
    place = tmp_path / "installed"
    shutil.copytree(PACKAGE, place / "backtest", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [place, *place.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return place


def run(place: Path, home: Path, code: str = CODE, **options: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(place), **options}
    command = [sys.executable, "-B", "-c", code]
    if os.getuid() == 0:
        command = [sys.executable, "-c", WITHOUT_OVERRIDE, *command]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_read_only_copy_keeps_its_code_in_the_users_cache(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert run(installed, home) == "0"
    assert run(installed, home) == "1"  # compiled once, found again
    assert not list(installed.rglob("*.nbi"))


def test_without_any_folder_to_write_to_it_compiles_anew(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    assert run(installed, home) == "0"
    assert run(installed, home) == "0"
    assert not list(home.iterdir())


def test_a_change_in_any_compiled_source_leaves_old_code_behind(installed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(installed, tmp_path, NUMBA_CACHE_DIR=str(cache)) == "0"
    assert run(installed, tmp_path, NUMBA_CACHE_DIR=str(cache)) == "1"
    changed = installed / "backtest" / "engine" / "tables.py"
    changed.chmod(0o644)
    changed.write_text(changed.read_text() + "\n# a change in another module\n")
    assert run(installed, tmp_path, NUMBA_CACHE_DIR=str(cache)) == "0"


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))  # no more than a few bytes, as on a full disk
"""


def test_a_disk_that_takes_nothing_costs_time_and_not_the_run(installed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(installed, tmp_path, FULL + CODE, NUMBA_CACHE_DIR=str(cache)) == "0"
    assert not list(cache.rglob("*.nbc"))
    assert run(installed, tmp_path, NUMBA_CACHE_DIR=str(cache)) == "0"
    assert run(installed, tmp_path, NUMBA_CACHE_DIR=str(cache)) == "1"


WHOLE_RUN = """
from backtest import run
from tests.engine.test_cache import FULL
exec(FULL)
result = run("rate_cut")
result.portfolio
print(result.metrics["switches"])
"""


def test_a_whole_run_with_the_ledger_needs_no_disk_for_its_code(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-c", WHOLE_RUN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "12\n"
    assert not list(tmp_path.rglob("*.nbc"))
