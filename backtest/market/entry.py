"""The entry of a series: what the catalogue says of it."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the type of a record's fields
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from backtest.errors import DataError

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
