"""Cells: a value for each pair of a row and a column, in one panel or several, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.reporting.blocks import Block
from backtest.reporting.palette import BLUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.reporting.blocks import Said

_SHADES = 24
_TICKS = 7  # at most, where they are spread evenly


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


class Pane(NamedTuple):
    """One value a cell: the place of its look, -1 for none, (n_rows, n_columns), and what is read out."""

    heading: str
    painted: Ints
    read: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Cells(Block):
    """Panels of cells over the same rows and columns.

    Parameters
    ----------
    name
        By which it is known in the page, and of its file.
    panels
        Side by side where there is room.
    looks
        How cells are painted; those with a word stand in the key.
    rows, columns
        What each is called, the first row on top.
    says
        What is read out of a cell: ``{row}``, ``{column}`` and ``{value}`` are filled in; and of a cell
        whose row is called as its column, where that is said otherwise.
    shows, caption
        What is to be seen, for who cannot see it; and what stands under it.
    rising
        Whether the first row is at the bottom instead.
    height
        Pixels of a panel.
    spots
        Cells that are marked in every panel.
    axes
        What the rows are of, and the columns; empty where that needs no word.
    every
        Which rows and columns are named beside the cells: every so many years, or some spread evenly (0).
    """

    name: str
    panels: tuple[Pane, ...]
    looks: tuple[Tint, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    says: tuple[str, str]
    shows: str
    caption: Said = ""
    rising: bool = False
    height: int = 260
    spots: tuple[Spot, ...] = ()
    axes: tuple[str, str] = ("", "")
    every: int = 0

    def ticks(self, labels: Sequence[str]) -> list[tuple[int, str]]:
        """Return which of the rows or columns are named, by their place."""
        if self.every:
            return [(i, label) for i, label in enumerate(labels) if int(label) % self.every == 0]
        step = -(-len(labels) // _TICKS)
        return [(i, labels[i]) for i in range(0, len(labels), step)]


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
