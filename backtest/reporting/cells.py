"""Cells: a value for each pair of a row and a column, how each is painted, and what is read out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.reporting.palette import BLUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Floats, Ints

_SHADES = 24


class Tint(NamedTuple):
    """How a cell is painted, and what that stands for."""

    colour: str
    opacity: float
    word: str = ""


class Spot(NamedTuple):
    """A cell that is marked: ``kind`` is ``here``, ``best`` or ``centre``; and what it is."""

    kind: str
    row: int
    column: int
    word: str


@dataclass(frozen=True, eq=False)
class Cells:
    """A value for each label across and each row, the lowest row first.

    Parameters
    ----------
    painted
        The place of each one's look, -1 for none, (n_rows, n_columns).
    read
        What is read out of each; nothing of an empty one.
    looks
        How cells are painted; those with a word stand in the key.
    says
        What is read out with it: ``{row}``, ``{column}`` and ``{value}`` are filled in; and of a cell whose
        row is called as its column, where that is said otherwise.
    spots
        Cells that are marked.
    """

    painted: Ints
    read: tuple[tuple[str, ...], ...]
    looks: tuple[Tint, ...]
    says: tuple[str, str]
    spots: tuple[Spot, ...] = ()


def read_out(values: Floats, form: Callable[[float], str]) -> tuple[tuple[str, ...], ...]:
    """Return what is read out of values, nothing where there is none."""
    return tuple(tuple("" if v != v else form(v) for v in row) for row in values.tolist())


def shades(low: str, high: str) -> tuple[Tint, ...]:
    """Return looks from the faintest to the strongest, with what these two stand for."""
    words = [low, *[""] * (_SHADES - 2), high]
    return tuple(Tint(BLUE, (i + 1) / _SHADES, word) for i, word in enumerate(words))


def shaded(values: Floats, ends: tuple[float, float], *, lower: bool = False) -> Ints:
    """Return for each value the place of its look in ``shades``, the strongest for the best; -1 for NaN."""
    low, high = ends
    part = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    part = 1.0 - part if lower else part
    found: Ints = np.where(np.isfinite(part), np.floor(part * (_SHADES - 1e-9)), -1).astype(np.int64)
    return found
