"""The guard of the command: whatever ends it, one sentence on standard error and an exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from backtest.errors import RotationError

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 1200  # letters of a sentence; what is longer has been made so by a file
_ROOM = 4 * 2**30  # addresses; ``universe build`` asks for 2.8 billion on two processors, and uses 0.4


def _failure(error: OSError) -> str:
    """Return what the system refused, at which path, and what to do about it."""
    reason = error.strerror or str(error)
    if error.filename is None:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return f"{reason}; free the disk, or write elsewhere" if full else reason
    cure = "name another one, or allow yourself to use it" if isinstance(error, PermissionError) else ""
    return f"{os.fsdecode(error.filename)}: {reason}; {cure or 'name another file or folder'}"


def _unexpected(error: Exception, arguments: list[str]) -> str:
    """Write down what nobody expected, and return the sentence that says so."""
    import tempfile
    import traceback

    said = f"{type(error).__name__}: {error}"[:200]
    try:
        number, place = tempfile.mkstemp(prefix="rotation-fault-", suffix=".txt")
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123 - it is open
            file.write(f"{arguments}\nPython {sys.version}\n\n{''.join(traceback.format_exception(error))}")
    except OSError:
        return f"this is our fault, not yours ({said}); please report it with the call"
    return f"this is our fault, not yours ({said}); please report it with the details, which are in {place}"


def _printable(sentence: str) -> str:
    """Return a sentence on one line, without what a terminal would act on, and no longer than one reads."""
    words = " ".join(sentence.split())
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST // 2]} ... {plain[-_LONGEST // 2 :]}"


def guarded(prog: str, work: Callable[[], int]) -> int:
    """Do the work; whatever fails becomes one sentence on standard error and an exit status."""
    if sys.stdout is None:  # closed by the shell: command >&-
        print(f"{prog}: standard output is closed; send it to a file or to /dev/null", file=sys.stderr)  # noqa: T201
        return 1
    try:
        status = work()
        sys.stdout.flush()
    except RotationError as error:
        said, status = str(error), error.exit_status
    except KeyboardInterrupt:
        said, status = "interrupted; nothing was left half written", 1
    except BrokenPipeError:
        # The reader (head, less) has gone; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        said, status = _failure(error), 1
    except MemoryError:
        said, status = "there is not enough memory; ask for less at once, or go where there is more", 1
    except Exception as error:  # noqa: BLE001 - this is the last place that can say it in words
        said, status = _unexpected(error, sys.argv[1:]), 1
    else:
        return status
    print(_shown(f"{prog}: {_printable(said)}"), file=sys.stderr)  # noqa: T201 - the sentence itself
    return status


def _shown(sentence: str) -> str:
    """Return a sentence as a terminal shows it; a command that it ends in stands on a line of its own."""
    from backtest.arguments import shown

    if not sys.stderr.isatty() or shown(sentence, sys.stderr) == sentence:
        return sentence
    before, found, command = sentence.partition(": rotation ")
    return shown(f"{before}:\n  rotation {command}" if found else sentence, sys.stderr)


def require_surroundings() -> None:
    """Refuse what the libraries cannot work in; pass over a terminal that is no letter wide.

    Raises
    ------
    RotationError
        When Python takes docstrings away, numba may use no thread, or there is too little room.
    """
    if not os.environ.get("COLUMNS", "").strip("0"):
        os.environ.pop("COLUMNS", None)
    if sys.flags.optimize > 1:
        raise RotationError("python -OO takes away docstrings, in which a thesis stands; leave out one O")
    numba = os.environ.get("NUMBA_NUM_THREADS", "1")
    if not (numba.isdecimal() and numba.strip("0")):
        raise RotationError(f"NUMBA_NUM_THREADS is '{numba}'; make it a number from 1 on, or unset it")
    _require_room()


def _require_room() -> None:
    """Refuse to begin in less room than it takes: linear algebra waits for memory that is denied for ever.

    What counts here are addresses (``ulimit -v`` and ``ulimit -d``), of which libraries ask for far more than
    they use. A container's or a batch system's limit on memory in use is another one, and is not asked about.

    Raises
    ------
    RotationError
        When the limit is too low; the sentence says how to raise it.
    """
    try:
        import resource
    except ImportError:  # no system with such limits
        return
    for letter, name in (("v", "RLIMIT_AS"), ("d", "RLIMIT_DATA")):
        most, _ = resource.getrlimit(getattr(resource, name))
        if most == resource.RLIM_INFINITY:
            continue
        if most < _ROOM:
            raise RotationError(
                f"this process may have {most / 2**30:.1f} GB of addresses and asks for up to "
                f"{_ROOM // 2**30} GB, most of which it never uses; raise the limit with: "
                f"ulimit -{letter} unlimited"
            )
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each of its threads asks for more


def say_nothing_of_fonts() -> None:
    """Let matplotlib keep to itself that a home cannot be written, where it would keep its fonts."""
    import logging

    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def hear_the_end() -> None:
    """Let what ends the command (SIGTERM, a closed terminal) end it as Ctrl-C does: all is put in order."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: Any) -> None:
    ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(ctrl_c):  # ignored, as in a script's background
        raise KeyboardInterrupt
    ctrl_c(number, frame)
