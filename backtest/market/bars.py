"""Bars: the sleeves' returns on one grid of months or trading days, made of returns, levels and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import DAYS_A_YEAR, last_business_day, to_days
from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.data import Bars
from backtest.market.formulas import Splice
from backtest.market.units import unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backtest.dates import Days, Floats
    from backtest.market.definition import Definition
    from backtest.market.formulas import Pointwise, Reference
    from backtest.series import Series

_STEP = {"monthly": "M", "daily": "D"}


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
    formulas = list(definition.sleeves.values())
    held = _held(formulas, read, definition.frequency)
    grid = _grid(formulas, held, definition.frequency)
    monthly = definition.frequency == "monthly"
    dates = last_business_day(grid) if monthly else to_days(grid)
    columns = _columns(formulas, held, grid, dates)
    # A level's first bar has no return; it is the close before the first.
    first = 1 if any(_is_level(reference) for reference in held) else 0
    return Bars(dates[first:], tuple(definition.sleeves), np.column_stack(columns)[first:])


def on_bars(formula: Pointwise, read: dict[Reference, Series], dates: Days, frequency: str) -> Floats:
    """Return what a formula of returns gives at each bar, (n_bars,) float64; NaN where it has no value."""
    grid = dates.astype(f"datetime64[{_STEP[frequency]}]")
    held = _held([formula], read, frequency)
    return _columns([formula], held, grid, dates)[0]


def _held(
    formulas: Iterable[Pointwise], read: dict[Reference, Series], frequency: str
) -> dict[Reference, Series]:
    """Return the series that formulas need, of a monthly market levels by the last value of each month."""
    each = (reference for formula in formulas for reference in formula.references)
    return {r: _months(read[r]) if frequency == "monthly" and _is_level(r) else read[r] for r in each}


def _columns(
    formulas: Iterable[Pointwise], held: dict[Reference, Series], grid: np.ndarray, dates: Days
) -> list[Floats]:
    on_grid = {reference: _on_grid(reference, series, grid, dates) for reference, series in held.items()}
    return [formula.combine([on_grid[r] for r in formula.references], dates) for formula in formulas]


def _is_level(reference: Reference) -> bool:
    return entry(reference.id).unit == "level"


def _months(series: Series) -> Series:
    """Return a level by the last value of each month; one of days has none of a month that is not over."""
    months = series.dates.astype("datetime64[M]")
    last = np.r_[months[1:] != months[:-1], True]
    daily = entry(series.id.partition("[")[0]).frequency == "daily"
    if daily and series.last < last_business_day(series.dates[-1:])[0]:
        last[-1] = False
    return series.only(last)


def _grid(formulas: list[Pointwise], held: dict[Reference, Series], frequency: str) -> np.ndarray:
    """Return the bars from the first that every sleeve has to the last; a splice has its parts' together."""
    keys: list[tuple[Reference, Any]] = []
    for formula in formulas:
        each = [
            (reference, held[reference].dates.astype(f"datetime64[{_STEP[frequency]}]"))
            for reference in formula.references
            if entry(reference.id).kind != "rate"
        ]
        if isinstance(formula, Splice) and each:
            each = [(each[-1][0], np.unique(np.concatenate([key for _, key in each])))]
        keys += each
    if not keys:
        raise DataError("no sleeve has a return; a market needs returns or levels")
    late, first = max(((r, key[0]) for r, key in keys), key=lambda pair: pair[1])
    early, last = min(((r, key[-1]) for r, key in keys), key=lambda pair: pair[1])
    if first >= last:
        raise DataError(
            f"the sleeves have no bar in common: {early.id} ends on {last}, {late.id} begins on {first}"
        )
    if frequency == "monthly":
        return np.arange(first, last + 1)
    grid = np.unique(np.concatenate([key for _, key in keys]))
    for reference, key in keys:
        if _is_level(reference):
            grid = np.intersect1d(grid, key)
    grid = grid[(grid >= first) & (grid <= last)]
    for reference, key in keys:
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
    years = np.diff(dates).astype(float) / DAYS_A_YEAR
    return np.r_[np.nan, rate / 100.0 * years]
