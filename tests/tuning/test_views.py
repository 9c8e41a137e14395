"""Views against pandas, for a whole grid and for a sample of it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest.tuning import views
from backtest.tuning.grid import Axis, Grid
from backtest.tuning.views import QUANTILES, Views

if TYPE_CHECKING:
    from backtest.scripting.strategy import Strategy


@pytest.fixture
def grid(rate_cut: Strategy) -> Grid:
    values = {"delay": (0, 3, 9), "hold": tuple(range(1, 8)), "quiet": (12,), "min_cut": (0.1, 0.2, 0.3, 0.5)}
    return Grid(tuple(Axis(p, values[p.name]) for p in rate_cut.parameters))


def frame(grid: Grid, numbers: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({**grid.rows(numbers), "value": values})


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("whole", [True, False])
def test_they_are_what_pandas_groups(
    whole: bool, lower: bool, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_PIECE", 20)  # so that this small grid too is done in pieces
    random = np.random.default_rng(2)
    chosen = None if whole else random.integers(grid.size, size=60)  # some twice, as Optuna has them
    numbers = np.arange(grid.size) if chosen is None else chosen
    values = random.normal(size=len(numbers))
    values[random.uniform(size=len(values)) < 0.2] = np.nan
    values[grid.rows(numbers)["delay"] == 3] = np.nan  # a value of which no trial can be chosen
    table = frame(grid, numbers, values)
    through = int(numbers[np.flatnonzero(np.isfinite(values))[0]])
    recommended = grid.values(through)
    view = Views(grid, chosen, values, lower)
    best = "min" if lower else "max"
    names = [axis.name for axis in grid.axes]
    for at, axis in enumerate(grid.axes):
        groups = table.groupby(axis.name)["value"]
        expected = [groups.quantile(q) for q in QUANTILES] + [groups.agg(best)]
        columns = np.column_stack([column.reindex(list(axis.values)) for column in expected])
        np.testing.assert_allclose(view.marginal(at), columns, rtol=1e-12, atol=0)
    for i, j in combinations(range(len(names)), 2):
        across, up = grid.axes[i], grid.axes[j]
        pair = view.pair(i, j, through)
        assert (pair.across, pair.up) == (across, up)
        rest = [name for name in names if name not in {across.name, up.name}]
        same = (table[rest] == [recommended[name] for name in rest]).all(axis=1)
        for found, rows, how in (
            (pair.best, table, best),
            (pair.median, table, "median"),
            (pair.through, table[same], best),
        ):
            expected = rows.pivot_table("value", up.name, across.name, how, dropna=False)
            expected = expected.reindex(index=list(up.values), columns=list(across.values))
            np.testing.assert_allclose(found, expected.to_numpy(), rtol=1e-12, atol=0)
