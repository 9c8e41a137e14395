"""Evaluate: the only door from expressions to values, each worked out once for each distinct row it needs."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.rules.operation import OPERATIONS
from backtest.signals.rows import combinations
from backtest.signals.spells import Spells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from backtest.dates import Bools, Ints
    from backtest.errors import RotationError
    from backtest.market.known import Known
    from backtest.rules.expressions import Expr

_LITTLE = 64  # rows that may be worked out although fewer were asked for
_KEPT = 1 << 25  # figures of a value beyond which it is not kept for the next rows


@dataclass(frozen=True, eq=False)
class Sets:
    """Sets of a value, and which of them each row uses: what an operation takes, and what it gives.

    Parameters
    ----------
    value
        Values of one or more sets: an array, a ``Readings``, a ``Spells``, ``EventDays`` or ``Weights``.
    of
        (n_rows,) int64: which set each of the rows that were asked for uses.
    refused
        (n_rows,) bool: which rows ask for what cannot be; their values mean nothing. None for none.
    error
        What is to be said of the first of them.
    """

    value: Any
    of: Ints
    refused: Bools | None = None
    error: RotationError | None = None

    @cached_property
    def each(self) -> Any:
        """The value with one set for each row."""
        if isinstance(self.value, np.ndarray):
            return self.value[self.of]
        return self.value.take(self.of)

    def at(self, rows: Ints) -> Sets:
        """Return the same for some of the rows."""
        refused = None if self.refused is None else self.refused[rows]
        return Sets(self.value, self.of[rows], refused, self.error)


class Evaluation:
    """Evaluates expressions on what was known, for many rows of parameters.

    What depends on few combinations of the parameters' values is worked out for all of them once, and kept;
    the rest once for each distinct combination of its inputs. Threads may share an evaluation.

    Parameters
    ----------
    known
        What was known.
    axes
        The values that each parameter takes, int64 or float64.
    """

    def __init__(self, known: Known, axes: Mapping[str, NDArray[Any]]) -> None:
        self.known, self.axes = known, axes
        self._kept: dict[int, tuple[Expr, Sets]] = {}
        self._lock = threading.RLock()

    def moved(self, axes: Mapping[str, NDArray[Any]]) -> Evaluation:
        """Return the same at other values of the parameters; what none of them changes is kept.

        ``axes`` names the same parameters.
        """
        same = {name for name, values in axes.items() if np.array_equal(values, self.axes[name])}
        other = Evaluation(self.known, axes)
        with self._lock:
            other._kept = {at: kept for at, kept in self._kept.items() if same.issuperset(kept[0].parameters)}
        return other

    def work(
        self, node: Expr, codes: Mapping[str, Ints], n_rows: int, memo: dict[int, Sets] | None = None
    ) -> Sets:
        """Return a node's values.

        Parameters
        ----------
        node
            What to evaluate.
        codes
            (n_rows,) int64 for each parameter: which of its values each row has.
        n_rows
            How many rows there are, 1 or more.
        memo
            What was worked out for the same rows.
        """
        memo = {} if memo is None else memo
        if node.op == "parameter":
            return Sets(self.axes[node.args[0]], codes[node.args[0]])
        if id(node) not in memo:
            shape = tuple(len(self.axes[name]) for name in node.parameters)
            size = math.prod(shape)
            if id(node) in self._kept or size <= max(n_rows, _LITTLE):
                whole = self._whole(node, shape, size)
                if shape:
                    rows = np.ravel_multi_index(tuple(codes[name] for name in node.parameters), shape)
                else:
                    rows = np.zeros(n_rows, dtype=np.int64)
                memo[id(node)] = whole.at(rows)
            else:
                inputs = [self.work(each, codes, n_rows, memo) for each in node.inputs]
                memo[id(node)] = self._apply(node, inputs, n_rows)
        return memo[id(node)]

    def _whole(self, node: Expr, shape: tuple[int, ...], size: int) -> Sets:
        """Return a node's values for every combination of the parameters that it depends on."""
        with self._lock:
            if id(node) in self._kept:
                return self._kept[id(node)][1]
            every = np.unravel_index(np.arange(size), shape) if shape else ()
            codes = dict(zip(node.parameters, every, strict=True))
            memo: dict[int, Sets] = {}
            made = self._apply(node, [self.work(each, codes, size, memo) for each in node.inputs], size)
            if isinstance(made.value, Spells) and made.value.n_sets > 1:
                signal, which = made.value.distinct()  # what is made of it is made once for each
                made = replace(made, value=signal, of=which[made.of])
            if _figures(made.value) <= _KEPT:
                self._kept[id(node)] = (node, made)
            return made

    def _apply(self, node: Expr, inputs: list[Sets], n_rows: int) -> Sets:
        if inputs:
            places, which = combinations(*(w.of for w in inputs))
        else:
            places, which = [], np.zeros(n_rows, dtype=np.int64)
        taken = [Sets(w.value, place) for w, place in zip(inputs, places, strict=True)]
        made = OPERATIONS[node.op].work(self.known, *taken, *node.args)
        made = made.at(which) if isinstance(made, Sets) else Sets(made, which)
        refused, error = made.refused, made.error
        refused = refused if refused is not None and refused.any() else None
        for each in inputs:
            if each.refused is not None:
                refused = each.refused if refused is None else refused | each.refused
                error = each.error or error
        return Sets(made.value, made.of, refused, error)


def _figures(value: Any) -> int:
    """Return how many figures a value holds."""
    arrays = [value] if isinstance(value, np.ndarray) else vars(value).values()
    return sum(each.size for each in arrays if isinstance(each, np.ndarray))
