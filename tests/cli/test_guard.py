"""The guard of the command: whatever ends it, one plain sentence and an exit status."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backtest.cli.guard import guarded
from backtest.errors import DataError
from backtest.files import content_of
from tests.cli.test_command import ROTATION


def _raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


def test_what_nobody_expected_is_our_fault_and_is_written_down(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert guarded("rotation", _raising(ZeroDivisionError("division by\nzero"))) == 1
    said = capsys.readouterr().err
    found = re.fullmatch(
        r"rotation: this is our fault, not yours \(ZeroDivisionError: division by zero\); "
        r"please report it with the details, which are in (\S+)\n",
        said,
    )
    assert found is not None, said
    assert "ZeroDivisionError" in Path(found[1]).read_text()


def test_a_sentence_has_nothing_that_a_terminal_acts_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded("rotation", _raising(DataError("the file \x1b[31m\udcff\u202e has\n two"))) == 1
    assert capsys.readouterr().err == "rotation: the file \\x1b[31m\\udcff\\u202e has two\n"


def test_a_sentence_that_a_file_made_endless_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded("rotation", _raising(DataError("x" * 10**6))) == 1
    assert len(capsys.readouterr().err) < 1300


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "there is not enough memory"),
        (KeyboardInterrupt(), "interrupted; nothing was left half written"),
        (PermissionError(13, "Permission denied", "x"), "x: Permission denied; name another one"),
    ],
)
def test_what_the_machine_refuses_is_said(
    error: BaseException, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded("rotation", _raising(error)) == 1
    assert said in capsys.readouterr().err


def test_only_regular_files_up_to_a_size_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(11))
    for name, said in (("pipe", "a pipe or a device"), ("large", "larger than"), (".", "a folder")):
        with pytest.raises(OSError, match=said):
            content_of(tmp_path / name, 10)
    with pytest.raises(OSError, match="a pipe or a device"):
        content_of(Path("/dev/zero"))
    assert content_of(tmp_path / "large", 11) == bytes(11)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to hear")
def test_who_ends_a_command_finds_nothing_half_written(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [ROTATION, "run", "rate_cut"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 100
    while not list(tmp_path.rglob("*.part")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=100)
    if process.returncode == 0:
        pytest.skip("the run was done before it was ended")
    assert (process.returncode, said) == (1, "rotation: interrupted; nothing was left half written\n")
    assert not list(tmp_path.rglob("*.part"))


def test_a_home_that_cannot_be_written_is_not_spoken_of(tmp_path: Path) -> None:
    surroundings = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"}
    done = subprocess.run(
        [ROTATION, "run", "buy_and_hold", "--png", "--out", "page"],
        cwd=tmp_path,
        env=surroundings | {"HOME": "/dev/null/nobody", "ROTATION_DATA": str(tmp_path / "store")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "page" / "figures").glob("*.png"))


@pytest.mark.parametrize(("limit", "letter"), [("RLIMIT_AS", "v"), ("RLIMIT_DATA", "d")])
def test_too_few_addresses_are_said_before_a_library_waits_for_more(limit: str, letter: str) -> None:
    def called(*arguments: str, gigabytes: float) -> tuple[int, str]:
        size = int(gigabytes * 2**30)
        done = subprocess.run(
            [ROTATION, *arguments],
            preexec_fn=lambda: resource.setrlimit(getattr(resource, limit), (size, size)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr

    said = (
        "rotation: this process may have 1.5 GB of addresses and asks for up to 4 GB, most of which it never "
        f"uses; raise the limit with: ulimit -{letter} unlimited\n"
    )
    assert called("run", "rate_cut", gigabytes=1.5) == (1, said)
    assert called("run", "--help", gigabytes=1.5) == (0, "")
    assert called("signal", "rate_cut", "--json", gigabytes=4) == (0, "")


@pytest.mark.parametrize(
    ("python", "surroundings", "said"),
    [
        (["-OO"], {}, "python -OO takes away docstrings, in which a thesis stands; leave out one O"),
        ([], {"NUMBA_NUM_THREADS": "0"}, "NUMBA_NUM_THREADS is '0'; make it a number from 1 on, or unset it"),
        ([], {"COLUMNS": "0"}, ""),
    ],
)
def test_surroundings_in_which_libraries_fail(
    python: list[str], surroundings: dict[str, str], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, *python, ROTATION, "list"],
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == ((1, f"rotation: {said}\n") if said else (0, ""))
    assert bool(done.stdout) == (not said)
