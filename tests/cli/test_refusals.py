"""What the system refuses, and what a script or a shell does to the command: one sentence each, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_command import ROTATION, assert_sentence, rotation
from tests.engine.test_cache import WITHOUT_OVERRIDE
from tests.scripting.test_loading import GOOD


def _as_nobody(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command without root's right to read and write everything."""
    if os.getuid() != 0:
        return rotation(folder, *arguments, **environment)
    # Reading everything is a right of its own (CAP_DAC_READ_SEARCH).
    drop = WITHOUT_OVERRIDE.replace(
        "os.execv", "assert ctypes.CDLL(None).prctl(24, 2, 0, 0, 0) == 0\nos.execv"
    )
    return rotation(folder, "-c", drop, ROTATION, *arguments, command=sys.executable, **environment)


@pytest.mark.skipif(sys.platform != "linux", reason="says how Linux takes rights from root")
@pytest.mark.parametrize(
    ("arguments", "path", "status"),
    [
        (["data", "list", "--data-dir", "shut"], "shut", 1),
        (["run", "shut/mine.py"], "shut/mine.py", 1),
        (["run", "mine.py"], "mine.py", 2),
        (["run", "rate_cut", "--market", "shut/mine.toml"], "shut/mine.toml", 1),
        (["run", "rate_cut", "--market", "mine.toml"], "mine.toml", 1),
        (
            ["universe", "build", "companies.csv", "--scheme", "shut/mine.toml", "--out", "o"],
            "shut/mine.toml",
            1,
        ),
        (
            ["data", "import", "mine.csv", "--id", "X", "--kind", "price", "--unit", "level"],
            "mine.csv",
            1,
        ),
    ],
)
def test_a_path_that_nobody_may_read_is_named_with_what_to_do(
    tmp_path: Path, arguments: list[str], path: str, status: int
) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    (tmp_path / "companies.csv").write_text("date,id,ret,mktcap\n2000-01-31,a,0.1,5\n")
    for name in ("mine.py", "mine.toml", "mine.csv"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0)
    done = _as_nobody(tmp_path, *arguments)
    assert_sentence(done, status, "ermission")
    assert path in done.stderr
    assert "; name another" in done.stderr or "; name a file that you may read" in done.stderr


def test_what_a_script_prints_is_not_in_the_document(tmp_path: Path) -> None:
    text = GOOD.replace("    cuts =", '    print("deciding")\n    cuts =') + 'print("loaded")\n'
    (tmp_path / "mine.py").write_text(text)
    done = rotation(tmp_path, "run", "mine.py", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["strategy"] == "mine"
    assert "loaded" in done.stderr
    assert "deciding" in done.stderr


def test_a_closed_standard_output_is_said(tmp_path: Path) -> None:
    done = rotation(tmp_path, "-c", f"'{ROTATION}' list >&-", command="/bin/sh")
    assert_sentence(done, 1, "rotation: standard output is closed")


def test_a_full_disk_is_said_with_what_to_do(tmp_path: Path) -> None:
    done = rotation(tmp_path, "-c", f"'{ROTATION}' list > /dev/full", command="/bin/sh")
    assert_sentence(done, 1, "rotation: No space left on device; free the disk, or write elsewhere")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "~nobody_of_that_name/mine.py"],
        ["run", "rate_cut", "--market", "~nobody_of_that_name/m.toml"],
        ["run", "rate_cut", "--out=~nobody_of_that_name/x"],
        ["study", "first-cut", "--out", "~nobody_of_that_name/x"],
        ["data", "list", "--data-dir", "~nobody_of_that_name"],
        ["new", "~nobody_of_that_name/idea"],
    ],
)
def test_a_home_folder_that_is_not_there_is_a_wrong_call(tmp_path: Path, arguments: list[str]) -> None:
    assert_sentence(rotation(tmp_path, *arguments), 2, "begins with a home folder that does not exist")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--grid", "--constraint", "--data-dir", "--out", "--seed"])
def test_two_dashes_are_no_value_of_any_option(tmp_path: Path, option: str) -> None:
    done = rotation(tmp_path, "tune", "rate_cut", f"{option}=--")
    assert_sentence(done, 2, f"{option} is empty; give it a value, or leave it out")
