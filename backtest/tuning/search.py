"""Searches: which combinations of a grid to measure, all of them or a sample, decided before the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    from backtest.dates import Ints
    from backtest.tuning.grid import Grid

SEARCHES = ("grid", "random", "sobol", "optuna")
"""Every combination; a random sample; one that fills the space evenly; one that learns as it goes."""

_ROUNDS = 40  # of drawing more, before a sample is given up


@dataclass(frozen=True)
class Search:
    """How to search a grid: its kind, how many trials (None: all), and the seed of what is drawn.

    Examples
    --------
    >>> from backtest import Search
    >>> Search("sobol", trials=64, seed=1)
    Search(kind='sobol', trials=64, seed=1)
    """

    kind: str = "grid"
    trials: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in SEARCHES:
            raise UsageError(f"there is no search '{self.kind}'; {nearest(self.kind, SEARCHES)}")
        if self.kind != "grid" and self.trials is None:
            raise UsageError(f"a search by {self.kind} needs --trials N")
        if self.kind == "grid" and self.trials is not None:
            raise UsageError(
                "a search of the whole grid takes no --trials; add --search random, sobol or optuna"
            )
        if self.seed < 0:
            raise UsageError(f"a seed is 0 or more, not {self.seed}")
        if self.trials is not None and self.trials < 2:
            raise UsageError(f"a search needs 2 trials or more, not {self.trials}")

    def count(self, grid: Grid) -> int:
        """Return how many combinations it measures."""
        return grid.size if self.trials is None else min(self.trials, grid.size)

    def numbers(self, grid: Grid) -> Ints | None:
        """Return combinations whose choice owes nothing to any return, rising; None for all of the grid.

        They are those to measure; for Optuna, which goes where returns were good, as many drawn by chance.
        """
        wanted = self.count(grid)
        if wanted == grid.size:
            return None
        return np.sort((_even if self.kind == "sobol" else _drawn)(grid, wanted, self.seed))


def _drawn(grid: Grid, wanted: int, seed: int) -> Ints:
    random = np.random.default_rng(seed)
    if grid.size <= 4 * wanted:
        return random.permutation(grid.size)[:wanted].astype(np.int64)
    found = np.zeros(0, dtype=np.int64)
    while len(found) < wanted:
        found = np.r_[found, random.integers(grid.size, size=wanted)]
        found = found[np.sort(np.unique(found, return_index=True)[1])]
    return found[:wanted]


def _even(grid: Grid, wanted: int, seed: int) -> Ints:
    """Return the cells that a scrambled Sobol sequence (from scipy) visits first."""
    from scipy.stats import qmc

    free = [i for i, n in enumerate(grid.shape) if n > 1]
    sequence = qmc.Sobol(len(free), scramble=True, rng=np.random.default_rng(seed))
    found = np.zeros(0, dtype=np.int64)
    power = max(int(np.ceil(np.log2(wanted))), 1)
    for _ in range(_ROUNDS):
        points = sequence.random_base2(power) if len(found) == 0 else sequence.random(1 << power)
        digits = [np.zeros(len(points), dtype=np.int64) for _ in grid.shape]
        for column, axis in enumerate(free):
            digits[axis] = np.minimum(
                (points[:, column] * grid.shape[axis]).astype(np.int64), grid.shape[axis] - 1
            )
        found = np.r_[found, grid.number(digits)]
        found = found[np.sort(np.unique(found, return_index=True)[1])]
        if len(found) >= wanted:
            return found[:wanted]
    # Nearly all of the grid is wanted: the sequence comes back to the same cells; the rest is drawn.
    rest = np.setdiff1d(np.arange(grid.size), found)
    return np.r_[found, np.random.default_rng(seed).permutation(rest)][:wanted]
