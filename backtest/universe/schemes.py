"""Schemes: where the borders between size classes lie, declared in TOML."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market.toml import read_toml

WAYS = ("capitalisation", "rank", "cumulative", "percentile")
TOTAL = "total_capitalisation"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = ("market", "cash", "all")
_OWN = ("title", "source", "currency", "unit", "classes", "borders", "by", "exchange", "index", "index_base")
_DERIVED = ("title", "source", "base", "currency", "exchange_rate", "purchasing_power", "index", "index_base")


@dataclass(frozen=True)
class Scheme:
    """Size classes and the borders between them.

    Parameters
    ----------
    name, title, source
        Its name, what it is in one line, and where the borders come from.
    classes
        Names from the smallest class up. The sleeves of a market made with it bear these names.
    borders
        One fewer than classes, from the lowest up. By ``capitalisation``: amounts in ``unit`` of
        ``currency``; a company on a border belongs to the class above it. By ``rank``: the rank of the last
        company of the class above. By ``cumulative``: percent of total capitalisation, counted from the
        largest company down; the company that reaches it still belongs to the class above. By ``percentile``:
        of the capitalisations on ``exchange`` (of all companies where there is none).
    by
        One of ``WAYS``.
    currency, unit
        What amounts are counted in; empty and 1 where the borders are no amounts.
    exchange
        The reference exchange of percentiles.
    index, index_base
        The series that amounts move with, and its value at which the borders hold as declared.
    """

    name: str
    title: str
    source: str
    classes: tuple[str, ...]
    borders: tuple[float, ...]
    by: str = "capitalisation"
    currency: str = ""
    unit: float = 1.0
    exchange: str = ""
    index: str = ""
    index_base: float = 1.0

    @property
    def amounts(self) -> tuple[float, ...]:
        """The borders in the currency itself, from the lowest up; of schemes by capitalisation."""
        return tuple(border * self.unit for border in self.borders)

    @property
    def across(self) -> bool:
        """Whether a border depends on the other companies of the date."""
        return self.by != "capitalisation" or self.index == TOTAL

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
        return replace(self, borders=tuple(b * factor for b in self.borders), currency=currency)


def scheme_names() -> list[str]:
    """Return the names of the shipped schemes."""
    return sorted(path.stem for path in (shipped("data") / "schemes").glob("*.toml"))


def load_scheme(name_or_path: str) -> Scheme:
    """Return a shipped scheme by its name, or any by the path of its TOML file.

    Raises
    ------
    UsageError
        When there is no such scheme; the nearest one is named.
    DataError
        When its file does not declare a scheme.
    """
    return _scheme(_place(name_or_path))


def _place(name_or_path: str) -> Path:
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no scheme file '{path}'")
    elif name_or_path in scheme_names():
        path = shipped("data") / "schemes" / f"{name_or_path}.toml"
    else:
        raise UsageError(
            f"there is no scheme '{name_or_path}' (one of your own is named by the path of its .toml file); "
            f"{nearest(name_or_path, scheme_names())}"
        )
    return path


def _scheme(path: Path, above: tuple[Path, ...] = ()) -> Scheme:
    if path.resolve() in above:
        raise DataError(f"{path}: a scheme cannot be its own base, not by way of others either; change base")
    above = (*above, path.resolve())
    content = read_toml(path)
    derived = "base" in content
    allowed = _DERIVED if derived else _OWN
    for entry in content:
        if entry not in allowed:
            raise DataError(f"{path} has an entry '{entry}'; {nearest(entry, allowed)}")
    missing = [
        e
        for e in (("title", "source") if derived else ("title", "source", "classes", "borders"))
        if e not in content
    ]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}")
    _typed(path, content)
    scheme = _derived(path, content, above) if derived else _own(path, content)
    _check(path, scheme)
    return scheme


def _typed(path: Path, content: dict[str, Any]) -> None:
    for entry, value in content.items():
        if entry in ("unit", "index_base", "exchange_rate", "purchasing_power"):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise DataError(f"{path}: {entry} = {value!r} is no number; write one, without quotes")
        elif entry in ("classes", "borders"):
            if not isinstance(value, list):
                raise DataError(f"{path}: {entry} is a list; put it in square brackets")
        elif not isinstance(value, str):
            raise DataError(f"{path}: {entry} = {value!r} is no text; write it in quotes")


def _own(path: Path, content: dict[str, Any]) -> Scheme:
    try:
        return Scheme(
            name=path.stem,
            title=content["title"],
            source=content["source"],
            classes=tuple(content["classes"]),
            borders=tuple(float(border) for border in content["borders"]),
            by=content.get("by", "capitalisation"),
            currency=content.get("currency", ""),
            unit=float(content.get("unit", 1.0)),
            exchange=content.get("exchange", ""),
            index=content.get("index", ""),
            index_base=float(content.get("index_base", 1.0)),
        )
    except (TypeError, ValueError):
        raise DataError(f"{path}: classes are a list of names, borders and unit are numbers") from None


def _derived(path: Path, content: dict[str, Any], above: tuple[Path, ...]) -> Scheme:
    base = content["base"]
    beside = path.parent / f"{base}.toml"
    scheme = _scheme(beside if beside.is_file() else _place(base), above)
    if {"exchange_rate", "purchasing_power"} & content.keys():
        if "currency" not in content:
            raise DataError(f"{path} lacks currency: the one that the scaled borders are counted in")
        rate, power = content.get("exchange_rate", 1.0), content.get("purchasing_power", 1.0)
        scheme = scheme.scaled(float(rate), float(power), content["currency"])
    return replace(
        scheme,
        name=path.stem,
        title=content["title"],
        source=content["source"],
        index=content.get("index", scheme.index),
        index_base=float(content.get("index_base", scheme.index_base)),
    )


def _check(path: Path, scheme: Scheme) -> None:
    """Refuse a declaration that is no scheme, saying what is wrong with it."""
    if scheme.by not in WAYS:
        raise DataError(f"{path}: by = '{scheme.by}'; {nearest(scheme.by, WAYS)}")
    if len(scheme.classes) != len(scheme.borders) + 1 or not scheme.borders:
        raise DataError(f"{path}: {len(scheme.classes)} classes need {len(scheme.classes) - 1} borders")
    for name in scheme.classes:
        if not _NAME.fullmatch(str(name)) or name in _RESERVED or scheme.classes.count(name) > 1:
            raise DataError(f"{path}: '{name}' cannot name a class; small letters, once, and not {_RESERVED}")
    rises = all(a < b for a, b in zip(scheme.borders, scheme.borders[1:], strict=False))
    falls = all(a > b for a, b in zip(scheme.borders, scheme.borders[1:], strict=False))
    if not (falls if scheme.by in ("rank", "cumulative") else rises) or min(scheme.borders) <= 0.0:
        raise DataError(f"{path}: the borders must be above zero and stand from the lowest class up")
    if scheme.by in ("cumulative", "percentile") and max(scheme.borders) >= 100.0:
        raise DataError(f"{path}: a border in percent must lie below 100")
    if scheme.by == "capitalisation" and not scheme.currency:
        raise DataError(f"{path} lacks currency: the one that the borders are counted in")
    if scheme.index and scheme.by != "capitalisation":
        raise DataError(f"{path}: only borders by capitalisation can move with an index")
    if not scheme.index_base > 0.0 or not scheme.unit > 0.0:
        raise DataError(f"{path}: index_base and unit must be above zero")
