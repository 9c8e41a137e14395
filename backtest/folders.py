"""Where the shipped strategies and data lie: inside an installed copy, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Return the folder ``strategies`` or ``data`` that belongs to this copy of the package.

    A wheel carries both folders under ``backtest/``; a checkout has them at its top level.
    This is the only function that knows the difference.
    """
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
