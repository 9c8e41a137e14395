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
    direction = np.sign(np.diff(target))
    moved = direction != 0.0
    days, falls = known_at[1:][moved], direction[moved] == -1.0
    first = falls & ~np.r_[False, falls[:-1]]
    last = falls & ~np.r_[falls[1:], False]
    return [(begin, end) for begin, end in np.column_stack([days[first], days[last]])]
