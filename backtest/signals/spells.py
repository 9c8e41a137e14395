"""Spells: what a signal says at every fill, kept as runs of yes from one fill to another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.signals.rows import distinct, parts, sets_of, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Bools, Fills, Ints


@dataclass(frozen=True, eq=False)
class Spells:
    """What a signal says at every fill, for each parameter set: disjoint runs of yes.

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

    @property
    def arrays(self) -> tuple[Ints, Ints, Ints]:
        """What the compiled loops take: offsets, starts and stops."""
        return self.offsets, self.starts, self.stops

    def runs(self, which: int = 0) -> tuple[Ints, Ints]:
        """Return the starts and stops of one parameter set."""
        part = slice(self.offsets[which], self.offsets[which + 1])
        return self.starts[part], self.stops[part]

    def at(self, fill: int, which: int = 0) -> bool:
        """Return what one parameter set says at one fill."""
        starts, stops = self.runs(which)
        run = int(np.searchsorted(starts, fill, "right")) - 1
        return run >= 0 and bool(fill < stops[run])

    def dense(self, which: int = 0) -> Bools:
        """Return one parameter set as (n_fills,) booleans."""
        change = np.zeros(len(self.fills.dates) + 1, dtype=np.int64)
        starts, stops = self.runs(which)
        np.add.at(change, starts, 1)
        np.add.at(change, stops, -1)
        return change[:-1].cumsum() > 0

    def __invert__(self) -> Spells:
        """Yes while this one says no."""
        return tallied([self], [np.arange(self.n_sets)], np.array([True, False]))

    def unlike(self, first: int, last: int) -> tuple[Ints, Ints]:
        """Return sets of which no two say the same from a fill up to another, and which of them each is like.

        Of the sets that are known at the ``first`` fill; -1 for the others.
        """
        return self._unlike(np.where(self.first <= first, 0, -1), first, last)

    def distinct(self) -> tuple[Spells, Ints]:
        """Return the signal with each set that is another once, and which of them each set is."""
        sets, which = self._unlike(self.first, 0, len(self.fills.dates))
        return self.take(sets), which

    def _unlike(self, kind: Ints, first: int, last: int) -> tuple[Ints, Ints]:
        from backtest.signals.compiled import unlike  # numba takes its time

        found, which = np.empty((2, self.n_sets), np.int64)
        return found[: unlike(*self.arrays, kind, np.array([first, last]), found, which)], which

    def known(self) -> Spells:
        """Return the signal without what its runs say before it is known."""
        first = np.repeat(self.first, np.diff(self.offsets))
        starts = np.maximum(self.starts, first)
        kept = starts < self.stops
        offsets = np.r_[0, np.cumsum(kept)][self.offsets]
        return replace(self, offsets=offsets, starts=starts[kept], stops=self.stops[kept])

    def at_most(self, months: Any) -> Spells:
        """Return runs cut short, as ``rules.expressions.Signal`` defines this and the next three."""
        clean, (over, which) = self._over(months)
        limit = over[np.repeat(which, np.diff(clean.offsets)), clean.starts]
        return replace(clean, stops=np.minimum(clean.stops, limit))

    def at_least(self, months: Any) -> Spells:
        """Return runs that last long enough."""
        return self._followed("lengthen", months)

    def paused(self, months: Any) -> Spells:
        """Return runs that rest long enough after the last one."""
        return self._followed("pause", months)

    def cooldown(self, months: Any) -> Spells:
        """Return the signal kept for long enough after each change."""
        return self._followed("cool", months)

    def _over(self, months: Any) -> tuple[Spells, tuple[Ints, Ints]]:
        """Return the known runs for each of a row's months; ``months_on`` of each, and which a set uses."""
        months = whole(months, "months")
        clean = self.spread(sets_of(self.n_sets, len(months))).known()
        found, which = distinct(months)
        table = np.array([self.fills.months_on(int(m)) for m in found])
        return clean, (table, np.broadcast_to(which, clean.n_sets))

    def _followed(self, loop: str, months: Any) -> Spells:
        """Return the signal as a compiled loop follows it."""
        from backtest.signals import compiled  # numba takes its time

        clean, over = self._over(months)
        offsets, starts, stops = (np.empty_like(each) for each in clean.arrays)
        used = getattr(compiled, loop)((*clean.arrays, clean.first), over, (offsets, starts, stops))
        return replace(clean, offsets=offsets, starts=starts[:used], stops=stops[:used])

    def spread(self, n_sets: int) -> Spells:
        """Return the signal for ``n_sets`` parameter sets: itself, or its only set repeated."""
        sets_of(n_sets, self.n_sets)
        return self if n_sets == self.n_sets else self.take(np.zeros(n_sets, dtype=np.int64))

    def take(self, which: Ints) -> Spells:
        """Return the signal of so many of its sets, in this order."""
        if len(which) == self.n_sets and (which == np.arange(self.n_sets)).all():
            return self
        offsets, runs = parts(self.offsets, which)
        return Spells(self.fills, offsets, self.starts[runs], self.stops[runs], self.first[which])

    def moved(self, later: Ints) -> Spells:
        """Return the signal that changes only at some fills: ``later`` (n_fills + 1,) has the next ones."""
        which = np.repeat(np.arange(self.n_sets), np.diff(self.offsets))
        return _joined(self.fills, which, later[self.starts], later[self.stops], later[self.first])


def latest(signals: Sequence[Spells], sets: Sequence[Ints]) -> Ints:
    """Return the first fill at which all of some signals are known, (n_sets,); as in ``Together``."""
    return np.max([s.first[of] for s, of in zip(signals, sets, strict=True)], axis=0)


def tallied(signals: Sequence[Spells], sets: Sequence[Ints], answers: Bools) -> Spells:
    """Return the signal that answers by how many of some say yes: ``answers`` (n_signals + 1,)."""
    from backtest.signals.compiled import tally  # numba takes its time

    # The starts and stops of all runs in turn, and where each set's begin and end there.
    edges = np.concatenate([np.column_stack([s.starts, s.stops]).ravel() for s in signals])
    before = np.cumsum([0, *(2 * len(s.starts) for s in signals)])[:-1]
    of = list(zip(signals, sets, before, strict=True))
    begin = np.array([2 * signal.offsets[:-1][which] + at for signal, which, at in of])
    end = np.array([2 * signal.offsets[1:][which] + at for signal, which, at in of])
    fills, n_sets, n_runs = signals[0].fills, begin.shape[1], int((end - begin).sum()) // 2
    offsets, runs = np.empty(n_sets + 1, np.int64), np.empty((2, n_sets + n_runs + 1), np.int64)
    used = tally(begin, end, edges, len(fills.dates), answers.astype(np.int64), offsets, runs)
    return Spells(fills, offsets, runs[0, :used], runs[1, :used], latest(signals, sets))


def from_dense(fills: Fills, yes: Bools, first: Ints) -> Spells:
    """Return the signal of dense rows (n_sets, n_fills) of yes and no, known from ``first`` (n_sets,) on."""
    turns = np.diff(yes.astype(np.int8), axis=1, prepend=0, append=0)
    (which, starts), (_, stops) = np.nonzero(turns > 0), np.nonzero(turns < 0)
    return Spells(fills, np.searchsorted(which, np.arange(len(yes) + 1)), starts, stops, first)


def _joined(fills: Fills, which: Ints, starts: Ints, stops: Ints, first: Ints) -> Spells:
    """Return the signal of runs, ``which`` set's each is, none of which begins or ends before the last one.

    Those that are empty are left out, and those that touch or overlap are one.
    """
    there = starts < stops
    which, starts, stops = which[there], starts[there], stops[there]
    apart = (which[1:] != which[:-1]) | (starts[1:] > stops[:-1])
    begins, ends = np.r_[True, apart][: len(which)], np.r_[apart, True][: len(which)]
    offsets = np.searchsorted(which[begins], np.arange(len(first) + 1))
    return Spells(fills, offsets, starts[begins], stops[ends], first)


def unite(
    fills: Fills,
    counts: tuple[Bools, Ints],
    starts: tuple[Ints, Ints],
    stops: tuple[Ints, Ints],
    first: Ints,
) -> Spells:
    """Unite windows that overlap or touch into one signal.

    Parameters
    ----------
    fills
        The fills that the windows count.
    counts
        (n_rows, n_windows) bool, the windows to use, and (n_sets,) int64, the row of each set.
    starts, stops
        (n_rows, n_windows) int64 indices of fills, which along a row do not decrease, and the row of each
        set; empty windows are passed over.
    first
        (n_sets,) int64: the first fill at which the signal is known.
    """
    if len(counts[1]) == 1:  # what numba would compile is not worth its import
        there, begins, ends = (rows[which[0]] for rows, which in (counts, starts, stops))
        return _joined(fills, np.zeros(there.sum(), np.int64), begins[there], ends[there], first)
    from backtest.signals.compiled import unite_windows

    room = int(counts[0].sum(axis=1)[counts[1]].sum())
    offsets = np.empty(len(counts[1]) + 1, np.int64)
    begins, ends = np.empty(room, np.int64), np.empty(room, np.int64)
    used = unite_windows(counts, starts, stops, (offsets, begins, ends))
    return Spells(fills, offsets, begins[:used], ends[:used], first)
