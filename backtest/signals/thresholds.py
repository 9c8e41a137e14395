"""Thresholds: a level that passes one value and stays until it passes another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from backtest.signals.reasons import Fact
from backtest.signals.signal import Signal

if TYPE_CHECKING:
    from backtest.dates import Days, Fills, Floats, Ints


# Series are published in decimals: a mean of three months that has risen by 0.5 must reach 0.5.
_ROUNDING = 1e-9


class Numbers(Protocol):
    """What a threshold needs of a level: see ``Level``."""

    @property
    def fills(self) -> Fills:
        """The fills at which a strategy may act."""

    @property
    def label(self) -> str:
        """What it is."""

    @property
    def unit(self) -> str:
        """What it counts in."""

    @property
    def known_at(self) -> Days:
        """The day each value became known, (n,)."""

    @property
    def values(self) -> Floats:
        """The values, (n_rows, n)."""

    @property
    def which(self) -> Ints:
        """The row that each parameter set uses, (n_sets,)."""

    @property
    def series(self) -> tuple[str, ...]:
        """The ids of the series it comes from."""

    def at_decisions(self) -> tuple[Ints, Floats]:
        """Return the fills after something became known, and each row's values then."""


@dataclass(frozen=True, eq=False)
class Threshold:
    """Yes from ``enter`` on until past ``until``; upward with ``sign`` 1, downward with -1.

    ``enter`` and ``until`` are (n_sets,). ``crossing`` names the two levels whose difference ``level`` is.
    A value within rounding of a threshold is at it.
    """

    level: Numbers
    enter: Floats
    until: Floats
    sign: float
    crossing: tuple[str, str] | None = None

    def signal(self) -> Signal:
        """Return the signal, known at each set's first value."""
        from backtest.signals.compiled import threshold  # numba takes its time

        fills, n_sets = self.level.fills, len(self.enter)
        n_fills = len(fills.dates)
        decision, values = self.level.at_decisions()
        which = np.broadcast_to(self.level.which, n_sets)
        none, offsets = np.empty(0, np.int64), np.empty(n_sets + 1, np.int64)
        enter, until = (
            self.sign * bound - _ROUNDING * np.maximum(np.abs(bound), 1.0)
            for bound in (self.enter, self.until)
        )
        what = (self.sign * values, which, decision, n_fills, enter, until)
        n_runs = threshold(*what, offsets, none, none)
        starts, stops = np.empty(n_runs, np.int64), np.empty(n_runs, np.int64)
        threshold(*what, offsets, starts, stops)
        known = np.isfinite(values)
        first = np.append(decision, n_fills)[np.where(known.any(axis=1), known.argmax(axis=1), len(decision))]
        return Signal(fills, offsets, starts, stops, first[which], self)

    def facts(self, fill: int) -> list[Fact]:
        """Return the level's latest value before the fill."""
        level = self.level
        usable = level.fills.knows(fill, level.known_at)
        present = np.flatnonzero(usable & np.isfinite(level.values[level.which[0]]))
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

    def deadlines(self, fill: int) -> list[np.datetime64]:  # noqa: ARG002 - time alone changes nothing
        """Return no date."""
        return []

    def series(self) -> set[str]:
        """Return the series that the level comes from."""
        return set(self.level.series)
