"""The objective: which measure a search makes as good as it can, and which measures a choice must keep to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import UsageError, nearest
from backtest.measures import BY_KEY, SWEPT
from backtest.tuning.constraints import all_hold, refuse_unswept

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats
    from backtest.measures import Measure
    from backtest.tuning.constraints import Constraint


@dataclass(frozen=True)
class Objective:
    """A measure to raise, or to lower where less of it is better, under constraints on measures."""

    name: str
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if self.name in SWEPT:
            return
        refuse_unswept(self.name)
        raise UsageError(f"there is no measure '{self.name}' to tune by; {nearest(self.name, SWEPT)}")

    @property
    def measure(self) -> Measure:
        """The row of the table."""
        return BY_KEY[self.name]

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.measure.better < 0

    def score(self, values: Floats) -> Floats:
        """Return values so that higher is better; scores so turn into values again."""
        return -values if self.lower else values

    def of(self, measured: Floats) -> Floats:
        """Return the objective's column of (..., n_measures) measures."""
        return measured[..., SWEPT.index(self.name)]

    def eligible(self, measured: Floats) -> Bools:
        """Return which rows of (n, n_measures) measures keep to the constraints and have an objective."""
        columns = {name: measured[:, i] for i, name in enumerate(SWEPT)}
        return all_hold(self.constraints, columns, len(measured)) & np.isfinite(self.of(measured))
