"""Thresholds: a level that passes one value and stays until it passes another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.signals.rows import combinations, distinct
from backtest.signals.signal import Signal

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints
    from backtest.signals.level import Level


# Series are published in decimals: a mean of three months that has risen by 0.5 must reach 0.5.
_ROUNDING = 1e-9

_FEW = 64  # sets up to which each is worked out by itself


@dataclass(frozen=True, eq=False)
class Threshold:
    """Yes from ``enter`` on until past ``until``; upward with ``sign`` 1, downward with -1.

    ``enter`` and ``until`` are (n_sets,). A value within rounding of a threshold is at it.
    """

    level: Level
    enter: Floats
    until: Floats
    sign: float

    def signal(self) -> tuple[Signal, Ints]:
        """Return the distinct answers, known at their row's first value, and which of them each set has."""
        from backtest.signals import compiled  # numba takes its time

        fills = self.level.fills
        decision, values, begin = self.level.at_decisions()
        values = self.sign * values
        which, of = self.level.which, np.arange(len(self.enter))
        enter, until = (
            self.sign * bound - _ROUNDING * np.maximum(np.abs(bound), 1.0)
            for bound in (self.enter, self.until)
        )
        if len(which) > _FEW:
            ordered = np.sort(values, axis=1)  # NaN stands last
            count = np.isfinite(values).sum(axis=1)
            places = np.empty((2, len(which)), np.int64)
            for bound, place in zip((enter, until), places, strict=True):
                compiled.ranks(ordered, count, which, bound, place)
            n = ordered.shape[1] + 1
            begins, late = distinct(begin)
            sizes = (len(values), n, n, len(begins))
            (which, one, other, late), of = combinations((which, *places, late), sizes)
            begin = begins[late]
            # Any bound of the same rank gives the same answers: the lowest value that it lets pass.
            reached = np.c_[ordered, np.full(len(ordered), np.inf)]
            reached[np.arange(n) >= count[:, None]] = np.inf
            enter, until = reached[which, one], reached[which, other]
        shape = (len(values), -(-values.shape[1] // compiled.BLOCK))
        highest, lowest = np.empty(shape), np.empty(shape)
        compiled.extremes(values, highest, lowest)
        offsets = np.empty(len(which) + 1, np.int64)
        runs = compiled.threshold(values, highest, lowest, which, begin, enter, until, offsets)
        fill = np.append(decision, len(fills.dates))
        return Signal(fills, offsets, fill[runs[0]], fill[runs[1]], fill[begin]), of
