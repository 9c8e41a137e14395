"""Intervals of the measures by the stationary bootstrap (Politis and Romano 1994).

Bars are drawn in blocks of random length, the same bars for every series, so that what hangs together in
time and between series stays together. An interval is the middle 95% of what the resamples give (percentile
method).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtest.dates import Floats, Ints

RESAMPLES = 1000
FEWER, MANY_BARS = 500, 5000
"""Of more than ``MANY_BARS`` bars fewer resamples are drawn, so that a century of days takes a second."""

SEED = 20260101
LEVEL = 0.95

FEWEST = 24
"""Bars below which no interval is given: blocks of so few bars say nothing."""

RESAMPLED = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "alpha",
    "beta",
    "tracking_error",
    "information_ratio",
)
"""The measures that depend on returns alone, and so have an interval."""

_AT_ONCE = 1 << 19  # values held for a chunk of resamples: a few megabytes, which stay near the processor


@dataclass(frozen=True, eq=False)
class Resamples:
    """What every resample gave.

    Parameters
    ----------
    draws
        By measure (``RESAMPLED``): (n_resamples, n_series) float64, NaN where a resample does not define it.
    block
        The mean length of a block, in bars.
    seed
        The seed of the random numbers.
    """

    draws: dict[str, Floats]
    block: float
    seed: int

    def interval(self, measure: str, series: int, level: float = LEVEL) -> tuple[float, float]:
        """Return the interval of a measure of one series."""
        return interval(self.draws[measure][:, series], level)

    def difference(self, measure: str, a: int, b: int, level: float = LEVEL) -> tuple[float, float]:
        """Return the interval of a measure of series ``a`` less that of ``b``, over the same bars."""
        values = self.draws[measure]
        return interval(values[:, a] - values[:, b], level)

    def not_ahead(self, measure: str, a: int, b: int, sign: float) -> float:
        """Return the chance that series ``a`` does not lead ``b``, which few draws cannot make small.

        It is (1 + draws without a lead) / (1 + draws) (Davison and Hinkley 1997, chapter 4); a draw that does
        not define the measure has no lead. ``sign`` is -1 where less is better.
        """
        values = self.draws[measure]
        leads = np.count_nonzero(sign * (values[:, a] - values[:, b]) > 0.0)
        return (1.0 + len(values) - leads) / (1.0 + len(values))


def interval(draws: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the middle ``level`` of the draws; NaN where one draw in a hundred or more is not defined."""
    fine = draws[np.isfinite(draws)]
    if len(fine) < 0.99 * len(draws):
        return float("nan"), float("nan")
    low, high = np.quantile(fine, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def enough(n_bars: int, tail: float) -> int:
    """Return how many resamples put ten draws (of many bars: two) into a tail; never fewer than the usual."""
    usual, within = (FEWER, 2) if n_bars > MANY_BARS else (RESAMPLES, 10)
    return max(usual, math.ceil(within / tail))


def block_length(series: Sequence[Floats]) -> float:
    """Return the mean length of blocks, in bars, that suits all of the series and their squares.

    The rule of Politis and White (2004), as corrected by Patton, Politis and White (2009); the longest that
    any asks for, for the squares carry the clusters of volatility. At least 1, at most a quarter of the bars.
    """
    from arch.bootstrap import optimal_block_length
    from threadpoolctl import threadpool_limits

    n = len(series[0])
    moving = [values for values in series if np.ptp(values) > 1e-12]
    if not moving:
        return 1.0
    columns = [column for values in moving for column in (values, (values - values.mean()) ** 2)]
    # It is a row of small products: threads would spend their time waiting for each other.
    with threadpool_limits(limits=1):
        lengths = optimal_block_length(np.column_stack(columns))["stationary"].to_numpy()
    longest = float(np.nanmax(lengths, initial=1.0))
    return min(max(longest, 1.0), n / 4.0)


def resampled_bars(n: int, block: float, resamples: int, seed: int) -> Iterator[Ints]:
    """Give the bars of each resample, (n,) int64; after the last bar a block goes on with the first."""
    from arch.bootstrap import StationaryBootstrap

    source = StationaryBootstrap(block, np.empty(n), seed=np.random.default_rng(seed))  # type: ignore[arg-type]
    for _ in range(resamples):
        yield source.update_indices()


def resample(
    returns: Floats,
    benchmark: Floats,
    risk_free: Floats,
    n_years: float,
    *,
    resamples: int | None = None,
    seed: int = SEED,
) -> Resamples | None:
    """Measure resamples of several return series at once.

    Parameters
    ----------
    returns
        (n_bars, n_series) float64, simple, decimal, without missing values.
    benchmark, risk_free
        (n_bars,) or (n_bars, n_series) float64: what alpha, beta and the information ratio are held against,
        and the risk-free return, of all series or of each.
    n_years
        The length of the bars in years; every resample is as long.
    resamples, seed
        How many, by default 1000, or 500 of more than 5000 bars; and where their random numbers begin.

    Returns
    -------
    Resamples
        None where there are fewer than 24 bars.
    """
    n = len(returns)
    if n < FEWEST:
        return None
    count = resamples or enough(n, 1.0)
    against, free = (np.broadcast_to(x.T, returns.T.shape).T for x in (benchmark, risk_free))
    excess = [*(returns - free).T, *(against - free).T]
    block = block_length(list({column.tobytes(): column for column in excess}.values()))
    moments = _Moments(returns, against, free)
    log_growth = np.ascontiguousarray(np.log1p(returns).T)
    chunk = max(1, _AT_ONCE // (n * returns.shape[1]))
    parts: list[dict[str, Floats]] = []
    bars: list[Ints] = []
    for drawn in resampled_bars(n, block, count, seed):
        bars.append(drawn)
        if len(bars) == chunk:
            parts.append(_measured(np.array(bars), moments, log_growth, n_years))
            bars.clear()
    if bars:
        parts.append(_measured(np.array(bars), moments, log_growth, n_years))
    draws = {name: np.concatenate([part[name] for part in parts]) for name in RESAMPLED}
    return Resamples(draws, block, seed)


class _Moments:
    """Columns whose sums over a resample's bars give every measure that no order of the bars changes."""

    def __init__(self, returns: Floats, benchmark: Floats, risk_free: Floats) -> None:
        excess, against, active = returns - risk_free, benchmark - risk_free, returns - benchmark
        # Variances are of columns around their mean: sums of squares then lose no digits.
        self.centres = [column.mean(axis=0) for column in (returns, excess, active, against)]
        r, e, a, b = (c - m for c, m in zip((returns, excess, active, against), self.centres, strict=True))
        columns = (r, r * r, e, e * e, np.minimum(excess, 0.0) ** 2, a, a * a, e * b, b, b * b)
        self.kinds = len(columns)
        self.columns = np.concatenate(columns, axis=1)

    def means(self, bars: Ints) -> list[Floats]:
        """Return the mean of each column over each resample, (n_resamples, n_series)."""
        n = len(self.columns)
        counts = np.array([np.bincount(row, minlength=n) for row in bars], dtype=np.float64)
        return np.split(counts @ self.columns / n, self.kinds, axis=1)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    defined = denominator > 0.0
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=defined)


def _deviation(mean: Floats, square: Floats, n: int) -> Floats:
    variance = (square - mean * mean) * (n / (n - 1.0))
    return np.sqrt(np.where(variance > 1e-14 * square, variance, 0.0))


def _measured(bars: Ints, moments: _Moments, log_growth: Floats, n_years: float) -> dict[str, Floats]:
    n = bars.shape[1]
    ppy = n / n_years
    root = math.sqrt(ppy)
    r, rr, e, ee, down, a, aa, eb, b, bb = moments.means(bars)
    _, e_centre, a_centre, b_centre = moments.centres
    growth, deepest = np.empty(r.shape), np.empty(r.shape)
    for series, column in enumerate(log_growth):
        value = np.cumsum(column[bars], axis=1)
        growth[:, series] = value[:, -1]
        highest = np.maximum.accumulate(value, axis=1)
        np.maximum(highest, 0.0, out=highest)
        deepest[:, series] = (value - highest).min(axis=1)
    cagr, fall = np.expm1(growth / n_years), np.expm1(np.minimum(deepest, 0.0))
    excess = e + e_centre
    beta = _ratio(eb - e * b, bb - b * b)
    error = _deviation(a, aa, n)
    return {
        "total_return": np.expm1(growth),
        "cagr": cagr,
        "volatility": _deviation(r, rr, n) * root,
        "sharpe": _ratio(excess, _deviation(e, ee, n)) * root,
        "sortino": _ratio(excess, np.sqrt(down)) * root,
        "max_drawdown": fall,
        "calmar": _ratio(cagr, -fall),
        "alpha": (excess - beta * (b + b_centre)) * ppy,
        "beta": beta,
        "tracking_error": error * root,
        "information_ratio": _ratio(a + a_centre, error) * root,
    }
