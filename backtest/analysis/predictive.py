"""Predictive regression with overlapping returns, in the sample and out of it.

A level known at a bar's close is held against the log return over the bars that follow it. Two things make
such a regression find what is not there. Windows of many bars overlap: so the sum over time of what
foretells meets a single bar's return, which does not overlap (Hodrick 1992). And a level that returns push
about, as a price-based discount is, looks as if it foretold them (Stambaugh 1999): so it is replaced, as an
instrument, by the sum of its own changes, of which the older ones fade (IVX: Kostakis, Magdalinos and
Stamatogiannis 2015).

Out of the sample the forecast is held against the mean of what had been seen before (Goyal and Welch 2008;
the statistic is that of Campbell and Thompson 2008). It has no p-value: over so few windows that of Clark
and West (2007) rejects far too often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Floats

NAN = float("nan")

FADING = 0.65
"""Of n bars the instrument forgets ``n ** -FADING`` a bar.

The authors take 0.95; at 35 years of months and a horizon of five that rejects 2 to 3% where 0.65 rejects 4
to 5%.
"""

REACH = 2
"""A level's innovation may go with the returns of so many bars before its own: it becomes known late."""


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
    low, high, tstat, pvalue
        Its 95% interval, and its test against zero, two-sided; normal.
    r2
        In the sample, of ordinary least squares.
    oos_r2, oos_n
        Out of the sample: 1 minus the squared errors of the forecast over those of the mean so far, and the
        number of forecasts; NaN and 0 where the history is too short.
    halves
        The slope in the first half of the bars and in the second, for the same deviation of the level.
    carrying, without_carrying
        The first of the twelve bars whose returns speak most for the slope's sign (counted in what was
        given, -1 for none), and ``pvalue`` with these returns at their mean.
    """

    bars: int
    n: int
    windows: int
    slope: float = NAN
    low: float = NAN
    high: float = NAN
    tstat: float = NAN
    pvalue: float = NAN
    r2: float = NAN
    oos_r2: float = NAN
    oos_n: int = 0
    halves: tuple[float, float] = (NAN, NAN)
    carrying: int = -1
    without_carrying: float = NAN


def forward_sums(returns: Floats, bars: int) -> Floats:
    """Return (n - bars,) sums of the ``bars`` returns after each bar."""
    total = np.concatenate([[0.0], np.cumsum(returns)])
    return total[bars + 1 :] - total[1:-bars]


def instrument(level: Floats) -> Floats:
    """Return the level's changes so far, of which the older ones fade, (n,); it begins with 0."""
    kept = 1.0 - len(level) ** -FADING
    out = np.zeros(len(level))
    for t in range(1, len(level)):
        out[t] = kept * out[t - 1] + level[t] - level[t - 1]
    return out


def _pushed(surprise: Floats, level: Floats) -> float:
    """Return the part of the variance of the level's innovations that goes with returns, from 0 to 1."""
    centred = level - level.mean()
    kept = float(centred[1:] @ centred[:-1] / (centred[:-1] @ centred[:-1]))
    innovation = (centred[1:] - kept * centred[:-1])[REACH:]
    late = np.column_stack([surprise[REACH + 1 - lag : len(surprise) - lag] for lag in range(REACH + 1)])
    left = innovation - late @ np.linalg.lstsq(late, innovation, rcond=None)[0]
    return 1.0 - float(left @ left) / float(innovation @ innovation)


def _slope(returns: Floats, level: Floats, bars: int) -> tuple[float, float, Floats]:
    """Return the slope, its standard error, and (n - bars,) what each return adds to the slope.

    ``level`` is in the deviations that the slope is for. The returns are those that ``bars`` closes lie
    before.
    """
    n = len(returns)
    made = instrument(level)
    total = np.concatenate([[0.0], np.cumsum(made)])
    told = total[bars:n] - total[: n - bars]  # what foretold a bar, over all windows that hold it
    surprise = returns[bars:] - returns[bars:].mean()
    pairs = level[: n - bars]
    strength = float(made[: n - bars] @ (pairs - pairs.mean()))
    mean = float(told.mean())
    spread = float((((told - mean) * surprise) ** 2).sum())
    # The returns' own mean is estimated too: it costs the more, the more returns push the level about.
    spread += _pushed(returns - returns.mean(), level) * mean**2 * float(surprise @ surprise)
    shares = told * surprise / strength
    return float(shares.sum()), math.sqrt(spread) / abs(strength), shares


def out_of_sample(returns: Floats, level: Floats, bars: int, history: int) -> tuple[float, int]:
    """Return the out-of-sample R2 and the number of forecasts.

    The first forecast is made at bar ``history``; the one at bar t uses the pairs whose return was over by
    then: those up to bar ``t - bars``.
    """
    future = forward_sums(returns, bars)
    at = np.arange(history, len(future))
    if len(at) < 2:
        return NAN, 0
    level = level[: len(future)]
    seen = at - bars  # the last pair that is complete at each forecast
    count = seen + 1.0
    sums = [np.cumsum(part)[seen] for part in (level, future, level * level, level * future)]
    mean_x, mean_y, mean_xx, mean_xy = (part / count for part in sums)
    spread = mean_xx - mean_x**2
    slope = np.where(spread > 1e-12, (mean_xy - mean_x * mean_y) / np.where(spread > 1e-12, spread, 1.0), 0.0)
    forecast = mean_y + slope * (level[at] - mean_x)
    errors, errors_mean = future[at] - forecast, future[at] - mean_y
    return 1.0 - float(errors @ errors) / float(errors_mean @ errors_mean), len(at)


def _two_sided(tstat: float) -> float:
    return math.erfc(abs(tstat) / math.sqrt(2.0))


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
    n = len(returns)
    pairs = n - bars
    if pairs < 3 * bars or pairs < 24 or np.ptp(level) <= 1e-12 * np.abs(level).max():
        return Predictive(bars, max(0, pairs), n // bars)
    level = (level - level[:pairs].mean()) / level[:pairs].std()
    slope, error, shares = _slope(returns, level, bars)
    reach = 1.959964 * error
    years = np.add.reduceat(shares * math.copysign(1.0, slope), np.arange(0, len(shares), 12))
    carrying = bars + 12 * int(years.argmax())
    quiet = returns.copy()
    quiet[carrying : carrying + 12] = returns[bars:].mean()
    calm, calm_error, _ = _slope(quiet, level, bars)
    oos_r2, oos_n = out_of_sample(returns, level, bars, history + bars)
    halves = [_slope(returns[part], level[part], bars)[0] for part in (slice(n // 2), slice(n // 2, None))]
    return Predictive(
        bars=bars,
        n=pairs,
        windows=n // bars,
        slope=slope,
        low=slope - reach,
        high=slope + reach,
        tstat=slope / error,
        pvalue=_two_sided(slope / error),
        r2=float(np.corrcoef(level[:pairs], forward_sums(returns, bars))[0, 1]) ** 2,
        oos_r2=oos_r2,
        oos_n=oos_n,
        halves=(halves[0], halves[1]),
        carrying=begin + carrying,
        without_carrying=_two_sided(calm / calm_error),
    )
