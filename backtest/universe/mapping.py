"""Mapping: which of a user's columns is which of ours, and which rows are no companies' common shares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from backtest.errors import UsageError, nearest
from backtest.market.toml import WrongError, declared, record
from backtest.universe.schemes import place

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = ("company", "issuer", "name", "share_class", "exchange", "industry", "currency", "country")
"""Columns of words; the first is needed."""

NUMBERS = ("price", "shares", "capitalisation", "total_return", "dividend", "split", "fair_value")
"""Columns of numbers: per share in the line's currency; ``total_return`` decimal since the row before;
``split`` the new shares for one old, on the day they come."""

COLUMNS = ("date", *TEXTS, *NUMBERS)

FIGURES = ("earnings", "sales", "book", "debt", "ebit", "interest")
"""Figures of a company's accounts, for a year, in the currency of its capitalisation."""

ACCOUNTS = ("company", "published", "period_end", "currency", *FIGURES)


@dataclass(frozen=True)
class LeaveOut:
    """A rule by which rows are left out: a column whose text a regular expression finds, and another not."""

    reason: str
    column: Literal["company", "issuer", "name", "share_class", "exchange", "industry", "currency", "country"]
    matches: str
    unless: str = ""


@dataclass(frozen=True)
class Issuer:
    """The column that issuers are made from, and what regular expressions take out of its text."""

    column: str = ""
    strip: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """How to read a table of companies; its fields are the keys of its file.

    Parameters
    ----------
    columns
        Our names (``COLUMNS``) to the user's.
    fundamentals
        Our names (``ACCOUNTS``) to one or several columns that are added up; a minus before a name turns it.
    capitalisation_of
        ``line``: each row carries the capitalisation of its own share class, those of an issuer add up to its
        size. ``company``: each carries that of the whole company, so one line stands for it.
    currency
        The currency of every row, where there is no column for it.
    issuer
        What issuers are made from, where there is no column for them.
    leave_out
        Rules, the first that fits counts.
    fundamentals_company
        Regular expressions to the replacements that turn a company of the accounts into one of the table.
    """

    columns: dict[str, str] = field(default_factory=dict)
    fundamentals: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    capitalisation_of: Literal["line", "company"] = "line"
    currency: str = ""
    issuer: Issuer = field(default_factory=Issuer)
    leave_out: tuple[LeaveOut, ...] = ()
    fundamentals_company: dict[str, str] = field(default_factory=dict)

    def resolve(self, present: Sequence[str], where: str) -> dict[str, str]:
        """Return our names to the columns of a file that are there.

        Raises
        ------
        UsageError
            When a column that is named, or one that is needed, is missing; the nearest one is named.
        """
        found = {}
        for ours in COLUMNS:
            theirs = self.columns.get(ours, ours)
            if theirs in present:
                found[ours] = theirs
            elif ours in self.columns:
                raise UsageError(f"{where} has no column '{theirs}' for {ours}; {nearest(theirs, present)}")
        for needed in ("date", "company"):
            if needed not in found:
                raise UsageError(f"{where} has no column '{needed}'; {nearest(needed, present)}; {HOW}")
        if "capitalisation" not in found and not {"price", "shares"} <= found.keys():
            wanted = "shares" if "price" in found else "capitalisation"
            raise UsageError(
                f"{where} has neither capitalisation nor price and shares: no column '{wanted}'; "
                f"{nearest(wanted, present)}; {HOW}"
            )
        return found

    def accounts(self, present: Sequence[str], where: str) -> dict[str, list[tuple[str, float]]]:
        """Return our names of accounts to the columns of a file that are there, each with its sign.

        Raises
        ------
        UsageError
            When a column that is needed is missing, or there is no figure.
        """
        found = {}
        for ours in ACCOUNTS:
            named = self.fundamentals.get(ours, ours)
            terms = [
                (name.removeprefix("-"), -1.0 if name.startswith("-") else 1.0)
                for name in ((named,) if isinstance(named, str) else named)
            ]
            here = [(theirs, sign) for theirs, sign in terms if theirs in present]
            if here:
                found[ours] = here
            elif ours in ("company", "published"):
                theirs = terms[0][0]
                raise UsageError(
                    f"{where} has no column '{theirs}' for {ours}; {nearest(theirs, present)}; {HOW}"
                )
        if not set(FIGURES) & found.keys():
            raise UsageError(f"{where} has none of the figures {', '.join(FIGURES)}; {HOW}")
        return found


HOW = 'a mapping names your columns: --mapping FILE with [columns] and lines such as company = "ticker"'


def load_mapping(name_or_path: str | None) -> Mapping:
    """Return a shipped mapping by name, any by the path of its TOML file, or the default: our own names.

    Raises
    ------
    UsageError
        When there is no such mapping; the nearest one is named.
    DataError
        When the file has entries that mean nothing, or a regular expression that is none; the sentence has
        the file, the line and the reason.
    """
    if name_or_path is None:
        return Mapping()
    with declared(place("mapping", name_or_path)) as content:
        made: dict[str, Any] = dict(content)
        if isinstance(made.get("issuer"), dict):
            made["issuer"] = record(Issuer, made["issuer"], ("issuer",))
        if isinstance(made.get("leave_out"), list):
            rules = made["leave_out"]
            made["leave_out"] = [
                record(LeaveOut, rule, ("leave_out", str(n))) if isinstance(rule, dict) else rule
                for n, rule in enumerate(rules)
            ]
        mapping = record(Mapping, made)
        for group, allowed in (("columns", COLUMNS), ("fundamentals", ACCOUNTS)):
            for key in getattr(mapping, group):
                if key not in allowed:
                    raise WrongError((group, key), f"there is no '{key}' here; {nearest(key, allowed)}")
        for where, pattern in _patterns(mapping):
            try:
                re.compile(pattern)
            except re.error as error:
                said = f"'{pattern}' is not a regular expression: {error}"
                raise WrongError(where, said) from None
    return mapping


def _patterns(mapping: Mapping) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]]
    found = [(("issuer", "strip"), pattern) for pattern in mapping.issuer.strip]
    found += [(("fundamentals_company", pattern), pattern) for pattern in mapping.fundamentals_company]
    for n, rule in enumerate(mapping.leave_out):
        found += [(("leave_out", str(n), key), getattr(rule, key)) for key in ("matches", "unless")]
    return found
