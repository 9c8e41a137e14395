"""A market file: which series make its sleeves, and what its other series stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backtest.errors import DataError, RotationError, UsageError, nearest
from backtest.folders import expanded, shipped
from backtest.market.catalogue import entry, read_toml
from backtest.market.formulas import Discount, Reference, Relative, Share, Splice, Sum, WeightedMean
from backtest.market.reading import carried
from backtest.market.release import AFTER_THE_FACT
from backtest.market.sources.file import beside
from backtest.market.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from backtest.market.entry import Entry
    from backtest.market.formulas import Formula, Pointwise

FREQUENCIES = ("monthly", "daily")


@dataclass(frozen=True)
class Definition:
    """A market file's content.

    Parameters
    ----------
    name, title, frequency, benchmark
        Its name (that of the file), one line on what it is, ``monthly`` or ``daily``, and the sleeve that
        runs are held against.
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
    """

    name: str
    title: str
    frequency: str
    benchmark: str
    sleeves: dict[str, Pointwise]
    series: dict[str, Formula] = field(default_factory=dict)
    policy: Formula | None = None
    proxy: str = ""
    more: str = ""
    factors: dict[str, Pointwise] = field(default_factory=dict)
    vintages: dict[str, str] = field(default_factory=dict)

    @property
    def references(self) -> list[Reference]:
        """Every series that the market needs, each once."""
        formulas = [*self.sleeves.values(), *self.series.values(), *([self.policy] if self.policy else [])]
        return list(dict.fromkeys(reference for formula in formulas for reference in formula.references))


_FIELDS = {
    "title": str,
    "frequency": str,
    "benchmark": str,
    "sleeves": dict,
    "series": dict,
    "policy": object,
    "proxy": str,
    "more": str,
    "factors": dict,
    "vintages": dict,
}
_NEEDED = ("title", "frequency", "benchmark", "sleeves")


class _WrongError(Exception):
    """What is wrong with a market file, and at which key of it."""

    def __init__(self, path: tuple[str, ...], why: str) -> None:
        super().__init__(why)
        self.path = path


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
    content = read_toml(path)
    name = path.parent.name if path.name == "market.toml" else path.stem
    try:
        return _definition(name, beside(content, path.parent))
    except _WrongError as wrong:
        line = line_of(path.read_text(encoding="utf-8-sig"), wrong.path)
        raise DataError(f"{path}, line {line}: {wrong}") from None


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the number of the line on which a key of a TOML text stands (1 where it stands nowhere)."""
    found = 1
    table: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        key = re.match(r"""\s*("[^"]+"|'[^']+'|[\w-]+)\s*=""", line)
        if header:
            table = tuple(part.strip(" \"'") for part in header[1].split("."))
            here = table
        elif key:
            here = (*table, key[1].strip("\"'"))
        else:
            continue
        # The line of the longest beginning of the path: an inline table has its keys on one line.
        if here and keys[: len(here)] == here:
            found = number
    return found


def _definition(name: str, content: dict[str, Any]) -> Definition:
    for key, value in content.items():
        if key not in _FIELDS:
            raise _WrongError((key,), f"a market file has no entry '{key}'; {nearest(key, _FIELDS)}")
        if not isinstance(value, _FIELDS[key]):
            raise _WrongError((key,), f"'{key}' must be {'a table' if _FIELDS[key] is dict else 'text'}")
    missing = [key for key in _NEEDED if key not in content]
    if missing:
        raise _WrongError((), f"the file lacks {', '.join(missing)}")
    if content["frequency"] not in FREQUENCIES:
        raise _WrongError(
            ("frequency",), f"the frequency must be monthly or daily, not '{content['frequency']}'"
        )
    sleeves, factors = (
        {key: _portfolio(group, key, value) for key, value in content.get(group, {}).items()}
        for group in ("sleeves", "factors")
    )
    series = {key: _formula(("series", key), value) for key, value in content.get("series", {}).items()}
    for id, vintage in content.get("vintages", {}).items():
        _text(("vintages", id), vintage)
    policy = _formula(("policy",), content["policy"]) if "policy" in content else None
    rest = {key: content[key] for key in content if key not in ("sleeves", "series", "factors", "policy")}
    definition = Definition(
        name=name,
        sleeves=sleeves,
        series=series,
        factors=factors,
        policy=policy,
        **rest,
    )
    for needed, why in (("cash", "which every run needs"), (definition.benchmark, "which is the benchmark")):
        if needed not in definition.sleeves:
            raise _WrongError(("sleeves",), f"there is no sleeve '{needed}', {why}")
    _check_sleeves(definition)
    _check_series(definition)
    return definition


def _check_sleeves(definition: Definition) -> None:
    kinds = {}
    for sleeve, formula in definition.sleeves.items():
        where = ("sleeves", sleeve)
        held = [Reference(formula.of)] if isinstance(formula, WeightedMean) else formula.references
        for reference in held:
            about = entry(reference.id)
            if about.kind == "other":
                raise _WrongError(where, f"{about.id} counts {about.unit}, which no sleeve can hold")
            if about.kind != "rate" and about.frequency != definition.frequency:
                raise _WrongError(
                    where, f"{about.id} is {about.frequency}, but the market {definition.frequency}"
                )
            if about.kind != "rate":
                kinds[sleeve] = about.kind
    if len(set(kinds.values())) > 1:
        prices = [sleeve for sleeve, kind in kinds.items() if kind == "price"]
        raise _WrongError(
            ("sleeves", prices[0]),
            f"{', '.join(prices)} lacks dividends (price), others have them; they cannot be mixed",
        )


def _check_series(definition: Definition) -> None:
    for role, formula in definition.series.items():
        for sleeve in (formula.first, formula.second) if isinstance(formula, Relative) else ():
            if sleeve not in definition.sleeves:
                raise _WrongError(
                    ("series", role), f"there is no sleeve '{sleeve}'; {nearest(sleeve, definition.sleeves)}"
                )
    for reference in definition.policy.references if definition.policy else ():
        if entry(reference.id).kind in ("total-return", "price"):
            raise _WrongError(
                ("policy",), f"{reference.id} is a {entry(reference.id).kind} series; a policy is a rate"
            )


def _text(where: tuple[str, ...], value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongError(where, f"'{where[-1]}' must be text")
    return value


def _texts(where: tuple[str, ...], value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise _WrongError(where, f"'{where[-1]}' must be a list of names")
    return tuple(value)


def _known(where: tuple[str, ...], reference: Reference) -> Reference:
    """Refuse a series that is neither in the catalogue nor imported, or a column that it does not have."""
    try:
        about: Entry = entry(reference.id)
    except RotationError as error:
        raise _WrongError(where, str(error)) from None
    if about.columns and reference.column not in about.columns:
        asked = f"no column '{reference.column}'" if reference.column else "several columns"
        raise _WrongError(where, f"{about.id} has {asked}; write {about.id}[{about.columns[0]}] or the like")
    if reference.column and not about.columns:
        raise _WrongError(where, f"{about.id} is a single series without columns")
    return reference


def _reference(where: tuple[str, ...], text: Any) -> Reference:
    try:
        reference = Reference.parse(_text(where, text))
    except DataError as error:
        raise _WrongError(where, str(error)) from None
    return _known(where, reference)


def _formula(where: tuple[str, ...], value: Any) -> Formula:
    if isinstance(value, str):
        return Sum(((_reference(where, value), 1.0),))
    if not isinstance(value, dict) or not value:
        raise _WrongError(where, f"'{where[-1]}' must be a series, or a table that says how to make it")
    for name, (make, needed, optional) in _FORMULAS.items():
        if name in value:
            for key in value:
                if key not in (*needed, *optional):
                    raise _WrongError(
                        (*where, key), f"there is no '{key}' here; {nearest(key, [*needed, *optional])}"
                    )
            for key in needed:
                if key not in value:
                    raise _WrongError(where, f"'{where[-1]}' has '{name}', so it needs '{key}' as well")
            return make(where, value)
    if not all(isinstance(factor, (int, float)) for factor in value.values()):
        odd = next(key for key, factor in value.items() if not isinstance(factor, (int, float)))
        raise _WrongError(
            (*where, odd),
            f"'{odd}' is neither a series with a number nor a way to make one; {nearest(odd, _FORMULAS)}",
        )
    return Sum(tuple((_reference((*where, key), key), float(factor)) for key, factor in value.items()))


def _portfolio(group: str, key: str, value: Any) -> Pointwise:
    formula = _formula((group, key), value)
    if not isinstance(formula, (Sum, WeightedMean)):
        raise _WrongError(
            (group, key),
            f"the {group[:-1]} '{key}' must be a series, a sum or a weighted mean of series",
        )
    return formula


def _all_known(where: tuple[str, ...], formula: Formula) -> Formula:
    for reference in formula.references:
        _known(where, reference)
    return formula


def _weighted(where: tuple[str, ...], value: dict[str, Any]) -> Formula:
    weights = _texts((*where, "weights"), value["weights"])
    columns = _texts((*where, "columns"), value["columns"])
    returns = _text((*where, "returns"), value["returns"])
    return _all_known(where, WeightedMean(returns, weights, columns))


def _discount(where: tuple[str, ...], value: dict[str, Any]) -> Formula:
    weights = _texts((*where, "weights"), value["weights"])
    ratio = _text((*where, "book_to_market"), value["book_to_market"])
    small, large = (WeightedMean(ratio, weights, _texts((*where, k), value[k])) for k in ("small", "large"))
    return _all_known(where, Discount(small, large))


def _share(where: tuple[str, ...], value: dict[str, Any]) -> Formula:
    weights = _texts((*where, "weights"), value["weights"])
    columns = _texts((*where, "share_of"), value["share_of"])
    for column in columns:
        _known((*where, "share_of"), Reference(weights[0], column))
    return _all_known(where, Share(columns, entry(weights[0]).columns, weights))


def _splice(where: tuple[str, ...], value: dict[str, Any]) -> Formula:
    parts = tuple(
        _reference((*where, "splice"), text) for text in _texts((*where, "splice"), value["splice"])
    )
    shift = frozenset(_texts((*where, "shift"), value["shift"]) if "shift" in value else ())
    for id in shift:
        if id not in [part.id for part in parts[:-1]]:
            raise _WrongError((*where, "shift"), f"'{id}' is no part before the last of this splice")
    return Splice(parts, shift)


def _relative(where: tuple[str, ...], value: dict[str, Any]) -> Formula:
    sleeves, months = _texts((*where, "relative"), value["relative"]), value["months"]
    if len(sleeves) != 2 or not isinstance(months, int) or months < 1:
        raise _WrongError(where, "'relative' takes two sleeves and a whole number of months")
    return Relative(*sleeves, months)


_FORMULAS: dict[
    str, tuple[Callable[[tuple[str, ...], dict[str, Any]], Formula], tuple[str, ...], tuple[str, ...]]
] = {
    "returns": (_weighted, ("returns", "weights", "columns"), ()),
    "book_to_market": (_discount, ("book_to_market", "weights", "small", "large"), ()),
    "share_of": (_share, ("share_of", "weights"), ()),
    "splice": (_splice, ("splice",), ("shift",)),
    "relative": (_relative, ("relative", "months"), ()),
}


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
