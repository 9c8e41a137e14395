"""Maps of years: a value for every start and every end as data, and where a drawing of them puts what."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.reporting.blocks import Block

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints
    from backtest.reporting.blocks import Said

EDGES = (0.5, 1.0, 2.0, 4.0)
"""Points of a lead between the steps of a colour; the same in every map, so that maps can be compared."""

OPACITIES = (0.15, 0.32, 0.5, 0.72, 1.0)
"""How strong each step is."""

UP, DOWN = "#0072b2", "#d55e00"

_TICKS = 11  # at most, on either side


@dataclass(frozen=True, eq=False)
class YearMap(Block):
    """A cell for each pair of years, coloured by its value.

    Parameters
    ----------
    name
        By which it is known in the page, and of its file.
    heading
        What the cells show, with the unit.
    first
        The first year.
    values
        (k, k) float64 of k years from the first on: a row for each start, a column for each end; NaN where
        there is none. A value below 0 is a lag.
    shows, caption
        What is to be seen, for who cannot see it; and what stands under it.
    """

    name: str
    heading: str
    first: int
    values: Floats
    shows: str
    caption: Said = ""

    @property
    def steps(self) -> Ints:
        """(k, k): from -5, the deepest lag, to 5; 0 where there is no value, or none on either side."""
        size = 1 + np.searchsorted(EDGES, np.abs(self.values))
        found: Ints = np.where(np.isfinite(self.values), size * np.sign(self.values), 0).astype(np.int64)
        return found

    def ticks(self) -> list[tuple[int, str]]:
        """Return which years are named, by their place."""
        n = len(self.values)
        every = next(step for step in (1, 2, 5, 10, 20, 50, 100) if n / step <= _TICKS)
        return [(i, str(self.first + i)) for i in range(n) if (self.first + i) % every == 0]


def keys() -> list[tuple[int, str]]:
    """Return the steps with what each says, from the deepest lag to the largest lead."""
    between = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(EDGES)]
    words = [f"under {EDGES[0]:g}", *between, f"over {EDGES[-1]:g}"]
    steps = list(enumerate(words, 1))
    return [(-step, word) for step, word in reversed(steps)] + steps


def look(step: int) -> tuple[str, float]:
    """Return the colour and the opacity of a step."""
    return UP if step > 0 else DOWN, OPACITIES[abs(step) - 1]
