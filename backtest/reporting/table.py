"""The measures as they are shown: key, label and form of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def percent(value: float) -> str:
    """Return a fraction as a percentage."""
    return f"{value:.2%}" if abs(value) < 10.0 else f"{value:,.0%}"


def number(value: float) -> str:
    """Return a number with two decimals."""
    return f"{value:.2f}"


def pvalue_text(value: float) -> str:
    """Return a p-value with three decimals, or that it is below the last of them."""
    return f"{value:.3f}" if value >= 0.001 else "<0.001"


ROWS: list[tuple[str, str, Callable[[float], str]]] = [
    ("total_return", "total return", percent),
    ("cagr", "return a year (CAGR)", percent),
    ("volatility", "volatility a year", percent),
    ("sharpe", "Sharpe ratio", number),
    ("sortino", "Sortino ratio", number),
    ("max_drawdown", "deepest drawdown", percent),
    ("calmar", "Calmar ratio", number),
    ("alpha", "alpha a year", percent),
    ("alpha_tstat", "  t (Newey-West)", number),
    ("alpha_pvalue", "  p", pvalue_text),
    ("beta", "beta", number),
    ("tracking_error", "tracking error a year", percent),
    ("information_ratio", "information ratio", number),
    ("turnover", "turnover a year", percent),
    ("switches", "switches", lambda value: f"{value:.0f}"),
    ("time_in_small", "time in small", percent),
]
"""Key, label and form of every measure, in the order in which they are shown."""


def cell(value: float | None, form: Callable[[float], str]) -> str:
    """Return a value as it is shown; ``-`` where it is not defined."""
    return "-" if value is None or value != value else form(value)
