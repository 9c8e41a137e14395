"""Predictive regression with overlapping returns, in the sample and out of it.

A level known at a bar's close is held against the log return over the bars that follow it. Windows of many
bars overlap, so their errors are correlated by construction. The standard error is Hodrick's (1992, "1B"):
under the hypothesis that nothing is predictable the sum over time of the level meets a single bar's return,
which does not overlap. Out of the sample the forecast is held against the mean of what had been seen before
(Goyal and Welch 2008; the statistic is that of Campbell and Thompson 2008), with the test of Clark and West
(2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.long_run import long_run_variance

if TYPE_CHECKING:
    from backtest.dates import Floats

NAN = float("nan")


@dataclass(frozen=True)
class Predictive:
    """A regression of the next ``bars`` bars' log return on a level.

    Parameters
    ----------
    bars
        The bars of the return.
    n, windows
        The number of overlapping pairs, and how many windows follow each other without overlap.
    slope
        The change of the return (log, over the whole horizon) with one standard deviation of the level.
    tstat, pvalue
        Hodrick's; two-sided, normal.
    r2
        In the sample.
    oos_r2, oos_n
        Out of the sample: 1 minus the squared errors of the forecast over those of the mean so far, and the
        number of forecasts; NaN and 0 where the history is too short.
    clark_west
        One-sided p-value of the forecast being better than the mean so far.
    """

    bars: int
    n: int
    windows: int
    slope: float = NAN
    tstat: float = NAN
    pvalue: float = NAN
    r2: float = NAN
    oos_r2: float = NAN
    oos_n: int = 0
    clark_west: float = NAN


def forward_sums(returns: Floats, bars: int) -> Floats:
    """Return (n - bars,) sums of the ``bars`` returns after each bar."""
    total = np.concatenate([[0.0], np.cumsum(returns)])
    return total[bars + 1 :] - total[1:-bars]


def hodrick_error(returns: Floats, level: Floats, bars: int) -> float:
    """Return the standard error of the slope after Hodrick (1992), equation 8 ("1B").

    ``returns`` (n,) log returns of a bar; ``level`` (n,) known at the bar's close. The level's sum over the
    last ``bars`` closes meets the demeaned return of the bar after them.
    """
    n = len(returns)
    design = np.column_stack([np.ones(n), level])
    total = np.vstack([np.zeros(2), np.cumsum(design, axis=0)])
    summed = total[bars:n] - total[: n - bars]  # rows t = bars - 1 .. n - 2
    surprise = returns[bars:] - returns[1:].mean()
    scores = summed * surprise[:, None]
    used = design[: n - bars]
    bread = np.linalg.inv(used.T @ used)
    return math.sqrt((bread @ (scores.T @ scores) @ bread)[1, 1])


def _out_of_sample(future: Floats, level: Floats, bars: int, history: int) -> tuple[float, int, float]:
    """Return the out-of-sample R2, the number of forecasts, and Clark and West's p-value.

    The forecast at bar t uses the pairs whose return was over by then: those up to bar ``t - bars``.
    """
    at = np.arange(history, len(future))
    if len(at) < 2:
        return NAN, 0, NAN
    seen = at - bars  # the last pair that is complete at each forecast
    count = seen + 1.0
    sums = [np.cumsum(part)[seen] for part in (level, future, level * level, level * future)]
    mean_x, mean_y, mean_xx, mean_xy = (part / count for part in sums)
    spread = mean_xx - mean_x**2
    slope = np.where(spread > 1e-12, (mean_xy - mean_x * mean_y) / np.where(spread > 1e-12, spread, 1.0), 0.0)
    forecast = mean_y + slope * (level[at] - mean_x)
    errors, errors_mean = future[at] - forecast, future[at] - mean_y
    r2 = 1.0 - float(errors @ errors) / float(errors_mean @ errors_mean)
    gain = errors_mean**2 - (errors**2 - (mean_y - forecast) ** 2)
    variance = long_run_variance(gain - gain.mean(), bars)
    tstat = float(gain.mean()) / math.sqrt(variance / len(gain)) if variance > 0 else NAN
    return r2, len(at), 0.5 * math.erfc(tstat / math.sqrt(2.0))


def predictive(returns: Floats, level: Floats, bars: int, history: int = 240) -> Predictive:
    """Regress the log return of the next ``bars`` bars on a level.

    Parameters
    ----------
    returns
        (n,) log returns of each bar (of small minus large: a difference of two).
    level
        (n,) the level as known at each bar's close; NaN before it is first known.
    bars
        The horizon.
    history
        The first out-of-sample forecast is made with at least so many complete pairs behind it.
    """
    known = np.flatnonzero(np.isfinite(level))
    begin = int(known[0]) if len(known) else len(level)
    returns, level = returns[begin:], level[begin:]
    pairs = len(returns) - bars
    if pairs < 3 * bars or pairs < 24 or np.ptp(level) <= 1e-12 * np.abs(level).max():
        return Predictive(bars, max(0, pairs), max(0, len(returns)) // bars)
    level = (level - level[:pairs].mean()) / level[:pairs].std()
    future = forward_sums(returns, bars)
    x, y = level[:pairs], future - future.mean()
    slope = float(x @ y / (x @ x))
    error = hodrick_error(returns, level, bars)
    r2 = 1.0 - float(((y - slope * x) ** 2).sum() / (y @ y))
    oos_r2, oos_n, clark_west = _out_of_sample(future, x, bars, history + bars)
    return Predictive(
        bars=bars,
        n=pairs,
        windows=len(returns) // bars,
        slope=slope,
        tstat=slope / error,
        pvalue=math.erfc(abs(slope / error) / math.sqrt(2.0)),
        r2=r2,
        oos_r2=oos_r2,
        oos_n=oos_n,
        clark_west=clark_west,
    )
