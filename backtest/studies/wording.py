"""How numbers are written for people."""

from __future__ import annotations

import math

NORMAL = 1.959964
"""Standard errors to either side that hold 95% of a normal distribution."""


def percent(value: float, digits: int = 1) -> str:
    """Return a signed percentage of a decimal, ``-`` where it is not a number."""
    return "-" if math.isnan(value) else f"{100 * value:+.{digits}f}%"


def share(value: float) -> str:
    """Return a percentage without a sign."""
    return "-" if math.isnan(value) else f"{value:.0%}"


def number(value: float, digits: int = 2) -> str:
    """Return a number, ``-`` where it is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def dollars(value: float) -> str:
    """Return a sum in words of thousands, millions, billions or trillions."""
    if math.isinf(value):
        return "no sum"
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= size:
            return f"${value / size:.3g} {word}"
    return f"${value:.0f}"


def probability(value: float) -> str:
    """Return a p-value: two digits, a third where it is small."""
    if math.isnan(value):
        return "-"
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
