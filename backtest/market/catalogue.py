"""The catalogue: what is written down about every series before a single value is read."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market.local import describe, is_local
from backtest.market.store import Store
from backtest.market.units import unit

LOCAL = "import"
"""The source of a series that a user brought."""


@dataclass(frozen=True)
class Entry:
    """One series of the catalogue.

    Parameters
    ----------
    id, title, source, unit, frequency
        As the catalogue says; ``frequency`` is ``daily``, ``monthly`` or ``irregular``.
    known_at
        A release rule (``backtest.market.release``).
    kind
        What a sleeve may make of it: ``total-return``, ``price``, ``rate`` or ``other``.
    columns
        The headers of a series that has several columns; empty where it has one.
    download
        What its source calls the file it comes from.
    ended
        True where its source has stopped adding to it, so that it never goes stale.
    rolling
        True where its source shows the latest years only; older stored values are then kept.
    options
        What only the series' source understands, such as a table's title.
    """

    id: str
    title: str
    source: str
    unit: str
    frequency: str
    known_at: str | list[dict[str, Any]]
    kind: str = ""
    columns: tuple[str, ...] = ()
    download: str = ""
    ended: bool = False
    rolling: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        """The release rule in words."""
        if isinstance(self.known_at, str):
            return self.known_at
        return "; ".join(f"from {part['from']} {part['rule']}" for part in self.known_at)

    def plain(self) -> dict[str, Any]:
        """Return the entry as the catalogue writes it, for the record of an imported series."""
        return {**asdict(self), "columns": list(self.columns)}


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


@cache
def catalogue() -> dict[str, Entry]:
    """Return the shipped catalogue by series id."""
    series = read_toml(shipped("data") / "catalogue.toml")["series"]
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
