"""Schemes: where the borders between size classes lie, declared in TOML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from backtest.errors import UsageError, nearest
from backtest.folders import expanded, shipped
from backtest.market.toml import DERIVED, WrongError, declared, names_of, record

if TYPE_CHECKING:
    from pathlib import Path

TOTAL = "total_capitalisation"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = ("market", "cash", "all", "kept", "peers")


@dataclass(frozen=True)
class Scheme:
    """Size classes and the borders between them; its fields are the keys of its file.

    Parameters
    ----------
    title, source
        What it is in one line, and where the borders come from.
    classes
        Names from the smallest class up. The sleeves of a market made with it bear these names.
    borders
        One fewer than classes, from the lowest up. By ``capitalisation``: amounts in ``unit`` of
        ``currency``; a company on a border belongs to the class above it. By ``rank``: the rank of the last
        company of the class above. By ``cumulative``: percent of total capitalisation, counted from the
        largest company down; the company that reaches it still belongs to the class above. By ``percentile``:
        of the capitalisations on ``exchange`` (of all companies where there is none).
    by
        What the borders are.
    currency, unit
        What amounts are counted in; empty and 1 where the borders are no amounts.
    exchange
        The reference exchange of percentiles.
    country
        Whose companies it is for, in the words that tables use for it; any country's where empty.
    index, index_base
        The series that amounts move with, and its value at which the borders hold as declared.
    name
        That of its file.
    """

    title: str
    source: str
    classes: tuple[str, ...]
    borders: tuple[float, ...]
    by: Literal["capitalisation", "rank", "cumulative", "percentile"] = "capitalisation"
    currency: str = ""
    unit: float = 1.0
    exchange: str = ""
    country: tuple[str, ...] = ()
    index: str = ""
    index_base: float = 1.0
    name: str = field(default="", metadata=DERIVED)

    @property
    def amounts(self) -> tuple[float, ...]:
        """The borders in the currency itself, from the lowest up; of schemes by capitalisation."""
        return tuple(border * self.unit for border in self.borders)

    @property
    def across(self) -> bool:
        """Whether a border depends on the other companies of the date."""
        return self.by != "capitalisation" or self.index == TOTAL

    @property
    def sleeves(self) -> dict[str, slice]:
        """Each class, and ``market``, which is all of them: which of the classes it is."""
        each = {name: slice(number, number + 1) for number, name in enumerate(self.classes)}
        return {**each, "market": slice(None)}

    @property
    def numbered(self) -> dict[int, str]:
        """What the numbers of classes stand for in the tables: ``market`` is one more, ``none`` is -1."""
        return {**dict(enumerate((*self.classes, "market"))), -1: "none"}

    @property
    def ends(self) -> tuple[str, str]:
        """The classes that stand for small and large: by name, else the lowest and the highest."""
        small = "small" if "small" in self.classes else self.classes[0]
        return small, "large" if "large" in self.classes else self.classes[-1]

    def scaled(self, exchange_rate: float, purchasing_power: float, currency: str) -> Scheme:
        """Return the scheme for another country: borders times exchange rate over purchasing-power ratio.

        Parameters
        ----------
        exchange_rate
            Units of the new currency for one of the old.
        purchasing_power
            How much more the old currency's amount buys there: 1.615 where a basket of 1.615 dollars costs
            one dollar at the exchange rate.

        Raises
        ------
        UsageError
            When the scheme has no amounts, or a factor is not above zero.
        """
        if self.by != "capitalisation":
            raise UsageError(
                f"the borders of {self.name} are no amounts of money; only amounts can be scaled"
            )
        if not (exchange_rate > 0.0 and purchasing_power > 0.0):
            raise UsageError("an exchange rate and a ratio of purchasing powers must be above zero")
        factor = exchange_rate / purchasing_power
        borders = tuple(b * factor for b in self.borders)
        return replace(self, borders=borders, currency=currency, country=())


@dataclass(frozen=True)
class _Derived:
    """The file of a scheme that lies on another one: scaled, or moved with an index."""

    title: str
    source: str
    base: str
    country: tuple[str, ...] | None = None
    currency: str = ""
    exchange_rate: float | None = None
    purchasing_power: float | None = None
    index: str | None = None
    index_base: float | None = None


def place(kind: str, name_or_path: str) -> Path:
    """Return the file of a kind, ``scheme`` or ``mapping``, that is shipped under a name, or any by its path.

    Raises
    ------
    UsageError
        When there is none; the nearest one is named.
    """
    if name_or_path.endswith(".toml"):
        path = expanded(name_or_path)
        if not path.is_file():
            raise UsageError(f"there is no {kind} file '{path}'")
        return path
    if name_or_path not in names_of(kind):
        raise UsageError(
            f"there is no {kind} '{name_or_path}' (one of your own is named by the path of its .toml file); "
            f"{nearest(name_or_path, names_of(kind))}"
        )
    return shipped("data") / f"{kind}s" / f"{name_or_path}.toml"


def load_scheme(name_or_path: str) -> Scheme:
    """Return a shipped scheme by its name, or any by the path of its TOML file.

    Raises
    ------
    UsageError
        When there is no such scheme; the nearest one is named.
    DataError
        When its file does not declare a scheme; the sentence has the file, the line and the reason.
    """
    return _read(place("scheme", name_or_path))


def _read(path: Path, above: tuple[Path, ...] = ()) -> Scheme:
    with declared(path) as content:
        if path.resolve() in above:
            said = "a scheme cannot be its own base, not by way of others either; change base"
            raise WrongError(("base",), said)
        if "base" in content:
            scheme = _on_its_base(record(_Derived, content), path, (*above, path.resolve()))
        else:
            scheme = record(Scheme, content, name=path.stem)
        _check(scheme)
    return scheme


def _on_its_base(told: _Derived, path: Path, above: tuple[Path, ...]) -> Scheme:
    beside = path.parent / f"{told.base}.toml"
    scheme = _read(beside if beside.is_file() else place("scheme", told.base), above)
    if told.exchange_rate is not None or told.purchasing_power is not None:
        if not told.currency:
            raise WrongError((), "the file lacks currency: the one that the scaled borders are counted in")
        rate, power = (1.0 if x is None else x for x in (told.exchange_rate, told.purchasing_power))
        scheme = scheme.scaled(rate, power, told.currency)
    return replace(
        scheme,
        name=path.stem,
        title=told.title,
        source=told.source,
        country=scheme.country if told.country is None else told.country,
        index=scheme.index if told.index is None else told.index,
        index_base=scheme.index_base if told.index_base is None else told.index_base,
    )


def _check(scheme: Scheme) -> None:
    """Refuse a declaration that is no scheme, saying what is wrong with it."""
    n, borders = len(scheme.classes), scheme.borders
    if n != len(borders) + 1 or not borders:
        raise WrongError(("borders",), f"{n} classes need {n - 1} borders")
    for name in scheme.classes:
        if not _NAME.fullmatch(name) or name in _RESERVED or scheme.classes.count(name) > 1:
            said = f"'{name}' cannot name a class; small letters, once, and not {_RESERVED}"
            raise WrongError(("classes",), said)
    upward = borders[::-1] if scheme.by in ("rank", "cumulative") else borders
    if upward[0] <= 0.0 or any(low >= high for low, high in pairwise(upward)):
        raise WrongError(("borders",), "the borders must be above zero and stand from the lowest class up")
    if scheme.by in ("cumulative", "percentile") and max(borders) >= 100.0:
        raise WrongError(("borders",), "a border in percent must lie below 100")
    if scheme.by == "capitalisation" and not scheme.currency:
        raise WrongError((), "the file lacks currency: the one that the borders are counted in")
    if scheme.index and scheme.by != "capitalisation":
        raise WrongError(("index",), "only borders by capitalisation can move with an index")
    for key in ("unit", "index_base"):
        if not getattr(scheme, key) > 0.0:
            raise WrongError((key,), f"{key} must be above zero")
