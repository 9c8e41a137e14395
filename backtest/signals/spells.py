"""Spells: what a signal says at every fill, kept as runs of yes from one fill to another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.signals.rows import distinct, sets_of, whole

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
        return _tallied([self], np.array([True, False]), None)

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
        runs, window = (self.offsets, self.starts, self.stops), np.array([first, last])
        return found[: unlike(*runs, kind, window, found, which)], which

    def known(self) -> Spells:
        """Return the signal without what its runs say before it is known."""
        first = np.repeat(self.first, np.diff(self.offsets))
        starts = np.maximum(self.starts, first)
        return self._keep(starts, self.stops, starts < self.stops)

    def _keep(self, starts: Ints, stops: Ints, kept: Bools) -> Spells:
        offsets = np.r_[0, np.cumsum(kept)][self.offsets]
        return replace(self, offsets=offsets, starts=starts[kept], stops=stops[kept])

    def at_most(self, months: Any) -> Spells:
        """Return yes for at most so many months at a stretch; then no, until it has been no and turns yes.

        A run that begins at a fill on day d is over at the first fill on or after ``d + months``.
        """
        months = whole(months, "months")
        clean = self.spread(sets_of(self.n_sets, len(months))).known()
        over, which = self._tables(months, clean.n_sets)
        limit = over[np.repeat(which, np.diff(clean.offsets)), clean.starts]
        return replace(clean, stops=np.minimum(clean.stops, limit))

    def at_least(self, months: Any) -> Spells:
        """Return yes for at least so many months once it has turned yes, whatever comes."""
        return self._held(whole(months, "months"), np.zeros(1, np.int64))

    def paused(self, months: Any) -> Spells:
        """Return no for at least so many months once it has turned no."""
        return self._held(np.zeros(1, np.int64), whole(months, "months"))

    def cooldown(self, months: Any) -> Spells:
        """Return the signal kept for so many months after each change, either way; then it follows again.

        What it says at the first fill at which it is known is no change.
        """
        from backtest.signals.compiled import cool  # numba takes its time

        months = whole(months, "months")
        clean = self.spread(sets_of(self.n_sets, len(months))).known()
        runs = (clean.offsets, clean.starts, clean.stops)
        offsets, starts, stops = (np.empty_like(each) for each in runs)
        used = cool(runs, self._tables(months, clean.n_sets), clean.first, (offsets, starts, stops))
        return replace(clean, offsets=offsets, starts=starts[:used], stops=stops[:used])

    def _tables(self, months: Ints, n_sets: int) -> tuple[Ints, Ints]:
        """Return ``months_on`` for each of a row's distinct months, and which of them each set uses."""
        found, which = distinct(months)
        table = np.array([self.fills.months_on(int(m)) for m in found])
        return table, np.broadcast_to(which, n_sets)

    def spread(self, n_sets: int) -> Spells:
        """Return the signal for ``n_sets`` parameter sets: itself, or its only set repeated."""
        sets_of(n_sets, self.n_sets)
        return self if n_sets == self.n_sets else self.take(np.zeros(n_sets, dtype=np.int64))

    def take(self, which: Ints) -> Spells:
        """Return the signal of so many of its sets, in this order."""
        if len(which) == self.n_sets and (which == np.arange(self.n_sets)).all():
            return self
        lengths = np.diff(self.offsets)[which]
        offsets = np.r_[0, np.cumsum(lengths)]
        runs = np.arange(offsets[-1]) + np.repeat(self.offsets[which] - offsets[:-1], lengths)
        return replace(
            self, offsets=offsets, starts=self.starts[runs], stops=self.stops[runs], first=self.first[which]
        )

    def _held(self, least: Ints, pause: Ints) -> Spells:
        from backtest.signals.compiled import hold  # numba takes its time

        clean = self.spread(sets_of(self.n_sets, len(least), len(pause))).known()
        shortest, pauses = (self._tables(months, clean.n_sets) for months in (least, pause))
        runs = (clean.offsets, clean.starts, clean.stops)
        offsets, starts, stops = (np.empty_like(each) for each in runs)
        used = hold(runs, shortest, pauses, (offsets, starts, stops))
        return replace(clean, offsets=offsets, starts=starts[:used], stops=stops[:used])

    def moved(self, later: Ints) -> Spells:
        """Return the signal that changes only at some fills: ``later`` (n_fills + 1,) has the next ones."""
        which = np.repeat(np.arange(self.n_sets), np.diff(self.offsets))
        starts, stops = later[self.starts], later[self.stops]
        kept = starts < stops
        starts, stops, which = starts[kept], stops[kept], which[kept]
        # Runs that now touch are one.
        same = which[1:] == which[:-1]
        begins = np.r_[True, ~same | (starts[1:] > stops[:-1])][: len(which)]
        ends = np.r_[begins[1:], True][: len(which)]
        offsets = np.r_[0, np.cumsum(np.bincount(which[begins], minlength=self.n_sets))]
        return replace(
            self, offsets=offsets, starts=starts[begins], stops=stops[ends], first=later[self.first]
        )


@dataclass(frozen=True, eq=False)
class Steps:
    """Which of several signals say yes, from each change until the next.

    Parameters
    ----------
    fills
        The fills that the steps count.
    offsets
        (n_sets + 1,) int64: where each set's steps lie.
    at
        (n_steps,) int64: the fill of each step; every set begins with one at 0 and ends with one past the
        last fill, whose mask means nothing.
    masks
        (n_steps,) int64: bit i is set while signal i says yes.
    """

    fills: Fills
    offsets: Ints
    at: Ints
    masks: Ints


def merge(signals: Sequence[Spells], which: Sequence[Ints] | None = None) -> Steps:
    """Return at which fills any of the signals changes, for each parameter set.

    ``which`` has, for each signal, the (n_sets,) sets of it that meet; by default one with another.
    """
    from backtest.signals.compiled import merge as compiled_merge  # numba takes its time

    begin, end, edges = _side_by_side(signals, which)
    n_sets, n_edges = begin.shape[1], int((end - begin).sum())
    offsets, (at, masks) = np.empty(n_sets + 1, np.int64), np.empty((2, 2 * n_sets + n_edges), np.int64)
    used = compiled_merge(begin, end, edges, len(signals[0].fills.dates), offsets, at, masks)
    return Steps(signals[0].fills, offsets, at[:used], masks[:used])


def _side_by_side(signals: Sequence[Spells], which: Sequence[Ints] | None) -> tuple[Ints, Ints, Ints]:
    """Return the starts and stops of all runs in turn, and where each set's begin and end there.

    The latter are (n_signals, n_sets) each and come first.
    """
    n_sets = sets_of(*(s.n_sets for s in signals)) if which is None else len(which[0])
    places = [np.broadcast_to(np.arange(s.n_sets), n_sets) for s in signals] if which is None else which
    before = np.cumsum([0, *(2 * len(s.starts) for s in signals)])[:-1, None]
    edges = np.empty((sum(len(s.starts) for s in signals), 2), np.int64)
    np.concatenate([s.starts for s in signals], out=edges[:, 0])
    np.concatenate([s.stops for s in signals], out=edges[:, 1])
    begin = np.array([2 * s.offsets[:-1][w] for s, w in zip(signals, places, strict=True)]) + before
    end = np.array([2 * s.offsets[1:][w] for s, w in zip(signals, places, strict=True)]) + before
    return begin, end, edges.ravel()


def latest(signals: Sequence[Spells], which: Sequence[Ints] | None = None) -> Ints:
    """Return the first fill at which all of the signals are known, (n_sets,); ``which`` as in ``merge``."""
    firsts = [s.first for s in signals]
    if which is not None:
        firsts = [first[w] for first, w in zip(firsts, which, strict=True)]
    return np.max(np.broadcast_arrays(*firsts), axis=0)


def vote(*signals: Spells, needed: int, which: Sequence[Ints] | None = None) -> Spells:
    """Return yes while at least ``needed`` of the signals say yes; known when all of them are.

    ``which`` as in ``merge``.
    """
    return _tallied(signals, np.arange(len(signals) + 1) >= needed, which)


def _tallied(signals: Sequence[Spells], answers: Bools, which: Sequence[Ints] | None) -> Spells:
    """Return the signal whose answer depends on how many signals say yes: ``answers`` (n_signals + 1,)."""
    from backtest.signals.compiled import tally  # numba takes its time

    begin, end, edges = _side_by_side(signals, which)
    fills, n_sets, n_runs = signals[0].fills, begin.shape[1], int((end - begin).sum()) // 2
    offsets, runs = np.empty(n_sets + 1, np.int64), np.empty((2, n_sets + n_runs + 1), np.int64)
    used = tally(begin, end, edges, len(fills.dates), answers.astype(np.int64), offsets, runs)
    starts, stops = runs[:, :used]
    return Spells(fills, offsets, starts, stops, latest(signals, which))


def from_dense(fills: Fills, yes: Bools, first: Ints) -> Spells:
    """Return the signal of dense rows (n_sets, n_fills) of yes and no, known from ``first`` (n_sets,) on."""
    from backtest.signals.compiled import changes  # numba takes its time

    offsets = np.empty(len(yes) + 1, np.int64)
    none = np.empty(0, np.int64)
    n_runs = changes(yes, len(fills.dates), offsets, none, none)
    starts, stops = np.empty(n_runs, np.int64), np.empty(n_runs, np.int64)
    changes(yes, len(fills.dates), offsets, starts, stops)
    return Spells(fills, offsets, starts, stops, first)


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
    room = int(counts[0].sum(axis=1)[counts[1]].sum())
    offsets = np.empty(len(counts[1]) + 1, np.int64)
    begins, ends = np.empty(room, np.int64), np.empty(room, np.int64)
    if len(counts[1]) == 1:  # what numba would compile is not worth its import
        runs = _united(*(rows[which[0]].tolist() for rows, which in (counts, starts, stops)))
        edges = np.array(runs, dtype=np.int64).reshape(-1, 2)
        return Spells(fills, np.array([0, len(edges)]), edges[:, 0], edges[:, 1], first)
    from backtest.signals.unite import unite_windows

    used = unite_windows(counts, starts, stops, (offsets, begins, ends))
    return Spells(fills, offsets, begins[:used], ends[:used], first)


def _united(counts: list[bool], starts: list[int], stops: list[int]) -> list[tuple[int, int]]:
    """Return the runs of one set: the twin of the compiled loop."""
    runs: list[tuple[int, int]] = []
    for used, start, stop in zip(counts, starts, stops, strict=True):
        if used and start < stop:
            if runs and start <= runs[-1][1]:
                runs[-1] = (runs[-1][0], max(runs[-1][1], stop))
            else:
                runs.append((start, stop))
    return runs
