"""What markets may offer a strategy: the roles that series play, and which shipped market has one."""

from __future__ import annotations

from dataclasses import dataclass

from backtest.folders import shipped
from backtest.market.catalogue import catalogue, read_toml
from backtest.market.definition import after_the_fact, find_market, market_names, needs, read_definition
from backtest.market.sources import source_of

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


@dataclass(frozen=True)
class Offer:
    """What a market has for strategies.

    Parameters
    ----------
    name, title, frequency
        As its file says.
    sleeves
        What can be held, and followed with ``market.index``.
    roles
        The series that a strategy may ask for, by what they stand for.
    only_afterwards
        Series that are for shading and breakdowns: no strategy gets them.
    """

    name: str
    title: str
    frequency: str
    sleeves: list[str]
    roles: list[str]
    only_afterwards: list[str]


def offers() -> list[Offer]:
    """Return what each shipped market has for strategies, as its definition says, stored or not."""
    found = []
    for name in market_names():
        definition = read_definition(find_market(name))
        late = [role for role, formula in definition.series.items() if after_the_fact(formula)]
        roles = [role for role in definition.series if role not in late]
        found.append(
            Offer(
                name,
                definition.title,
                definition.frequency,
                list(definition.sleeves),
                [*(["policy"] if definition.policy else []), *roles],
                late,
            )
        )
    return found


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
            extra = any(source_of(entry).lacking for entry in needs(definition))
            found.append((extra, definition.frequency != frequency, path.stem))
    return [name for _, _, name in sorted(found)]
