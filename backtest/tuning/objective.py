"""The objective: which measure a search makes as good as it can, and which measures a choice must keep to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.engine.curves import MEASURES
from backtest.errors import UsageError, nearest
from backtest.tuning.constraints import all_hold

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats
    from backtest.tuning.constraints import Constraint

_LOWER_IS_BETTER = frozenset({"volatility", "tracking_error", "turnover", "switches", "beta"})


@dataclass(frozen=True)
class Objective:
    """A measure to raise, or to lower where less of it is better, under constraints on measures."""

    name: str
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in MEASURES:
            raise UsageError(f"there is no measure '{self.name}' to tune by; {nearest(self.name, MEASURES)}")

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.name in _LOWER_IS_BETTER

    def score(self, values: Floats) -> Floats:
        """Return values so that higher is better; scores so turn into values again."""
        return -values if self.lower else values

    def of(self, measured: Floats) -> Floats:
        """Return the objective's column of (..., n_measures) measures."""
        return measured[..., MEASURES.index(self.name)]

    def eligible(self, measured: Floats) -> Bools:
        """Return which rows of (n, n_measures) measures keep to the constraints and have an objective."""
        columns = {name: measured[:, i] for i, name in enumerate(MEASURES)}
        return all_hold(self.constraints, columns, len(measured)) & np.isfinite(self.of(measured))
