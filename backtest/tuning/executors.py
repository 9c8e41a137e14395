"""Executors: who computes the chunks: threads here, processes here, or a cluster that exists already.

Each is one function: it gives ``submit(*call)``, which answers with a future of ``concurrent.futures``, and
how many calls are worth asking for at a time. Everything else is ``each``, the same for all of them. None
goes through joblib: where Dask cannot run a call at all, joblib's backend drops the error and waits for ever,
and that of Ray gives no answers one by one.
"""

from __future__ import annotations

import importlib
import pickle
import socket
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from backtest.compiling import threads as processors
from backtest.errors import RotationError, UsageError
from backtest.numerals import count
from backtest.scripting.own_modules import own_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backtest.dates import Ints

Answer = TypeVar("Answer")

ALIKE = ("size-rotation", "numpy", "numba", "pyarrow")
"""Packages that must be the same on every machine: the results are promised to the byte."""

_SECONDS = 10  # what a scheduler may take to answer, and its first worker to arrive

_MOST_WORKERS = 1024

_AHEAD = 2  # calls a worker that are asked for before there is an answer: none waits for its next one

_LATE = 64  # and on a cluster as many at least, for workers that join later

_BROKEN = 3  # pools that may break before a search is given up


def _packed(work: Callable[..., Any], shared: Any) -> Callable[..., Any]:
    """Return ``work`` with what all its calls share: packed once, and unpacked once in each process."""
    import cloudpickle

    return partial(_unpacked, cloudpickle.dumps((work, shared)))


@lru_cache(maxsize=2)
def _parts(packed: bytes) -> Any:
    return pickle.loads(packed)  # noqa: S301 - what this program has packed elsewhere


def _unpacked(packed: bytes, *call: Any) -> Any:
    work, shared = _parts(packed)  # where this fails it is an error of the call, and not of the engine
    return work(shared, *call)


def _called(work: Callable[..., Any], *call: Any) -> Any:
    return work(*call)


Given: TypeAlias = "tuple[Callable[..., Future[Any]], int]"
"""``submit(*call)``, and how many calls are worth asking for at a time."""


def _here(kind: str, rest: str) -> int:
    return count(rest, f"the executor {kind}:N", 1, _MOST_WORKERS, "workers") if rest else processors()


@contextmanager
def _threads(work: Callable[..., Any], rest: str) -> Iterator[Given]:
    """Give threads of this process: the compiled loops and Arrow run without Python's lock."""
    n = _here("threads", rest)
    with ThreadPoolExecutor(n) as pool:
        yield partial(pool.submit, work), _AHEAD * n


@contextmanager
def _loky(work: Callable[..., Any], rest: str) -> Iterator[Given]:
    """Give processes on this machine; they are kept for some seconds, unless the work ends before its end."""
    from loky import get_reusable_executor

    n = _here("loky", rest)
    pool = get_reusable_executor(max_workers=n)
    try:
        yield partial(pool.submit, work), _AHEAD * n
    except BaseException:
        pool.shutdown(kill_workers=True)
        raise


@contextmanager
def _dask(work: Callable[..., Any], rest: str) -> Iterator[Given]:
    """Give a Dask cluster whose workers can do our work; it gives what a lost one had to another."""
    if not rest.startswith("//"):
        raise _unknown(f"dask:{rest}")
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "Dask is not installed; install it with: pip install 'size-rotation[dask]'"
        ) from None
    address = rest.removeprefix("//")
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
        for package in ALIKE:
            here = version(package)
            for worker, there in client.run(version, package, on_error="return").items():
                if there != here:
                    what = "none" if isinstance(there, Exception) else there
                    raise UsageError(
                        f"the worker {worker} has {package} {what}, not {here} as here; install that there"
                    )
        sent = client.scatter(work, broadcast=True, hash=False)
        submit = client.get_executor(pure=False).submit
        yield partial(submit, _called, sent), max(_AHEAD * sum(client.nthreads().values()), _LATE)


@contextmanager
def _ray(work: Callable[..., Any], rest: str) -> Iterator[Given]:
    """Give a Ray cluster that runs already, and leave it running; what a lost worker had goes to another."""
    import logging

    if rest and not rest.startswith("//"):
        raise _unknown(f"ray:{rest}")
    try:
        import ray
    except ImportError:
        raise UsageError("Ray is not installed; install it with: pip install 'size-rotation[ray]'") from None
    address = f"ray:{rest}" if rest else "auto"
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, ignore_reinit_error=True)
    except (ConnectionError, ValueError):
        where = f"at {rest.removeprefix('//')}" if rest else "here"
        raise RotationError(
            f"no Ray cluster answers {where}; start one with 'ray start --head', or give ray://HOST:PORT"
        ) from None
    try:
        sent, remote = ray.put(work), ray.remote(_called)

        def submit(*call: Any) -> Future[Any]:
            return remote.remote(sent, *call).future()

        yield submit, max(_AHEAD * int(ray.cluster_resources().get("CPU", 1)), _LATE)
    finally:
        ray.shutdown()


EXECUTORS: dict[str, tuple[str, Callable[[Callable[..., Any], str], AbstractContextManager[Given]]]] = {
    "threads": ("threads, threads:N", _threads),
    "loky": ("loky, loky:N", _loky),
    "dask": ("dask://HOST:PORT", _dask),
    "ray": ("ray, ray://HOST:PORT", _ray),
}
"""What an executor's name begins with, how a user writes it, and what gives it."""


def _unknown(executor: str) -> UsageError:
    there = ", ".join(written for written, _ in EXECUTORS.values())
    return UsageError(f"there is no executor '{executor}'; there are: {there}")


def carry(script: str, executor: str) -> None:
    """Send a script's own modules along to an executor whose machines may lack their files."""
    if not executor.startswith("threads"):
        import cloudpickle

        for name in own_modules(Path(script)):
            cloudpickle.register_pickle_by_value(importlib.import_module(name))


def each(
    work: Callable[..., Answer], shared: Any, calls: Sequence[tuple[Any, ...]], executor: str = "threads"
) -> Iterator[tuple[int, Answer]]:
    """Give the place and the answer of each of many calls, ``work(shared, *call)``, as they arrive.

    ``work`` and what it is called with must be picklable for other processes. Where a worker dies its calls
    are made again: by the cluster, or here, with new processes. Where no more answers are wanted, no call is
    left and no process of ours.

    Raises
    ------
    UsageError
        When there is no such executor, or it is not installed.
    RotationError
        When it does not answer, or loses workers again and again.
    """
    kind, _, rest = executor.partition(":")
    if kind not in EXECUTORS:
        raise _unknown(executor)
    left, bound = dict(enumerate(calls)), (partial if kind == "threads" else _packed)(work, shared)
    for broken in range(_BROKEN):
        try:
            if left:
                with EXECUTORS[kind][1](bound, rest) as (submit, most):
                    yield from _answers(submit, most, left)
        except Exception as error:
            if isinstance(error, BrokenExecutor) and broken < _BROKEN - 1:
                continue
            cause = getattr(error, "cause", None) or error  # Ray wraps what a call raises
            if kind == "threads" or isinstance(cause, RotationError):
                raise cause from None
            said = ": ".join([type(cause).__name__, *str(cause).splitlines()[:1]])
            raise RotationError(
                f"the executor {executor} failed: {said}; what was measured is kept: go on with --resume"
            ) from error
        return


def _answers(
    submit: Callable[..., Future[Answer]], most: int, left: dict[int, tuple[Any, ...]]
) -> Iterator[tuple[int, Answer]]:
    """Give answers as they arrive, and take what has one from what is left."""
    ahead, out = iter(list(left)), dict[Future[Answer], int]()
    try:
        while left:
            out |= {submit(*left[which]): which for which in islice(ahead, most - len(out))}
            for future in wait(out, return_when=FIRST_COMPLETED).done:
                answer, which = future.result(), out.pop(future)
                del left[which]
                yield which, answer
    finally:
        for future in out:
            future.cancel()


class Crew(NamedTuple):
    """Who computes, and who is told how far it is: of what, how many, of how many."""

    executor: str = "threads"
    tell: Callable[[str, int, int], object] = lambda *_: None

    def in_order(
        self, what: str, work: Callable[..., Answer], shared: Any, numbers: Ints, size: int, *rest: Any
    ) -> list[Answer]:
        """Return what ``work(shared, piece, *rest)`` gives for each piece of so many numbers, in order."""
        pieces = [numbers[start : start + size] for start in range(0, len(numbers), size)]
        found, done = {}, 0
        for which, answer in each(work, shared, [(piece, *rest) for piece in pieces], self.executor):
            found[which], done = answer, done + len(pieces[which])
            self.tell(what, done, len(numbers))
        return [found[which] for which in range(len(pieces))]


CREW = Crew()
"""The threads of this process, and nobody who is told."""
