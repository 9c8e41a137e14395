"""Numerals: the one reader of numbers, counts and spans of months as people write them, within a range."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import Any

from backtest.errors import UsageError

MOST_MONTHS = 2400
"""The longest span that anything here can be of: two centuries."""

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,6})([ym])", re.ASCII)


def plain(text: str) -> float | None:
    """Return a text as a number; None where it is none, or is one that no float holds.

    >>> plain(" 1.5e3 "), plain("1_0"), plain("nan"), plain("1e999")
    (1500.0, None, None, None)
    """
    found = float(text) if _PLAIN.fullmatch(text.strip()) else math.inf
    return found if math.isfinite(found) else None


def number(
    given: Any, what: str, low: float = -math.inf, high: float = math.inf, unit: str = "", whole: bool = False
) -> float:
    """Return a number from what somebody gives: its text, or a number of Python or numpy.

    Parameters
    ----------
    given
        Digits with a decimal point, ``1e6`` too; no ``nan``, ``inf``, ``1_0`` or digits of other scripts.
    what
        What takes it, for the error.
    low, high
        The lowest and the highest that can be used.
    unit
        What it is counted in, for the error.
    whole
        Whether only whole numbers can be used.

    Raises
    ------
    UsageError
        When it is no number, not whole, or out of range; the sentence names the range.

    Examples
    --------
    >>> number("0.5", "--band", 0, 1), number("24", "hold", 1, 60, whole=True)
    (0.5, 24)
    """
    found = plain(given) if isinstance(given, str) else _real(given)
    if found is None:
        raise UsageError(f"{what} must be a number{_from(low, high, unit)}, not '{str(given)[:40]}'")
    if whole and not found.is_integer():
        raise UsageError(f"{what} must be a whole number{_from(low, high, unit)}, not {found}")
    if not low <= found <= high or math.isinf(found):  # also refuses NaN
        bounded = math.isfinite(low) and math.isfinite(high)
        must = f"lie in {low:.15g} to {high:.15g} {unit}" if bounded else "be a finite number"
        beside = "" if bounded else _from(low, high, unit)
        # A sweep hands on whole numbers as floats: 61, not 61.0.
        said = int(found) if found.is_integer() and abs(found) < 1e15 else found
        raise UsageError(f"{what} must {must.strip()}{beside}, not {said}")
    return int(found) if whole else found


def _real(given: Any) -> float | None:
    refused = isinstance(given, bool) or not isinstance(given, Real)
    return None if refused else float(given)


def _from(low: float, high: float, unit: str) -> str:
    said = "" if math.isinf(low) else f" from {low:.15g}"
    said += "" if math.isinf(high) else f" to {high:.15g}"
    return f"{said} {unit}".rstrip() if said else ""


def count(given: Any, what: str, low: int = 0, high: int = 2**53, unit: str = "") -> int:
    """Return a whole number; as ``number``."""
    return int(number(given, what, low, high, unit, whole=True))


def months(text: str, what: str) -> int:
    """Return the months of a span that a user writes as ``5y`` or ``6m``, up to two centuries.

    Raises
    ------
    UsageError
        When it is no such span, or longer.
    """
    found = _SPAN.fullmatch(text)
    span = int(found[1]) * (12 if found[2] == "y" else 1) if found else MOST_MONTHS + 1
    if span > MOST_MONTHS:
        raise UsageError(
            f"{what} is a number of years or months, such as 5y or 6m and {MOST_MONTHS // 12}y at most, "
            f"not '{text[:40]}'"
        )
    return span
