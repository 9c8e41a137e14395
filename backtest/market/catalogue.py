"""The catalogue: what is written down about every series before a single value is read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One series of the catalogue.

    ``known_at`` is a release rule (``backtest.market.release``); ``options`` are what only the series'
    source understands, such as a file and a column.
    """

    id: str
    title: str
    source: str
    unit: str
    frequency: str
    known_at: str | list[dict[str, Any]]
    options: dict[str, Any] = field(default_factory=dict)


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content.

    Raises
    ------
    DataError
        When it cannot be read or is not TOML; the sentence has the file, the line and the reason.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid TOML: {error}") from None


@cache
def catalogue() -> dict[str, Entry]:
    """Return the shipped catalogue by series id."""
    common = {"title", "source", "unit", "frequency", "known_at"}
    entries = {}
    for id, fields in read_toml(shipped("data") / "catalogue.toml")["series"].items():
        missing = sorted(common - fields.keys())
        if missing:
            raise DataError(f"the catalogue's series {id} lacks {', '.join(missing)}")
        options = {name: value for name, value in fields.items() if name not in common}
        entries[id] = Entry(id, options=options, **{name: fields[name] for name in common})
    return entries


def entry(id: str) -> Entry:
    """Return one series' entry.

    Raises
    ------
    UsageError
        When the catalogue has no such series; the nearest one is named.
    """
    if id not in catalogue():
        raise UsageError(f"the catalogue has no series '{id}'; {nearest(id, catalogue())}")
    return catalogue()[id]
