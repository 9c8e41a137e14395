"""A signal: yes or no at every fill, kept as runs from one fill to another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from backtest.errors import UsageError
from backtest.signals.reasons import Held, Negation, Quorum
from backtest.signals.rows import combinations, row, sets_of

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Fills, Ints
    from backtest.signals.reasons import Reason


@dataclass(frozen=True, eq=False)
class Signal:
    """Yes or no at every fill, for each parameter set, as disjoint runs.

    Combine signals with ``&``, ``|``, ``~`` and ``vote``; the result is known when all of them are.

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
    reason
        Why it says so, for ``rotation signal``; None where nobody can tell.
    """

    fills: Fills
    offsets: Ints
    starts: Ints
    stops: Ints
    first: Ints
    reason: Reason | None = None

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

    def __and__(self, other: Signal) -> Signal:
        """Yes while both say yes."""
        return vote(self, other, needed=2)

    def __or__(self, other: Signal) -> Signal:
        """Yes while either says yes."""
        return vote(self, other, needed=1)

    def __invert__(self) -> Signal:
        """Yes while this one says no."""
        steps = merge([self])
        return steps.where(steps.masks == 0, self.first, Negation(self))

    def __bool__(self) -> NoReturn:
        raise UsageError(
            "a signal is an answer for each fill; combine signals with &, | and ~, not and, or, not"
        )

    def known(self) -> Signal:
        """Return the signal without what its runs say before it is known."""
        first = np.repeat(self.first, np.diff(self.offsets))
        starts = np.maximum(self.starts, first)
        return self._keep(starts, self.stops, starts < self.stops)

    def _keep(self, starts: Ints, stops: Ints, kept: Bools) -> Signal:
        offsets = np.r_[0, np.cumsum(kept)][self.offsets]
        return replace(self, offsets=offsets, starts=starts[kept], stops=stops[kept])

    def at_most(self, months: Any) -> Signal:
        """Return yes for at most so many months at a stretch; then no, until it has been no and turns yes.

        A run that begins at a fill on day d is over at the first fill on or after ``d + months``.
        """
        return self._widened(months).known()._cut(months)

    def at_least(self, months: Any) -> Signal:
        """Return yes for at least so many months once it has turned yes, whatever comes."""
        return self._held(months, 0, f"held for at least {_first(months)} months")

    def paused(self, months: Any) -> Signal:
        """Return no for at least so many months once it has turned no: the cooldown after a run."""
        return self._held(0, months, f"after a run nothing for {_first(months)} months")

    def _widened(self, months: Any) -> Signal:
        """Return this signal with a set for each of a row of ``months``."""
        return self.spread(sets_of(self.n_sets, len(row(months, "months"))))

    def spread(self, n_sets: int) -> Signal:
        """Return the signal for ``n_sets`` parameter sets: itself, or its only set repeated."""
        if n_sets == self.n_sets:
            return self
        sets_of(n_sets, self.n_sets)
        runs = self.offsets[1]
        return replace(
            self,
            offsets=np.arange(n_sets + 1) * runs,
            starts=np.tile(self.starts, n_sets),
            stops=np.tile(self.stops, n_sets),
            first=np.repeat(self.first, n_sets),
        )

    def _cut(self, months: Any) -> Signal:
        values, which = combinations(np.broadcast_to(row(months, "months"), self.n_sets))
        over = np.array([months_on(self.fills.dates, m) for m in values[:, 0]])
        which = np.broadcast_to(which, self.n_sets)
        limit = over[np.repeat(which, np.diff(self.offsets)), self.starts]
        cut = replace(self, stops=np.minimum(self.stops, limit))
        return cut._because(self, f"at most {_first(months)} months at a stretch")

    def _held(self, least: Any, pause: Any, rule: str) -> Signal:
        from backtest.signals.compiled import hold  # numba takes its time

        clean = self._widened(least)._widened(pause).known()
        distinct, which = combinations(
            *(np.broadcast_to(row(m, "months"), clean.n_sets) for m in (least, pause))
        )
        shortest, wait = (np.array([months_on(self.fills.dates, m) for m in column]) for column in distinct.T)
        offsets = np.empty_like(clean.offsets)
        starts, stops = np.empty_like(clean.starts), np.empty_like(clean.stops)
        which = np.broadcast_to(which, clean.n_sets)
        used = hold(clean.offsets, clean.starts, clean.stops, shortest, wait, which, offsets, starts, stops)
        held = replace(clean, offsets=offsets, starts=starts[:used], stops=stops[:used])
        return held._because(clean, rule)

    def _because(self, raw: Signal, rule: str) -> Signal:
        runs = tuple(zip(*(edges.tolist() for edges in self.runs()), strict=True))
        return replace(self, reason=Held(raw, runs, rule))


def _first(months: Any) -> int:
    return int(row(months, "months")[0])


def months_on(dates: Days, months: int) -> Ints:
    """Return the first fill that lies ``months`` after each fill, (n_fills + 1,), the last ``n_fills``.

    From one month's last business day to another's is a whole number of months, although one may be the
    28th and the other the 31st; with 0 months every fill is its own.
    """
    from backtest.dates import add_months, last_business_day

    due = np.minimum(add_months(dates, months), last_business_day(add_months(dates, months)))
    found = np.maximum(np.searchsorted(dates, due), np.arange(len(dates)))
    return np.r_[found, len(dates)]


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

    def where(self, yes: Bools, first: Ints, reason: Reason | None) -> Signal:
        """Return the signal that says yes from the steps where ``yes`` (n_steps,) is true."""
        yes = yes.copy()
        yes[self.offsets[1:] - 1] = False  # so that every run has its stop within its set
        before = np.r_[False, yes[:-1]]
        begins, ends = yes & ~before, before & ~yes
        offsets = np.r_[0, np.cumsum(begins)][self.offsets]
        return Signal(self.fills, offsets, self.at[begins], self.at[ends], first, reason)


def merge(signals: list[Signal]) -> Steps:
    """Return at which fills any of the signals changes, for each parameter set."""
    from backtest.signals.compiled import merge as compiled_merge  # numba takes its time

    n_sets = sets_of(*(signal.n_sets for signal in signals))
    before = np.cumsum([0, *(len(signal.starts) for signal in signals)])
    begin = np.array([np.broadcast_to(s.offsets[:-1], n_sets) for s in signals]) + before[:-1, None]
    end = np.array([np.broadcast_to(s.offsets[1:], n_sets) for s in signals]) + before[:-1, None]
    most = 2 * n_sets + 2 * int((end - begin).sum())
    offsets, at, masks = np.empty(n_sets + 1, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    used = compiled_merge(
        begin,
        end,
        np.concatenate([signal.starts for signal in signals]),
        np.concatenate([signal.stops for signal in signals]),
        len(signals[0].fills.dates),
        offsets,
        at,
        masks,
    )
    return Steps(signals[0].fills, offsets, at[:used], masks[:used])


def latest(signals: list[Signal]) -> Ints:
    """Return the first fill at which all of the signals are known, (n_sets,)."""
    n_sets = sets_of(*(signal.n_sets for signal in signals))
    return np.max([np.broadcast_to(signal.first, n_sets) for signal in signals], axis=0)


def vote(*signals: Signal, needed: int) -> Signal:
    """Return yes while at least ``needed`` of the signals say yes; known when all of them are.

    Raises
    ------
    UsageError
        When there are no signals, or more are needed than there are.
    """
    if not 1 <= needed <= len(signals) <= 60:
        raise UsageError(f"a vote of {len(signals)} signals cannot need {needed} of them")
    steps = merge(list(signals))
    return steps.where(
        np.bitwise_count(steps.masks) >= needed, latest(list(signals)), Quorum(signals, needed)
    )


def from_dense(fills: Fills, yes: Bools, first: Ints, reason: Reason | None = None) -> Signal:
    """Return the signal of dense rows (n_sets, n_fills) of yes and no, known from ``first`` (n_sets,) on."""
    from backtest.signals.compiled import changes  # numba takes its time

    offsets = np.empty(len(yes) + 1, np.int64)
    none = np.empty(0, np.int64)
    n_runs = changes(yes, len(fills.dates), offsets, none, none)
    starts, stops = np.empty(n_runs, np.int64), np.empty(n_runs, np.int64)
    changes(yes, len(fills.dates), offsets, starts, stops)
    return Signal(fills, offsets, starts, stops, first, reason)


def unite(
    fills: Fills, starts: Ints, stops: Ints, counts: Bools, first: Ints, reason: Reason | None = None
) -> Signal:
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
    reason
        Why the signal says what it says.
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
    return Signal(fills, offsets, starts[begins], furthest[sets, reach], first, reason)
