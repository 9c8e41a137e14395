"""Compiled loops: what depends on its own past, and what must be fast for a whole grid.

Each has a plain-Python twin, written differently, in ``tests/signals``. Runs are kept as in ``Spells``:
those of set s lie between ``offsets[s]`` and ``offsets[s + 1]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats, Ints

_Runs = tuple["Ints", "Ints", "Ints"]
_Known = tuple["Ints", "Ints", "Ints", "Ints"]
_Table = tuple["Ints", "Ints"]


@compiled
def tally(begin: Ints, end: Ints, edges: Ints, n_fills: int, answers: Ints, offsets: Ints, runs: Ints) -> int:
    """Write down, for each set, the runs in which as many of k signals say yes as count for a yes.

    ``begin`` and ``end`` (k, n_sets) say where the runs of signal i begin and stop in ``edges``: start, stop,
    start and so on, rising within a set. ``answers`` (k + 1,) is 1 for a yes for each number of them.
    ``offsets`` (n_sets + 1,) and ``runs`` (2, room), starts and stops, are filled; returns how many there
    are. The room is for one more. Nobody can foretell which signal is next, so nothing branches on it.
    """
    n_signals, n_sets = begin.shape
    cursor, coming = np.empty((2, n_signals), np.int64)
    used = 0
    for s in range(n_sets):
        offsets[s] = used
        for i in range(n_signals):
            cursor[i] = begin[i, s]
            coming[i] = edges[cursor[i]] if cursor[i] < end[i, s] else n_fills
        count, now, state = 0, 0, 0
        while now < n_fills:
            following = n_fills
            for i in range(n_signals):
                turns = int(coming[i] <= now)
                count += turns * (1 - 2 * ((cursor[i] - begin[i, s]) & 1))
                cursor[i] += turns
                coming[i] = edges[cursor[i]] if cursor[i] < end[i, s] else n_fills
                following = min(following, coming[i])
            changes = answers[count] ^ state
            runs[state, used] = now  # for good only if it changes
            used += changes & state
            state ^= changes
            now = following
        runs[1, used] = n_fills
        used += state
    offsets[n_sets] = used
    return used


@compiled
def _alike(starts: Ints, stops: Ints, one: tuple[int, int], other: tuple[int, int], window: Ints) -> bool:
    """Return whether two sets have the same runs within a window; ``one`` and ``other`` reach into it."""
    same = one[1] - one[0] == other[1] - other[0]
    for run in range(one[0], one[1] if same else one[0]):
        twin = other[0] + run - one[0]
        same = same and max(starts[run], window[0]) == max(starts[twin], window[0])
        same = same and min(stops[run], window[1]) == min(stops[twin], window[1])
    return same


@compiled
def unlike(
    offsets: Ints, starts: Ints, stops: Ints, kind: Ints, window: Ints, found: Ints, which: Ints
) -> int:
    """Give sets of a ``kind`` that say the same from a window's first fill up to its last the same number.

    ``which[s]`` becomes the number of set s, from 0 on, -1 where its kind is below 0, and ``found[k]`` the
    first set of number k. Returns how many numbers there are.
    """
    size = 1
    while size < 2 * len(kind):
        size *= 2
    table = np.full(size, -1)
    reach = np.empty((len(kind), 2), np.int64)
    count = 0
    for s in range(len(kind)):
        which[s] = -1
        if kind[s] < 0:
            continue
        begin, end, key = offsets[s], offsets[s + 1], kind[s]
        while begin < end and stops[begin] <= window[0]:
            begin += 1
        while begin < end and starts[end - 1] >= window[1]:
            end -= 1
        for run in range(begin, end):
            key = (key ^ max(starts[run], window[0])) * 1099511628211
            key = (key ^ min(stops[run], window[1])) * 1099511628211
        place = (key ^ (key >> 32)) & (size - 1)  # a hash only says where to look
        while table[place] >= 0:
            mine, other = (begin, end), (reach[table[place], 0], reach[table[place], 1])
            same = kind[found[table[place]]] == kind[s]
            if same and _alike(starts, stops, mine, other, window):
                break
            place = (place + 1) & (size - 1)
        if table[place] < 0:
            table[place], found[count] = count, s
            reach[count, 0], reach[count, 1] = begin, end
            count += 1
        which[s] = table[place]
    return count


BLOCK = 32
"""Values of which the highest and the lowest are kept, so that a search may leap over them."""


@compiled
def extremes(values: Floats, highest: Floats, lowest: Floats) -> None:
    """Write down the highest and the lowest of each ``BLOCK`` values of each row; NaN counts as neither."""
    for r in range(values.shape[0]):
        for b in range(highest.shape[1]):
            high, low = -np.inf, np.inf
            for t in range(b * BLOCK, min((b + 1) * BLOCK, values.shape[1])):
                high = max(values[r, t], high)
                low = min(values[r, t], low)
            highest[r, b], lowest[r, b] = high, low


@compiled
def ranks(ordered: Floats, count: Ints, which: Ints, bound: Floats, found: Ints) -> None:
    """Write down how many of the ordered values of a set's row lie below its bound.

    Row r of ``ordered`` has ``count[r]`` values, rising. What a threshold says depends on this rank alone.
    """
    for s in range(len(which)):
        low, high = 0, count[which[s]]
        while low < high:
            middle = (low + high) // 2
            if ordered[which[s], middle] < bound[s]:
                low = middle + 1
            else:
                high = middle
        found[s] = low


@compiled
def _crossings(
    level: Floats, highest: Floats, lowest: Floats, begin: int, enter: float, leave: float, runs: Ints
) -> int:
    """Write down the runs (2, room) of a level as ``threshold`` has them; return how many there are."""
    used, state, t, n = 0, False, begin, len(level)
    while t < n:
        block = t // BLOCK
        if t % BLOCK == 0 and (lowest[block] >= leave if state else highest[block] < enter):
            t += BLOCK
            continue
        if not state and level[t] >= enter:
            state = True
            runs[0, used] = t
        elif state and level[t] < leave:
            state = False
            runs[1, used] = t
            used += 1
        t += 1
    if state:
        runs[1, used] = n
        used += 1
    return used


@compiled
def threshold(
    values: Floats,
    highest: Floats,
    lowest: Floats,
    which: Ints,
    begin: Ints,
    enter: Floats,
    leave: Floats,
    offsets: Ints,
) -> Ints:
    """Return the runs (2, n_runs) of levels at or above ``enter`` until below ``leave``, as places in a row.

    ``values`` (n_rows, n) with their ``extremes``: set s has row ``which[s]`` from ``begin[s]`` on, and is
    at first no; NaN leaves the state as it is. ``offsets`` (n_sets + 1,) is filled.
    """
    n = values.shape[1]
    found = np.empty((2, n // 2 + 1), np.int64)
    runs = np.empty((2, n + 4 * len(which)), np.int64)
    count, used = 0, 0
    for s in range(len(which)):
        offsets[s] = used
        r, b = which[s], s - 1
        if s == 0 or r != which[b] or enter[s] != enter[b] or leave[s] != leave[b] or begin[s] < begin[b]:
            count = _crossings(values[r], highest[r], lowest[r], begin[s], enter[s], leave[s], found)
        # Whoever begins later has the same runs, but for the one that it begins within.
        if used + count > runs.shape[1]:
            more = np.empty((2, 2 * runs.shape[1] + count), np.int64)
            more[:, :used] = runs[:, :used]
            runs = more
        for k in range(count):
            start, stop = max(found[0, k], begin[s]), found[1, k]
            while start < stop and not values[r, start] >= enter[s]:
                start += 1
            if start < stop:
                runs[0, used], runs[1, used] = start, stop
                used += 1
    offsets[len(which)] = used
    return runs[:, :used]


@compiled
def lengthen(runs: _Known, rests: _Table, new: _Runs) -> int:
    """Lengthen runs to a least holding; those that then touch or overlap are one.

    ``rests`` is a table (n_tables, n_fills + 1), the first fill at which a time that began at a fill is over,
    and which of them each set has, (n_sets,). ``runs`` are offsets, starts and stops, and the fill from which
    on a set is known; none begins before it. ``new``, as large, receives what is kept. Returns the number.
    """
    (offsets, starts, stops, _), (kept, new_starts, new_stops) = runs, new
    over, rest = rests
    used = 0
    for s in range(len(rest)):
        kept[s] = used
        for r in range(offsets[s], offsets[s + 1]):
            if used > kept[s] and starts[r] <= new_stops[used - 1]:
                new_stops[used - 1] = max(new_stops[used - 1], stops[r])
                continue
            new_starts[used] = starts[r]
            new_stops[used] = max(stops[r], over[rest[s], starts[r]])
            used += 1
    kept[len(rest)] = used
    return used


@compiled
def pause(runs: _Known, rests: _Table, new: _Runs) -> int:
    """Let no run begin within a rest after the last one; it begins then, if it lasts. See ``lengthen``."""
    (offsets, starts, stops, _), (kept, new_starts, new_stops) = runs, new
    over, rest = rests
    used = 0
    for s in range(len(rest)):
        kept[s] = used
        ready = -1  # the first fill at which a run may begin again
        for r in range(offsets[s], offsets[s + 1]):
            start = max(starts[r], ready)
            if start < stops[r]:
                new_starts[used], new_stops[used] = start, stops[r]
                ready = over[rest[s], stops[r]]
                used += 1
    kept[len(rest)] = used
    return used


@compiled
def cool(runs: _Known, rests: _Table, new: _Runs) -> int:
    """Let runs begin and stop only when the rest after the last change is over; then they follow again.

    What a set says at its ``first`` fill is no change. As ``lengthen`` otherwise.
    """
    (offsets, starts, stops, first), (kept, new_starts, new_stops) = runs, new
    over, rest = rests
    used = 0
    for s in range(len(rest)):
        kept[s] = used
        r, end = offsets[s], offsets[s + 1]
        ready = -1  # the first fill at which the answer may change
        while r < end:
            start = max(starts[r], ready)
            if start >= stops[r]:
                r += 1
                continue
            ready = over[rest[s], start] if start > first[s] else start
            while r < end and stops[r] < ready:
                r += 1
            # It stops with the run that lasts when the rest is over, or at once where none does.
            stop = stops[r] if r < end and starts[r] <= ready else ready
            new_starts[used] = start
            new_stops[used] = stop
            used += 1
            ready = over[rest[s], stop]
    kept[len(rest)] = used
    return used


@compiled
def unite_windows(
    counts: tuple[Bools, Ints],
    begins: tuple[Ints, Ints],
    ends: tuple[Ints, Ints],
    runs: tuple[Ints, Ints, Ints],
) -> int:
    """Write down the runs of each set, windows that overlap or touch united.

    Parameters
    ----------
    counts
        (n_rows, n_windows) bool, the windows to use, and (n_sets,) int64, the row of each set.
    begins, ends
        (n_rows, n_windows) int64 fills, which along a row do not decrease, and the row of each set; empty
        windows are passed over.
    runs
        (n_sets + 1,) offsets, (n_runs,) starts and stops, int64, written, as in ``Spells``; room for a run a
        window.

    Returns
    -------
    The number of runs.
    """
    (there, which), (start_table, delay), (stop_table, end) = counts, begins, ends
    offsets, starts, stops = runs
    used = 0
    for s in range(len(which)):
        offsets[s] = used
        for window in range(there.shape[1]):
            if not there[which[s], window]:
                continue
            start, stop = start_table[delay[s], window], stop_table[end[s], window]
            if start >= stop:
                continue
            if used > offsets[s] and start <= stops[used - 1]:
                stops[used - 1] = max(stops[used - 1], stop)
            else:
                starts[used], stops[used] = start, stop
                used += 1
    offsets[len(which)] = used
    return used


MEAN, LOWEST, HIGHEST, ZSCORE, PERCENTILE = range(5)


@compiled
def _deviation(window: Floats, mean: float) -> float:
    """Return the sample standard deviation of the values that are there, around their mean."""
    count, squares = 0, 0.0
    for value in window:
        if not np.isnan(value):
            count += 1
            squares += (value - mean) ** 2
    return np.sqrt(squares / (count - 1)) if count > 1 else np.nan


@compiled
def _percentile(window: Floats) -> float:
    """Return the share, in percent, of the earlier values below the last; ties count half."""
    # The value itself is not of the past that it is compared with; NaN is neither below nor equal.
    present = window[-1]
    count, below, ties = -1, 0, -1
    for value in window:
        count += value == value
        below += value < present
        ties += value == present
    return 100.0 * (below + 0.5 * ties) / count if count > 0 else np.nan


@compiled
def _statistic(window: Floats, statistic: int) -> float:
    """Return a statistic of a window whose last value is the present one, which is there."""
    if statistic == PERCENTILE:
        return _percentile(window)
    count, total, low, high = 0, 0.0, np.inf, -np.inf
    for value in window:
        if not np.isnan(value):
            count += 1
            total += value
            low = min(low, value)
            high = max(high, value)
    # Rounding must not put the mean of equal values beside them.
    mean = min(max(total / count, low), high)
    if statistic == MEAN:
        return mean
    if statistic == LOWEST:
        return low
    if statistic == HIGHEST:
        return high
    return (window[-1] - mean) / _deviation(window, mean) if high > low else np.nan


@compiled
def windowed(
    values: Floats, rows: Ints, begin: Ints, which: Ints, ready: Ints, result: Floats, statistic: int
) -> None:
    """Fill ``result`` (n_results, n) with a statistic of ``values[rows[u], begin[which[u], t] : t + 1]``.

    It is NaN before ``ready[u]``, and where the value at t is missing. Missing values inside the window are
    left out.
    """
    for u in range(len(rows)):
        level = values[rows[u]]
        for t in range(len(level)):
            if t < ready[u] or np.isnan(level[t]):
                result[u, t] = np.nan
            else:
                result[u, t] = _statistic(level[begin[which[u], t] : t + 1], statistic)
