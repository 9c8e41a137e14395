"""Grids: the values that each parameter takes in a sweep, and all their combinations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError, nearest
from backtest.numerals import count, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from backtest.dates import Ints
    from backtest.parameters import Parameter, Value

LARGEST = 10**12
"""Combinations in a grid; more cannot even be numbered in reasonable time."""

_DEFAULT_SIZE = 20_000  # combinations of a grid that nobody has named
_POINTS = 9  # values of an axis that nobody has spaced
_MOST_VALUES = 1_000_000


@dataclass(frozen=True)
class Axis:
    """A parameter and the values it takes, in order; words are no scale, so they have no neighbours."""

    parameter: Parameter
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.name

    @property
    def ordered(self) -> bool:
        """Whether the values are numbers."""
        return not self.parameter.choices

    @property
    def array(self) -> NDArray[Any]:
        """The values as int64, float64 or text."""
        return self.parameter.array(self.values)


@dataclass(frozen=True)
class Grid:
    """All combinations of the axes' values, numbered from 0; the last axis changes fastest.

    Every parameter of the strategy is an axis, one with a single value where it is fixed.
    """

    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        """The number of combinations."""
        return math.prod(self.shape)

    @property
    def free(self) -> tuple[Axis, ...]:
        """The axes with more than one value."""
        return tuple(axis for axis in self.axes if len(axis.values) > 1)

    @property
    def words(self) -> tuple[Axis, ...]:
        """The axes whose values are words."""
        return tuple(axis for axis in self.axes if not axis.ordered)

    def digits(self, numbers: Ints) -> tuple[Ints, ...]:
        """Return which value of each axis the combinations have, an (n,) array an axis."""
        return np.unravel_index(numbers, self.shape) if self.axes else ()

    def number(self, digits: Sequence[Any]) -> Any:
        """Return the numbers of combinations from their values' places."""
        return np.ravel_multi_index(tuple(digits), self.shape) if self.axes else 0

    def rows(self, numbers: Ints) -> dict[str, NDArray[Any]]:
        """Return the values of each parameter, (n,) each, for the combinations of these numbers."""
        return {
            axis.name: axis.array[digit] for axis, digit in zip(self.axes, self.digits(numbers), strict=True)
        }

    def values(self, number: int) -> dict[str, Value]:
        """Return one combination's parameters."""
        digits = self.digits(np.array([number]))
        return {axis.name: axis.values[int(d[0])] for axis, d in zip(self.axes, digits, strict=True)}

    def document(self) -> dict[str, list[Value]]:
        """Return the values of each axis by name."""
        return {axis.name: list(axis.values) for axis in self.axes}


def _steps(low: float, high: float, step: float, name: str) -> list[float]:
    if not (step > 0.0 and low <= high):
        raise UsageError(f"the grid of {name} must rise from low to high by a step above 0")
    if (high - low) / step >= _MOST_VALUES:
        raise UsageError(f"the grid of {name} would have more than {_MOST_VALUES:,} values")
    n = math.floor((high - low) / step * (1.0 + 1e-12) + 1e-9)
    # Steps of 0.1 add up to 0.30000000000000004; what is meant is 0.3.
    return [round(low + i * step, 12) for i in range(n + 1)]


def _spaced(low: float, high: float, n: int, parameter: Parameter, *, by_logarithm: bool) -> list[float]:
    if by_logarithm and not 0.0 < low < high:
        raise UsageError(
            f"the grid of {parameter.name} by logarithm must rise from above 0, not from {low:g}"
        )
    spacing = np.geomspace if by_logarithm else np.linspace
    values = [float(f"{v:.12g}") for v in spacing(low, high, n)]
    return [float(round(v)) for v in values] if parameter.unit.whole else values


def _declared(parameter: Parameter, n: int) -> list[Value]:
    """Return values over a parameter's declared range, its default among them."""
    if parameter.choices:
        return list(parameter.choices)
    if not (math.isfinite(parameter.low) and math.isfinite(parameter.high)):
        raise UsageError(
            f"{parameter.name} has no declared range; write its grid: {parameter.name}=low:high:step"
        )
    if parameter.low == parameter.high:
        return [parameter.default]
    return [*_spaced(parameter.low, parameter.high, n, parameter, by_logarithm=False), parameter.default]


def _values(parameter: Parameter, text: str) -> list[Any]:
    name = parameter.name
    if parameter.choices or ":" not in text:
        return [part.strip() for part in text.split(",")]
    parts = [part.strip() for part in text.split(":")]
    if len(parts) not in {2, 3}:
        raise UsageError(f"the grid of {name} is low:high:step or a,b,c, not '{text}'")
    low, high = (number(part, f"the grid of {name}") for part in parts[:2])
    if len(parts) == 2:
        return list(_spaced(low, high, _POINTS, parameter, by_logarithm=False))
    for scale in ("log", "lin"):
        if parts[2].startswith(scale):
            n = count(parts[2].removeprefix(scale), f"the grid of {name}", 2, _MOST_VALUES, "values")
            return list(_spaced(low, high, n, parameter, by_logarithm=scale == "log"))
    return list(_steps(low, high, number(parts[2], f"the grid of {name}"), name))


def axis_of(parameter: Parameter, text: str | None) -> Axis:
    """Return an axis from what a user writes: ``low:high:step``, ``low:high:logN``, ``a,b,c``, or nothing.

    ``low:high:logN`` and ``low:high:linN`` are N values spaced evenly by logarithm or linearly, ``low:high``
    is ``low:high:lin9``, and nothing is the declared range. Values are in rising order, each once.

    Raises
    ------
    UsageError
        When it cannot be read, or a value lies outside the parameter's range.
    """
    return _axis(parameter, _declared(parameter, _POINTS) if text is None else _values(parameter, text))


def _axis(parameter: Parameter, values: Sequence[Any]) -> Axis:
    valid = [parameter.validate(value) for value in values]
    return Axis(parameter, tuple(dict.fromkeys(valid) if parameter.choices else sorted(set(valid))))


def make_grid(
    parameters: tuple[Parameter, ...], grid: Mapping[str, str | None], fixed: Mapping[str, Any], owner: str
) -> Grid:
    """Return the grid over a strategy's parameters.

    Parameters
    ----------
    parameters, owner
        What the strategy declares, and its name.
    grid
        What a user writes for each parameter to vary, as ``axis_of`` takes it. Where nothing is named, all
        parameters vary over their declared ranges, in as many steps as keep the grid below 20,000.
    fixed
        Values of parameters that do not vary; those not named have their defaults.

    Raises
    ------
    UsageError
        When a name is unknown or given twice, a value cannot be used, or the grid is too large.
    """
    names = [parameter.name for parameter in parameters]
    for name in (*grid, *fixed):
        if name not in names:
            raise UsageError(f"{owner} has no parameter '{name}'; {nearest(name, names)}")
        if name in grid and name in fixed:
            raise UsageError(f"{name} cannot both vary and be set to one value")
    if not names:
        raise UsageError(f"{owner} has no parameters, so there is nothing to tune")
    if grid:
        made = Grid(
            tuple(
                axis_of(p, grid[p.name]) if p.name in grid else _axis(p, [fixed.get(p.name, p.default)])
                for p in parameters
            )
        )
    else:
        made = _declared_grid(parameters, fixed)
    if made.size > LARGEST:
        raise UsageError(
            f"the grid has {made.size:.3g} combinations; {LARGEST:.0e} are the most that can be searched"
        )
    return made


def _declared_grid(parameters: tuple[Parameter, ...], fixed: Mapping[str, Any]) -> Grid:
    for n in range(_POINTS, 1, -1):
        axes = []
        for p in parameters:
            known = isinstance(p.default, str) or (math.isfinite(p.low) and math.isfinite(p.high))
            varies = p.name not in fixed and known
            axes.append(_axis(p, _declared(p, n) if varies else [fixed.get(p.name, p.default)]))
        made = Grid(tuple(axes))
        if made.size <= _DEFAULT_SIZE:
            break
    return made
