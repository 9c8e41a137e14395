"""Executors: who computes the chunks: threads here, processes here, or a cluster that exists already."""

from __future__ import annotations

import importlib
import socket
import warnings
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from backtest.compiling import threads as processors
from backtest.errors import RotationError, UsageError
from backtest.numerals import count
from backtest.scripting.own_modules import own_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Answer = TypeVar("Answer")

_ALIKE = ("size-rotation", "numpy", "numba", "pyarrow")
"""Packages that must be the same on every machine: the results are promised to the byte."""

_SECONDS = 10  # what a scheduler may take to answer, and its first worker to arrive

_MOST_WORKERS = 1024

_TURNS = 2  # calls a worker that Ray is given at a time

_PICKLERS = {"loky": "joblib.externals.cloudpickle", "dask": "cloudpickle", "ray": "ray.cloudpickle"}

EXECUTORS = "threads, threads:N, loky, loky:N, dask://HOST:PORT, ray or ray://HOST:PORT"


@contextmanager
def _backend(executor: str) -> Iterator[dict[str, Any]]:
    """Give joblib's options for an executor; the engine itself retries what a lost worker had."""
    kind, _, rest = executor.partition(":")
    if kind in {"threads", "loky"}:
        n_jobs = count(rest, f"the executor {kind}:N", 1, _MOST_WORKERS, "workers") if rest else processors()
        yield {"n_jobs": n_jobs, "backend": "threading" if kind == "threads" else "loky"}
    elif kind == "ray" and (not rest or rest.startswith("//")):
        with _ray(executor if rest else "auto"):
            yield {"n_jobs": -1}
    else:
        raise UsageError(f"there is no executor '{executor}'; there are: {EXECUTORS}")


@contextmanager
def _ray(address: str) -> Iterator[None]:
    """Use a Ray cluster that runs already, and leave it running."""
    import logging

    import joblib

    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise UsageError("Ray is not installed; install it with: pip install 'size-rotation[ray]'") from None
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, ignore_reinit_error=True)
    except (ConnectionError, ValueError):
        where = "here" if address == "auto" else f"at {address.removeprefix('ray://')}"
        raise RotationError(
            f"no Ray cluster answers {where}; start one with 'ray start --head', or give ray://HOST:PORT"
        ) from None
    register_ray()
    try:
        with joblib.parallel_config("ray"):
            yield
    finally:
        ray.shutdown()


def carry(script: str, executor: str) -> None:
    """Send a script's own modules along to an executor whose machines may lack their files."""
    pickler = _PICKLERS.get(executor.partition(":")[0])
    own = own_modules(Path(script)) if pickler else {}
    if pickler and own:
        with suppress(ImportError):  # the executor itself says what to install
            register = importlib.import_module(pickler).register_pickle_by_value
            for name in own:
                register(importlib.import_module(name))


@contextmanager
def _dask(address: str) -> Iterator[Any]:
    """Give a client of a Dask cluster whose workers can do our work."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "Dask is not installed; install it with: pip install 'size-rotation[dask]'"
        ) from None
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit()):
        raise UsageError(f"'{address}' is no address of a scheduler; write dask://HOST:PORT")
    try:
        # Asked before there is a client: one that failed half made can stop the next one for ever.
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
        client = Client(f"tcp://{address}", timeout=_SECONDS)
    except (OSError, OverflowError):
        raise RotationError(f"no Dask scheduler answers at {address}; is the address right?") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS)
        except TimeoutError:
            raise RotationError(
                f"the Dask scheduler at {address} has no workers; start one with: dask worker {address}"
            ) from None
        for package in _ALIKE:
            here = version(package)
            for worker, there in client.run(version, package, on_error="return").items():
                if there != here:
                    what = "none" if isinstance(there, Exception) else there
                    raise UsageError(
                        f"the worker {worker} has {package} {what}, not {here} as here; install that there"
                    )
        yield client


def _on_dask(
    work: Callable[..., Answer], shared: Any, calls: Sequence[tuple[Any, ...]], address: str
) -> Iterator[Answer]:
    """Give the answers from a Dask cluster.

    Not through joblib: where a task fails outside of our own code (it cannot be unpickled there, or kills
    every worker that takes it), joblib's backend drops the error and waits for ever.
    """
    with _dask(address) as client:
        from distributed import as_completed

        there = client.scatter(shared, broadcast=True, hash=False)
        # Named by nothing else, so that a worker may forget an answer once it is here.
        for future in as_completed([client.submit(work, there, *call, pure=False) for call in calls]):
            yield future.result()


def each(
    work: Callable[..., Answer], shared: Any, calls: Sequence[tuple[Any, ...]], executor: str = "threads"
) -> Iterator[Answer]:
    """Give the answers of many calls, ``work(shared, *call)``, in the order in which they arrive.

    ``work`` and what it is called with must be picklable for other processes. A worker that dies is replaced
    by the engine, which gives its calls to another.

    Raises
    ------
    UsageError
        When there is no such executor, or it is not installed.
    RotationError
        When it does not answer, or loses a call's workers again and again.
    """
    if not calls:
        return
    try:
        if executor.startswith("dask://"):
            yield from _on_dask(work, shared, calls, executor.removeprefix("dask://"))
        else:
            yield from _by_joblib(work, shared, calls, executor)
    except (UsageError, RotationError, KeyboardInterrupt, GeneratorExit):
        raise
    except Exception as error:
        at_engine = executor.startswith(("dask", "ray")) or type(error).__module__.startswith("joblib")
        if not at_engine:
            raise
        said = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        raise RotationError(
            f"the executor {executor} failed: {said}; what was measured is kept: go on with --resume"
        ) from error


def _by_joblib(
    work: Callable[..., Answer], shared: Any, calls: Sequence[tuple[Any, ...]], executor: str
) -> Iterator[Answer]:
    import joblib

    with _backend(executor) as options:
        if executor in {"threads:1", "loky:1"} or (len(calls) == 1 and executor == "threads"):
            for call in calls:
                yield work(shared, *call)
            return
        # Ray's backend gives no answers one by one, so that it gets few calls at a time: what comes back
        # is written before more is asked for.
        one_by_one = not executor.startswith("ray")
        size = len(calls) if one_by_one else _TURNS * joblib.effective_n_jobs(-1)
        lazily = "generator_unordered" if one_by_one else "list"
        parallel = joblib.Parallel(**options, return_as=lazily, batch_size=1)
        for begin in range(0, len(calls), size):
            some = calls[begin : begin + size]
            yield from _given(parallel(joblib.delayed(work)(shared, *call) for call in some))


def _given(answers: Iterable[Answer]) -> Iterator[Answer]:
    """Give answers one by one; where no more are wanted, joblib's advice to ask for fewer is left out."""
    try:
        for answer in answers:  # noqa: UP028 - which closes what gives the answers before we can
            yield answer
    except GeneratorExit:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(answers, "close", list)()
        raise
