"""Sleeves composed of others, by their names: ``60% large, 40% small``, ``small - large``."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PART = re.compile(
    r"(?P<sign>[+-]?)\s*(?:(?P<percent>\d+\.?\d*|\.\d+)\s*%\s*)?(?P<sleeve>[A-Za-z_]\w*)", re.ASCII
)


def composition(name: str, sleeves: Collection[str]) -> dict[str, float]:
    """Return the fraction of each sleeve that a name stands for, and in cash what is left of the whole.

    A sleeve without a percentage counts whole; one behind a minus is sold short, with cash as collateral.
    Empty where the name is not written so, or names what is not among ``sleeves``.

    >>> composition("60% large, 40% small", ["small", "large", "cash"])
    {'large': 0.6, 'small': 0.4}
    >>> composition("small - large", ["small", "large", "cash"])
    {'small': 1.0, 'large': -1.0, 'cash': 1.0}
    >>> composition("small", ["small", "large", "cash"])
    {}
    """
    parts = [_PART.fullmatch(part.strip()) for part in re.split(r",|(?=[+-])", name) if part.strip()]
    found: dict[str, float] = defaultdict(float)
    for part in parts:
        alone = part and len(parts) == 1 and not (part["sign"] or part["percent"])
        if part is None or alone or part["sleeve"] not in sleeves:
            return {}
        found[part["sleeve"]] += float(f"{part['sign']}{part['percent'] or 100}") / 100.0
    left = 1.0 - sum(found.values())
    if found and abs(left) >= 1e-12:  # thirds do not sum to 1 in binary; what rounding leaves is no cash
        found["cash"] += left
    return dict(found)


def exposure(parts: Mapping[str, float]) -> float:
    """Return what is held and sold short for each 1 of value, cash left out; above 1 it is leverage."""
    return sum(abs(fraction) for sleeve, fraction in parts.items() if sleeve != "cash")
