"""The witness of a run: the ledger replays it in a process of its own, while its page is drawn."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backtest.errors import RotationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from backtest.runs import Run


UNUSED = ("quantstats", "nbformat", "ipywidgets")
"""What vectorbt and plotly load where it is installed: most of their import, and of no use to a replay."""


def _replay(result: Run, tell: Connection) -> None:
    """Replay a run, and tell what is wrong; an empty text where nothing is."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent ends it so, and puts in order what there is
    said = ""
    for name in UNUSED:  # for this process only, which ends with the replay
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # that is how Python says: not installed
    try:
        _ = result.portfolio
    except RotationError as error:
        said = str(error)
    except KeyboardInterrupt:
        said = "interrupted before the ledger had replayed the run"
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        said = f"the ledger failed: {type(error).__name__}: {error}"
    tell.send(said)


@contextmanager
def witness(result: Run) -> Iterator[None]:
    """Let the ledger replay a run beside what is done within, and hear it at the end.

    Importing vectorbt takes longer than anything else that a run does, and has a processor of its own here.
    Where a process cannot be forked safely the run is replayed after what is done within.

    Raises
    ------
    RotationError
        When the ledger disagrees with the run, or could not replay it.
    """
    if sys.platform != "linux":
        yield
        _ = result.portfolio
        return
    import pandas  # noqa: F401, ICN001 - page and ledger need it: loaded before they part, it is loaded once

    context = multiprocessing.get_context("fork")
    hear, tell = context.Pipe(duplex=False)
    process = context.Process(target=_replay, args=(result, tell), daemon=True)
    sys.stdout.flush()  # what stands in its buffer would be printed by both
    with warnings.catch_warnings():
        # Newer Pythons warn of threads, which the fork does not take along: those of BLAS come again.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    tell.close()
    try:
        yield
        try:
            said = hear.recv()
        except EOFError:
            said = "the ledger ended before it had replayed the run; run it again"
        if said:
            raise RotationError(said)
    finally:
        process.terminate()
        process.join()
        hear.close()
