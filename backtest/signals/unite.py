"""Uniting windows: those of an event may overlap those of the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.compiling import compiled

if TYPE_CHECKING:
    from backtest.dates import Bools, Ints


@compiled
def unite_windows(
    counts: Bools,
    which: Ints,
    start_table: Ints,
    delay: Ints,
    stop_table: Ints,
    end: Ints,
    offsets: Ints,
    starts: Ints,
    stops: Ints,
) -> int:
    """Write down the runs of each set, windows that overlap or touch united.

    Parameters
    ----------
    counts
        (n_rows, n_windows) bool: the windows to use; empty ones are passed over as well.
    start_table, stop_table
        (n_delays, n_windows) and (n_ends, n_windows) int64 fills; along each row neither decreases.
    which, delay, end
        (n_sets,) int64: the row of ``counts`` and of each table that a set uses.
    offsets, starts, stops
        (n_sets + 1,) and (n_runs,) int64, written, as in ``Spells``; room for a run a window.

    Returns
    -------
    The number of runs.
    """
    used = 0
    for s in range(len(which)):
        offsets[s] = used
        for window in range(counts.shape[1]):
            if not counts[which[s], window]:
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
