"""What markets may offer a strategy: the roles that series play, and which shipped market has one."""

from __future__ import annotations

from backtest.folders import shipped
from backtest.market.catalogue import catalogue, read_toml
from backtest.market.definition import needs, read_definition
from backtest.market.reading import lacking

ROLE_UNITS = {
    "discount": "fraction",
    "concentration": "fraction",
    "credit_spread": "percent",
    "credit_spread_daily": "percent",
    "high_yield_spread": "percent",
    "term_spread": "percent",
    "term_spread_daily": "percent",
}
"""What the roles count in that markets make of several series; the others count in their series' unit."""


def unit_of(role: str, id: str) -> str:
    """Return what a series counts in; empty where nothing says so."""
    written = catalogue().get(id)
    return written.unit if written else ROLE_UNITS.get(role, "")


def markets_with(name: str, frequency: str, what: str = "series") -> list[str]:
    """Return the shipped markets that have a series (by role or by id), or one of the ``sleeves``.

    Those of the same frequency come first, those that need an extra package which is not installed last.
    """
    found = []
    for path in sorted((shipped("data") / "markets").glob("*.toml")):
        if name in read_toml(path).get(what, {}):
            definition = read_definition(path)
            extra = any(lacking(entry.source) for entry in needs(definition))
            found.append((extra, definition.frequency != frequency, path.stem))
    return [name for _, _, name in sorted(found)]
