"""Intervals of the measures: what each bar adds to a measure, and how far the sum of that strays.

Every measure here is a smooth function of means, so that its error is that of the mean of its *influence*:
what a bar adds to it (Hampel 1974; the delta method). Errors respect what hangs together over time;
``docs/calibration.md`` has how often each interval covers. Volatility and tracking error have none: no
method was found that covers where calm and storm alternate, because a calm sample does not know of storms.
An interval is of the process that made the returns. Returns are (n,) float64, simple, decimal, without
missing values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.analysis.long_run import LEVEL, prewhitened_error, slow_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.analysis.long_run import Error
    from backtest.dates import Floats

FEWEST = 24
"""Bars below which no interval is given: so few say nothing of what hangs together."""

NAN = float("nan")


class Interval(NamedTuple):
    """A value with the ends of its interval, which are NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Influence:
    """An estimate and what each bar adds to it.

    Parameters
    ----------
    estimate
        Of a bar, not of a year.
    values
        (n,) float64 of mean 0: the estimate's error is that of their mean.
    plain
        The same with a ratio's deviation taken as known; None where there is none. Where a strategy leaves
        its benchmark for a few bars, mean and deviation come from the same bars, and ``values`` sees too
        little.
    clustered
        Whether the error hangs on clusters of volatility, which take a longer look back.
    """

    estimate: float
    values: Floats
    plain: Floats | None = None
    clustered: bool = False

    def errors(self) -> list[Error]:
        """Return the errors of which the widest counts; none for too few bars or an exact estimate."""
        if len(self.values) < FEWEST or np.abs(self.values).max() <= 1e-12 * max(abs(self.estimate), 1e-12):
            return []
        found = [prewhitened_error(self.values)]
        if self.plain is not None:
            found.append(prewhitened_error(self.plain))
        if self.clustered:
            found.append(slow_error(self.values))
        return [error for error in found if error.size > 0.0]

    def ends(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the ends of the interval, NaN where there is none."""
        reach = max((error.reach(level) for error in self.errors()), default=NAN)
        return self.estimate - reach, self.estimate + reach

    def pvalue(self) -> float:
        """Return the two-sided p-value against zero, NaN where there is none."""
        return max((error.pvalue(self.estimate) for error in self.errors()), default=NAN)

    def less(self, other: Influence) -> Influence:
        """Return the difference from another estimate over the same bars; clusters are in both."""
        return Influence(self.estimate - other.estimate, self.values - other.values)

    def scaled(self, by: float) -> Influence:
        """Return the estimate and its influence times a number."""
        plain = None if self.plain is None else self.plain * by
        return Influence(self.estimate * by, self.values * by, plain, self.clustered)


def log_growth(returns: Floats) -> Influence:
    """Return the mean log return of a bar; not defined after a total loss."""
    logs = np.log1p(returns)
    mean = float(logs.mean())
    return Influence(mean, logs - mean)


def deviation(returns: Floats) -> Influence:
    """Return the standard deviation of a bar; only good for asking whether two differ, see the module."""
    centred = returns - returns.mean()
    variance = float((centred**2).mean())
    root = math.sqrt(variance)
    n = len(returns)
    values = (centred**2 - variance) / (2.0 * root) if root > 0.0 else np.zeros(n)
    return Influence(root * math.sqrt(n / (n - 1.0)), values)


def ratio(excess: Floats, *, of_active: bool = False) -> Influence:
    """Return the mean over the standard deviation of a bar: the Sharpe ratio.

    ``of_active`` says that the returns are those in excess of a benchmark: they may be nothing for years, but
    clusters of the market's volatility are not in them.
    """
    n, mean = len(excess), float(excess.mean())
    centred = excess - mean
    variance = float((centred**2).mean())
    if variance <= 1e-14 * float((excess**2).mean()):
        return Influence(NAN, np.zeros(n))
    root = math.sqrt(variance)
    found = mean / root
    plain = centred / root
    values = plain - found * (centred**2 - variance) / (2.0 * variance)
    estimate = found * math.sqrt((n - 1.0) / n)
    return Influence(estimate, values, plain) if of_active else Influence(estimate, values, clustered=True)


def downside_ratio(excess: Floats) -> Influence:
    """Return the mean over the downside deviation of a bar: the Sortino ratio."""
    mean, squares = float(excess.mean()), np.minimum(excess, 0.0) ** 2
    square = float(squares.mean())
    if square == 0.0:
        return Influence(NAN, np.zeros(len(excess)))
    root = math.sqrt(square)
    values = (excess - mean) / root - mean / root * (squares - square) / (2.0 * square)
    return Influence(mean / root, values, clustered=True)


def line(excess: Floats, against: Floats) -> tuple[Influence, Influence]:
    """Return alpha, of a bar, and beta of excess returns on the benchmark's."""
    n, mean = len(excess), float(against.mean())
    centred = against - mean
    square = float((centred**2).mean())
    if square <= 1e-28 * float(np.abs(against).max()) ** 2:
        return Influence(NAN, np.zeros(n)), Influence(NAN, np.zeros(n))
    beta = float((centred * excess).mean()) / square
    alpha = float(excess.mean()) - beta * mean
    left = excess - alpha - beta * against
    slope = centred * left / square
    return Influence(alpha, left - mean * slope), Influence(beta, slope)


@dataclass(frozen=True, eq=False)
class Influences:
    """The measures of one series of returns that have an influence, and their form of a year.

    Parameters
    ----------
    returns, benchmark, risk_free
        (n,) over the same bars.
    n_years
        Their length in years.
    """

    returns: Floats
    benchmark: Floats
    risk_free: Floats
    n_years: float

    @property
    def ppy(self) -> float:
        """Bars a year."""
        return len(self.returns) / self.n_years

    def of(self, measure: str) -> Influence | None:
        """Return the influence on a measure as it is shown, a year's; None for a measure that has none.

        That of ``cagr`` is the first-order one: good for differences and p-values; its interval comes from
        the mean log return.
        """
        make = _INFLUENCES.get(measure)
        return None if make is None else make(self)

    def interval(self, measure: str, level: float = LEVEL) -> Interval:
        """Return a measure's interval; its ends are NaN where there is none."""
        if measure in ("cagr", "total_return"):
            if (self.returns <= -1.0).any():
                return Interval(-1.0, NAN, NAN)
            over = self.ppy if measure == "cagr" else float(len(self.returns))
            growth = log_growth(self.returns)
            with np.errstate(over="ignore"):  # a long window's growth may have an end beyond all numbers
                return Interval(*np.expm1(over * np.array([growth.estimate, *growth.ends(level)])).tolist())
        found = self.of(measure)
        if found is None or measure in WITHOUT:
            return Interval(NAN, NAN, NAN)
        return Interval(found.estimate, *found.ends(level))


def _growth_a_year(own: Influences) -> Influence:
    if (own.returns <= -1.0).any():
        return Influence(-1.0, np.zeros(len(own.returns)))
    growth = log_growth(own.returns)
    year = own.ppy * growth.estimate
    return Influence(math.expm1(year), growth.values * own.ppy * math.exp(year))


_INFLUENCES: dict[str, Callable[[Influences], Influence]] = {
    "cagr": _growth_a_year,
    "volatility": lambda own: deviation(own.returns).scaled(own.ppy**0.5),
    "sharpe": lambda own: ratio(own.returns - own.risk_free).scaled(own.ppy**0.5),
    "sortino": lambda own: downside_ratio(own.returns - own.risk_free).scaled(own.ppy**0.5),
    "alpha": lambda own: line(own.returns - own.risk_free, own.benchmark - own.risk_free)[0].scaled(own.ppy),
    "beta": lambda own: line(own.returns - own.risk_free, own.benchmark - own.risk_free)[1],
    "tracking_error": lambda own: deviation(own.returns - own.benchmark).scaled(own.ppy**0.5),
    "information_ratio": lambda own: ratio(own.returns - own.benchmark, of_active=True).scaled(own.ppy**0.5),
}

WITHOUT = ("volatility", "tracking_error")
"""Measures without an interval; whether those of two runs differ can be told, for storms are in both."""

INTERVALS = ("total_return", "cagr", "sharpe", "sortino", "alpha", "beta", "information_ratio")
"""The measures that have an interval."""

COMPARED = ("cagr", "sharpe", "sortino")
"""The measures whose difference from the benchmark's has an interval."""


def intervals(own: Influences) -> dict[str, Interval]:
    """Return the interval of each of ``INTERVALS``."""
    return {measure: own.interval(measure) for measure in INTERVALS}


def difference(a: Influences, b: Influences, measure: str) -> Influence:
    """Return a measure of ``a`` less that of ``b``; KeyError where it has no influence."""
    return _INFLUENCES[measure](a).less(_INFLUENCES[measure](b))
