"""Executors: who computes the chunks: threads here, processes here, or a cluster that exists already."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from backtest.compiling import threads as processors
from backtest.errors import RotationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Answer = TypeVar("Answer")

_TURNS = 2  # calls a worker that Ray is given at a time

EXECUTORS = "threads, threads:N, loky, loky:N, dask://HOST:PORT, ray or ray://HOST:PORT"


@contextmanager
def _backend(executor: str) -> Iterator[dict[str, Any]]:
    """Give joblib's options for an executor; the engine itself retries what a lost worker had."""
    import joblib

    kind, _, rest = executor.partition(":")
    if kind in {"threads", "loky"}:
        if rest and not (rest.isdigit() and int(rest) > 0):
            raise UsageError(f"the executor '{executor}' needs a number of workers, such as {kind}:4")
        n_jobs = int(rest) if rest else processors()
        yield {"n_jobs": n_jobs, "backend": "threading" if kind == "threads" else "loky"}
    elif kind == "dask" and rest.startswith("//"):
        try:
            from distributed import Client
        except ImportError:
            raise UsageError(
                "Dask is not installed; install it with: pip install 'size-rotation[dask]'"
            ) from None
        try:
            client = Client("tcp:" + rest, timeout=10)
        except OSError:
            raise RotationError(f"no Dask scheduler answers at {rest[2:]}; is the address right?") from None
        with client, joblib.parallel_config("dask", client=client):
            yield {"n_jobs": -1}
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


def each(
    work: Callable[..., Answer], calls: Sequence[tuple[Any, ...]], executor: str = "threads"
) -> Iterator[Answer]:
    """Give the answers of many calls, in the order in which they arrive.

    ``work`` and what it is called with must be picklable for other processes. A worker that dies is replaced
    by the engine, which gives its calls to another.

    Raises
    ------
    UsageError
        When there is no such executor, or it is not installed.
    RotationError
        When it does not answer, or loses a call's workers again and again.
    """
    import joblib

    if not calls:
        return
    with _backend(executor) as options:
        if executor in {"threads:1", "loky:1"} or (len(calls) == 1 and executor == "threads"):
            for call in calls:
                yield work(*call)
            return
        # Ray's backend gives no answers one by one, so that it gets few calls at a time: what comes back
        # is written before more is asked for.
        one_by_one = not executor.startswith("ray")
        size = len(calls) if one_by_one else _TURNS * joblib.effective_n_jobs(-1)
        lazily = "generator_unordered" if one_by_one else "list"
        parallel = joblib.Parallel(**options, return_as=lazily, batch_size=1)
        try:
            for begin in range(0, len(calls), size):
                yield from parallel(joblib.delayed(work)(*call) for call in calls[begin : begin + size])
        except (UsageError, RotationError, KeyboardInterrupt, GeneratorExit):
            raise
        except Exception as error:
            if type(error).__module__.startswith(("distributed", "joblib", "ray")):
                raise RotationError(
                    f"the executor {executor} failed: {type(error).__name__}; what was measured is kept: "
                    "go on with --resume"
                ) from error
            raise
