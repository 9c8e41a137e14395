"""Edges of a grid: where a winner is the highest or the lowest of what was tried, and how to go on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.parameters import Value  # noqa: TC001 - the type of a document's field

if TYPE_CHECKING:
    from backtest.tuning.grid import Axis
    from backtest.tuning.plateau import Landscape

_FURTHER = 0.5  # of the range that was tried: how far a wider grid goes beyond its edge


@dataclass(frozen=True)
class Edge:
    """A parameter whose winning value is the last that was tried.

    Parameters
    ----------
    name, value
        The parameter and its value.
    highest
        Whether it is the highest; else the lowest.
    wider
        What to write after ``--grid`` to look beyond; None where the strategy allows nothing beyond.
    """

    name: str
    value: Value
    highest: bool
    wider: str | None


def edges(landscape: Landscape, place: int) -> tuple[Edge, ...]:
    """Return the edges of the grid that a trial lies on.

    A trial that is as good as the next one inwards lies on none: there the parameter does not matter. Words
    have no edges, and neither has a parameter that was not varied.
    """
    grid = landscape.grid
    number = place if landscape.numbers is None else int(landscape.numbers[place])
    own = [int(digit[0]) for digit in grid.digits(np.array([number]))]
    found = []
    for which, (axis, digit) in enumerate(zip(grid.axes, own, strict=True)):
        last = len(axis.values) - 1
        if not axis.ordered or last < 1 or digit not in {0, last}:
            continue
        inwards = [*own[:which], digit - 1 if digit else 1, *own[which + 1 :]]
        if landscape.score_of(int(grid.number(inwards))) != landscape.scores[place]:
            found.append(Edge(axis.name, axis.values[digit], digit > 0, _wider(axis, highest=digit > 0)))
    return tuple(found)


def _wider(axis: Axis, *, highest: bool) -> str | None:
    """Return a grid that goes on beyond one end of an axis in its own steps; None at the end of the range."""
    values = [float(value) for value in axis.values]
    low, high = values[0], values[-1]
    step = values[-1] - values[-2] if highest else values[1] - values[0]
    limit = axis.parameter.high if highest else axis.parameter.low
    beyond = abs(limit - (high if highest else low))
    if beyond <= 0.0:
        return None
    if beyond < step:  # less than a step is left: to its end
        near = sorted([values[-2], high, limit] if highest else [limit, low, values[1]])
        return f"{axis.name}={','.join(_text(value) for value in near)}"
    n = max(round(_FURTHER * (high - low) / step), 1)
    n = min(n, math.floor(beyond / step + 1e-9)) if math.isfinite(beyond) else n
    low, high = (low, high + n * step) if highest else (low - n * step, high)
    return f"{axis.name}={_text(low)}:{_text(high)}:{_text(step)}"


def _text(value: float) -> str:
    return f"{value:.12g}"
