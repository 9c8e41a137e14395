"""How numbers are written for people: one form each, used wherever one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def cell(value: float | None, form: Callable[[float], str]) -> str:
    """Return a value as it is shown; ``-`` where it is not defined."""
    return "-" if value is None or value != value else form(value)


def percent(value: float) -> str:
    """Return a fraction as a percentage."""
    return f"{value:.2%}" if abs(value) < 10.0 else f"{value:,.0%}"


def number(value: float) -> str:
    """Return a number with two decimals."""
    return f"{value:.2f}"


def count(value: float) -> str:
    """Return a whole number."""
    return f"{value:.0f}"


def pvalue(value: float) -> str:
    """Return a p-value with three decimals, or that it is below the last of them."""
    return f"{value:.3f}" if value >= 0.001 else "<0.001"
