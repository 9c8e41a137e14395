"""Constraints: which combinations to leave out, by their parameters before or by their measures after."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError, nearest
from backtest.measures import BY_KEY, SWEPT
from backtest.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backtest.dates import Bools

_FORM = re.compile(r"\s*([A-Za-z_]\w*)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*\Z")
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Constraint:
    """``left`` compared with ``right``: a name with a name, a number or a word."""

    left: str
    comparison: str
    right: str | float
    of_parameters: bool

    @property
    def text(self) -> str:
        """The constraint as a user writes it."""
        right = self.right if isinstance(self.right, str) else f"{self.right:g}"
        return f"{self.left}{self.comparison}{right}"

    def holds(self, columns: Mapping[str, Any]) -> Bools:
        """Return where it holds, (n,) bool; a measure that is not defined fulfils nothing but ``!=``."""
        right = columns.get(self.right, self.right) if isinstance(self.right, str) else self.right
        return np.asarray(_COMPARISONS[self.comparison](columns[self.left], right))


def refuse_unswept(name: str) -> None:
    """Raise UsageError for a measure of single runs that a sweep does not compute."""
    if name in BY_KEY and name not in SWEPT:
        raise UsageError(
            f"'{name}' hangs on the order of the returns, which a sweep does not keep: it adds them up; name "
            f"one of: {', '.join(SWEPT)}"
        )


def read_constraint(
    text: str, parameters: Mapping[str, Sequence[str]], measures: Sequence[str]
) -> Constraint:
    """Return the constraint that a user writes as ``turnover<1`` or ``closed<=wide``.

    ``parameters`` has the words of each (none for numbers); a constraint on parameters alone leaves
    combinations unmeasured, one on a measure keeps them from being chosen.

    Raises
    ------
    UsageError
        When it cannot be read or names something unknown.
    """
    found = _FORM.match(text)
    if found is None:
        raise UsageError(f"a constraint is written as turnover<1 or closed<=wide, not '{text}'")
    left, comparison, raw = found.groups()
    names = {*parameters, *measures}
    if left not in names:
        refuse_unswept(left)
        raise UsageError(f"the constraint '{text}' names '{left}'; {nearest(left, names)}")
    words = parameters.get(left, ())
    right: str | float
    if raw in names or raw in words:
        right = raw
    else:
        value = plain(raw)
        if value is None:
            raise UsageError(f"the constraint '{text}' names '{raw}'; {nearest(raw, {*names, *words})}")
        right = value
    if words and (comparison not in {"==", "!="} or isinstance(right, float)):
        raise UsageError(
            f"{left} is a word: write {left}==... or {left}!=..., with one of: {', '.join(words)}"
        )
    of_parameters = left in parameters and (right not in measures)
    return Constraint(left, comparison, right, of_parameters)


def all_hold(constraints: Sequence[Constraint], columns: Mapping[str, Any], n: int) -> Bools:
    """Return where all constraints hold, (n,) bool."""
    kept = np.ones(n, dtype=bool)
    for constraint in constraints:
        kept &= constraint.holds(columns)
    return kept
