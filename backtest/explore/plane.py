"""The plane: the objective over two parameters, the rest as it is, from the engine of sweeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import UsageError, nearest
from backtest.explore.tries import by_month
from backtest.tuning.edges import edges
from backtest.tuning.grid import Axis, Grid
from backtest.tuning.objective import Objective
from backtest.tuning.plateau import Landscape
from backtest.tuning.sweep import common_window, sample_of
from backtest.tuning.trials import MEASURED, Trials

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints
    from backtest.market.data import MarketData
    from backtest.parameters import Parameter, Value
    from backtest.scripting.strategy import Strategy
    from backtest.terms import Terms
    from backtest.tuning.edges import Edge

STEPS = 61
"""Values of a parameter at most; whole numbers in a range that is no longer are all there."""

_SAMPLE = 200  # points whose returns are looked at to tell how many independent tries they are


@dataclass(frozen=True, eq=False)
class Plane:
    """A measure over two parameters.

    Parameters
    ----------
    across, up
        The parameters and their values, in the order of the columns and of the rows.
    objective
        The measure.
    values
        (n_up, n_across) float64; NaN where there is none.
    here, best, centre
        Row and column of the position at hand, of the peak, and of the centre of the best plateau.
    edges
        The edges of the plane that the peak lies on.
    window
        The days of the first fill and of the last bar that all its points share.
    points
        The parameters of each point that has a value.
    months, sample
        The months, and the returns over the benchmark in them of some of its points, (n, n_months).
    """

    across: Axis
    up: Axis
    objective: Objective
    values: Floats
    here: tuple[int, int]
    best: tuple[int, int]
    centre: tuple[int, int]
    edges: tuple[Edge, ...]
    window: tuple[str, str]
    points: list[dict[str, Value]]
    months: Ints
    sample: Floats


def plane_of(
    strategy: Strategy,
    market: MarketData,
    terms: Terms,
    values: dict[str, Value],
    axes: tuple[str, str],
    objective: str,
) -> Plane:
    """Measure a strategy over two of its parameters.

    Parameters
    ----------
    strategy, market, terms, values
        Where the hand is.
    axes
        The names of the parameters across and up.
    objective
        A measure that a sweep computes.

    Raises
    ------
    UsageError
        When a name is unknown, both are the same or one has no range, or no point can be measured.
    """
    if terms.delay_fill:
        raise UsageError("a plane is of fills without delay; set delay_fill to 0 to see it")
    trials = Trials(strategy, market, _grid(strategy, values, axes), (), terms).completed()
    grid, aim = trials.grid, Objective(objective)
    numbers = np.arange(grid.size)
    window = common_window(trials, None)
    status, measured = trials.measure(numbers, [window], None)
    found = aim.of(measured[0])
    if not np.isfinite(found).any():
        raise UsageError(f"no point of this plane has a {aim.measure.label.strip()}; choose other parameters")
    landscape = Landscape(grid, None, aim.score(found))
    names = [axis.name for axis in grid.axes]
    across, up = (grid.axes[names.index(name)] for name in axes)

    def spot(number: int) -> tuple[int, int]:
        digits = dict(zip(names, (int(d[0]) for d in grid.digits(np.array([number]))), strict=True))
        return digits[axes[1]], digits[axes[0]]

    here = tuple(axis.values.index(values[axis.name]) for axis in (up, across))
    upwards = names.index(axes[1]) < names.index(axes[0])
    shape = (len(up.values), len(across.values))
    table = found.reshape(shape) if upwards else found.reshape(shape[::-1]).T
    usable = np.flatnonzero(status == MEASURED)
    chosen = usable[sample_of(len(usable), _SAMPLE)]
    first, last = window
    bars = trials.market.bars
    active = trials.returns(chosen, window) - bars.column(trials.benchmark)[first + 1 : last + 1]
    by = [by_month(bars.dates[first : last + 1], own) for own in active]
    return Plane(
        across, up, aim, table,
        here=(here[0], here[1]), best=spot(landscape.best), centre=spot(landscape.centre()),
        edges=edges(landscape, landscape.best),
        window=(str(bars.dates[first]), str(bars.dates[last])),
        points=[grid.values(number) for number in np.flatnonzero(np.isfinite(found)).tolist()],
        months=by[0][0], sample=np.array([own for _, own in by]),
    )  # fmt: skip


def axes_of(strategy: Strategy) -> list[str]:
    """Return the parameters that a plane may have as an axis: numbers with a declared range."""
    return [p.name for p in strategy.parameters if not p.choices and np.isfinite([p.low, p.high]).all()]


def _grid(strategy: Strategy, values: dict[str, Value], axes: tuple[str, str]) -> Grid:
    known = axes_of(strategy)
    for name in axes:
        if name not in known:
            raise UsageError(f"a plane has no axis '{name}'; {nearest(name, known)}")
    if axes[0] == axes[1]:
        raise UsageError(f"a plane needs two parameters, not {axes[0]} twice")
    return Grid(
        tuple(
            Axis(p, _spaced(p, float(values[p.name])) if p.name in axes else (values[p.name],))
            for p in strategy.parameters
        )
    )


def _spaced(parameter: Parameter, own: float) -> tuple[Value, ...]:
    """Return values over a parameter's range, the one at hand among them."""
    low, high = parameter.low, parameter.high
    power = 10.0 ** math.floor(math.log10((high - low) / STEPS))
    step = next(power * k for k in (1.0, 2.0, 5.0, 10.0) if (high - low) / (power * k) <= STEPS - 1)
    step = max(step, 1.0) if parameter.unit.whole else step
    spaced = [float(f"{low + i * step:.9g}") for i in range(math.floor((high - low) / step + 1e-9) + 1)]
    values = {round(value) if parameter.unit.whole else value for value in (*spaced, high)}
    return tuple(sorted({*values, round(own) if parameter.unit.whole else own}))
