"""A market file: which series make its sleeves, and what its other series stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from backtest.errors import DataError, UsageError, nearest
from backtest.market.catalogue import entry
from backtest.market.formulas import Formula, Pointwise, Reference, Relative, Splice, Sum, WeightedMean
from backtest.market.reading import absent
from backtest.market.sources import source_of
from backtest.market.sources.file import beside
from backtest.market.toml import DERIVED, WrongError, at, declared, file_of, names_of, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.market.entry import Entry


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
    extends
        The market that it is made on; its lines are among these.
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
    extends: str = ""
    name: str = field(default="", metadata=DERIVED)

    def __post_init__(self) -> None:
        reasons = {self.benchmark: "which is the benchmark", "cash": "which every run needs"}
        for group in ("sleeves", "factors"):
            for key, formula in getattr(self, group).items():
                if not isinstance(formula, (Sum, WeightedMean, Splice)):
                    ways = "a series, a sum, a weighted mean or a splice of series"
                    raise WrongError((group, key), f"the {group[:-1]} '{key}' must be {ways}")
                if isinstance(formula, Splice) and formula.shift:
                    raise WrongError((group, key, "shift"), f"the returns of '{key}' are joined, not shifted")
        for needed, why in reasons.items():
            if needed not in self.sleeves:
                raise WrongError(("sleeves",), f"there is no sleeve '{needed}', {why}")
        self._require_sleeves_alike()
        self._require_what_it_names()

    def _require_what_it_names(self) -> None:
        for role, formula in self.series.items():
            for sleeve in formula.relative if isinstance(formula, Relative) else ():
                if sleeve not in self.sleeves:
                    said = f"there is no sleeve '{sleeve}'; {nearest(sleeve, self.sleeves)}"
                    raise WrongError(("series", role), said)
        for reference in self.policy.references if self.policy else ():
            kind = entry(reference.id).kind
            if kind in ("total-return", "price"):
                raise WrongError(("policy",), f"{reference.id} is a {kind} series; a policy is a rate")
        for id in self.vintages:
            with at("vintages", id):
                if source_of(entry(id)).carried:
                    where = "is not stored but read where it lies"
                    raise DataError(f"{id} {where}, so it has one vintage alone")

    def _require_sleeves_alike(self) -> None:
        kinds: dict[str, list[str]] = {}
        for sleeve, formula in self.sleeves.items():
            held = [Reference(formula.returns)] if isinstance(formula, WeightedMean) else formula.references
            for about in (entry(reference.id) for reference in held):
                with at("sleeves", sleeve):
                    if about.kind == "other":
                        raise DataError(f"{about.id} counts {about.unit}, which no sleeve can hold")
                    if about.kind != "rate" and not about.fits(self.frequency):
                        raise DataError(f"{about.id} is {about.frequency}, but the market {self.frequency}")
                if about.kind != "rate":
                    kinds.setdefault(about.kind, []).append(sleeve)
        if len(kinds) > 1:
            prices = list(dict.fromkeys(kinds["price"]))
            said = f"{', '.join(prices)} lacks dividends (price), others have them; they cannot be mixed"
            raise WrongError(("sleeves", prices[0]), said)

    @property
    def references(self) -> list[Reference]:
        """Every series that the market needs, each once."""
        formulas = [*self.sleeves.values(), *self.series.values(), *([self.policy] if self.policy else [])]
        return list(dict.fromkeys(reference for formula in formulas for reference in formula.references))

    @property
    def needs(self) -> list[Entry]:
        """The catalogue entries of everything that the market needs, each once."""
        return [entry(id) for id in dict.fromkeys(reference.id for reference in self.references)]

    @property
    def missing(self) -> list[Entry]:
        """The series that would have to be downloaded first."""
        return [about for about in self.needs if absent(about)]

    @property
    def roles(self) -> dict[str, Formula]:
        """How each series that strategies may ask for is made, the policy rate too, by what it stands for."""
        return {**({"policy": self.policy} if self.policy else {}), **self.series}

    @property
    def offer(self) -> dict[str, Any]:
        """What it has for strategies, by name, ready for JSON."""
        late = [role for role, formula in self.series.items() if formula.after_the_fact]
        return {
            "name": self.name,
            "title": self.title,
            "frequency": self.frequency,
            "sleeves": list(self.sleeves),
            "roles": [role for role in self.roles if role not in late],
            "only_afterwards": late,
            "made_of": {role: formula.words for role, formula in self.series.items() if role not in late},
        }

    @property
    def meanings(self) -> dict[str, str]:
        """What each series is made of, with the titles of what it is made of, by what it stands for."""
        found = {}
        for role, formula in self.roles.items():
            titles = dict.fromkeys(entry(reference.id).title for reference in formula.references)
            found[role] = formula.words + (f" ({'; '.join(titles)})" if titles else "")
        return found


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


def read_definition(market: str | Path) -> Definition:
    """Return the content of a market file: a shipped name's, a TOML file's, a folder's with ``market.toml``.

    Raises
    ------
    UsageError
        When there is none; the nearest shipped name is given.
    DataError
        When the file is wrong; the sentence has the file, the line and the reason.
    """
    path = file_of("market", str(market))
    name = path.parent.name if path.name == "market.toml" else path.stem
    with declared(path) as content:
        whole = _whole(content, path)
        role, series = whole.get("policy"), whole.get("series")
        if isinstance(role, str) and isinstance(series, dict) and role in series:
            whole["policy"] = series[role]
        return record(Definition, whole, name=name)


def _whole(content: dict[str, Any], path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return a market file's content on that of the market which it extends, if it extends one.

    Lines of a table are added to those of the same table there, or replace them; whatever else it says
    replaces what is said there.
    """
    own = beside(content, path.parent)
    if "extends" not in content:
        return own
    named = content["extends"]
    if not isinstance(named, str) or not named:
        raise WrongError(("extends",), "'extends' must be a market's name, or its file, in quotes")
    shipped = names_of("market")
    try:
        base = file_of("market", named if named in shipped else str(path.parent / named)).resolve()
    except UsageError:
        said = f"there is no market '{named}' and no such file beside this one; {nearest(named, shipped)}"
        raise WrongError(("extends",), said) from None
    if base in (above := (*above, path.resolve())):
        raise WrongError(("extends",), f"'{named}' extends this market itself, directly or not")
    with declared(base) as under:
        below = _whole(under, base, above)
    if not above[1:]:
        read_definition(base)  # what is wrong there is said with its own line
    merged = {**below, **own}
    for table in ("sleeves", "series", "factors", "vintages"):
        if isinstance(below.get(table), dict) and isinstance(own.get(table), dict):
            merged[table] = {**below[table], **own[table]}
    return merged


@cache
def shipped_markets() -> list[Definition]:
    """Return the definitions of the shipped markets, by name."""
    return [read_definition(name) for name in names_of("market")]


def markets_with(name: str, frequency: str, *groups: str) -> list[str]:
    """Return the shipped markets that have a series or a sleeve of a name; ``groups`` says which of the two.

    Those of the same frequency come first, of these what is stored, and last those that need an extra package
    which is not installed; one that needs a file of the user's, who has not brought it, is left out.
    """
    found = []
    for market in shipped_markets():
        has = {"sleeves": set(market.sleeves), "series": set(market.roles)}
        if any(name in has[group] for group in groups):
            lacks = market.missing
            extra = any(source_of(about).lacking for about in market.needs)
            if not any(source_of(about).brought for about in lacks):
                found.append((extra, market.frequency != frequency, bool(lacks), market.name))
    return [name for *_, name in sorted(found)]
