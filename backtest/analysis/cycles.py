"""Policy cycles after the fact, for shading and breakdowns; nothing here is known in its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Days, Floats


def cutting_cycles(known_at: Days, target: Floats) -> list[tuple[np.datetime64, np.datetime64]]:
    """Return the first and the last cut of every row of cuts without a rise in between.

    ``known_at`` (n,) datetime64[D] and ``target`` (n,) are the target's first level and its changes;
    repeated levels are passed over. Where a cycle ends is only known once the target has risen.
    """
    cycles: list[tuple[np.datetime64, np.datetime64]] = []
    cutting = False
    for day, change in zip(known_at[1:], np.diff(target), strict=True):
        if change < 0:
            cycles = [*cycles[:-1], (cycles[-1][0], day)] if cutting else [*cycles, (day, day)]
        if change != 0:
            cutting = bool(change < 0)
    return cycles
