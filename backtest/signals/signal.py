"""A signal: yes or no at every fill, kept as runs from one fill to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Bools, Fills, Ints


@dataclass(frozen=True, eq=False)
class Signal:
    """Yes or no at every fill, for each parameter set, as disjoint runs.

    Parameters
    ----------
    fills
        The fills that the runs count.
    offsets
        (n_sets + 1,) int64: the runs of set s are those from ``offsets[s]`` to ``offsets[s + 1]``.
    starts, stops
        (n_runs,) int64 indices of fills: yes from ``start`` up to, not including, ``stop``. Within a set
        they increase and never touch.
    first
        (n_sets,) int64: the first fill at which the signal is known; ``n_fills`` where none is.
        What a run says before it is not to be used.
    """

    fills: Fills
    offsets: Ints
    starts: Ints
    stops: Ints
    first: Ints

    @property
    def n_sets(self) -> int:
        """The number of parameter sets."""
        return len(self.offsets) - 1

    def runs(self, which: int = 0) -> tuple[Ints, Ints]:
        """Return the starts and stops of one parameter set."""
        part = slice(self.offsets[which], self.offsets[which + 1])
        return self.starts[part], self.stops[part]

    def dense(self, which: int = 0) -> Bools:
        """Return one parameter set as (n_fills,) booleans."""
        change = np.zeros(len(self.fills.dates) + 1, dtype=np.int64)
        starts, stops = self.runs(which)
        np.add.at(change, starts, 1)
        np.add.at(change, stops, -1)
        return change[:-1].cumsum() > 0


def unite(fills: Fills, starts: Ints, stops: Ints, counts: Bools, first: Ints) -> Signal:
    """Unite windows that overlap or touch into one signal.

    Parameters
    ----------
    fills
        The fills that the windows count.
    starts, stops
        (n_sets, n_windows) int64 indices of fills; along each row neither decreases.
    counts
        (n_sets, n_windows) bool: the windows to use; empty ones are passed over as well.
    first
        (n_sets,) int64: the first fill at which the signal is known.
    """
    counts = counts & (starts < stops)
    # The furthest stop among the windows before each one says whether it begins a new run.
    furthest = np.maximum.accumulate(np.where(counts, stops, -1), axis=1)
    before = np.c_[np.full(len(counts), -1), furthest[:, :-1]]
    begins = counts & (starts > before)
    # A run ends at the furthest stop reached before the next one begins, or at the end of its row.
    sets, windows = np.nonzero(begins)
    offsets = np.r_[0, begins.sum(axis=1).cumsum()]
    last_of_set = np.r_[sets[1:] != sets[:-1], True][: len(sets)]
    reach = np.where(last_of_set, starts.shape[1] - 1, np.r_[windows[1:], 0][: len(sets)] - 1)
    return Signal(fills, offsets, starts[begins], furthest[sets, reach], first)
