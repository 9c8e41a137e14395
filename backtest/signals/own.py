"""A script's own expression as a signal: checked for its shape, known when its inputs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError
from backtest.signals.reasons import Fact
from backtest.signals.signal import Signal, from_dense

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Bools, Fills
    from backtest.observations import Observations


@dataclass(frozen=True, eq=False)
class Own:
    """An expression of the script's own: its inputs are known, what it makes of them is not."""

    fills: Fills
    inputs: tuple[Observations, ...]

    def facts(self, fill: int) -> list[Fact]:
        """Return the latest value of each input before the fill."""
        facts = []
        for series in self.inputs:
            past = np.flatnonzero(self.fills.knows(fill, series.known_at))
            facts += [
                Fact(series.id, float(series.values[i]), "", series.known_at[i], (series.id,))
                for i in past[-1:]
            ]
        return facts

    def flips(self, fill: int, *, now: bool) -> list[str]:  # noqa: ARG002 - nobody can tell
        """Return which inputs can turn it."""
        names = ", ".join(series.id for series in self.inputs) or "its inputs"
        return [f"the script's own condition on {names}"]

    def deadlines(self, fill: int) -> list[np.datetime64]:  # noqa: ARG002 - nobody can tell
        """Return no date."""
        return []

    def series(self) -> set[str]:
        """Return the inputs' ids."""
        return {series.id for series in self.inputs}


def _dense(fills: Fills, array: Any, what: str) -> Bools:
    answers = np.asarray(array)
    n_fills = len(fills.dates)
    if answers.dtype != np.bool_:
        raise UsageError(
            f'market.signal takes yes and no, such as market.as_of("vix") > 20; {what} are of the type '
            f"{answers.dtype}"
        )
    if answers.ndim not in (1, 2) or answers.shape[-1] != n_fills:
        raise UsageError(
            f"market.signal needs an answer for each of the {n_fills} fills, (n_fills,) or "
            f"(n_sets, n_fills); {what} have the shape {answers.shape}"
        )
    return np.ascontiguousarray(np.atleast_2d(answers))


def own_signal(fills: Fills, yes: Any, known: Any, inputs: Sequence[Observations]) -> Signal:
    """Return the signal of dense answers (n_fills,) or (n_sets, n_fills); see ``Market.signal``."""
    answers = _dense(fills, yes, "the answers")
    if known is None:
        known = np.ones(len(fills.dates), dtype=np.bool_)
        for series in inputs:
            known &= np.isfinite(series.as_of(fills))
    there = np.broadcast_to(_dense(fills, known, "the known ones"), answers.shape)
    # Where it is not known later on, the last known answer stands.
    last = np.maximum.accumulate(np.where(there, np.arange(len(fills.dates)), -1), axis=1)
    answers = (last >= 0) & np.take_along_axis(answers, np.maximum(last, 0), axis=1)
    first = np.where(there.any(axis=1), there.argmax(axis=1), len(fills.dates))
    return from_dense(fills, answers, first.astype(np.int64), Own(fills, tuple(inputs)))
