"""What a script prints itself goes to standard error: standard output is the command's product."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_replaced: list[TextIO] = []  # standard output, once for each thread that runs a script just now


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Send what is printed meanwhile to standard error; threads may overlap in it, and it may be nested."""
    with _lock:
        _replaced.append(_replaced[0] if _replaced else sys.stdout)
        sys.stdout = sys.stderr
    try:
        yield
    finally:
        with _lock:
            before = _replaced.pop()
            # The last to leave gives standard output back, in whatever order they came.
            if not _replaced:
                sys.stdout = before
