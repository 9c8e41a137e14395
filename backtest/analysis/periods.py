"""Returns by calendar year and month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Days, Floats


def by_period(dates: Days, returns: Floats, unit: str) -> tuple[Days, Floats]:
    """Compound returns by calendar period.

    Parameters
    ----------
    dates
        (n,) datetime64[D], increasing: the day on which each return ends.
    returns
        (n,) or (n, k) float64, simple, decimal.
    unit
        ``Y`` for years, ``M`` for months.

    Returns
    -------
    (m,) datetime64 of that unit and (m,) or (m, k) float64: the periods that hold a return, which may be
    only a part of the first and of the last, and the compound return of each.
    """
    periods = dates.astype(f"datetime64[{unit}]")
    starts = np.flatnonzero(np.r_[True, periods[1:] != periods[:-1]])
    return periods[starts], np.multiply.reduceat(1.0 + returns, starts, axis=0) - 1.0
