"""The policy rate: its changes as they became known, and the first cut after a pause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months, to_days
from backtest.signals.events import EventDays
from backtest.signals.rows import distinct, sets_of, whole
from backtest.signals.spells import unite

if TYPE_CHECKING:
    from backtest.dates import Bools, Fills, Ints
    from backtest.series import Series
    from backtest.signals.spells import Spells

# Targets are published in decimals: 1.6 - 1.5 must count as a cut of 0.1.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class PolicyRate:
    """A central bank's target, in percent, as it became known.

    Parameters
    ----------
    fills
        The fills at which a strategy may act.
    target
        The target's observations: its first level, then at least every change.
    """

    fills: Fills
    target: Series

    def first_cuts(self, quiet: Any, at_least: Any) -> EventDays:
        """Return the cuts that no other cut precedes by less than ``quiet`` months.

        A first cut is a fall of the target of at least ``at_least`` percentage points (any fall where
        that is 0) on day k, with no such fall on a day after ``k - quiet`` months, all of those months
        observed. With ``quiet`` 0 every cut counts. It needs ``quiet`` months of history; where the target
        begins anew, of the time since then.

        ``quiet`` (whole months) and ``at_least`` are one value or a row of them.
        """
        quiet, at_least = whole(quiet, "quiet")[:, None], np.atleast_1d(at_least)[:, None]
        known_at = self.target.known_at[1:]
        cut = self.moved(-1.0, at_least)

        never = np.datetime64("0001-01-01")
        latest = np.maximum.accumulate(np.where(cut, known_at, never), axis=1)
        previous = np.c_[np.full(len(cut), never), latest[:, :-1]]
        quiet_since = add_months(known_at, -quiet)
        beginning = self.target.known_at[0]
        begun = np.array([beginning, *self.target.anew])
        observed_since = begun[np.searchsorted(begun, known_at, "right") - 1]
        first = cut & (previous <= quiet_since) & (observed_since <= quiet_since)
        known_from = np.broadcast_to(add_months(beginning, quiet)[:, 0], (len(first),))
        # Many thresholds between two moves find the same cuts.
        rows, which = _unlike(first, known_from)
        return EventDays(self.fills, known_at, first[rows], known_from[rows], which)

    def moved(self, direction: float, at_least: Any) -> Bools:
        """Return which changes go down (-1) or up (1) by ``at_least``, (n_sets, 1), (n_sets, n_changes)."""
        change = direction * np.diff(self.target.values)
        # Nobody decided what lies across a time in which the rate is not known.
        change[np.isin(self.target.known_at[1:], to_days(self.target.anew))] = 0.0
        return (change > 0) & (change >= at_least - _ROUNDING)

    def easing(self, at_least: Any, after: Any = 0) -> Spells:
        """Return yes from ``after`` months past the first cut until the first rise.

        The stance of policy of Jensen, Mercer and Johnson (1996). A cut or a rise is a move of at least
        ``at_least`` percentage points; what is smaller is no news. It is known from the first such move on:
        before it nobody can tell the direction of policy. A rise before the ``after`` months are over ends
        the wait.
        """
        at_least, after = np.atleast_1d(at_least)[:, None], whole(after, "after")
        n_sets = sets_of(len(at_least), len(after))
        known_at = self.target.known_at[1:]
        cut, rise = self.moved(-1.0, at_least), self.moved(1.0, at_least)

        # The direction of the latest move before each one; 0 before any.
        index = np.arange(len(known_at))
        last = np.maximum.accumulate(np.where(cut | rise, index, -1), axis=1)
        before = np.c_[np.full(len(last), -1), last[:, :-1]]
        was_cut = np.take_along_axis(cut, np.maximum(before, 0), axis=1) & (before >= 0)
        begins = cut & ~was_cut

        n_fills = len(self.fills.dates)
        usable = np.append(self.fills.first_after(known_at), n_fills)
        following = np.where(rise, index, len(index))[:, ::-1]
        stops = usable[np.minimum.accumulate(following, axis=1)[:, ::-1]]
        delays, delay = distinct(np.broadcast_to(after, n_sets))
        starts = self.fills.first_after(add_months(known_at, delays[:, None]))
        moved = (cut | rise).any(axis=1)
        first = np.where(moved, usable[(cut | rise).argmax(axis=1)], n_fills)
        which = np.broadcast_to(np.arange(len(first)), n_sets)
        return unite(
            self.fills,
            (begins, which),
            (starts, delay),
            (stops, which),
            first[which],
        )

    def moves(self, at_least: Any) -> Ints:
        """Return, for each of a row of least moves, how many moves are too small to count."""
        sizes = np.sort(np.abs(np.diff(self.target.values)))
        return np.searchsorted(sizes, np.atleast_1d(at_least) - _ROUNDING)


def _unlike(counts: Bools, beside: Any) -> tuple[Ints, Ints]:
    """Return which rows of ``counts`` and ``beside`` differ from those before, and which of them each is."""
    seen: dict[tuple[bytes, Any], int] = {}
    bits = [each.tobytes() for each in np.packbits(counts, axis=1)]
    found = [seen.setdefault(pair, len(seen)) for pair in zip(bits, beside, strict=True)]
    which = np.array(found, dtype=np.int64)
    rows = np.zeros(len(seen), dtype=np.int64)
    rows[which[::-1]] = np.arange(len(which))[::-1]
    return rows, which
