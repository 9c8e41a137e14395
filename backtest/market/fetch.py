"""Fetching: from a list of ids to stored series, each checked, one failure never costing another series."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError, RotationError, UsageError, nearest
from backtest.market.catalogue import catalogue, entry, imported
from backtest.market.definition import read_definition
from backtest.market.sources import bringing, source_of
from backtest.market.store import Store, vintage_of
from backtest.market.toml import names_of
from backtest.market.units import unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from backtest.market.entry import Entry, SourceTable
    from backtest.market.store import Vintage

_HOURS = 3600.0
FRESH = {"daily": 12 * _HOURS, "monthly": 3 * 24 * _HOURS, "irregular": 3 * 24 * _HOURS}
"""For how many seconds after a download a series counts as fresh, by frequency."""

LONGEST_CLOSURE = 10
"""Days without a value that a daily series may have unremarked; exchanges rarely close for longer."""

MOST_SILENCES = 5
"""Stretches without a value that are named one by one; of more their number is said."""


@dataclass(frozen=True)
class Outcome:
    """What came of one series.

    ``status`` is ``new``, ``longer``, ``changed``, ``same``, ``fresh`` or ``failed``; ``said`` a sentence
    where there is something to say; ``last`` the last date that is stored now.
    """

    id: str
    status: str
    said: str = ""
    last: str = ""


def is_stale(about: Entry, record: Vintage | None) -> bool:
    """Return whether a series should be downloaded (again)."""
    if record is None:
        return True
    if source_of(about).brought:
        return False  # nothing can be downloaded; only its owner knows whether there is a newer file
    return not about.ended and record.age > FRESH[about.frequency]


def to_fetch(ids: Iterable[str]) -> list[Entry]:
    """Return the entries that ids, names of files and names of markets stand for.

    Without any, all that the shipped markets need and the installation can get.

    Raises
    ------
    UsageError
        When a name is none of these (the nearest is named), or its values need no download.
    """
    names, markets = list(ids), names_of("market")
    found: dict[str, Entry] = {}
    for name in names or markets:
        if name in markets:
            wanted = read_definition(name).needs
            # What needs an extra that is not installed, or a file of the user, is asked for by name only.
            wanted = [e for e in wanted if not source_of(e).carried]
            wanted = [e for e in wanted if names or not (source_of(e).lacking or source_of(e).brought)]
        else:
            wanted = [e for e in catalogue().values() if name in (e.id, e.download)] or _own(name)
        if not wanted and name not in markets:
            near = nearest(name, [*catalogue(), *markets])
            near = near if near.startswith("did you mean") else "'rotation data list' shows all"
            raise UsageError(
                f"there is nothing to fetch of the name '{name}'; {near}; any other series of FRED comes "
                f"with: rotation data fetch {name} --kind KIND --unit UNIT --known-at RULE"
            )
        found.update((e.id, e) for e in wanted)
    return list(found.values())


def _own(name: str) -> list[Entry]:
    """Return a series that the user had fetched; UsageError where it was brought as a file."""
    about = imported().get(name)
    if about and source_of(about).brought:
        raise UsageError(f"{name} was imported, so it cannot be fetched; import a newer file")
    return [about] if about else []


def fetch(
    entries: Iterable[Entry], *, force: bool = False, progress: Callable[[str, int, int], Any] | None = None
) -> list[Outcome]:
    """Download what is stale, check it and store it.

    Parameters
    ----------
    entries
        Series of the catalogue.
    force
        Download what is fresh as well.
    progress
        Called before each file with its name, its number and how many there are.
    """

    def newer(about: Entry) -> str:
        command = bringing(about)
        return f"it is brought, a newer file with: {command}" if command else ""

    store = Store()
    outcomes: list[Outcome] = []
    files: dict[tuple[str, str], list[Entry]] = {}
    for about in entries:
        if source_of(about).carried:
            outcomes.append(Outcome(about.id, "fresh", "comes with the installation"))
        else:
            files.setdefault((about.source, about.download), []).append(about)
    for number, ((_, file), parts) in enumerate(files.items()):
        stale = [e for e in parts if force or is_stale(e, _current(store, e))]
        outcomes += [Outcome(e.id, "fresh", newer(e), store.find(e.id).last) for e in parts if e not in stale]
        if stale:
            if progress:
                progress(file, number, len(files))
            outcomes += _fetch_file(store, stale)
    return outcomes


def _current(store: Store, about: Entry) -> Vintage | None:
    try:
        return store.current(about.id)
    except DataError:
        return None  # a damaged record is replaced by a new one


def _fetch_file(store: Store, parts: list[Entry]) -> list[Outcome]:
    try:
        source = source_of(parts[0])
        source.require()
        table = source.opened(parts[0].download)
    except DataError as error:
        return [Outcome(e.id, "failed", _still_usable(store, e, str(error))) for e in parts]
    outcomes = []
    for about in parts:
        try:
            described = None if about.id in catalogue() else about
            outcomes.append(keep(store, about, table(about), described))
        except RotationError as error:
            outcomes.append(Outcome(about.id, "failed", _still_usable(store, about, str(error))))
    return outcomes


def _still_usable(store: Store, about: Entry, said: str) -> str:
    record = _current(store, about)
    if record is None:
        return f"{said}; nothing of {about.id} is stored"
    return f"{said}; the store still has {about.id} to {record.last}, seen {record.downloaded[:10]}"


def check(entry: Entry, table: SourceTable) -> list[str]:
    """Refuse a table that cannot be right, and return what is to be said of one that can.

    Parameters
    ----------
    entry
        What the catalogue says of it.
    table
        As it arrived.

    Returns
    -------
    list of str
        A sentence for each kind of thing worth knowing: the months that are missing, long silences.

    Raises
    ------
    DataError
        When it is empty, its dates do not strictly increase or lie in the future, or a value is
        impossible in its unit; the sentence names the series and the first bad date.
    """
    where = f"{entry.id} was refused"
    if len(table.dates) == 0 or not np.isfinite(table.values).any():
        raise DataError(f"{where}: it has no value")
    if table.values.shape != (len(table.dates), len(table.columns)):
        raise DataError(f"{where}: its dates and values do not fit together")
    steps = np.diff(table.dates).astype(int)
    if (steps <= 0).any():
        at = (steps <= 0).argmax()
        what = "stands twice" if steps[at] == 0 else f"comes after {table.dates[at]}"
        raise DataError(f"{where}: {table.dates[at + 1]} {what}")
    tomorrow = to_days(dt.datetime.now(tz=dt.UTC).date()) + np.timedelta64(2, "D")
    if table.dates[-1] > tomorrow or table.dates[0] < np.datetime64("1600-01-01"):
        odd = table.dates[-1] if table.dates[-1] > tomorrow else table.dates[0]
        when = "is to come" if odd > tomorrow else "is too early"
        raise DataError(f"{where}: it has a value of {odd}, a day that {when}")
    impossible = unit(entry.unit).impossible(table.values) | np.isinf(table.values)
    if impossible.any():
        row, column = np.argwhere(impossible)[0]
        name = f" in {table.columns[column]}" if len(table.columns) > 1 else ""
        raise DataError(
            f"{where}: {table.values[row, column]:g} on {table.dates[row]}{name} is no possible {entry.unit}"
        )
    if entry.frequency == "monthly":
        return _missing_months(where, table)
    return _silences(table) if entry.frequency == "daily" else []


def _missing_months(where: str, table: SourceTable) -> list[str]:
    months = table.dates.astype("datetime64[M]")
    twice = np.diff(months).astype(int) == 0
    if twice.any():
        raise DataError(f"{where}: {months[1:][twice.argmax()]} has two values, but the series is monthly")
    notes = []
    for column, name in enumerate(table.columns):
        present = months[np.isfinite(table.values[:, column])]
        if len(present) == 0:
            notes.append(f"{name} has no value")
            continue
        missing = np.setdiff1d(np.arange(present[0], present[-1] + 1), present)
        if len(missing):
            whose = f"{name} has " if len(table.columns) > 1 else ""
            notes.append(f"{whose}no value for {_ranges(missing)}")
    return notes


def _ranges(months: np.ndarray) -> str:
    """Name months, those in a row as ``1950-02 to 1950-05``."""
    breaks = np.flatnonzero(np.diff(months).astype(int) > 1) + 1
    parts = np.split(months, breaks)
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]} to {p[-1]}" for p in parts)


def _silences(table: SourceTable) -> list[str]:
    dates = table.dates[np.isfinite(table.values).any(axis=1)]
    long = np.flatnonzero(np.diff(dates).astype(int) > LONGEST_CLOSURE)
    said = [f"no value between {dates[i]} and {dates[i + 1]}" for i in long[:MOST_SILENCES]]
    rest = len(long) - len(said)
    return [*said, f"nor in {rest:,} other stretches of more than {LONGEST_CLOSURE} days"] if rest else said


def keep(
    store: Store,
    about: Entry,
    table: SourceTable,
    described: Entry | None = None,
    noted: Sequence[str] = (),
) -> Outcome:
    """Check a table against what it must be and against what is stored, and store it with its notes.

    Raises
    ------
    DataError
        When it cannot be right; the store is then as it was.
    RotationError
        When it cannot be written.
    """
    notes = check(about, table)
    before = _current(store, about)
    status, said = "new", []
    if before is not None:
        try:
            old = store.read(before)
        except DataError:
            old = None  # damaged values are replaced
        if old is not None:
            if table.dates[-1] < old.dates[-1]:
                raise DataError(
                    f"{about.id} was refused: it ends on {table.dates[-1]}, but the stored one on "
                    f"{old.dates[-1]}; the file ended early"
                )
            if about.rolling:
                table = _with_history(old, table)
                notes = check(about, table)
            status, change = compare(old, table)
            said += [change] if change else []
    notes = [*noted, *notes]
    record = store.save(about.id, table, notes, described)
    return Outcome(about.id, status, "; ".join([*said, *notes]), record.last)


def _with_history(old: SourceTable, new: SourceTable) -> SourceTable:
    """Return a table with the older rows of the stored one, where its source shows the latest years only."""
    earlier = old.dates < new.dates[0]
    return replace(
        new,
        dates=np.r_[old.dates[earlier], new.dates],
        values=np.concatenate([old.values[earlier], new.values]),
    )


def compare(old: SourceTable, new: SourceTable) -> tuple[str, str]:
    """Return ``same``, ``longer`` or ``changed``, and a sentence on what changed of the history."""
    if vintage_of(old) == vintage_of(new):
        return "same", ""
    if old.columns != new.columns:
        return "changed", f"the columns were {', '.join(old.columns)}"
    rows = np.searchsorted(new.dates, old.dates)
    there = (rows < len(new.dates)) & (new.dates[np.minimum(rows, len(new.dates) - 1)] == old.dates)
    now = np.full(old.values.shape, np.nan)
    now[there] = new.values[rows[there]]
    had, has = np.isfinite(old.values), np.isfinite(now)
    moved = np.where(had & has, np.abs(now - old.values), 0.0)
    withdrawn = int((had & ~has).sum())
    added = int((has & ~had).sum()) + int(
        np.isfinite(new.values[new.dates <= old.dates[-1]]).sum() - has.sum()
    )
    differs = (moved > 0.0) | (had != has)
    if not differs.any() and not added:
        return "longer", ""
    parts = []
    if (moved > 0.0).any():
        row, column = np.unravel_index(moved.argmax(), moved.shape)
        name = f" in {old.columns[column]}" if len(old.columns) > 1 else ""
        parts.append(
            f"{int((moved > 0).sum()):,} values changed since {old.dates[differs.any(axis=1)][0]}, the "
            f"largest by {moved.max():.4g} on {old.dates[row]}{name}"
        )
    if withdrawn:
        parts.append(f"{withdrawn:,} values were withdrawn")
    if added:
        parts.append(f"{added:,} values were added to the past")
    return "changed", "history changed: " + ", ".join(parts) + "; the old vintage is kept"


class Verified(msgspec.Struct, frozen=True):
    """A stored vintage, and what is wrong with it; None where nothing is."""

    id: str
    vintage: str
    wrong: str | None = None


def verify() -> list[Verified]:
    """Compare every stored vintage with its checksum and its checks."""
    store = Store()
    found = []
    for id in store.ids():
        try:
            about = entry(id)
            records = store.vintages(id)
        except (DataError, UsageError) as error:
            found.append(Verified(id, "", str(error)))
            continue
        for record in records:
            try:
                check(about, store.read(record))
                found.append(Verified(id, record.vintage))
            except DataError as error:
                found.append(Verified(id, record.vintage, str(error)))
    return found
