"""Views of a sweep's trials for figures: along one parameter, over two, and against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.tuning.sweep import numbers_of

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints
    from backtest.tuning.grid import Axis, Grid

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Of the trials that share a value: what a marginal curve shows, the best included."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The objective over two parameters.

    Parameters
    ----------
    across, up
        The axes, in the order of the columns and rows of the tables.
    best, median, through
        (n_up, n_across) float64: over all values of the other parameters, and with these as in the
        recommended set; NaN where no trial can be chosen.
    """

    across: Axis
    up: Axis
    best: Floats
    median: Floats
    through: Floats


def places_of(grid: Grid, chosen: Ints | None, n: int) -> tuple[Ints, ...]:
    """Return which value of each axis every trial has."""
    return grid.digits(numbers_of(chosen, 0, n))


def marginal(axis: Axis, digits: Ints, values: Floats) -> Floats:
    """Return quantiles of the trials' values for each value of an axis, (n_values, n_quantiles)."""
    import pandas as pd

    groups = pd.Series(values).groupby(digits)
    curves = [groups.quantile(q).reindex(range(len(axis.values))).to_numpy() for q in QUANTILES]
    return np.column_stack(curves)


def pairs(grid: Grid, digits: tuple[Ints, ...], scores: Floats, through: int, *, lower: bool) -> list[Pair]:
    """Return the objective over every pair of parameters that vary.

    Parameters
    ----------
    digits
        What ``places_of`` gives.
    scores
        (n,) float64: the objective of each trial so that higher is better; NaN where it cannot be chosen.
    through
        The place of the recommended trial.
    lower
        Whether less of the objective is better: the tables show it with its own sign.
    """
    import pandas as pd

    free = [i for i, n in enumerate(grid.shape) if n > 1]
    sign = -1.0 if lower else 1.0
    found = []
    for at, j in enumerate(free):
        for i in free[at + 1 :]:
            frame = pd.DataFrame({"i": digits[i], "j": digits[j], "v": scores})
            groups = frame.groupby(["i", "j"])["v"]
            shape = (grid.shape[i], grid.shape[j])
            same = np.ones(len(scores), dtype=bool)
            for other in free:
                if other not in {i, j}:
                    same &= digits[other] == digits[other][through]
            cut = frame[same].groupby(["i", "j"])["v"].max()
            tables = [_table(part, shape) * sign for part in (groups.max(), groups.median(), cut)]
            found.append(Pair(grid.axes[j], grid.axes[i], *tables))
    return found


def _table(values: object, shape: tuple[int, int]) -> Floats:
    out = np.full(shape, np.nan)
    places = np.array(values.index.to_list()).reshape(-1, 2)  # type: ignore[attr-defined]
    out[places[:, 0], places[:, 1]] = values.to_numpy()  # type: ignore[attr-defined]
    return out
