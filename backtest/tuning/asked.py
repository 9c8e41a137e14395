"""What a sweep is asked for: as a call gives it, as its manifest keeps it, as resuming takes it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from backtest.errors import UsageError
from backtest.terms import read_swept
from backtest.tuning.search import Search

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.terms import Terms


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the user asks for, as ``tune`` takes it; None where the call says nothing.

    ``given`` are the terms that the call names.
    """

    market: str | None = None
    grid: dict[str, str | None] | None = None
    fixed: dict[str, Any] | None = None
    objective: str | None = None
    constraints: tuple[str, ...] | None = None
    search: Search | None = None
    walk: str | None = None
    placebo: int | None = None
    given: dict[str, Any] = {}

    def filled(self, other: Asked) -> Asked:
        """Return the same with what ``other`` says where the call says nothing; values by name add up."""
        mine, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        taken = {name: theirs[name] if value is None else value for name, value in mine.items()}
        for name in ("fixed", "given"):
            taken[name] = {**(theirs[name] or {}), **(mine[name] or {})}
        return Asked(**taken)

    @property
    def terms(self) -> Terms:
        """The terms; UsageError where one cannot be used in a sweep."""
        return read_swept(self.given)

    def document(self) -> dict[str, Any]:
        """Return it as plain values for a manifest."""
        said: dict[str, Any] = msgspec.to_builtins(self, enc_hook=_plain)
        return said


def _plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, and anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


DEFAULTS = Asked(
    market="embedded",
    grid={},
    fixed={},
    objective="sharpe",
    constraints=(),
    search=Search(),
    placebo=200,
)
"""What is meant where neither the call nor a sweep to resume says anything."""


def read_asked(manifest: Mapping[str, Any]) -> Asked:
    """Return what the sweep of a manifest was asked for.

    Raises
    ------
    UsageError
        When the manifest does not say, or not in words that this version knows.
    """
    try:
        return msgspec.convert(manifest["asked"], Asked)
    except (KeyError, msgspec.ValidationError):
        raise UsageError(
            "the sweep cannot be resumed: its manifest is of another version; start anew"
        ) from None
