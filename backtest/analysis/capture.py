"""Captures: how much of a benchmark's rise, and of its fall, a series of returns takes part in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats


def _capture(returns: Floats, benchmark: Floats, chosen: Bools) -> float:
    if not chosen.any():
        return float("nan")
    own, versus = (np.prod(1.0 + x[chosen]) ** (1.0 / chosen.sum()) - 1.0 for x in (returns, benchmark))
    return float(own / versus) if versus != 0.0 else float("nan")


def up_capture(returns: Floats, benchmark: Floats) -> float:
    """Return the compound return a bar over the benchmark's, over the bars in which that one rose."""
    return _capture(returns, benchmark, benchmark > 0.0)


def down_capture(returns: Floats, benchmark: Floats) -> float:
    """Return the compound return a bar over the benchmark's, over the bars in which that one fell."""
    return _capture(returns, benchmark, benchmark < 0.0)
