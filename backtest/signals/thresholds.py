"""Thresholds: a level that passes one value and stays until it passes another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.signals.reasons import Fact
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

    ``enter`` and ``until`` are (n_sets,). ``crossing`` names the two levels whose difference ``level`` is.
    A value within rounding of a threshold is at it.
    """

    level: Level
    enter: Floats
    until: Floats
    sign: float
    crossing: tuple[str, str] | None = None

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
        return Signal(fills, offsets, fill[runs[0]], fill[runs[1]], fill[begin], self), of

    def facts(self, fill: int) -> list[Fact]:
        """Return the level's latest value before the fill."""
        level = self.level
        usable = level.fills.knows(fill, level.known_at)
        present = np.flatnonzero(usable & np.isfinite(level.values[level.which[0]]))
        present = present[present >= level.since[0]]
        return [
            Fact(
                level.label,
                float(level.values[level.which[0], i]),
                level.unit,
                level.known_at[i],
                level.series,
            )
            for i in present[-1:]
        ]

    def flips(self, fill: int, *, now: bool) -> list[str]:  # noqa: ARG002 - a threshold is the same at every fill
        """Return the value at which the answer turns."""
        bound, up = (self.until[0], self.sign < 0) if now else (self.enter[0], self.sign > 0)
        side = "above" if up else "below"
        what, value = self.crossing or (self.level.label, f"{bound:g}{self._unit}")
        return [f"{what} {side if now else f'at or {side}'} {value}"]

    @property
    def _unit(self) -> str:
        unit = self.level.unit
        if unit == "percent":
            return "%"
        return "" if unit in ("", "ratio", "fraction") else f" {unit}"

    def series(self) -> set[str]:
        """Return the series that the level comes from."""
        return set(self.level.series)
