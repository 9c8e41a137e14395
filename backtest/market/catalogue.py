"""The catalogue: what is written down about every series before a single value is read."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market.entry import Entry
from backtest.market.sources.file import describe, is_local
from backtest.market.store import Store
from backtest.market.units import unit

LOCAL = "import"
"""The source of a series that a user brought."""


EVER = "1900-01-01"
"""The day from which a rule holds that never changed."""

_COMMON = ("title", "source", "unit", "frequency", "known_at")
_MORE = ("kind", "columns", "download", "ended", "rolling")


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content.

    Raises
    ------
    DataError
        When it cannot be read or is not TOML; the sentence has the file, the line and the reason.
    """
    try:
        # An editor may have put a mark of its encoding before the text.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; name a file that you may read") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is not valid TOML: {error}") from None


def _entry(id: str, fields: dict[str, Any]) -> Entry:
    missing = sorted(set(_COMMON) - fields.keys())
    if missing:
        raise DataError(f"the catalogue's series {id} lacks {', '.join(missing)}")
    known = {name: fields[name] for name in (*_COMMON, *_MORE) if name in fields}
    known["columns"] = tuple(known.get("columns", ()))
    known.setdefault("download", id)
    # Returns are of portfolios with their dividends unless the catalogue says otherwise.
    known.setdefault("kind", "total-return" if unit(fields["unit"]).scale else "other")
    return Entry(id, options={n: v for n, v in fields.items() if n not in known}, **known)


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
    series = read_toml(shipped("data") / "catalogue.toml")["series"]
    for id, late in late_releases().items():
        series[id]["known_at"] = [{"from": EVER, "rule": series[id]["known_at"], "late": late}]
    return {id: _entry(id, fields) for id, fields in series.items()}


def imported() -> dict[str, Entry]:
    """Return the entries of the series that the user brought, from the store."""
    brought = {id: _brought(id) for id in Store().ids() if id not in catalogue()}
    return {id: about for id, about in brought.items() if about}


def _brought(id: str) -> Entry | None:
    record = Store().current(id)
    if record is None or not record.entry:
        return None
    return Entry(**{**record.entry, "columns": tuple(record.entry["columns"])})


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
        return _entry(f"{path.parent.name}/{path.name}", describe(path))
    # Only its own record is read: one that is damaged shall not stand in the way of the others.
    about = _brought(id) if id in Store().ids() else None
    if about is None:
        mine = imported()
        raise UsageError(
            f"there is no series '{id}' in the catalogue or among the imported ones; "
            f"{nearest(id, [*catalogue(), *mine])}"
        )
    return about
