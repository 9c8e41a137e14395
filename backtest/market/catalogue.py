"""The catalogue: what is written down about every series before a single value is read."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market.entry import Entry, PolicyFacts
from backtest.market.sources.file import damaged, describe, is_local
from backtest.market.store import Store
from backtest.market.toml import DERIVED, WrongError, declared, record
from backtest.market.units import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

EVER = "1900-01-01"
"""The day from which a rule holds that never changed."""

_OWN = frozenset(one.name for one in dataclasses.fields(Entry)) - {"id", "options", "decided"}


def _entry(id: str, told: dict[str, Any], where: tuple[str, ...] = ()) -> Entry:
    """Return the entry of what is written down of a series; WrongError where that is not one."""
    # Returns are of portfolios with their dividends unless the catalogue says otherwise.
    held = "unit" in told and unit(told["unit"]).scale is not None
    usual = {"download": id, "kind": "total-return" if held else "other"}
    options = {name: value for name, value in told.items() if name not in _OWN}
    own = {name: value for name, value in told.items() if name in _OWN}
    return record(Entry, {"id": id, **usual, **own, "options": options}, where)


def late_releases() -> dict[str, dict[str, str]]:
    """Return the months of each series that came later than by its rule, and the days on which they came."""
    late: dict[str, dict[str, str]] = {}
    with (shipped("data") / "late_releases.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            late.setdefault(row["series"], {})[row["month"]] = row["published"]
    return late


@dataclasses.dataclass(frozen=True)
class Bank:
    """A central bank whose rate is collected; ``data/policy_rates.toml`` says what each key means."""

    name: str
    said: str
    never: str = ""
    known_at: str | list[dict[str, Any]] = "the day itself"
    decided: PolicyFacts | None = dataclasses.field(default=None, metadata=DERIVED)


@cache
def _banks() -> dict[str, Bank]:
    own = {one.name for one in dataclasses.fields(Bank)}
    found = {}
    with declared(shipped("data") / "policy_rates.toml") as content:
        for area, told in content.items():
            about, facts = ({k: v for k, v in told.items() if (k in own) == mine} for mine in (True, False))
            decided = None if "never" in told else record(PolicyFacts, facts, (area,))
            found[area] = record(Bank, about, (area,), decided=decided)
    return found


def policy_rates() -> dict[str, Entry]:
    """Return the policy rate of every bank that has decided one, by id."""
    return {
        f"CBPOL_{area}": Entry(
            id=f"CBPOL_{area}",
            title=f"{bank.name}, policy rate of its central bank, as far as it was decided",
            source="bis",
            unit="percent",
            frequency="daily",
            known_at=bank.known_at,
            kind="other",
            download="WS_CBPOL_csv_col",
            ended=bank.decided.until is not None,
            options={"area": area},
            decided=bank.decided,
        )
        for area, bank in _banks().items()
        if bank.decided
    }


def _families(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the series of families: what is said once of files that differ by the name of a region."""
    return {
        id.replace("{region}", region): {
            key: value.replace("{region}", region.replace("_", " ")) if key == "title" else value
            for key, value in told.items()
            if key != "regions"
        }
        for id, told in content.get("family", {}).items()
        for region in told["regions"]
    }


@cache
def catalogue() -> dict[str, Entry]:
    """Return the shipped catalogue by series id."""
    with declared(shipped("data") / "catalogue.toml") as content:
        series = content["series"] | _families(content)
        late = late_releases()
        for id, told in series.items():
            if months := late.get(told.pop("released_with", id)):
                told["known_at"] = [{"from": EVER, "rule": told["known_at"], "late": months}]
        return {id: _entry(id, told, ("series", id)) for id, told in series.items()} | policy_rates()


def imported() -> dict[str, Entry]:
    """Return the entries of the series that the user brought and whose record is whole, from the store."""
    found = {}
    for id in Store().ids():
        with contextlib.suppress(DataError):  # one that is damaged shall not stand in the way of the others
            about = written(id)
            if about and id not in catalogue():
                found[id] = about
    return found


def search(words: Sequence[str]) -> list[Entry]:
    """Return the series of the catalogue and the imported ones that have all words in id, title or source."""
    each = [*catalogue().values(), *imported().values()]
    texts = [f"{about.id} {about.title} {about.source}".casefold() for about in each]
    return [e for e, text in zip(each, texts, strict=True) if all(w.casefold() in text for w in words)]


def written(id: str) -> Entry | None:
    """Return what is written down of a series; None where nothing is, DataError where that is damaged.

    It stands in the catalogue, or in the store's record of a series that the user brought.
    """
    if id in catalogue() or id not in Store().ids():
        return catalogue().get(id)
    current = Store().current(id)
    return current.entry if current else None


def entry(id: str) -> Entry:
    """Return one series' entry, of the catalogue or of an imported series.

    Raises
    ------
    UsageError
        When there is no such series; the nearest one is named.
    """
    if is_local(id):
        path = Path(id)
        try:
            return _entry(f"{path.parent.name}/{path.name}", describe(path))
        except WrongError as wrong:
            raise damaged(path, f": {wrong}") from None
    about = written(id)
    if about:
        return about
    bank = _banks().get(id.removeprefix("CBPOL_"))
    if bank and id.startswith("CBPOL_"):
        why = f"no bank decided what is collected of {bank.name}: {bank.never}"
        raise UsageError(f"there is no series '{id}': {why}")
    raise UsageError(
        f"there is no series '{id}' in the catalogue or among the imported ones; "
        f"{nearest(id, [*catalogue(), *imported()])}"
    )
