"""The objective: which measure a search makes as good as it can, under which constraints.

A constraint on parameters alone leaves combinations unmeasured, one on a measure keeps them from being
chosen.
"""

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

    from backtest.dates import Bools, Floats
    from backtest.measures import Measure
    from backtest.parameters import Parameter

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


def _refuse_unswept(name: str) -> None:
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

    ``parameters`` has the words of each, none for numbers.

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
        _refuse_unswept(left)
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


def read_constraints(
    texts: Sequence[str], parameters: Sequence[Parameter]
) -> tuple[tuple[Constraint, ...], tuple[Constraint, ...]]:
    """Return the constraints of a search on parameters alone, and those on measures; errors as for one."""
    words = {p.name: p.choices for p in parameters}
    read = [read_constraint(text, words, SWEPT) for text in texts]
    return tuple(c for c in read if c.of_parameters), tuple(c for c in read if not c.of_parameters)


def all_hold(constraints: Sequence[Constraint], columns: Mapping[str, Any], n: int) -> Bools:
    """Return where all constraints hold, (n,) bool."""
    kept = np.ones(n, dtype=bool)
    for constraint in constraints:
        kept &= constraint.holds(columns)
    return kept


@dataclass(frozen=True)
class Objective:
    """A measure to raise, or to lower where less of it is better, under constraints on measures."""

    name: str
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if self.name in SWEPT:
            return
        _refuse_unswept(self.name)
        raise UsageError(f"there is no measure '{self.name}' to tune by; {nearest(self.name, SWEPT)}")

    @property
    def measure(self) -> Measure:
        """The row of the table."""
        return BY_KEY[self.name]

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.measure.better < 0

    def score(self, values: Any) -> Any:
        """Return values, one or (n,), so that higher is better; scores so turn into values again."""
        return -values if self.lower else values

    def of(self, measured: Floats) -> Floats:
        """Return the objective's column of (..., n_measures) measures."""
        return measured[..., SWEPT.index(self.name)]

    def eligible(self, measured: Floats) -> Bools:
        """Return which rows of (n, n_measures) measures keep to the constraints and have an objective."""
        columns = {name: measured[:, i] for i, name in enumerate(SWEPT)}
        return all_hold(self.constraints, columns, len(measured)) & np.isfinite(self.of(measured))
