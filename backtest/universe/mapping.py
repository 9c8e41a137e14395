"""Mapping: which of a user's columns is which of ours, and which rows are no companies' common shares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market.toml import read_toml

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = ("company", "issuer", "name", "share_class", "exchange", "industry", "currency")
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
    """A rule by which rows are left out: a column whose text a regular expression finds."""

    reason: str
    column: str
    matches: str
    exempt: str = ""


@dataclass(frozen=True)
class Mapping:
    """How to read a table of companies.

    Parameters
    ----------
    columns
        Our names (``COLUMNS``) to the user's.
    fundamentals
        Our names (``ACCOUNTS``) to one or several columns that are added up, each with a sign.
    capitalisation_of
        ``line``: each row carries the capitalisation of its own share class, those of an issuer add up to its
        size. ``company``: each carries that of the whole company, so one line stands for it.
    currency
        The currency of every row, where there is no column for it.
    issuer_column, issuer_strip
        The column that issuers are made from, and what is taken out of its text; empty where there is none.
    leave_out
        Rules, the first that fits counts.
    company_replace
        Regular expressions and their replacements that turn a company of the accounts into one of the table.
    source
        The file it was read from; empty for the default.
    """

    columns: dict[str, str] = field(default_factory=dict)
    fundamentals: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    capitalisation_of: str = "line"
    currency: str = ""
    issuer_column: str = ""
    issuer_strip: tuple[str, ...] = ()
    leave_out: tuple[LeaveOut, ...] = ()
    company_replace: tuple[tuple[str, str], ...] = ()
    source: str = ""

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

    def accounts(self, present: Sequence[str]) -> dict[str, list[tuple[str, float]]]:
        """Return our names of accounts to the columns of a file that are there."""
        found = {}
        for ours in ACCOUNTS:
            terms = self.fundamentals.get(ours, [(ours, 1.0)])
            here = [(theirs, sign) for theirs, sign in terms if theirs in present]
            if here:
                found[ours] = here
        return found


HOW = 'a mapping names your columns: --mapping FILE with [columns] and lines such as company = "ticker"'


def mapping_names() -> list[str]:
    """Return the names of the shipped mappings."""
    return sorted(path.stem for path in (shipped("data") / "mappings").glob("*.toml"))


def load_mapping(name_or_path: str | None) -> Mapping:
    """Return a shipped mapping by name, any by the path of its TOML file, or the default: our own names.

    Raises
    ------
    UsageError
        When there is no such mapping; the nearest one is named.
    DataError
        When the file has entries that mean nothing, or a regular expression that is none.
    """
    if name_or_path is None:
        return Mapping()
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no mapping file '{path}'")
    elif name_or_path in mapping_names():
        path = shipped("data") / "mappings" / f"{name_or_path}.toml"
    else:
        raise UsageError(f"there is no mapping '{name_or_path}'; {nearest(name_or_path, mapping_names())}")
    content = read_toml(path)
    _shaped(path, content)
    known = ("columns", "capitalisation_of", "currency", "issuer", "leave_out", "fundamentals")
    _known(path, "entry", content, (*known, "fundamentals_company"))
    columns = content.get("columns", {})
    _known(path, "column", columns, COLUMNS)
    if content.get("capitalisation_of", "line") not in ("line", "company"):
        raise DataError(f"{path}: capitalisation_of is 'line' or 'company'")
    issuer = content.get("issuer", {})
    _known(path, "entry of issuer", issuer, ("column", "strip"))
    patterns = [*issuer.get("strip", []), *content.get("fundamentals_company", {})]
    rules = [_leave_out(path, rule) for rule in content.get("leave_out", [])]
    for pattern in [*patterns, *(r.matches for r in rules), *(r.exempt for r in rules)]:
        _compiles(path, pattern)
    return Mapping(
        columns=dict(columns),
        fundamentals=_fundamentals(path, content.get("fundamentals", {})),
        capitalisation_of=content.get("capitalisation_of", "line"),
        currency=content.get("currency", ""),
        issuer_column=issuer.get("column", ""),
        issuer_strip=tuple(issuer.get("strip", [])),
        leave_out=tuple(rules),
        company_replace=tuple(content.get("fundamentals_company", {}).items()),
        source=str(path),
    )


def _shaped(path: Path, content: dict[str, Any]) -> None:
    """Refuse tables that are none, and words that are numbers."""
    for entry in ("columns", "issuer", "fundamentals", "fundamentals_company"):
        if not isinstance(content.get(entry, {}), dict):
            raise DataError(f"{path}: {entry} is a section; write [{entry}] and its entries below it")
    rules = content.get("leave_out", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise DataError(f"{path}: leave_out is a list of sections; write [[leave_out]] above each rule")
    tops = {entry: content[entry] for entry in ("capitalisation_of", "currency") if entry in content}
    for section in (tops, content.get("columns", {}), content.get("fundamentals_company", {}), *rules):
        for entry, value in section.items():
            _words(path, entry, [value])
    for section in (content.get("issuer", {}), content.get("fundamentals", {})):
        for entry, value in section.items():
            _words(path, entry, value if isinstance(value, list) else [value])
    if not isinstance(content.get("issuer", {}).get("strip", []), list):
        raise DataError(f"{path}: strip is a list of regular expressions; put it in square brackets")
    if not isinstance(content.get("issuer", {}).get("column", ""), str):
        raise DataError(f"{path}: the column of issuer is one name; write it in quotes, without brackets")


def _words(path: Path, entry: str, values: list[Any]) -> None:
    for value in values:
        if not isinstance(value, str):
            raise DataError(f"{path}: {entry} = {value!r} is no text; write it in quotes")


def _known(path: Path, what: str, content: dict[str, Any], allowed: Sequence[str]) -> None:
    for entry in content:
        if entry not in allowed:
            raise DataError(f"{path} has an {what} '{entry}'; {nearest(entry, allowed)}")


def _compiles(path: Path, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise DataError(f"{path}: '{pattern}' is not a regular expression: {error}") from None


def _leave_out(path: Path, rule: dict[str, str]) -> LeaveOut:
    _known(path, "entry of leave_out", rule, ("reason", "column", "matches", "except"))
    if not {"reason", "column", "matches"} <= rule.keys() or rule["column"] not in TEXTS:
        raise DataError(f"{path}: a leave_out needs reason, matches and column, one of {', '.join(TEXTS)}")
    return LeaveOut(rule["reason"], rule["column"], rule["matches"], rule.get("except", ""))


def _fundamentals(path: Path, content: dict[str, Any]) -> dict[str, list[tuple[str, float]]]:
    _known(path, "column of fundamentals", content, ACCOUNTS)
    terms = {}
    for ours, theirs in content.items():
        names = theirs if isinstance(theirs, list) else [theirs]
        terms[ours] = [(name.removeprefix("-"), -1.0 if name.startswith("-") else 1.0) for name in names]
    return terms
