"""Compiling: one decorator that turns a loop over arrays into machine code, kept on disk between runs."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import dispatcher, event
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])

_RULES: Any = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}  # nobody calls it from C
_INNER: Any = {"forceinline": True, "no_cpython_wrapper": True}  # nor these from Python

_ADDRESSES = 2 * 2**30  # what a thread more may ask for: stacks, and rooms of its own for what it allocates


def compiled(function: Function) -> Function:
    """Return ``function`` compiled by numba at its first call.

    The machine code is kept beside the source, or, where that folder cannot be written to (an installed
    copy), in the user's cache folder; ``NUMBA_CACHE_DIR`` names another place. Where no folder can be
    written to at all, or its disk is full, the code is compiled anew in every process. It runs without
    Python's lock, so that threads share the work. Arithmetic is IEEE's, step by step as written; a division
    by zero gives an infinity or NaN.
    """
    return _compile(function)


def inlined(function: Function) -> Function:
    """Return ``function`` compiled into each of its compiled callers, which alone can call it."""
    return _compile(function, **_INNER)


def in_turn(functions: Sequence[Callable[[Any], float]]) -> Callable[[Any, Any], None]:
    """Return ``write(out, given)``, compiled into its callers: what each function gives, infinities as NaN.

    Numba cannot loop over functions and inline them, so the calls are written out.
    """
    names = {f"f{place}": numba.njit(each, **_RULES, **_INNER) for place, each in enumerate(functions)}
    calls = [f"    out[{place}] = defined(f{place}(given))" for place in range(len(functions))]
    made: dict[str, Any] = {**names, "defined": _defined}
    exec("\n".join(["def write(out, given):", *calls]), made)  # noqa: S102 - of the line above, nobody's input
    return numba.njit(made["write"], **_RULES, **_INNER)


def compiled_sums(function: Function) -> Function:
    """Return ``function`` compiled so that its sums may be added up in another order, several at a time.

    Otherwise as ``compiled``. The order depends on the processor's vector width, not on threads: the result
    is the same at every call, and differs between kinds of processors in the last bits.
    """
    return _compile(function, fastmath={"reassoc"})


@cache
def _fingerprint() -> str:
    """Return a digest of every module of this package that has compiled functions, or says so of its own."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        text = path.read_bytes()
        if b"backtest.compiling" in text:
            digest.update(text)
    return digest.hexdigest()[:12]


class _Cache(FunctionCache):
    """Code on disk that a run can do without: a full or failing disk costs time, not the run."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the stored code of a signature; None where there is none or it cannot be read."""
        with contextlib.suppress(OSError):
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call] # numba has no types
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store the code of a signature if the disk allows it."""
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call] # as above


@contextlib.contextmanager
def caches_that_may_fail() -> Iterator[None]:
    """Let the functions that a library compiles with numba's cache do without it, too; import it inside."""
    numbas: Any = dispatcher  # it has no types
    before = numbas.FunctionCache
    numbas.FunctionCache = _Cache
    try:
        yield
    finally:
        numbas.FunctionCache = before


class _First(event.Listener):
    """Says once that numba compiles."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say: Callable[[], None] | None = say

    def on_start(self, _: Any) -> None:
        """Say it, if this is the first time."""
        say, self._say = self._say, None
        if say is not None:
            say()

    def on_end(self, _: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def announced(say: Callable[[], None]) -> Iterator[None]:
    """Call ``say`` before the first function that has to be compiled; never where all are found on disk."""
    with event.install_listener("numba:compile", _First(say)):
        yield


def _compile(function: Function, **options: Any) -> Function:
    # Compiled code contains what it calls, but numba looks for changes in the function's own file only. The
    # name on disk therefore changes with any of our compiled sources: no code of an older version is run.
    function.__qualname__ += f"_{_fingerprint()}"
    made = numba.njit(function, **_RULES, **options)
    with contextlib.suppress(RuntimeError, OSError):  # no place for a cache (as numba says it), or a full one
        made._cache = _Cache(function)  # type: ignore[no-untyped-call] # what cache=True does
    return made


@inlined
def lower(one: float, other: float) -> float:
    """Return the lower of two numbers by one instruction, which ``min`` is not; ``other`` if one is NaN."""
    return one if one < other else other  # noqa: FURB136 - the point of it


@inlined
def higher(one: float, other: float) -> float:
    """Return the higher of two numbers by one instruction; ``other`` if one is NaN."""
    return one if one > other else other  # noqa: FURB136 - the point of it


@inlined
def copy(row: Any, of: Any) -> None:
    """Write the values of one row into another, as long; ``row[:] = of`` compiles for two seconds longer."""
    for place in range(len(of)):
        row[place] = of[place]


@inlined
def _defined(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def threads() -> int:
    """Return the number of processors that this process may use; fewer where its addresses are limited."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        import resource
    except ImportError:  # no system with such limits
        return n
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    return n if most == resource.RLIM_INFINITY else max(min(n, most // _ADDRESSES), 1)
