"""Several signals that decide together: what they answer at each fill, and when that changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from backtest.signals.spells import merge

if TYPE_CHECKING:
    from backtest.dates import Ints
    from backtest.signals.spells import Spells


@dataclass(frozen=True, eq=False)
class Changes:
    """Which row of some weights each of many sets holds, from one fill until the next.

    Parameters
    ----------
    offsets
        (n_sets + 1,) int64: the changes of set s are those from ``offsets[s]`` to ``offsets[s + 1]``.
    at
        (n_changes,) int64: the fill of each; within a set they increase, and the first is 0.
    rows
        (n_changes,) int64: the row of the weights that each holds.
    """

    offsets: Ints
    at: Ints
    rows: Ints

    def take(self, which: Ints) -> Changes:
        """Return the changes of so many of the sets, in this order."""
        lengths = np.diff(self.offsets)[which]
        offsets = np.r_[0, np.cumsum(lengths)]
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[which] - offsets[:-1], lengths)
        return Changes(offsets, self.at[places], self.rows[places])


@dataclass(frozen=True, eq=False)
class Together:
    """Signals that decide together: row m of weights is held while bit i of m is what signal i answers.

    Parameters
    ----------
    signals
        The signals.
    sets
        For each of them (n_sets,) int64: the set of it that each parameter set uses.
    """

    signals: tuple[Spells, ...]
    sets: tuple[Ints, ...]

    def take(self, which: Ints) -> Together:
        """Return the same for so many of the sets, in this order."""
        return Together(self.signals, tuple(sets[which] for sets in self.sets))

    @cached_property
    def changes(self) -> Changes:
        """The answers written out, which takes longer than to measure them."""
        steps = merge(self.signals, self.sets)
        kept = np.ones(len(steps.at), dtype=bool)
        kept[steps.offsets[1:] - 1] = False  # a set's last step lies past the last fill
        return Changes(steps.offsets - np.arange(len(steps.offsets)), steps.at[kept], steps.masks[kept])
