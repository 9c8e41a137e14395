"""The catalogue: what is written down about every series before a single value is read."""

from __future__ import annotations

import csv
import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

from backtest.errors import UsageError, nearest
from backtest.folders import shipped
from backtest.market.entry import Entry
from backtest.market.sources.file import damaged, describe, is_local
from backtest.market.store import Store
from backtest.market.toml import WrongError, declared, record
from backtest.market.units import unit

LOCAL = "import"
"""The source of a series that a user brought."""


EVER = "1900-01-01"
"""The day from which a rule holds that never changed."""

_OWN = frozenset(one.name for one in dataclasses.fields(Entry)) - {"id", "options"}


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


@cache
def catalogue() -> dict[str, Entry]:
    """Return the shipped catalogue by series id."""
    with declared(shipped("data") / "catalogue.toml") as content:
        series = content["series"]
        late = late_releases()
        for id, told in series.items():
            if months := late.get(told.pop("released_with", id)):
                told["known_at"] = [{"from": EVER, "rule": told["known_at"], "late": months}]
        return {id: _entry(id, told, ("series", id)) for id, told in series.items()}


def imported() -> dict[str, Entry]:
    """Return the entries of the series that the user brought, from the store."""
    brought = {id: _brought(id) for id in Store().ids() if id not in catalogue()}
    return {id: about for id, about in brought.items() if about}


def _brought(id: str) -> Entry | None:
    current = Store().current(id)
    return current.entry if current else None


def entry(id: str) -> Entry:
    """Return one series' entry, of the catalogue or of an imported series.

    Raises
    ------
    UsageError
        When there is no such series; the nearest one is named.
    """
    if id in catalogue():
        return catalogue()[id]
    if is_local(id):
        path = Path(id)
        try:
            return _entry(f"{path.parent.name}/{path.name}", describe(path))
        except WrongError as wrong:
            raise damaged(path, f": {wrong}") from None
    # Only its own record is read: one that is damaged shall not stand in the way of the others.
    about = _brought(id) if id in Store().ids() else None
    if about is None:
        mine = imported()
        raise UsageError(
            f"there is no series '{id}' in the catalogue or among the imported ones; "
            f"{nearest(id, [*catalogue(), *mine])}"
        )
    return about
