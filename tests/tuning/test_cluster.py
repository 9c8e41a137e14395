"""A real Dask cluster on this machine, one of whose workers is killed in the middle of a sweep."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from distributed import Client

from backtest import load_strategy
from backtest.errors import RotationError, UsageError
from backtest.tuning.executors import each
from backtest.tuning.tune import tune
from tests.tuning.test_sweep import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backtest import MarketData
    from backtest.scripting.strategy import Strategy


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


@pytest.fixture
def slow(script: Path) -> Strategy:
    """A strategy that takes long enough to be interrupted, with a module that no worker has the file of."""
    folder = script.parent / "away"
    folder.mkdir()
    (folder / "taking_time.py").write_text("import time\n\ndef wait():\n    time.sleep(0.15)\n")
    changed = "from taking_time import wait\n" + script.read_text()
    script = folder / script.name
    script.write_text(changed.replace("    first_cuts =", "    wait()\n    first_cuts ="))
    return load_strategy(str(script))


GRID = {"delay": "0:24:2", "hold": "1:60:1", "quiet": "0:60:3"}


def tuned_while_killing(
    strategy: Strategy, market: MarketData, out: Path, executor: str, kill: Callable[[], None]
) -> None:
    """Tune, kill somebody when three chunks are there, and hold the dataset against one made here."""
    tune(strategy, market, grid=GRID, out=out / "here", placebo=0)
    place = out / "there"
    killed: list[int] = []

    def lurk() -> None:
        while len(list(place.glob("trials/part-*.parquet"))) < 3:
            time.sleep(0.01)
        kill()
        killed.append(len(list(place.glob("trials/part-*.parquet"))))

    killer = threading.Thread(target=lurk, daemon=True)
    killer.start()
    tune(strategy, market, grid=GRID, out=place, executor=executor, placebo=0)
    killer.join(timeout=10)
    n_chunks = len(list(place.glob("trials/part-*.parquet")))
    assert killed, "no worker was killed"
    assert killed[0] < n_chunks, "the worker was killed too late"
    assert digest(place) == digest(out / "here")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets to the worker that was killed
def test_a_worker_that_dies_changes_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], embedded: MarketData, slow: Strategy, tmp_path: Path
) -> None:
    address, workers = cluster
    tuned_while_killing(
        slow, embedded, tmp_path, f"dask://{address}", lambda: workers[0].send_signal(signal.SIGKILL)
    )
    assert workers[0].wait(timeout=10) == -signal.SIGKILL


def test_what_a_cluster_cannot_run_is_an_error(cluster: tuple[str, list[subprocess.Popen[bytes]]]) -> None:
    # The workers have no module of that name: the work cannot even be unpickled there.
    address, _ = cluster
    with pytest.raises(RotationError, match=f"the executor dask://{address} failed: .*go on with --resume"):
        list(each(digest, None, [(1,), (2,)], f"dask://{address}"))


def test_a_worker_with_another_version_is_refused(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    (tmp_path / "old" / "size_rotation-0.0.9.dist-info").mkdir(parents=True)
    (tmp_path / "old" / "size_rotation-0.0.9.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: size-rotation\nVersion: 0.0.9\n"
    )
    workers.append(
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "old")},
        )
    )
    here = importlib.metadata.version("size-rotation")
    said = f"has size-rotation 0.0.9, not {here} as here; install that there"
    with Client(f"tcp://{address}") as client:
        client.wait_for_workers(3, timeout=60)
    with pytest.raises(UsageError, match=said):
        list(each(digest, None, [(1,)], f"dask://{address}"))


def test_a_scheduler_without_workers_is_named(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, workers = cluster
    for worker in workers:
        worker.kill()
        worker.wait()
    monkeypatch.setattr("backtest.tuning.executors._SECONDS", 2)
    with pytest.raises(RotationError, match="has no workers; start one with: dask worker"):
        list(each(digest, None, [(1,)], f"dask://{address}"))


def test_a_scheduler_that_does_not_answer_is_named(embedded: MarketData, tmp_path: Path) -> None:
    with pytest.raises(RotationError, match=r"no Dask scheduler answers at 127\.0\.0\.1:1"):
        tune("rate_cut", embedded, grid={"hold": "6,12"}, executor="dask://127.0.0.1:1", out=tmp_path / "o")


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.0.0.1:port"])
def test_what_is_no_address_is_refused(address: str, embedded: MarketData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no address of a scheduler; write dask://HOST:PORT"):
        tune("rate_cut", embedded, grid={"hold": "6,12"}, executor=f"dask://{address}", out=tmp_path / "o")


def has_ray() -> bool:
    """Whether Ray is installed: it is large, so that the tests do not bring it along."""
    return importlib.util.find_spec("ray") is not None


@pytest.mark.skipif(has_ray(), reason="Ray is installed")
def test_ray_is_asked_for_by_its_extra_where_it_is_missing(embedded: MarketData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"size-rotation\[ray\]"):
        tune("rate_cut", embedded, grid={"hold": "6,12"}, executor="ray", out=tmp_path / "o")


@pytest.mark.skipif(not has_ray(), reason="Ray is not installed: pip install -e '.[ray]'")
@pytest.mark.filterwarnings("ignore")  # of Ray's own, many
def test_a_worker_of_ray_that_dies_changes_nothing(
    embedded: MarketData, slow: Strategy, tmp_path: Path
) -> None:
    def command(*arguments: str) -> None:
        ray = [sys.executable, "-m", "ray.scripts.scripts", *arguments]
        subprocess.run(ray, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill() -> None:
        # Ray names its workers after what they run.
        commands = {int(path.parent.name): path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")}
        os.kill(
            min(at for at, command in commands.items() if command.startswith(b"ray::_called")), signal.SIGKILL
        )

    with pytest.raises(RotationError, match="no Ray cluster answers here"):
        tune("rate_cut", embedded, grid={"hold": "6,12"}, executor="ray", out=tmp_path / "o")
    command("start", "--head", "--num-cpus=2", "--node-ip-address=127.0.0.1", "--port=0",
            "--include-dashboard=false", "--disable-usage-stats")  # fmt: skip
    try:
        tuned_while_killing(slow, embedded, tmp_path, "ray", kill)
    finally:
        command("stop", "--force")
