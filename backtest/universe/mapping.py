"""Mapping: which of a user's columns is which of ours, and which rows are no companies' common shares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from backtest.errors import UsageError, nearest
from backtest.market.toml import WrongError, declared, names_of, record
from backtest.universe.schemes import place
from backtest.universe.workshop import text

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = ("company", "issuer", "name", "share_class", "exchange", "industry", "currency", "country", "filer")
"""Columns of words; the first is needed."""

NUMBERS = ("price", "shares", "capitalisation", "total_return", "dividend", "split", "fair_value")
"""Columns of numbers: per share in the line's currency; ``total_return`` decimal since the row before;
``split`` the new shares for one old, on the day they come."""

COLUMNS = ("date", *TEXTS, *NUMBERS)

FIGURES = ("earnings", "sales", "book", "debt", "ebit", "interest")
"""Figures of a company's accounts, for a year, in the currency of its capitalisation."""

ACCOUNTS = ("company", "published", "period_end", "currency", "shares", *FIGURES)

ABOUT = ("company", "filer", "industry", "name", "joined_by")
"""What a list of companies may say; ``joined_by`` is the column that joins a second list to the first."""

FACTS = ("shares", *FIGURES)

_TAGS = re.compile(r"-?\w+( *\+ *-?\w+)*", re.ASCII)


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
    facts
        Our names (``FACTS``) to the tags of SEC-style facts: the first that a filing has counts; one
        written ``A + B`` is the sum of those it has, a minus before a name turns it.
    annual_forms
        The forms of filings whose accounts are those of a year.
    about
        Our names (``ABOUT``) to the columns of lists of companies.
    """

    columns: dict[str, str] = field(default_factory=dict)
    fundamentals: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    capitalisation_of: Literal["line", "company"] = "line"
    currency: str = ""
    issuer: Issuer = field(default_factory=Issuer)
    leave_out: tuple[LeaveOut, ...] = ()
    fundamentals_company: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    annual_forms: tuple[str, ...] = ()
    about: dict[str, str] = field(default_factory=dict)

    def tags(self) -> dict[str, tuple[str, ...]]:
        """Return our names to the tags of facts, the first choice first.

        Raises
        ------
        UsageError
            When the mapping has none.
        """
        if not self.facts:
            raise UsageError(f"no mapping says which facts are earnings or sales; {shipping('facts')}")
        return {ours: (told,) if isinstance(told, str) else told for ours, told in self.facts.items()}

    def renamed(self, company: str) -> str:
        """Return in SQL what a company of the accounts is called in the table."""
        for pattern, instead in self.fundamentals_company.items():
            company = f"regexp_replace({company}, {text(pattern)}, {text(instead)}, 'g')"
        return company

    def resolve(self, present: Sequence[str], where: str, *, shares: bool = False) -> dict[str, str]:
        """Return our names to the columns of a file that are there.

        ``shares`` says that their number is known from elsewhere.

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
        if shares and "price" in found:
            return found
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
                hint = _fitting(present) or nearest(theirs, present)
                raise UsageError(f"{where} has no column '{theirs}' for {ours}; {hint}; {HOW}")
        if not {*FIGURES, "shares"} & found.keys():
            raise UsageError(f"{where} has none of the figures {', '.join(FIGURES)}; {HOW}")
        return found


HOW = 'a mapping names your columns: --mapping FILE with [columns] and lines such as company = "ticker"'


def shipping(part: str) -> str:
    """Return in words which of the shipped mappings have a part."""
    those = [name for name in names_of("mapping") if getattr(_load(name), part)]
    return f"shipped for it: {' '.join(f'--mapping {name}' for name in those)}"


def _fitting(present: Sequence[str]) -> str:
    """Return which shipped mapping knows accounts with such columns; empty where none does."""
    for name in names_of("mapping"):
        known = _load(name).fundamentals
        if known and {known.get("company"), known.get("published")} <= set(present):
            return f"it has the columns that --mapping {name} reads, which may stand beside others"
    return ""


def load_mapping(*names_or_paths: str) -> Mapping:
    """Return a mapping, or several that add to each other: one for the table, say, and one for the accounts.

    A name is that of a shipped one, or the path of a TOML file. Of none it is the default: our own names.

    Raises
    ------
    UsageError
        When there is no such mapping (the nearest one is named), or two say different things of one thing.
    DataError
        As ``_load``.
    """
    made: dict[str, Any] = {}
    for name in names_or_paths:
        mapping, plain = _load(name), Mapping()
        for each in fields(Mapping):
            said, before = getattr(mapping, each.name), made.get(each.name)
            if said == getattr(plain, each.name):
                continue
            if isinstance(said, dict) and before is not None:
                odd = next((key for key in said if key in before and said[key] != before[key]), None)
                clash, said = odd is not None, {**before, **said}
            elif each.name == "leave_out" and before is not None:
                clash, odd, said = False, None, (*before, *said)
            else:
                clash, odd = before is not None and before != said, None
            if clash:
                of = f"{each.name} {odd}" if odd else each.name
                raise UsageError(
                    f"two mappings say different things of {of}; leave '{name}' out, or change it"
                )
            made[each.name] = said
    return Mapping(**made)


def _load(name_or_path: str) -> Mapping:
    """Return one mapping.

    Raises
    ------
    UsageError
        When there is no such mapping; the nearest one is named.
    DataError
        When the file has entries that mean nothing, or a regular expression that is none; the sentence has
        the file, the line and the reason.
    """
    with declared(place("mapping", name_or_path)) as content:
        mapping = record(Mapping, content)
        for group, allowed in (
            ("columns", COLUMNS),
            ("fundamentals", ACCOUNTS),
            ("facts", FACTS),
            ("about", ABOUT),
        ):
            for key in getattr(mapping, group):
                if key not in allowed:
                    raise WrongError((group, key), f"there is no '{key}' here; {nearest(key, allowed)}")
        for key, told in mapping.facts.items():
            for alternative in (told,) if isinstance(told, str) else told:
                if not _TAGS.fullmatch(alternative):
                    said = f"'{alternative}' is no tag of facts, nor a sum of them such as DebtCurrent + Debt"
                    raise WrongError(("facts", key), said)
        if mapping.facts and not mapping.annual_forms:
            raise WrongError(("facts",), 'the file lacks annual_forms, such as ["10-K"]')
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
