"""Where the shipped strategies and data lie, installed or in a checkout, and what a user's ``~`` means."""

from __future__ import annotations

import re
from pathlib import Path

from backtest.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Return the folder ``strategies`` or ``data`` that belongs to this copy of the package.

    A wheel carries both folders under ``backtest/``; a checkout has them at its top level.
    This is the only function that knows the difference.
    """
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def as_one_name(name: str) -> str:
    """Return a name as that of one folder in its place: nothing of it makes a path."""
    plain = re.sub(r"[/\\\0]|^\.+", "_", name)[:60]
    return plain or "_"


def expanded(name: str | Path) -> Path:
    """Return the path that a user names, with ``~`` and ``~somebody`` made their home folders.

    Raises
    ------
    UsageError
        When there is no such user, or the user has no home folder.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise UsageError(
            f"'{name}' begins with a home folder that does not exist; write the path out"
        ) from None
