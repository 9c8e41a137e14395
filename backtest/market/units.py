"""Units: what a series counts, and which values of it are possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats

KINDS = ("total-return", "price", "rate", "other")
"""What a series is for a sleeve: with dividends, without, a yearly rate, or nothing to hold."""


@dataclass(frozen=True)
class Unit:
    """A unit and the open interval of its possible values; ``zero`` says that 0 is possible as well.

    ``scale`` turns a return into decimals; None where the unit is not that of a return.
    """

    low: float
    high: float
    zero: bool = False
    scale: float | None = None

    def impossible(self, values: Floats) -> Bools:
        """Return which values cannot be; a missing one (NaN) can."""
        outside = (values <= self.low) | (values >= self.high)
        return outside & ~(values == 0.0) if self.zero else outside


_MOST = 1e15

UNITS = {
    "percent a month": Unit(-100.0, 1000.0, scale=0.01),
    "percent a day": Unit(-100.0, 1000.0, scale=0.01),
    "decimal": Unit(-1.0, 10.0, scale=1.0),
    "level": Unit(0.0, _MOST),
    "percent": Unit(-100.0, 1000.0),
    "ratio": Unit(-1000.0, 1000.0),
    "index": Unit(0.0, _MOST),
    "points": Unit(0.0, 1000.0),
    "count": Unit(0.0, _MOST, zero=True),
    "thousand persons": Unit(0.0, _MOST),
    "million dollars": Unit(0.0, _MOST, zero=True),
    "yes or no": Unit(-0.5, 1.5, zero=True),
}
"""The units by the names that the catalogue and ``import`` use."""


def unit(name: str) -> Unit:
    """Return a unit by its name; UsageError names the nearest one there is."""
    if name not in UNITS:
        raise UsageError(f"there is no unit '{name}'; {nearest(name, UNITS)}")
    return UNITS[name]
