"""The entry of a series: what the catalogue says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from backtest.errors import DataError

T = TypeVar("T")


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

    def told(self, options: type[T]) -> T:
        """Return what only its source understands as that source's record; DataError where it is not that."""
        try:
            return msgspec.convert(self.options, options)
        except msgspec.ValidationError as error:
            raise DataError(f"what the catalogue says of {self.id} to its source is wrong: {error}") from None

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
