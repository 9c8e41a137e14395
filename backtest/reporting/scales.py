"""Scales: what lies from left to right in a chart, dates, numbers or names; and round places on any scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Days, Floats


@dataclass(frozen=True, eq=False)
class Dates:
    """Time: (n,) datetime64[D], increasing, and what lies between two: ``month``, ``day`` or ``year``."""

    dates: Days
    step: str = "day"
    label: ClassVar[str] = ""

    @cached_property
    def at(self) -> Floats:
        """The days of its dates since the first, (n,) float64."""
        return self.places(self.dates)

    @property
    def ends(self) -> tuple[float, float]:
        """The first day and the last; a year or a held stretch ends after its date."""
        days = self.at
        last = days[-1] + (days[-1] - days[-2] if self.step == "year" and len(days) > 1 else 0.0)
        return 0.0, float(last) or 1.0

    @cached_property
    def ticks(self) -> list[tuple[float, str]]:
        """Days since the first, and the year or month that begins there."""
        return date_ticks(self.dates[0], self.dates[0] + int(self.ends[1]))

    def places(self, where: Any) -> Floats:
        """Return where days stand."""
        found: Floats = (where - self.dates[0]).astype(np.float64)
        return found


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers: those at which curves and bars stand, increasing, or any that have to be seen.

    ``every`` is how far apart they are written, 0 for round ones; ``room`` is left free on either side, in
    parts of the width.
    """

    numbers: Floats
    label: str = ""
    log: bool = False
    every: float = 0.0
    room: float = 0.0

    @cached_property
    def at(self) -> Floats:
        """Where they stand: on a scale of logarithms to the base of 10, where it is one of these."""
        return self.places(self.numbers)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Where it begins and ends."""
        known = self.at[np.isfinite(self.at)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = self.room * (high - low) or 0.5 * (high == low)
        return low - room, high + room

    @cached_property
    def ticks(self) -> list[tuple[float, str]]:
        """Places, and the number that stands there."""
        low, high = self.ends
        if self.log:
            return log_ticks(low, high, 8)
        if self.every:
            first, last = math.ceil(low / self.every), math.floor(high / self.every)
            return [(i * self.every, f"{i * self.every:g}") for i in range(first, last + 1)]
        return plain_ticks(low, high, 8)

    def places(self, where: Any) -> Floats:
        """Return where numbers stand; NaN where they cannot."""
        found: Floats = logarithms(where) if self.log else where
        return found


_NAMED = 7  # at most, from left to right


@dataclass(frozen=True, eq=False)
class Labels:
    """Names, one beside the other; some are written, evenly spread: of years those divisible by ``every``."""

    names: tuple[str, ...]
    label: str = ""
    every: int = 0

    @cached_property
    def at(self) -> Floats:
        """Their places, from 0 on."""
        return np.arange(len(self.names), dtype=np.float64)

    @property
    def ends(self) -> tuple[float, float]:
        """Where they begin and end."""
        return -0.5, len(self.names) - 0.5

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Those that are written from left to right."""
        return self.some(_NAMED)

    def some(self, most: int) -> list[tuple[float, str]]:
        """Return those that are written where there is room for so many."""
        each = [(float(i), name) for i, name in enumerate(self.names)]
        if self.every:
            return [(i, name) for i, name in each if int(name) % self.every == 0]
        return each[:: -(-(len(each) - 1) // max(most - 1, 1)) or 1]

    def places(self, where: Any) -> Floats:
        """Return places as they are."""
        found: Floats = where
        return found


Across: TypeAlias = "Dates | Numbers | Labels"


def logarithms(values: Floats) -> Floats:
    """Return logarithms to the base of 10; NaN where there are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.log10(values)
    return np.where(np.isfinite(found), found, np.nan)


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between two, as far apart from each other, about ``most`` of them."""
    rough = (high - low) / max(most, 2)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if s * power >= 0.7 * rough)
    return [
        round(i * step, 12) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def plain_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return about so many round numbers between two, and how they are written."""
    return [(value, f"{value:g}") for value in round_numbers(low, high, most)]


def log_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return places on a scale of logarithms between two, and what is written there."""
    found = [
        (math.log10(step) + power, step * 10.0**power)
        for power in range(math.floor(low), math.ceil(high) + 1)
        for step in ((1.0, 2.0, 5.0) if high - low < 3.0 else (1.0,))
    ]
    inside = [(place, _large(value)) for place, value in found if low <= place <= high]
    if len(inside) > 1:
        return inside
    return [(math.log10(value), f"{value:g}") for value in round_numbers(10.0**low, 10.0**high, most)]


_LARGE = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e4, "k"))


def _large(value: float) -> str:
    """Return a round number that may be too long to be written whole."""
    for least, word in _LARGE:
        if value >= least:
            return f"{value / (1e3 if word == 'k' else least):g}{word}"
    return f"{value:g}"


_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 300, 600, 1200)


def date_ticks(first: np.datetime64, last: np.datetime64) -> list[tuple[float, str]]:
    """Return days since the first, and the year or month that begins there."""
    begin, end = (int(day.astype("datetime64[M]").astype(int)) for day in (first, last))
    step = next(step for step in _MONTHS if (end - begin) / step <= 10)
    months = np.arange(-(-(begin + (first > first.astype("datetime64[M]"))) // step) * step, end + 1, step)
    days = months.astype("datetime64[M]").astype("datetime64[D]") - first
    written = (str(month)[: 4 if step >= 12 else 7] for month in months.astype("datetime64[M]"))
    return list(zip(days.astype(float).tolist(), written, strict=True))
