"""Intervals of the measures: what each bar adds to a measure, and how far the sum of that strays.

A measure that is a smooth function of sums has the error of the mean of its *influence*: what a bar adds to
it (Hampel 1974; the delta method), worked out from the derivatives of its formula. Errors respect what
hangs together over time; ``docs/calibration.md`` has how often each interval covers. Volatility and tracking
error have none: no method was found that covers where calm and storm alternate, because a calm sample does
not know of storms. An interval is of the process that made the returns. Returns are (n,) float64, simple,
decimal, without missing values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from backtest.analysis.long_run import prewhitened_error, slow_error
from backtest.measures import BY_KEY, MEASURES, Sums, value_of

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

    def ends(self) -> tuple[float, float]:
        """Return the ends of the interval, NaN where there is none."""
        reach = max((error.reach() for error in self.errors()), default=NAN)
        return self.estimate - reach, self.estimate + reach

    def pvalue(self) -> float:
        """Return the two-sided p-value against zero, NaN where there is none."""
        return max((error.pvalue(self.estimate) for error in self.errors()), default=NAN)

    def less(self, other: Influence) -> Influence:
        """Return the difference from another estimate over the same bars; clusters are in both."""
        return Influence(self.estimate - other.estimate, self.values - other.values)


def log_growth(returns: Floats) -> Influence:
    """Return the mean log return of a bar; not defined after a total loss."""
    logs = np.log1p(returns)
    mean = float(logs.mean())
    return Influence(mean, logs - mean)


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

    @cached_property
    def sums(self) -> Sums:
        """What the formulas take."""
        return Sums.of(self.returns, self.benchmark, self.risk_free, self.n_years)

    @cached_property
    def _parts(self) -> dict[str, Floats]:
        """What each bar adds to each of the sums, by its name: (n,) of mean 0."""
        n, excess = len(self.returns), self.returns - self.risk_free
        against, nothing = self.benchmark - self.risk_free, np.zeros(len(self.returns))
        of = {"mean": self.returns, "excess": excess, "active": self.returns - self.benchmark}
        centred = {name: values - values.mean() for name, values in of.items()}
        parts = {**centred, "log_growth": nothing, "beta": nothing}
        for name, squares in (
            ("mean", "squares"),
            ("excess", "excess_squares"),
            ("active", "active_squares"),
        ):
            square = centred[name] ** 2
            parts[squares] = n * (square - square.mean()) if getattr(self.sums, squares) else nothing
        below = np.minimum(excess, 0.0) ** 2
        parts["downside"] = n * (below - below.mean())
        parts["benchmark_excess"] = moves = against - against.mean()
        if math.isfinite(self.sums.beta) and moves.any():
            left = centred["excess"] - self.sums.beta * moves
            parts["beta"] = moves * left / float((moves**2).mean())
        if math.isfinite(self.sums.log_growth):
            parts["log_growth"] = n * log_growth(self.returns).values
        return parts

    def of(self, measure: str) -> Influence | None:
        """Return the influence on a measure as it is shown, a year's; None for a measure that has none.

        By the chain rule, from the derivatives of its formula. That of growth is the first-order one: good
        for differences and p-values; its interval comes from the mean log return.
        """
        row, n = BY_KEY[measure], len(self.returns)
        if not row.error:
            return None
        estimate = value_of(row.formula, self.sums)
        parts = {name: part for name, part in self._parts.items() if part.any()}
        added = {name: slope(row.formula, self.sums, name) * part for name, part in parts.items()}
        values = np.sum([*added.values(), np.zeros(n)], axis=0)
        if not (math.isfinite(estimate) and np.isfinite(values).all()):
            return Influence(estimate, np.zeros(n))
        known = [part for name, part in added.items() if name in ("mean", "excess", "active")]
        plain = np.sum(known, axis=0) if row.error == "seldom" else None
        return Influence(estimate, values, plain, clustered=row.error == "clusters")

    def interval(self, measure: str) -> Interval:
        """Return a measure's interval; its ends are NaN where there is none."""
        row = BY_KEY[measure]
        if row.error == "growth":
            if (self.returns <= -1.0).any():
                return Interval(-1.0, NAN, NAN)
            growth = log_growth(self.returns)
            with np.errstate(over="ignore"):  # a long window's growth may have an end beyond all numbers
                logs = len(self.returns) * np.array([growth.estimate, *growth.ends()])
                return Interval(*(float(row.formula(self.sums._replace(log_growth=x))) for x in logs))
        found = self.of(measure)
        if found is None or row.error == "difference":
            return Interval(NAN, NAN, NAN)
        return Interval(found.estimate, *found.ends())


def slope(formula: Callable[[Sums], float], sums: Sums, name: str) -> float:
    """Return the derivative of a formula by one of its sums, exact but for rounding.

    By a step into the imaginary, where no digits are lost (Squire and Trapp 1998). Squares are means here,
    of n and not of n - 1 bars.
    """
    at = sums._replace(freedom=sums.n)
    step = 1e-30 * (abs(getattr(sums, name)) or 1.0)
    moved = at._replace(**cast("Any", {name: np.complex128(complex(getattr(at, name), step))}))
    # The growth of a very long path is beyond all numbers, as a ratio over nothing is.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(np.imag(formula(moved))) / step


INTERVALS = tuple(m.key for m in MEASURES if m.error not in ("", "difference"))
"""The measures that have an interval."""

COMPARED = tuple(m.key for m in MEASURES if m.key in INTERVALS and m.best and not m.relative)
"""The measures whose difference from the benchmark's has an interval."""


def intervals(own: Influences) -> dict[str, Interval]:
    """Return the interval of each of ``INTERVALS``."""
    return {measure: own.interval(measure) for measure in INTERVALS}


def difference(a: Influences, b: Influences, measure: str) -> Influence:
    """Return a measure of ``a`` less that of ``b``; both have an influence."""
    ours, theirs = a.of(measure), b.of(measure)
    if ours is None or theirs is None:
        raise KeyError(measure)
    return ours.less(theirs)
