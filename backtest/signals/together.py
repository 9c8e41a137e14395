"""Several signals that decide together: what they answer at each fill, and when that changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from backtest.signals.rows import parts, sets_of
from backtest.signals.spells import latest, tallied

if TYPE_CHECKING:
    from backtest.dates import Fills, Ints
    from backtest.signals.spells import Spells


@dataclass(frozen=True, eq=False)
class Changes:
    """Which row of some table each of many sets has, from one fill until the next.

    Parameters
    ----------
    offsets
        (n_sets + 1,) int64: the changes of set s are those from ``offsets[s]`` to ``offsets[s + 1]``.
    at
        (n_changes,) int64: the fill of each; within a set they increase, and the first is 0.
    rows
        (n_changes,) int64: the row of each.
    """

    offsets: Ints
    at: Ints
    rows: Ints

    def take(self, which: Ints) -> Changes:
        """Return the changes of so many of the sets, in this order."""
        offsets, places = parts(self.offsets, which)
        return Changes(offsets, self.at[places], self.rows[places])

    def within(self, first: int, last: int) -> Changes:
        """Return what is in force at a window's first bar, and each change to another row before its last."""
        which = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        over = np.r_[(which[1:] == which[:-1]) & (self.at[1:] <= first), False]
        there = np.flatnonzero(~over & (self.at < last))
        which, rows = which[there], self.rows[there]
        new = np.r_[True, (which[1:] != which[:-1]) | (rows[1:] != rows[:-1])][: len(there)]
        offsets = np.searchsorted(which[new], np.arange(len(self.offsets)))
        return Changes(offsets, np.maximum(self.at[there][new], first), rows[new])


@dataclass(frozen=True, eq=False)
class Together:
    """Signals that meet: what several of them say at once, for each parameter set.

    Parameters
    ----------
    signals
        The signals.
    sets
        For each of them (n_sets,) int64: the set of it that each parameter set uses.
    """

    signals: tuple[Spells, ...]
    sets: tuple[Ints, ...]

    @classmethod
    def of(cls, *signals: Spells) -> Together:
        """Return signals of as many sets each, one with another; a signal of one set meets all of them."""
        n_sets = sets_of(*(signal.n_sets for signal in signals))
        return cls(signals, tuple(np.broadcast_to(np.arange(s.n_sets), n_sets) for s in signals))

    @property
    def fills(self) -> Fills:
        """The fills that they count."""
        return self.signals[0].fills

    @property
    def first(self) -> Ints:
        """The first fill at which all of them are known, (n_sets,)."""
        return latest(self.signals, self.sets)

    def take(self, which: Ints) -> Together:
        """Return the same for so many of the sets, in this order."""
        return Together(self.signals, tuple(sets[which] for sets in self.sets))

    @cached_property
    def changes(self) -> Changes:
        """What they say, bit i of a row for signal i, written out."""
        n_sets, n = len(self.sets[0]), len(self.fills.dates) + 1
        places, bits = [np.arange(n_sets) * n], [np.zeros(n_sets, np.int64)]  # each set's first fill, and 0
        for signal, sets in zip(self.signals, self.sets, strict=True):
            mine = signal.take(sets)
            edges = np.column_stack([mine.starts, mine.stops])
            places.append((np.repeat(places[0], np.diff(mine.offsets))[:, None] + edges).ravel())
            bits.append(np.full(edges.size, 1 << (len(bits) - 1)))
        found = np.concatenate(places)
        order = np.argsort(found, kind="stable")  # each signal's are in order already
        found, rows = found[order], np.bitwise_xor.accumulate(np.concatenate(bits)[order])
        last = np.r_[found[1:] != found[:-1], True] & (found % n < n - 1)
        offsets = np.searchsorted(found[last], np.arange(n_sets + 1) * n)
        return Changes(offsets, found[last] % n, rows[last])

    def vote(self, needed: int) -> Spells:
        """Return yes while at least ``needed`` of them say yes; known when all of them are."""
        return tallied(self.signals, self.sets, np.arange(len(self.signals) + 1) >= needed)
