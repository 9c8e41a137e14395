"""What a sweep is asked for: as a call gives it, as its manifest keeps it, as resuming takes it up."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backtest.dates import EVERY_FILL
from backtest.errors import UsageError
from backtest.runs import Cost
from backtest.tuning.search import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Asked:
    """What the user asks for, as ``tune`` takes it; None where the call says nothing."""

    market: str | None = None
    grid: Mapping[str, str | None] | None = None
    fixed: Mapping[str, Any] | None = None
    objective: str | None = None
    constraints: Sequence[str] | None = None
    search: Search | None = None
    walk: str | None = None
    placebo: int | None = None
    start: str | None = None
    end: str | None = None
    cost_bps: float | Mapping[str, float] | None = None
    benchmark: str | None = None
    same_close: bool | None = None
    decide: str | None = None

    def filled(self, other: Asked) -> Asked:
        """Return the same with what ``other`` says where the call says nothing; fixed values add up."""
        mine = vars(self)
        taken = {name: theirs if mine[name] is None else mine[name] for name, theirs in vars(other).items()}
        if self.fixed and other.fixed:
            taken["fixed"] = {**other.fixed, **self.fixed}
        return Asked(**taken)

    def document(self) -> dict[str, Any]:
        """Return it as plain values for a manifest."""
        content = dataclasses.asdict(self)
        content["fixed"] = {
            name: value.item() if hasattr(value, "item") else value
            for name, value in (self.fixed or {}).items()
        }
        for name in ("start", "end"):
            content[name] = None if content[name] is None else str(content[name])
        return content


DEFAULTS = Asked(
    market="embedded",
    grid={},
    fixed={},
    objective="sharpe",
    constraints=(),
    search=Search(),
    placebo=200,
    cost_bps=Cost.DEFAULT,
    same_close=False,
    decide=EVERY_FILL,
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
        content = dict(manifest["asked"])
        return Asked(**{**content, "search": Search(**content["search"])})
    except (KeyError, TypeError, ValueError):
        raise UsageError(
            "the sweep cannot be resumed: its manifest is of another version; start anew"
        ) from None
