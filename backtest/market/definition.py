"""A market file: which series make its sleeves, and what its other series stand for."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from backtest.errors import DataError, RotationError, UsageError, nearest
from backtest.folders import expanded, shipped
from backtest.market.catalogue import entry
from backtest.market.formulas import (
    TABLES,
    Formula,
    Pointwise,
    Reference,
    Relative,
    Share,
    Splice,
    Sum,
    WeightedMean,
)
from backtest.market.reading import carried
from backtest.market.release import AFTER_THE_FACT
from backtest.market.sources import source_of
from backtest.market.sources.file import beside
from backtest.market.store import Store
from backtest.market.toml import DERIVED, WrongError, declared, read_toml, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.market.entry import Entry


EXTENDS = "extends"
"""The key under which a market file names the market that it is made on."""


@dataclass(frozen=True)
class Definition:
    """A market file's content; its fields are the keys of the file.

    Parameters
    ----------
    title, frequency, benchmark
        One line on what it is, ``monthly`` or ``daily``, and the sleeve that runs are held against.
    sleeves
        How each sleeve's total return is made of series.
    series
        How each series that strategies may ask for is made, by what it stands for.
    policy
        The policy rate; None where there is none.
    proxy, more
        In what respect its series are not what they stand for; and which command gets better ones.
    factors
        Portfolios that cost nothing, for reports to hold alpha against; one that is not stored is left out.
    vintages
        Which vintage of a stored series to use; those not named are the current ones.
    name
        That of the file.
    """

    title: str
    frequency: Literal["monthly", "daily"]
    benchmark: str
    sleeves: dict[str, Pointwise]
    series: dict[str, Formula] = field(default_factory=dict)
    policy: Formula | None = None
    proxy: str = ""
    more: str = ""
    factors: dict[str, Pointwise] = field(default_factory=dict)
    vintages: dict[str, str] = field(default_factory=dict)
    name: str = field(default="", metadata=DERIVED)

    @property
    def references(self) -> list[Reference]:
        """Every series that the market needs, each once."""
        formulas = [*self.sleeves.values(), *self.series.values(), *([self.policy] if self.policy else [])]
        return list(dict.fromkeys(reference for formula in formulas for reference in formula.references))

    @property
    def offer(self) -> dict[str, Any]:
        """What it has for strategies, by name, ready for JSON."""
        late = [role for role, formula in self.series.items() if after_the_fact(formula)]
        policy = ["policy"] if self.policy else []
        return {
            "name": self.name,
            "title": self.title,
            "frequency": self.frequency,
            "sleeves": list(self.sleeves),
            "roles": [*policy, *(role for role in self.series if role not in late)],
            "only_afterwards": late,
            "made_of": {role: formula.words for role, formula in self.series.items() if role not in late},
        }

    @property
    def meanings(self) -> dict[str, str]:
        """What each series is made of, with the titles of what it is made of, by what it stands for."""
        policy = {"policy": self.policy} if self.policy else {}
        return {role: _meaning(formula) for role, formula in {**policy, **self.series}.items()}


def _meaning(formula: Formula) -> str:
    titles = dict.fromkeys(entry(reference.id).title for reference in formula.references)
    return formula.words + (f" ({'; '.join(titles)})" if titles else "")


def roles_like(words: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return the series that shipped markets have by what they stand for, those whose name has all words.

    By that name, what each is made of, and the markets that make it so.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for market in shipped_markets():
        for role, made in market.offer["made_of"].items():
            if all(word.casefold() in role.replace("_", " ") or word.casefold() in role for word in words):
                found.setdefault(role, {}).setdefault(made, []).append(market.name)
    return found


def market_names() -> list[str]:
    """Return the names of the shipped markets."""
    return sorted(path.stem for path in (shipped("data") / "markets").glob("*.toml"))


def find_market(name: str) -> Path:
    """Return the file of a market: a shipped name, a TOML file, or a folder with ``market.toml``.

    Raises
    ------
    UsageError
        When there is none; the nearest shipped name is given.
    """
    if name in market_names():
        return shipped("data") / "markets" / f"{name}.toml"
    path = expanded(name)
    if path.is_dir() and (path / "market.toml").is_file():
        return path / "market.toml"
    if path.is_file():
        return path
    if path.suffix == ".toml" or "/" in name:
        raise UsageError(f"there is no market file {name}")
    raise UsageError(f"there is no market '{name}'; {nearest(name, market_names())}")


def read_definition(path: Path) -> Definition:
    """Return a market file's content.

    Raises
    ------
    DataError
        When the file is wrong; the sentence has the file, the line and the reason.
    """
    name = path.parent.name if path.name == "market.toml" else path.stem
    with declared(path) as content:
        definition = record(Definition, _with_formulas(_whole(content, path)), also=(EXTENDS,))
        reasons = {definition.benchmark: "which is the benchmark", "cash": "which every run needs"}
        for needed, why in reasons.items():
            if needed not in definition.sleeves:
                raise WrongError(("sleeves",), f"there is no sleeve '{needed}', {why}")
        _check_sleeves(definition)
        _check_series(definition)
        _check_vintages(definition)
    return replace(definition, name=name)


def _whole(content: dict[str, Any], path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return a market file's content on that of the market which it extends, if it extends one.

    Lines of a table are added to those of the same table there, or replace them; whatever else it says
    replaces what is said there.
    """
    own = beside({key: value for key, value in content.items() if key != EXTENDS}, path.parent)
    if EXTENDS not in content:
        return own
    base = _base(content[EXTENDS], path)
    if base in (above := (*above, path.resolve())):
        raise WrongError((EXTENDS,), f"'{content[EXTENDS]}' extends this market itself, directly or not")
    below = _whole(read_toml(base), base, above)
    if not above[1:]:
        read_definition(base)  # what is wrong there is said with its own line
    merged = {**below, **own}
    for table in ("sleeves", "series", "factors", "vintages"):
        if isinstance(below.get(table), dict) and isinstance(own.get(table), dict):
            merged[table] = {**below[table], **own[table]}
    return merged


def _base(named: Any, path: Path) -> Path:
    """Return the file of the market that another one, at this path, extends."""
    if not isinstance(named, str) or not named:
        raise WrongError((EXTENDS,), f"'{EXTENDS}' must be a market's name, or its file, in quotes")
    try:
        return find_market(named if named in market_names() else str(path.parent / named)).resolve()
    except UsageError:
        said = f"there is no market '{named}' and no such file beside this one"
        raise WrongError((EXTENDS,), f"{said}; {nearest(named, market_names())}") from None


@cache
def shipped_markets() -> list[Definition]:
    """Return the definitions of the shipped markets, by name."""
    return [read_definition(find_market(name)) for name in market_names()]


def markets_with(name: str, frequency: str, *groups: str) -> list[str]:
    """Return the shipped markets that have a series or a sleeve of a name; ``groups`` says which of the two.

    Those of the same frequency come first, of these what is stored, and last those that need an extra package
    which is not installed; one that needs a file of the user's, who has not brought it, is left out.
    """
    found = []
    for market in shipped_markets():
        policy = {"policy"} if market.policy else set()
        has = {"sleeves": set(market.sleeves), "series": {*market.series, *policy}}
        if any(name in has[group] for group in groups):
            lacks = missing(market)
            extra = any(source_of(about).lacking for about in needs(market))
            if not any(source_of(about).brought for about in lacks):
                found.append((extra, market.frequency != frequency, bool(lacks), market.name))
    return [name for *_, name in sorted(found)]


def _with_formulas(content: dict[str, Any]) -> dict[str, Any]:
    """Return a market file's content with what it writes for sleeves, series and factors read as formulas."""
    made = dict(content)
    for group in ("sleeves", "series", "factors"):
        if isinstance(content.get(group), dict):
            made[group] = {key: _formula((group, key), value) for key, value in content[group].items()}
    for group in ("sleeves", "factors"):
        for key, formula in made[group].items() if isinstance(made.get(group), dict) else ():
            if not isinstance(formula, (Sum, WeightedMean, Splice)):
                said = (
                    f"the {group[:-1]} '{key}' must be a series, a sum, a weighted mean or a splice of series"
                )
                raise WrongError((group, key), said)
            if isinstance(formula, Splice) and formula.shift:
                raise WrongError((group, key, "shift"), f"the returns of '{key}' are joined, not shifted")
    if "policy" in content:
        role = content["policy"]
        named = (
            made["series"].get(role)
            if isinstance(role, str) and isinstance(made.get("series"), dict)
            else None
        )
        made["policy"] = named or _formula(("policy",), role)
    return made


def _formula(where: tuple[str, ...], value: Any) -> Formula:
    made: Formula
    if isinstance(value, str):
        made = Sum(((_parsed(where, value), 1.0),))
    elif not isinstance(value, dict) or not value:
        raise WrongError(where, f"'{where[-1]}' must be a series, or a table that says how to make it")
    else:
        kind = next((kind for key, kind in TABLES.items() if key in value), None)
        made = record(kind, value, where) if kind else _sum(where, value)
    if isinstance(made, Share):
        made = replace(made, all_columns=_entry((*where, "weights"), made.weights[0]).columns)
        for column in made.share_of:
            _known(where, made, Reference(made.weights[0], column))
    if isinstance(made, Splice):
        references = [_parsed((*where, "splice"), text) for text in made.splice]
        for id in made.shift:
            if id not in [reference.id for reference in references[:-1]]:
                raise WrongError((*where, "shift"), f"'{id}' is no part before the last of this splice")
    for reference in made.references:
        _known(where, made, reference)
    return made


def _sum(where: tuple[str, ...], value: dict[str, Any]) -> Sum:
    for key, factor in value.items():
        if isinstance(factor, bool) or not isinstance(factor, (int, float)):
            raise WrongError(
                (*where, key),
                f"'{key}' is neither a series with a number nor a way to make one; {nearest(key, TABLES)}",
            )
    return Sum(tuple((_parsed((*where, key), key), float(factor)) for key, factor in value.items()))


def _parsed(where: tuple[str, ...], text: str) -> Reference:
    try:
        return Reference.parse(text)
    except DataError as error:
        raise WrongError(where, str(error)) from None


def _key_of(formula: Formula, reference: Reference, part: str) -> str:
    """Return the key under which a formula's table names a part of a reference: its id or its column."""
    for one in fields(formula):  # type: ignore[arg-type] # every formula is a dataclass
        value = getattr(formula, one.name)
        named = (value,) if isinstance(value, str) else value
        if isinstance(named, tuple) and (part in named or str(reference) in named):
            return one.name
    return str(reference)  # of a sum


def _entry(where: tuple[str, ...], id: str) -> Entry:
    try:
        return entry(id)
    except RotationError as error:
        raise WrongError(where, str(error)) from None


def _known(where: tuple[str, ...], formula: Formula, reference: Reference) -> None:
    """Refuse a series that is neither in the catalogue nor imported, or a column that it does not have."""
    about = _entry((*where, _key_of(formula, reference, reference.id)), reference.id)
    where = (*where, _key_of(formula, reference, reference.column))
    if about.columns and reference.column not in about.columns:
        asked = f"no column '{reference.column}'" if reference.column else "several columns"
        raise WrongError(where, f"{about.id} has {asked}; write {about.id}[{about.columns[0]}] or the like")
    if reference.column and not about.columns:
        raise WrongError(where, f"{about.id} is a single series without columns")


def _check_sleeves(definition: Definition) -> None:
    kinds: dict[str, list[str]] = {}
    for sleeve, formula in definition.sleeves.items():
        where = ("sleeves", sleeve)
        held = [Reference(formula.returns)] if isinstance(formula, WeightedMean) else formula.references
        for reference in held:
            about = entry(reference.id)
            if about.kind == "other":
                raise WrongError(where, f"{about.id} counts {about.unit}, which no sleeve can hold")
            if about.kind != "rate" and not fits(about, definition.frequency):
                raise WrongError(
                    where, f"{about.id} is {about.frequency}, but the market {definition.frequency}"
                )
            if about.kind != "rate":
                kinds.setdefault(about.kind, []).append(sleeve)
    if len(kinds) > 1:
        prices = list(dict.fromkeys(kinds["price"]))
        raise WrongError(
            ("sleeves", prices[0]),
            f"{', '.join(prices)} lacks dividends (price), others have them; they cannot be mixed",
        )


def _check_series(definition: Definition) -> None:
    for role, formula in definition.series.items():
        for sleeve in formula.relative if isinstance(formula, Relative) else ():
            if sleeve not in definition.sleeves:
                raise WrongError(
                    ("series", role), f"there is no sleeve '{sleeve}'; {nearest(sleeve, definition.sleeves)}"
                )
    for reference in definition.policy.references if definition.policy else ():
        if entry(reference.id).kind in ("total-return", "price"):
            raise WrongError(
                ("policy",), f"{reference.id} is a {entry(reference.id).kind} series; a policy is a rate"
            )


def _check_vintages(definition: Definition) -> None:
    for id in definition.vintages:
        where = ("vintages", id)
        if carried(_entry(where, id)):
            raise WrongError(where, f"{id} is not stored but read where it lies, so it has one vintage alone")


def fits(about: Entry, frequency: str) -> bool:
    """Return whether a series has bars of a market: a daily level has those of a month by its last value."""
    return about.frequency == frequency or (about.unit == "level" and frequency == "monthly")


def needs(definition: Definition) -> list[Entry]:
    """Return the catalogue entries of everything that a market needs, each once."""
    return [entry(id) for id in dict.fromkeys(reference.id for reference in definition.references)]


def after_the_fact(formula: Formula) -> bool:
    """Return whether a series is known only afterwards, so that no strategy may ask for it."""
    return any(entry(reference.id).known_at == AFTER_THE_FACT for reference in formula.references)


def absent(about: Entry) -> bool:
    """Return whether a series would have to be downloaded first."""
    return not carried(about) and Store().current(about.id) is None


def missing(definition: Definition) -> list[Entry]:
    """Return the series that would have to be downloaded first."""
    return [about for about in needs(definition) if absent(about)]
