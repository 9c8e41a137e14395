"""Parameters of a strategy: declared once, with default, range, unit and help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np

from backtest.errors import UsageError, joined, nearest
from backtest.numerals import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Value: TypeAlias = float | str
"""A parameter's value: a number, or one of its words."""


@dataclass(frozen=True)
class CountedIn:
    """What a parameter is counted in; ``whole`` units take no fractions."""

    name: str
    whole: bool = False


Months = Annotated[int, CountedIn("months", whole=True)]
"""Calendar months."""

Percent = Annotated[float, CountedIn("percent")]
"""A share or a relative change, in percent: 17 is 0.17."""

PercentagePoints = Annotated[float, CountedIn("percentage points")]
"""A difference of two rates: from 5.25% to 4.75% is 0.5."""

Deviations = Annotated[float, CountedIn("standard deviations")]
"""A distance from the mean, as a z-score counts it."""

Count = Annotated[int, CountedIn("", whole=True)]
"""A whole number of things, such as votes."""

Choice = Annotated[str, CountedIn("")]
"""One of several words: ``measure: Choice = param("level", choices=("level", "change"), help="...")``."""


def param(
    default: Value,
    *,
    help: str,
    low: float = float("-inf"),
    high: float = float("inf"),
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a parameter: its default, lowest and highest value or its words, and one line of help.

    Its unit is the annotation: ``hold: Months = param(24, low=1, high=60, help="...")``. A parameter with
    ``choices`` takes one of these words; in a sweep too the script sees one word at a time.

    Raises
    ------
    UsageError
        When the default lies outside the range or the words.

    Examples
    --------
    >>> from backtest import Choice, Count, Deviations, Market, Months, Percent, PercentagePoints
    >>> from backtest import param, rotate, run, strategy, vote
    >>> @strategy
    ... def mine(
    ...     market: Market,
    ...     measure: Choice = param("level", choices=("level", "change"), help="of the credit spread"),
    ...     back: Months = param(60, low=12, high=240, help="look back so far"),
    ...     far: Deviations = param(1.0, low=0.0, high=3.0, help="it is wide above its mean by so much"),
    ...     share: Percent = param(80, low=50, high=99, help="or above so much of its past"),
    ...     least: PercentagePoints = param(0.25, low=0.0, high=1.0, help="smallest cut"),
    ...     weight: Count = param(1, low=1, high=3, help="a year's change counts so often"),
    ... ):
    ...     spread = market.level("credit_spread")
    ...     if measure == "change":
    ...         spread = spread + weight * spread.change(12)
    ...     wide, high = spread.zscore(back) > far, spread.percentile(back) > share
    ...     voted = vote(wide, high, market.policy.easing(at_least=least), needed=2)
    ...     return rotate(voted, into="small", otherwise="large")
    >>> run(mine, measure="change", weight=2).metrics["switches"]
    19
    """
    return Parameter("", CountedIn(""), default, low, high, help, tuple(choices))


@dataclass(frozen=True)
class Parameter:
    """A parameter: its default, the range or the words it must lie in, and a line of help; validates values.

    What ``param`` writes down has no name and no unit yet; it has those of the argument that it stands at.
    """

    name: str
    unit: CountedIn
    default: Value
    low: float
    high: float
    help: str
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.choices:
            if self.default not in self.choices:
                raise UsageError(f"a default of '{self.default}' is none of its own choices")
        elif not isinstance(self.default, int | float):
            raise UsageError(f'a default of \'{self.default}\' needs its choices: choices=("...", "...")')
        elif not self._allows(self.default):
            raise UsageError(
                f"a default of {self.default:g} lies outside its own range, {self.low:g} to {self.high:g}"
            )

    @property
    def range(self) -> str:
        """The range with its unit, or the words, as it stands in help and errors."""
        if self.choices:
            return joined(self.choices, "or")
        return f"{self.low:g} to {self.high:g} {self.unit.name}".rstrip()

    @property
    def option(self) -> str:
        """The name of its command-line option."""
        return "--" + self.name.replace("_", "-")

    def array(self, values: Sequence[Value]) -> NDArray[Any]:
        """Return values of it as int64, float64 or text."""
        if self.choices:
            return np.array(values)
        return np.array(values, dtype=np.int64 if self.unit.whole else np.float64)

    def text(self, value: Value) -> str:
        """Return a value as people read it, without its unit."""
        return value if isinstance(value, str) else f"{value:g}"

    def validate(self, value: Any) -> Value:
        """Return ``value`` (a number or its text) as int or float, by unit, or as one of the words.

        Raises
        ------
        UsageError
            When it is not a number, not whole although the unit is, out of range, or none of the words.
        """
        if self.choices:
            if value not in self.choices:
                raise UsageError(
                    f"{self.name} must be {self.range}, not '{value}'; {nearest(str(value), self.choices)}"
                )
            return str(value)
        try:
            return number(value, self.name, self.low, self.high, self.unit.name, whole=self.unit.whole)
        except UsageError as error:
            raise UsageError("; ".join(filter(None, (str(error), self.slip(value))))) from error

    def slip(self, value: Any) -> str:
        """Return what is said of a value that looks like a fraction where percent are meant, else nothing."""
        try:
            given = float(value)
        except (TypeError, ValueError):
            return ""
        meant, usual = 100.0 * given, 1.0 if self.choices else abs(float(self.default))
        if self.unit.name != "percent" or not 0.0 < abs(given) < 1.0 <= usual or not self._allows(meant):
            return ""
        said = f"{self.name} counts in percent, and {given:g} is {given:g}%"
        return f"{said}: if {meant:g}% is meant, write {meant:g}"

    def _allows(self, value: float) -> bool:
        return self.low <= value <= self.high


def bind(parameters: tuple[Parameter, ...], given: dict[str, Any], owner: str) -> dict[str, Value]:
    """Return every parameter's validated value: the given ones, else the defaults.

    Raises
    ------
    UsageError
        When a name is unknown (the nearest one is named) or a value cannot be used.
    """
    names = [parameter.name for parameter in parameters]
    for name in given:
        if name not in names:
            raise UsageError(f"{owner} has no parameter '{name}'; {nearest(name, names)}")
    return {p.name: p.validate(given.get(p.name, p.default)) for p in parameters}
