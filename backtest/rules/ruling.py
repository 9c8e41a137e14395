"""A ruling: a rule on a market under one value of each parameter, and the value of each of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError
from backtest.market.catalogue import written
from backtest.rules.evaluate import Evaluation
from backtest.rules.reading import reads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from backtest.market.data import MarketData
    from backtest.market.known import Known
    from backtest.rules import expressions as rules


@dataclass(frozen=True, eq=False)
class Ruling:
    """What a rule says on a market.

    Parameters
    ----------
    market
        The market, with every series that the rule asks for.
    known
        What was known of it at each fill.
    rule
        The rule.
    axes
        (1,) for each parameter that is a number: its value.
    """

    market: MarketData
    known: Known
    rule: rules.Decision
    axes: Mapping[str, NDArray[Any]]

    @cached_property
    def _evaluation(self) -> Evaluation:
        return Evaluation(self.known, self.axes)

    def moved(self, axes: Mapping[str, NDArray[Any]]) -> Ruling:
        """Return the same rule at other values of its numbers; what none of them changes is kept."""
        other = replace(self, axes=axes)
        vars(other)["_evaluation"] = self._evaluation.moved(axes)
        return other

    def value(self, node: rules.Expr) -> Any:
        """Return a part's value: a number, or a level, signal, events or decision of one set.

        Raises
        ------
        RotationError
            When a value or the data do not allow it.
        """
        codes = {name: np.zeros(1, dtype=np.int64) for name in self.axes}
        worked = self._evaluation.work(node, codes, 1)
        if worked.refused is not None:
            raise worked.error or UsageError("the rule refuses these values")
        if isinstance(worked.value, np.ndarray):
            return worked.value[worked.of[0]].item()
        return worked.value.take(worked.of)

    @cached_property
    def decision(self) -> Any:
        """What the rule decides, a ``decisions.Decision``; errors as ``value``."""
        return self.value(self.rule)


def made_of(ruling: Ruling) -> dict[str, str]:
    """Return what each series that a rule reads is made of, for people, by what it stands for or its id."""
    market = ruling.market
    found = {}
    for id in reads(ruling.rule, ruling.known.names, sleeves=False):
        role = next((role for role, of in market.roles.items() if of == id and role in market.meanings), "")
        found[role or id] = market.meanings[role] if role else about.title if (about := written(id)) else ""
    return {name: what for name, what in found.items() if what}
