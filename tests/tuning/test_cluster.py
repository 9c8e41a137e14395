"""A real Dask cluster on this machine, one of whose workers is killed in the middle of a sweep."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from backtest import load_strategy
from backtest.errors import RotationError, UsageError
from backtest.tuning.tune import tune
from tests.tuning.test_sweep import digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backtest import MarketData


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and its two workers, each without a nurse that would replace it."""
    file = tmp_path / "scheduler.json"
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    module = [sys.executable, "-m"]
    scheduler = subprocess.Popen(
        [*module, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
         "--scheduler-file", str(file)], **common,
    )  # fmt: skip
    workers: list[subprocess.Popen[bytes]] = []
    try:
        while not file.is_file() or not file.read_text().endswith("}"):
            assert scheduler.poll() is None
            time.sleep(0.05)
        workers += [
            subprocess.Popen(
                [*module, "distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "1",
                 "--no-nanny", "--no-dashboard"], **common,
            )
            for _ in range(2)
        ]  # fmt: skip
        yield json.loads(file.read_text())["address"].removeprefix("tcp://"), workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets to the worker that was killed
def test_a_worker_that_dies_changes_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], embedded: MarketData, script: Path, tmp_path: Path
) -> None:
    address, workers = cluster
    script.write_text(
        script.read_text().replace("    first_cuts =", "    __import__('time').sleep(0.15)\n    first_cuts =")
    )
    strategy = load_strategy(str(script))
    grid = {"delay": "0:24:2", "hold": "1:60:1", "quiet": "0:60:3"}
    tune(strategy, embedded, grid=grid, out=tmp_path / "here", placebo=0)
    out = tmp_path / "there"
    killed: list[int] = []

    def kill() -> None:
        while len(list(out.glob("trials/part-*.parquet"))) < 3:
            time.sleep(0.01)
        workers[0].send_signal(signal.SIGKILL)
        killed.append(len(list(out.glob("trials/part-*.parquet"))))

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    tune(strategy, embedded, grid=grid, out=out, executor=f"dask://{address}", placebo=0)
    killer.join(timeout=10)
    n_chunks = len(list(out.glob("trials/part-*.parquet")))
    assert killed, "no worker was killed"
    assert killed[0] < n_chunks, "the worker was killed too late"
    assert workers[0].wait(timeout=10) == -signal.SIGKILL
    assert digest(out) == digest(tmp_path / "here")


def test_a_scheduler_that_does_not_answer_is_named(embedded: MarketData, tmp_path: Path) -> None:
    with pytest.raises(RotationError, match=r"no Dask scheduler answers at 127\.0\.0\.1:1"):
        tune("rate_cut", embedded, grid={"hold": "6,12"}, executor="dask://127.0.0.1:1", out=tmp_path / "o")


def test_ray_is_asked_for_by_its_extra_where_it_is_missing(embedded: MarketData, tmp_path: Path) -> None:
    try:
        import ray  # noqa: F401
    except ImportError:
        with pytest.raises(UsageError, match=r"size-rotation\[ray\]"):
            tune("rate_cut", embedded, grid={"hold": "6,12"}, executor="ray", out=tmp_path / "o")
    else:
        pytest.skip("Ray is installed")
