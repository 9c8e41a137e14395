"""Bars: the sleeves' returns on one grid of months or trading days, made of returns, levels and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import last_business_day, to_days
from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.data import Bars
from backtest.market.units import unit

if TYPE_CHECKING:
    from backtest.dates import Days, Floats
    from backtest.market.definition import Definition
    from backtest.market.formulas import Pointwise, Reference
    from backtest.series import Series

_DAYS_A_YEAR = 365.2425


def make_bars(definition: Definition, read: dict[Reference, Series]) -> Bars:
    """Return the sleeves' total returns from the first bar that all of them have to the last.

    The bars of a monthly market are months, stamped with their last business day. Those of a daily one are
    the trading days of its return series; where its series are levels, the days that all of them have, so
    that a day that one exchange was closed is part of the next bar. A sleeve has NaN where it has no value.

    Raises
    ------
    DataError
        When the sleeves have no bar in common.
    """
    held = {
        reference: read[reference]
        for formula in definition.sleeves.values()
        for reference in formula.references
    }
    step = "M" if definition.frequency == "monthly" else "D"
    grid = _grid(held, step)
    dates = last_business_day(grid) if step == "M" else to_days(grid)
    on_grid = {reference: _on_grid(reference, series, grid, dates) for reference, series in held.items()}
    # A level's first bar has no return; it is the close before the first.
    first = 1 if any(_is_level(reference) for reference in held) else 0
    columns = [
        formula.combine([on_grid[reference] for reference in formula.references], dates)
        for formula in definition.sleeves.values()
    ]
    return Bars(dates[first:], tuple(definition.sleeves), np.column_stack(columns)[first:])


def on_bars(formula: Pointwise, read: dict[Reference, Series], dates: Days, frequency: str) -> Floats:
    """Return what a formula of returns gives at each bar, (n_bars,) float64; NaN where it has no value."""
    grid = dates.astype(f"datetime64[{'M' if frequency == 'monthly' else 'D'}]")
    values = [_on_grid(reference, read[reference], grid, dates) for reference in formula.references]
    return formula.combine(values, dates)


def _is_level(reference: Reference) -> bool:
    return entry(reference.id).unit == "level"


def _grid(held: dict[Reference, Series], step: str) -> np.ndarray:
    keys: dict[Reference, Any] = {
        reference: series.dates.astype(f"datetime64[{step}]")
        for reference, series in held.items()
        if entry(reference.id).kind != "rate"
    }
    if not keys:
        raise DataError("no sleeve has a return; a market needs returns or levels")
    first, last = max(k[0] for k in keys.values()), min(k[-1] for k in keys.values())
    if first >= last:
        late = max(keys, key=lambda r: keys[r][0])
        early = min(keys, key=lambda r: keys[r][-1])
        raise DataError(
            f"the sleeves have no bar in common: {early.id} ends on {keys[early][-1]}, "
            f"{late.id} begins on {keys[late][0]}"
        )
    if step == "M":
        return np.arange(first, last + 1)
    levels = [k for reference, k in keys.items() if _is_level(reference)]
    grid = np.unique(np.concatenate(list(keys.values())))
    for key in levels:
        grid = np.intersect1d(grid, key)
    grid = grid[(grid >= first) & (grid <= last)]
    for reference, key in keys.items():
        if not _is_level(reference):
            lost = np.setdiff1d(key[(key >= first) & (key <= last)], grid)
            if len(lost):
                raise DataError(f"{reference.id} has a return on {lost[0]}, a day the levels do not have")
    return grid


def _on_grid(reference: Reference, series: Series, grid: np.ndarray, dates: Days) -> Floats:
    about = entry(reference.id)
    if about.kind == "rate":
        return _accrued(series, dates)
    column = np.full(len(grid), np.nan)
    keys = series.dates.astype(grid.dtype)
    at = np.searchsorted(grid, keys)
    inside = (at < len(grid)) & (grid[np.minimum(at, len(grid) - 1)] == keys)
    column[at[inside]] = series.values[inside]
    scale = unit(about.unit).scale
    if scale is not None:
        return column * scale
    if not _is_level(reference):
        return column  # a weight
    return np.r_[np.nan, column[1:] / column[:-1] - 1.0]


def _accrued(series: Series, dates: Days) -> Floats:
    """Return what a yearly rate in percent earns from each bar to the next: the rate of the bar before."""
    at = np.searchsorted(series.dates, dates[:-1], "right") - 1
    rate = np.where(at >= 0, series.values[np.maximum(at, 0)], np.nan)
    years = np.diff(dates).astype(float) / _DAYS_A_YEAR
    return np.r_[np.nan, rate / 100.0 * years]
