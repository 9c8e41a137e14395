"""Falls: each stretch from a highest value to its recovery, and the deepest of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.measures import drawdowns

if TYPE_CHECKING:
    from backtest.dates import Floats


@dataclass(frozen=True)
class Fall:
    """One fall; ``peak``, ``trough`` and ``recovery`` count values, 0 being the starting one.

    ``depth`` is negative. ``recovery`` is the first value at or above the peak's; None where none is.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None


def worst_falls(returns: Floats, n: int = 10) -> list[Fall]:
    """Return the ``n`` deepest falls of (n,) simple returns, the deepest first."""
    depth = drawdowns(returns)
    # Where it goes under and where it is back alternate; a fall without recovery ends with the last value.
    edges = np.flatnonzero(np.diff(np.r_[False, depth < 0.0, False]))
    falls = []
    for start, stop in edges.reshape(-1, 2).tolist():
        trough = start + int(depth[start:stop].argmin())
        recovery = stop if stop < len(depth) else None
        falls.append(Fall(float(depth[trough]), start - 1, trough, recovery))
    return sorted(falls, key=lambda fall: fall.depth)[:n]
