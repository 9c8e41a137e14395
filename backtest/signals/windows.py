"""Windows after events for a whole sweep: compiled twins of what ``policy`` and ``events`` do for one set.

A sweep asks for the same few things again and again: a million combinations may have 60 lengths of a pause
and 85 ends of a window. What differs only by such a value is worked out once for each, and the windows of all
sets are united in one pass.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from backtest.dates import Bools, Ints
    from backtest.signals.events import Events
    from backtest.signals.signal import Signal


def distinct(values: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """Return the distinct values of a row, sorted, and for each of the row's which one it is.

    The same as ``np.unique``, but quick for a grid, where a value stands in a long row of its like.
    """
    begins = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    found, which = np.unique(values[begins], return_inverse=True)
    return found, np.repeat(which, np.diff(np.r_[begins, len(values)]))


def once_each(find: Callable[..., Events]) -> Callable[..., Events]:
    """Return a method that finds events once for each distinct pair of its two parameters."""

    @wraps(find)
    def method(self: Any, quiet: Any, at_least: Any) -> Events:
        rows = np.broadcast_arrays(np.ravel(quiet), np.ravel(at_least)) if _rows(quiet, at_least) else None
        if rows is None:
            return find(self, quiet, at_least)
        (firsts, first), (seconds, second) = distinct(rows[0]), distinct(rows[1])
        pairs, which = distinct(first * len(seconds) + second)
        events = find(self, firsts[pairs // len(seconds)], seconds[pairs % len(seconds)])
        return _spread(events, which)

    return method


def for_sweeps(within: Callable[..., Signal]) -> Callable[..., Signal]:
    """Return a method that makes the windows of a single set as written, and those of many compiled."""

    @wraps(within)
    def method(self: Events, after: Any, until: Any) -> Signal:
        if len(self.counts) == 1 and not _rows(after, until):
            return within(self, after, until)
        return _within(self, np.ravel(after), np.ravel(until))

    return method


def _rows(*parameters: Any) -> bool:
    """Return whether these are rows that fit together; what does not fit is left to others to refuse."""
    sizes = {np.size(values) for values in parameters} - {1}
    return len(sizes) == 1 and 0 not in sizes


def _spread(events: Events, which: Ints) -> Events:
    from dataclasses import replace

    return replace(events, counts=events.counts[which], known_from=events.known_from[which])


def _within(events: Events, after: Ints, until: Ints) -> Signal:
    from backtest.signals.signal import Signal
    from backtest.signals.unite import unite_windows  # numba takes its time

    n_sets = max(len(after), len(until), len(events.counts))
    fills, days = events.fills, events.known_at
    delays, delay = distinct(np.broadcast_to(after, n_sets))
    ends, end = distinct(np.broadcast_to(until, n_sets))
    starts = fills.first_after(add_months(days, delays[:, None]))
    stops = fills.first_past(add_months(days, ends[:, None]))
    known, when = distinct(np.broadcast_to(events.known_from, n_sets))
    counts: Bools = np.broadcast_to(events.counts, (n_sets, len(days)))
    room = int(np.count_nonzero(events.counts)) * (n_sets // len(events.counts))
    offsets = np.empty(n_sets + 1, np.int64)
    all_starts, all_stops = np.empty(room, np.int64), np.empty(room, np.int64)
    used = unite_windows(counts, starts, delay, stops, end, offsets, all_starts, all_stops)
    return Signal(fills, offsets, all_starts[:used], all_stops[:used], fills.first_after(known)[when])
