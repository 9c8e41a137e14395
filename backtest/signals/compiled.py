"""Compiled loops: what depends on its own past, and what must be fast for a whole grid.

Each has a plain-Python twin, written differently, in ``tests/signals``. Runs are kept as in ``Signal``:
those of set s lie between ``offsets[s]`` and ``offsets[s + 1]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats, Ints


@compiled
def merge(
    begin: Ints, end: Ints, starts: Ints, stops: Ints, n_fills: int, offsets: Ints, at: Ints, masks: Ints
) -> int:
    """Write down, for each set, at which fills any of k signals changes, and which then say yes.

    ``begin`` and ``end`` (k, n_sets) say where the runs of signal i lie in ``starts`` and ``stops``; bit i of
    ``masks`` is signal i. Each set has a step at fill 0 and a last one, of 0, at ``n_fills``.
    ``offsets`` (n_sets + 1,), ``at`` and ``masks`` are filled; returns how much of the latter is used.
    """
    n_signals, n_sets = begin.shape
    cursor = np.empty(n_signals, np.int64)
    used = 0
    for s in range(n_sets):
        offsets[s] = used
        for i in range(n_signals):
            cursor[i] = begin[i, s]
        mask, now = 0, 0
        while now < n_fills:
            following = n_fills
            for i in range(n_signals):
                # A run may stop and the next start at one fill only if they touch, which runs never do.
                if cursor[i] < end[i, s] and (mask >> i) & 1 and stops[cursor[i]] <= now:
                    mask ^= 1 << i
                    cursor[i] += 1
                if cursor[i] < end[i, s] and not (mask >> i) & 1 and starts[cursor[i]] <= now:
                    mask |= 1 << i
                if cursor[i] < end[i, s]:
                    boundary = stops[cursor[i]] if (mask >> i) & 1 else starts[cursor[i]]
                    following = min(following, boundary)
            if used == offsets[s] or masks[used - 1] != mask:
                at[used] = now
                masks[used] = mask
                used += 1
            now = following
        at[used] = n_fills
        masks[used] = 0
        used += 1
    offsets[n_sets] = used
    return used


@compiled
def threshold(
    values: Floats,
    which: Ints,
    decision: Ints,
    n_fills: int,
    enter: Floats,
    leave: Floats,
    offsets: Ints,
    starts: Ints,
    stops: Ints,
) -> int:
    """Write down the runs of a level at or above ``enter``, until it lies below ``leave``.

    ``values`` (n_rows, n_decisions) by ``decision`` fills, row ``which[s]`` for set s; NaN leaves the state
    as it is. Called with empty ``starts`` it only counts. Returns the number of runs.
    """
    used = 0
    write = len(starts) > 0
    for s in range(len(enter)):
        offsets[s] = used
        state = False
        level = values[which[s]]
        for t in range(len(decision)):
            if not state and level[t] >= enter[s]:
                state = True
                if write:
                    starts[used] = decision[t]
            elif state and level[t] < leave[s]:
                state = False
                if write:
                    stops[used] = decision[t]
                used += 1
        if state:
            if write:
                stops[used] = n_fills
            used += 1
    offsets[len(enter)] = used
    return used


@compiled
def changes(yes: Bools, n_fills: int, offsets: Ints, starts: Ints, stops: Ints) -> int:
    """Write down the runs of dense yes/no rows (n_sets, n_fills); with empty ``starts`` only count."""
    used = 0
    write = len(starts) > 0
    for s in range(len(yes)):
        offsets[s] = used
        state = False
        for t in range(n_fills):
            if yes[s, t] != state:
                if state:
                    if write:
                        stops[used] = t
                    used += 1
                elif write:
                    starts[used] = t
                state = not state
        if state:
            if write:
                stops[used] = n_fills
            used += 1
    offsets[len(yes)] = used
    return used


@compiled
def hold(
    offsets: Ints,
    starts: Ints,
    stops: Ints,
    least: Ints,
    pause: Ints,
    which: Ints,
    kept: Ints,
    new_starts: Ints,
    new_stops: Ints,
) -> int:
    """Lengthen runs to a least holding, and let none begin within a pause after the last one.

    ``least`` and ``pause`` (n_tables, n_fills + 1): the first fill at which a run that began (a pause that
    began) at a fill may stop (be over), table ``which[s]`` for set s. A run that begins within the pause
    begins when it is over, if it still lasts then. ``kept`` (n_sets + 1,) receives the new offsets.
    """
    used = 0
    for s in range(len(which)):
        kept[s] = used
        ready = -1  # the first fill at which a run may begin again
        for r in range(offsets[s], offsets[s + 1]):
            start, stop = starts[r], stops[r]
            if used > kept[s] and start <= new_stops[used - 1]:
                # The last run, lengthened, still holds: this one can only make it longer.
                new_stops[used - 1] = max(new_stops[used - 1], stop)
                ready = pause[which[s], new_stops[used - 1]]
                continue
            start = max(start, ready)
            if start >= stop:
                continue
            stop = max(stop, least[which[s], start])
            ready = pause[which[s], stop]
            new_starts[used] = start
            new_stops[used] = stop
            used += 1
    kept[len(which)] = used
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
def windowed(values: Floats, rows: Ints, begin: Ints, result: Floats, statistic: int) -> None:
    """Fill ``result`` (n_results, n) with a statistic of ``values[rows[u], begin[u, t] : t + 1]``.

    Where ``begin`` is negative the window is not complete and the result NaN; so it is where the value at
    t is missing. Missing values inside the window are left out.
    """
    for u in range(len(rows)):
        level = values[rows[u]]
        for t in range(len(level)):
            if begin[u, t] < 0 or np.isnan(level[t]):
                result[u, t] = np.nan
            else:
                result[u, t] = _statistic(level[begin[u, t] : t + 1], statistic)
