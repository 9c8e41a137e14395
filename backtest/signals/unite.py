"""Uniting windows: those of an event may overlap those of the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.compiling import compiled

if TYPE_CHECKING:
    from backtest.dates import Bools, Ints


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
