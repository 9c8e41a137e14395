"""Importing: a user's own file, or any series of FRED, with what the catalogue would say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import at_month_ends, last_business_day, to_days
from backtest.errors import DataError, UsageError, nearest
from backtest.files import content_of
from backtest.market.catalogue import catalogue
from backtest.market.entry import Entry, SourceTable
from backtest.market.fetch import Outcome, keep
from backtest.market.release import PHRASES, known_at
from backtest.market.sources import source_of
from backtest.market.sources.own import OWN, is_parquet
from backtest.market.store import Store
from backtest.market.text import decoded
from backtest.market.units import KINDS, UNITS, unit

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.dates import Days, Floats

FREQUENCIES = ("daily", "monthly", "irregular")


@dataclass(frozen=True)
class Description:
    """What a user says of a file, or of a series of FRED.

    Parameters
    ----------
    id, kind, unit
        The series' name; one of ``KINDS``; one of ``UNITS``. Of a series of the catalogue that has to be
        brought the name is enough: the rest stands there.
    column
        The header of the values; None where there is one column of them.
    frequency
        ``daily``, ``monthly`` or ``irregular``; None to tell it from the dates.
    known_at
        A release rule; None for the close at which a price or a return of a bar ends, and for nothing else:
        no other figure is known on the day that it is about.
    title
        One line on what it is.
    """

    id: str
    kind: str = ""
    unit: str = ""
    column: str | None = None
    frequency: str | None = None
    known_at: str | None = None
    title: str = ""


def import_file(path: Path, described: Description) -> Outcome:
    """Check a file and store it.

    Raises
    ------
    UsageError
        When there is no such file, or what is said of it makes no sense.
    DataError
        When the file cannot be right; the sentence names the line or the date. Nothing is stored then.
    """
    ours = catalogue().get(described.id)
    to_bring = ours if ours and source_of(ours).brought else None
    asked = to_bring or _asked(described, OWN, path.name)
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    content, source = content_of(path), source_of(asked)
    source.require()
    table = source.brought(asked, content, path.name) if source.brought else source.table(asked)
    if to_bring:
        return keep(Store(), to_bring, table)
    about = _entry(asked, described, table)
    level = described.unit == "level" and described.kind in ("price", "total-return")
    noted = [
        *([] if is_parquet(content, path.name) else _end(content, path)),
        *_early(about, table.dates),
        *(_leap(table.dates, table.values[:, 0]) if level else []),
    ]
    return keep(Store(), about, table, about, noted)


def from_fred(described: Description) -> Outcome:
    """Fetch a series of FRED that the catalogue does not have, check it and store it.

    What it is called here is what FRED calls it. ``fetch`` knows it from then on.

    Raises
    ------
    UsageError
        When what is said of it makes no sense.
    DataError
        When it cannot be had, or cannot be right. Nothing is stored then.
    """
    asked = _asked(described, "fred", described.id)
    table = source_of(asked).table(asked)
    about = _entry(asked, described, table)
    return keep(Store(), about, table, about)


def _asked(described: Description, source: str, download: str) -> Entry:
    """Return what a source is asked for; errors as ``_check_words``."""
    _check_words(described)
    options = {"column": described.column} if described.column else {}
    return Entry(
        id=described.id,
        title=described.title or download,
        source=source,
        unit=described.unit,
        frequency="irregular",
        known_at="the day itself",
        kind=described.kind,
        download=download,
        options=options,
    )


def _entry(asked: Entry, described: Description, table: SourceTable) -> Entry:
    """Return what the catalogue would say of a table; DataError where it has no value."""
    present = np.isfinite(table.values[:, 0])
    if not present.any():
        raise DataError(f"{asked.download} was refused: it has no value")
    frequency = described.frequency or _frequency(table.dates[present])
    rule = described.known_at or _closing(described, frequency)
    return replace(asked, frequency=frequency, known_at=rule)


def _early(about: Entry, dates: Days) -> list[str]:
    """Return a note where a month's value counts as known before its month is over."""
    if about.frequency != "monthly" or not isinstance(about.known_at, str):
        return []
    known, over = known_at(about.known_at, dates[-1:])[0], last_business_day(dates[-1:])[0]
    if known >= over:
        return []
    said = f"by the rule '{about.known_at}' the value of {dates[-1]} is known on {known}, before its month is"
    return [f"{said} over; a figure about the whole month comes later"]


def _end(content: bytes, path: Path) -> list[str]:
    """Return a note where the last line of a text has no end: a number that was cut is a number, too."""
    if content.endswith((b"\n", b"\r")):
        return []
    said = decoded(content.splitlines()[-1], path.name).strip()[-80:]
    return [f"the last line of {path.name} has no end, so the file may be cut in its last number: {said}"]


def _leap(dates: Days, values: Floats) -> list[str]:
    """Return a note where a price or an index grows or falls more than tenfold from one date to the next."""
    there = np.flatnonzero(values > 0.0)
    steps = np.abs(np.diff(np.log(values[there])))
    if not steps.size or steps.max() <= math.log(10.0):
        return []
    before, after = there[steps.argmax()], there[steps.argmax() + 1]
    moved = f"from {dates[before]} to {dates[after]} it goes from {values[before]:g} to {values[after]:g}"
    return [f"{moved}; see whether a point or a digit is lost"]


def _closing(described: Description, frequency: str) -> str:
    """Return the rule of what is known at the close of its own bar.

    Raises
    ------
    UsageError
        When it is a return and nothing says over which time, so that nobody can tell when it ended.
    """
    if frequency == "monthly" or described.unit == "percent a month":
        return "the last business day of the month"
    if frequency == "irregular" and described.unit == "decimal":
        raise UsageError(
            f"nothing says when the returns of {described.id} end; say it with --frequency daily or monthly, "
            f"or with --known-at RULE, one of: {', '.join(PHRASES)}"
        )
    return "the day itself"


def _check_words(described: Description) -> None:
    if described.id in catalogue():
        raise UsageError(
            f"the catalogue has a series '{described.id}' already: rotation data fetch {described.id}; a "
            "file of your own needs another --id"
        )
    for option in ("kind", "unit"):
        if not getattr(described, option):
            allowed = ", ".join(KINDS if option == "kind" else UNITS)
            raise UsageError(f"say what {described.id} is with --{option}, one of: {allowed}")
    if described.kind not in KINDS:
        raise UsageError(f"there is no kind '{described.kind}'; {nearest(described.kind, KINDS)}")
    if described.frequency not in (None, *FREQUENCIES):
        raise UsageError(
            f"there is no frequency '{described.frequency}'; {nearest(described.frequency, FREQUENCIES)}"
        )
    held = unit(described.unit).scale is not None or described.unit == "level"
    if described.kind in ("total-return", "price") and not held:
        raise UsageError(
            f"a {described.kind} series counts level, decimal, percent a month or percent a day, "
            f"not {described.unit}"
        )
    if described.kind == "rate" and described.unit != "percent":
        raise UsageError(f"a rate counts percent (a year), not {described.unit}")
    if described.known_at is None:
        if described.kind not in ("total-return", "price"):
            raise UsageError(
                "only prices and returns are known on the day that they are about; say when a value of "
                f"{described.id} became known with --known-at RULE, one of: {', '.join(PHRASES)}"
            )
    else:
        try:
            known_at(described.known_at, to_days(["2000-01-31"]))
        except DataError as error:
            raise UsageError(str(error)) from None


def _frequency(dates: Days) -> str:
    """Tell the frequency from the dates: about one a month, or most business days; irregular otherwise."""
    if len(dates) < 2:
        return "irregular"
    months = np.unique(dates.astype("datetime64[M]"))
    span = (months[-1] - months[0]).astype(int) + 1
    if len(months) == len(dates) and len(dates) >= 0.5 * span and span >= 3:
        # Month ends, month beginnings, or the month itself: always about the same place in the month.
        ends = at_month_ends(dates)
        begins = ((dates - months.astype("datetime64[D]")).astype(int) <= 4).all()
        return "monthly" if ends or begins else "irregular"
    business = np.busday_count(dates[0], dates[-1]) + 1
    return "daily" if len(dates) >= 0.6 * business else "irregular"
