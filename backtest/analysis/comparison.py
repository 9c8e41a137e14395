"""Two runs side by side: whether their Sharpe ratios differ by more than noise, how alike they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.intervals import FEWEST, Influences, difference

if TYPE_CHECKING:
    from backtest.dates import Floats


@dataclass(frozen=True)
class SharpeDifference:
    """The Sharpe ratio of one series less that of another, a year, and the p-value of no difference."""

    difference: float
    low: float
    high: float
    pvalue: float


def sharpe_difference(a: Floats, b: Floats, ppy: float) -> SharpeDifference:
    """Test whether two Sharpe ratios differ.

    The error is that of the delta method (Jobson and Korkie 1981; Ledoit and Wolf 2008, section 3.1), with a
    long-run variance as in ``intervals``. All but the difference is NaN for fewer than 24 bars or series that
    do not differ; all is NaN where one does not vary.

    Parameters
    ----------
    a, b
        (n,) float64: excess returns over the same bars.
    ppy
        Bars a year; the difference and its interval are a year's.
    """
    nan = float("nan")
    nothing = np.zeros(len(a))
    one, other = (Influences(x, nothing, nothing, len(a) / ppy) for x in (a, b))
    apart = difference(one, other, "sharpe")
    if np.isnan(apart.estimate):
        return SharpeDifference(nan, nan, nan, nan)
    # Series that differ in a bar or two have a difference, and nothing to judge it by.
    if len(a) < FEWEST or np.count_nonzero(np.abs(a - b) > 1e-12 * np.abs(a).max()) < FEWEST:
        return SharpeDifference(apart.estimate, nan, nan, nan)
    return SharpeDifference(apart.estimate, *apart.ends(), apart.pvalue())


def agreement(a: Floats, b: Floats) -> Floats:
    """Return the part of the value that two portfolios hold alike at each bar, (n_bars,), from 0 to 1.

    ``a`` and ``b`` are (n_bars, n_sleeves) weights of the same sleeves.
    """
    return 1.0 - np.abs(a - b).sum(axis=1) / 2.0
