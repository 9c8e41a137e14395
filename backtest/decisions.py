"""Decisions: which sleeves a strategy wants to hold, from which fill on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.signals.signal import Signal


@dataclass(frozen=True, eq=False)
class Targets:
    """Target weights, each from one fill until the next.

    Parameters
    ----------
    fills
        (n_targets,) int64, strictly increasing: the index of the bar at whose close to trade.
    weights
        (n_targets, n_sleeves) float64: fractions of the value after costs; each row sums to 1.
    """

    fills: Ints
    weights: Floats

    def moved(self, bars: int) -> Targets:
        """Return the same targets with the fills counted from another bar."""
        return Targets(self.fills + bars, self.weights)


@dataclass(frozen=True, eq=False)
class Rotation:
    """Hold one sleeve while a signal says yes, and another one otherwise."""

    signal: Signal
    into: str
    otherwise: str

    @property
    def first_fill(self) -> int:
        """The index of the first fill at which the signal is known."""
        return int(self.signal.first[0])

    def targets(self, sleeves: Sequence[str], first: int, last: int) -> Targets:
        """Return what to hold from fill ``first`` on; none is decided at the ``last`` bar.

        Raises
        ------
        UsageError
            When the market has no such sleeve; the nearest one is named.
        """
        rows = []
        for name in (self.otherwise, self.into):
            if name not in sleeves:
                raise UsageError(f"the market has no sleeve '{name}'; {nearest(name, sleeves)}")
            rows.append(np.array(sleeves) == name)
        yes = self.signal.dense()[first:last]
        changes = np.flatnonzero(np.r_[True, yes[1:] != yes[:-1]])
        weights = np.array(rows, dtype=np.float64)[yes[changes].astype(int)]
        return Targets(changes + first, weights)


def rotate(signal: Signal, *, into: str, otherwise: str) -> Rotation:
    """Hold ``into`` while the signal says yes and ``otherwise`` while it says no.

    Both are names of the market's sleeves, such as ``small``, ``large``, ``market`` and ``cash``.
    """
    return Rotation(signal, into, otherwise)
