"""Refusals: combinations that a strategy or its signals refuse, such as a way out above the way in."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from backtest.dates import Bools, Ints
    from backtest.decisions import Decision
    from backtest.market.market import Market
    from backtest.parameters import Value
    from backtest.scripting.strategy import Strategy
    from backtest.tuning.grid import Grid

_MOST = 20_000  # combinations of the parameters at fault that are tried one by one
_TRIED = 3  # other values of a parameter that are tried to see whether a refusal is about it


@dataclass(eq=False)
class Refusals:
    """What has been learnt about the values that a strategy refuses.

    A signal refuses a whole row when one of its sets cannot be. Which parameters a refusal is about shows in
    its sentence: it changes, or goes away, when they change. All combinations of these are then tried once,
    with the others as they were, and the refused ones taken out of every row.

    Parameters
    ----------
    known
        For each group of parameters at fault (and the words of the others): the refused combinations.
    """

    known: dict[tuple[tuple[str, ...], tuple[Any, ...]], set[tuple[Any, ...]]] = field(default_factory=dict)

    def decide(
        self,
        strategy: Strategy,
        market: Market,
        grid: Grid,
        rows: Mapping[str, NDArray[Any]],
        places: Ints,
    ) -> tuple[Ints, Decision | None]:
        """Return the places of the combinations that are not refused, and the decision for them.

        Parameters
        ----------
        rows
            (n,) values by parameter.
        places
            (n_sets,) int64 into the rows; combinations that have the same words.

        Raises
        ------
        UsageError
            When everything is refused, or no parameter of the grid is at fault.
        RotationError
            When the strategy's own code fails.
        """
        words = tuple((a.name, str(rows[a.name][places[0]])) for a in grid.axes if not a.ordered)
        while True:
            kept = places[~self._refused(rows, places, words)]
            if len(kept) == 0:
                return kept, None
            try:
                return kept, strategy.decide(market, _values(grid, rows, kept, dict(words)))
            except UsageError as error:
                self._learn(strategy, market, grid, rows, kept, words, error)

    def _refused(self, rows: Mapping[str, NDArray[Any]], places: Ints, words: tuple[Any, ...]) -> Bools:
        refused = np.zeros(len(places), dtype=bool)
        for (names, of_words), combinations in self.known.items():
            if of_words != words:
                continue
            columns = [rows[name][places].tolist() for name in names]
            refused |= np.array([c in combinations for c in zip(*columns, strict=True)], dtype=bool)
        return refused

    def _learn(
        self,
        strategy: Strategy,
        market: Market,
        grid: Grid,
        rows: Mapping[str, NDArray[Any]],
        places: Ints,
        words: tuple[Any, ...],
        error: UsageError,
    ) -> None:
        bad = _one_of(strategy, market, grid, rows, places, dict(words))
        if bad is None:
            raise error
        values = {axis.name: rows[axis.name][bad].item() for axis in grid.axes}
        said = _refusal(strategy, market, values)
        names = tuple(
            axis.name
            for axis in grid.free
            if axis.ordered
            and any(
                _refusal(strategy, market, {**values, axis.name: other}) != said
                for other in _others(axis.values, values[axis.name])
            )
        )
        ranges = [axis.values for axis in grid.axes if axis.name in names]
        if not names:
            raise error
        if np.prod([len(r) for r in ranges]) > _MOST:
            raise UsageError(
                f"{error}; too many combinations of {', '.join(names)} to try: leave such ones out by a "
                "--constraint on these parameters"
            ) from None
        refused = {
            combination
            for combination in product(*ranges)
            if _refusal(strategy, market, {**values, **dict(zip(names, combination, strict=True))})
        }
        # A new dictionary: other threads may be going through the one that is there.
        self.known = {**self.known, (names, words): self.known.get((names, words), set()) | refused}


def _values(
    grid: Grid, rows: Mapping[str, NDArray[Any]], places: Ints, words: dict[str, str]
) -> dict[str, Any]:
    """Return what the strategy takes: rows of what varies, single values of what is fixed, and words."""
    return {
        axis.name: words.get(axis.name, rows[axis.name][places] if len(axis.values) > 1 else axis.values[0])
        for axis in grid.axes
    }


def _others(values: tuple[Value, ...], value: Value) -> list[Value]:
    """Return some other values of an axis, from its ends and its middle."""
    rest = [v for v in values if v != value]
    return list(dict.fromkeys([rest[0], rest[-1], rest[len(rest) // 2]]))[:_TRIED] if rest else []


def _refusal(strategy: Strategy, market: Market, values: dict[str, Any]) -> str:
    """Return the sentence with which one combination is refused; empty where it is not."""
    try:
        strategy.decide(market, values)
    except UsageError as error:
        return str(error)
    return ""


def _one_of(
    strategy: Strategy,
    market: Market,
    grid: Grid,
    rows: Mapping[str, NDArray[Any]],
    places: Ints,
    words: dict[str, str],
) -> int | None:
    """Return a place whose combination is refused by itself, by halving; None where none is."""
    while len(places) > 1:
        half = places[: len(places) // 2]
        try:
            strategy.decide(market, _values(grid, rows, half, words))
        except UsageError:
            places = half
        else:
            places = places[len(places) // 2 :]
    values = {axis.name: rows[axis.name][places[0]].item() for axis in grid.axes}
    return int(places[0]) if _refusal(strategy, market, values) else None
