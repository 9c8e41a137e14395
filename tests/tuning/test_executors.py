"""The one loop over executors: all answers, whoever dies on the way, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backtest.errors import RotationError, UsageError
from backtest.tuning import executors
from backtest.tuning.executors import each

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Future


def processes() -> set[int]:
    """The processes that this one has started, but for those that keep count of what is to be cleaned up."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            counts = b"resource_tracker" in (path.parent / "cmdline").read_bytes()
            if parent == str(os.getpid()) and state != "Z" and not counts:
                found.add(int(path.parent.name))
    return found


def later(seconds: float, which: int) -> tuple[int, int]:
    time.sleep(seconds)
    return which, os.getpid()


def dies_once(place: str, which: int) -> int:
    """Kill the process that this runs in, the first time that the fourth call is made."""
    mark = Path(place) / "died"
    if which == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return which


def dies(_: None, which: int) -> int:
    if which == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return which


def fails(_: None, which: int) -> int:
    if which == 3:
        raise ValueError("three")
    return which


def refuses(_: None, which: int) -> int:
    raise UsageError(f"not {which}")


class Unpackable:
    """What no other process can unpack."""

    def __reduce__(self) -> Any:
        return int, ("no number",)


def test_every_call_is_answered_once_and_by_processes_that_know_what_is_shared() -> None:
    found = list(each(later, 0.0, [(which,) for which in range(50)], "loky:2"))
    assert sorted(place for place, _ in found) == list(range(50))
    assert all(place == which for place, (which, _) in found)
    assert os.getpid() not in {pid for _, (_, pid) in found}


def test_what_a_lost_process_had_is_done_again(tmp_path: Path) -> None:
    found = each(dies_once, str(tmp_path), [(which,) for which in range(9)], "loky:2")
    assert sorted(found) == [(which, which) for which in range(9)]
    assert (tmp_path / "died").exists()


def test_a_call_that_kills_every_process_ends_in_a_sentence() -> None:
    said = r"the executor loky:2 failed: TerminatedWorkerError: .*; what was measured is kept: go on with --resume$"
    with pytest.raises(RotationError, match=said):
        list(each(dies, None, [(which,) for which in range(9)], "loky:2"))


@pytest.mark.parametrize("executor", ["threads:2", "loky:2"])
def test_what_a_call_raises_is_said(executor: str) -> None:
    calls = [(which,) for which in range(9)]
    with pytest.raises(UsageError, match="^not [0-8]$"):
        list(each(refuses, None, calls, executor))
    kind, said = (
        (ValueError, "^three$") if executor == "threads:2" else (RotationError, "failed: ValueError: three; ")
    )
    with pytest.raises(kind, match=said):
        list(each(fails, None, calls, executor))


def test_what_cannot_be_unpacked_elsewhere_is_said() -> None:
    with pytest.raises(RotationError, match="the executor loky:2 failed: ValueError: invalid literal"):
        list(each(fails, Unpackable(), [(1,)], "loky:2"))


@pytest.mark.parametrize("executor", ["threads:2", "threads:1", "loky:2"])
def test_who_wants_no_more_answers_leaves_nobody_behind(executor: str) -> None:
    before = processes()
    answers: Generator[tuple[int, Any], None, None] = each(
        later, 0.02, [(which,) for which in range(400)], executor
    )  # type: ignore[assignment]
    begun = time.monotonic()
    assert 0 <= next(answers)[0] < 400
    if executor == "loky:2":
        assert len(processes() - before) >= 2
    answers.close()
    assert time.monotonic() - begun < 30.0
    assert processes() - before == set()


INTERRUPTED = """
import os, sys, time
from backtest.tuning.executors import each
from tests.tuning.test_executors import later
try:
    for _, (_, pid) in each(later, 0.05, [(which,) for which in range(4000)], sys.argv[1]):
        print(pid, flush=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("executor", ["threads:2", "loky:2"])
def test_an_interruption_leaves_nobody_behind(executor: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, executor], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        workers = {int(process.stdout.readline()) for _ in range(20)}
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all that belong to the command get it
        assert process.wait(timeout=30) == 130
        assert "Traceback" not in process.stderr.read() if process.stderr else False
    for pid in workers:
        assert not Path(f"/proc/{pid}").exists()


def test_no_more_calls_are_out_than_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new executor is one function, which gives ``submit`` and a number."""
    out, most = [0], [0]

    @contextmanager
    def counted(work: Any, rest: str) -> Iterator[tuple[Callable[..., Future[Any]], int]]:
        with executors._threads(work, rest) as (submit, _):

            def counting(*call: Any) -> Future[Any]:
                out[0] += 1
                most[0] = max(most[0], out[0])
                return submit(*call)

            yield counting, 5

    monkeypatch.setitem(executors.EXECUTORS, "counted", ("counted:N", counted))
    for _ in each(later, 0.001, [(which,) for which in range(60)], "counted:3"):
        out[0] -= 1
    assert (out[0], most[0]) == (0, 5)
    with pytest.raises(
        UsageError, match="no executor 'smoke'; there are: threads, threads:N, .*, counted:N$"
    ):
        list(each(later, 0.0, [], "smoke"))
