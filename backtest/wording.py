"""How numbers are written for people: one form each; ``-`` where there is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SIZES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def cell(value: float | None, form: Callable[[float], str]) -> str:
    """Return a value as it is shown; ``-`` where it is not defined."""
    return "-" if value is None or math.isnan(value) else form(value)


def percent(value: float, digits: int = 2) -> str:
    """Return a fraction as a percentage; one of many hundreds has no use for digits."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.{digits}%}" if abs(value) < 10.0 else f"{value:,.0%}"


def share(value: float) -> str:
    """Return a fraction as a whole percentage."""
    return percent(value, 0)


def signed(value: float, digits: int = 1) -> str:
    """Return a fraction as a percentage with its sign."""
    return f"{value:+.{digits}%}" if math.isfinite(value) else "-"


def number(value: float, digits: int = 2) -> str:
    """Return a number with so many decimals."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def counted(n: int, what: str) -> str:
    """Return how many there are of something: ``1 trial``, ``2,000 trials``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def held(weights: Mapping[str, float]) -> str:
    """Return in words what is held: ``small``, ``small 60%, large 40%``; what has no weight is not named."""
    parts = ((name, weight) for name, weight in weights.items() if weight)
    return ", ".join(name if weight == 1.0 else f"{name} {weight:.0%}" for name, weight in parts)


def count(value: float) -> str:
    """Return a whole number."""
    return f"{value:.0f}"


def pvalue(value: float) -> str:
    """Return a p-value: two digits, a third where it is small."""
    if math.isnan(value):
        return "-"
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def p_clause(value: float) -> str:
    """Return a p-value as it stands in a sentence."""
    return f"p = {pvalue(value)}" if value >= 0.001 else "p < 0.001"


def amount(value: float) -> str:
    """Return a sum in millions, billions or trillions."""
    for size, word in _SIZES:
        if abs(value) >= size:
            return f"{value / size:,.2f} {word}"
    return f"{value:,.0f}"


def dollars(value: float) -> str:
    """Return a sum of dollars in three digits and a word."""
    if math.isinf(value):
        return "no sum"
    for size, word in (*_SIZES, (1e3, "thousand")):
        if value >= size:
            return f"${value / size:.3g} {word}"
    return f"${value:.0f}"
