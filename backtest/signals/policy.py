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
        """Return the first cuts as ``rules.market.Policy.first_cuts`` defines them.

        Where the target begins anew, the history that it needs is that since then. ``quiet`` (whole months)
        and ``at_least`` are one value or a row of them.
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
        told = np.column_stack([np.packbits(first, axis=1), known_from.astype(np.int64)])
        _, rows, which = np.unique(told, axis=0, return_index=True, return_inverse=True)
        return EventDays(self.fills, known_at, first[rows], known_from[rows], which.reshape(-1))

    def moved(self, direction: float, at_least: Any) -> Bools:
        """Return which changes go down (-1) or up (1) by ``at_least``, (n_sets, 1), (n_sets, n_changes)."""
        change = direction * np.diff(self.target.values)
        # Nobody decided what lies across a time in which the rate is not known.
        change[np.isin(self.target.known_at[1:], to_days(self.target.anew))] = 0.0
        return (change > 0) & (change >= at_least - _ROUNDING)

    def easing(self, at_least: Any, after: Any = 0) -> Spells:
        """Return the stance of policy as ``rules.market.Policy.easing`` defines it; values or rows."""
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
        return unite(self.fills, (begins, which), (starts, delay), (stops, which), first[which])

    def moves(self, at_least: Any) -> Ints:
        """Return, for each of a row of least moves, how many moves are too small to count."""
        sizes = np.sort(np.abs(np.diff(self.target.values)))
        return np.searchsorted(sizes, np.atleast_1d(at_least) - _ROUNDING)
