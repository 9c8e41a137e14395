"""A series before it is one: what the catalogue says of it, and its table as its source has it."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the type of a record's fields
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from backtest.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from backtest.dates import Days, Floats

T = TypeVar("T")


@dataclass(frozen=True)
class PolicyFacts:
    """What of a policy rate's series its bank decided; ``data/policy_rates.toml`` says how each key is meant.

    Parameters
    ----------
    since, until
        The first and the last day of what was decided; no ``until`` where it goes on.
    seams
        Days (``2000-01-03``) on which the series changed what it is, and what was decided then.
    announced
        Days on which a change took effect, and when it was announced, where the release rule is later.
    decimals
        How many digits count; None for all.
    """

    since: dt.date
    until: dt.date | None = None
    seams: dict[str, float] = field(default_factory=dict)
    announced: dict[str, dt.date] = field(default_factory=dict)
    decimals: int | None = None


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
    decided
        Of a policy rate, what of its series was decided; None where all of it is what it says.
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
    decided: PolicyFacts | None = None

    def told(self, options: type[T]) -> T:
        """Return what only its source understands as that source's record; DataError where it is not that."""
        try:
            return msgspec.convert(self.options, options)
        except msgspec.ValidationError as error:
            raise DataError(f"what the catalogue says of {self.id} to its source is wrong: {error}") from None

    def fits(self, frequency: str) -> bool:
        """Return whether it has bars of a market: a daily level has those of a month by its last value."""
        return self.frequency == frequency or (self.unit == "level" and frequency == "monthly")

    @property
    def rule(self) -> str:
        """The release rule in words."""
        if isinstance(self.known_at, str):
            return self.known_at
        said = []
        for part in self.known_at:
            late = len(part.get("late", {}))
            since = f"from {part['from']} " if len(self.known_at) > 1 else ""
            said.append(
                f"{since}{part['rule']}" + (f", but for {late} months that came later" if late else "")
            )
        return "; ".join(said)


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A series as its source has it, undated: from the installation, a server, a file or the store.

    Parameters
    ----------
    dates
        (n,) datetime64[D] as stamped by the source.
    columns
        The names of its columns; a series of single values has one, named as the series.
    values
        (n, n_columns) float64 in the catalogue's unit; NaN where a value is missing.
    origin
        Where it came from, for people: a URL, the name of a file, a vintage of the store.
    sha256
        Of the bytes that came from there.
    announced
        (n,) datetime64[D]: when each row became known, where the source says so; NaT where it never was.
    checked
        The last day that the source speaks for, where that is not its last date: of a table of changes the
        day to which it has been looked up.
    """

    dates: Days
    columns: tuple[str, ...]
    values: Floats
    origin: str
    sha256: str
    announced: Days | None = None
    checked: np.datetime64 | None = None

    @classmethod
    def of(
        cls,
        columns: str | tuple[str, ...],
        dates: Days,
        values: Floats,
        origin: str,
        content: bytes,
        announced: Days | None = None,
    ) -> SourceTable:
        """Return a table, of one column by its name and (n,) values; ``content`` is what came from there."""
        names = (columns,) if isinstance(columns, str) else columns
        sha256 = hashlib.sha256(content).hexdigest()
        return cls(dates, names, values.reshape(len(dates), len(names)), origin, sha256, announced)

    @property
    def last(self) -> np.datetime64:
        """The last day that it speaks for."""
        return self.dates[-1] if self.checked is None else self.checked
