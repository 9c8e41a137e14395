"""Parameters of a strategy: declared once, with default, range, unit and help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from backtest.errors import UsageError, nearest


@dataclass(frozen=True)
class Unit:
    """What a parameter is counted in; ``whole`` units take no fractions."""

    name: str
    whole: bool = False


Months = Annotated[int, Unit("months", whole=True)]
"""Calendar months."""

PercentagePoints = Annotated[float, Unit("percentage points")]
"""A difference of two rates: from 5.25% to 4.75% is 0.5."""


@dataclass(frozen=True)
class Declaration:
    """What ``param`` writes down: a default, the range it must lie in, and a line of help."""

    default: float
    low: float
    high: float
    help: str

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high:
            raise UsageError(
                f"a default of {self.default:g} lies outside its own range, {self.low:g} to {self.high:g}"
            )


def param(default: float, *, low: float, high: float, help: str) -> Any:
    """Declare a parameter: its default, lowest and highest value, and one line of help.

    Its unit is the annotation: ``hold: Months = param(24, low=1, high=60, help="...")``.

    Raises
    ------
    UsageError
        When the default lies outside the range.
    """
    return Declaration(default, low, high, help)


@dataclass(frozen=True)
class Parameter:
    """A declared parameter with its name and unit; validates what a user gives for it."""

    name: str
    unit: Unit
    default: float
    low: float
    high: float
    help: str

    @property
    def range(self) -> str:
        """The range with its unit, as it stands in help and errors."""
        return f"{self.low:g} to {self.high:g} {self.unit.name}"

    @property
    def option(self) -> str:
        """The name of its command-line option."""
        return "--" + self.name.replace("_", "-")

    def validate(self, value: Any) -> float:
        """Return ``value`` (a number or its text) as int or float, by unit.

        Raises
        ------
        UsageError
            When it is not a number, not whole although the unit is, or out of range.
        """
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise UsageError(f"{self.name} must be a number from {self.range}, not '{value}'") from None
        if self.unit.whole and not number.is_integer():
            raise UsageError(f"{self.name} must be a whole number from {self.range}, not {value}")
        if not self.low <= number <= self.high:  # also refuses NaN
            raise UsageError(f"{self.name} must lie in {self.range}, not {value}")
        return int(number) if self.unit.whole else number


def bind(parameters: tuple[Parameter, ...], given: dict[str, Any], owner: str) -> dict[str, float]:
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
