"""The measures, one row each: key, label, form, what is better, formula, and how its error is found.

Whatever lists measures is derived from ``MEASURES``: tables, pages, documents, intervals, comparisons, and
what a sweep computes and can be tuned by. Beside them a run has the time in each sleeve that it held. A
formula is written once and takes ``Sums``, whoever adds them up: a run, an interval (which takes the
formula's derivatives) or, compiled by ``backtest.compiling``, a sweep. No measure assumes a frequency.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from backtest.dates import DAYS_A_YEAR
from backtest.wording import cell, count, number, percent, pvalue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from backtest.dates import Days, Floats


def years(dates: Days, frequency: str) -> float:
    """Return the length in years of the returns between the first and the last of (n + 1,) dates.

    Monthly: n / 12. Daily: calendar days over 365.2425.
    """
    return float(years_since(dates, frequency)[-1])


def years_since(dates: Days, frequency: str) -> Floats:
    """Return the years from the first of (n + 1,) dates to each, as ``years`` counts them."""
    if frequency == "monthly":
        return np.arange(len(dates)) / 12.0
    return (dates - dates[0]).astype(int) / DAYS_A_YEAR


def growth_of(returns: Floats) -> Floats:
    """Return the (n + 1,) value of 1 after each of (n,) simple returns, the starting value included."""
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def drawdowns(returns: Floats) -> Floats:
    """Return the (n + 1,) fall from the highest value so far, starting value included; 0 or negative."""
    value = growth_of(returns)
    return value / np.maximum.accumulate(value) - 1.0


def squares(values: Floats) -> float:
    """Return the sum of squares around the mean.

    A series that only differs in its last bits, as a constant one may, deviates by exactly 0.
    """
    if np.ptp(values) <= 1e-15 * np.abs(values).max():
        return 0.0
    return float(np.sum((values - values.mean()) ** 2))


class Sums(NamedTuple):
    """What the formulas take: a path's returns added up. All float64, decimal, of a bar; NaN in, NaN out.

    Parameters
    ----------
    n, n_years, freedom
        The number of returns, the years they span, and n - 1: NaN for a single return.
    log_growth
        The logarithm of what the value grew to, from 1; minus infinity after a total loss.
    deepest
        The deepest drawdown, starting value included; 0 or negative.
    mean, excess, active
        The means of the returns, of those less cash, and of those less the benchmark.
    squares, excess_squares, active_squares
        Their sums of squares around these means; exactly 0 where all values are the same.
    downside
        The sum of squares of the negative returns less cash.
    beta, benchmark_excess
        The slope on the benchmark (less cash both), NaN where it never moves; the benchmark's mean less cash.
    turnover, switches, time_in_small
        One-way traded notional over value and the count of target changes, both without the first purchase;
        the mean weight of small. A series that is no portfolio holds still.
    tstat, pvalue
        Of alpha; NaN in a sweep, which keeps no residuals.
    """

    n: float
    n_years: float
    freedom: float
    log_growth: float
    deepest: float
    mean: float
    excess: float
    active: float
    squares: float
    excess_squares: float
    active_squares: float
    downside: float
    beta: float
    benchmark_excess: float
    turnover: float = 0.0
    switches: float = 0.0
    time_in_small: float = 0.0
    tstat: float = float("nan")
    pvalue: float = float("nan")

    @classmethod
    def of(cls, returns: Floats, benchmark: Floats, risk_free: Floats, n_years: float) -> Sums:
        """Add up (n,) simple returns over the same bars; a series that is its benchmark has a beta of 1."""
        n, excess, against = len(returns), returns - risk_free, benchmark - risk_free
        of_benchmark = squares(against)
        product = float(((excess - excess.mean()) * (against - against.mean())).sum())
        beta = product / of_benchmark if n > 1 and of_benchmark > 0.0 else float("nan")
        # A total loss has a logarithm of minus infinity; returns in other units than ours have none.
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            log_growth, deepest = float(np.log1p(returns).sum()), float(drawdowns(returns).min())
        return cls(
            n=float(n),
            n_years=n_years,
            freedom=n - 1.0 if n > 1 else float("nan"),
            log_growth=log_growth,
            deepest=deepest,
            mean=float(returns.mean()),
            excess=float(excess.mean()),
            active=float((returns - benchmark).mean()),
            squares=squares(returns),
            excess_squares=squares(excess),
            active_squares=squares(returns - benchmark),
            downside=float(np.sum(np.minimum(excess, 0.0) ** 2)),
            beta=1.0 if np.array_equal(returns, benchmark) else beta,
            benchmark_excess=float(against.mean()),
        )


ErrorKind = Literal["", "mean", "clusters", "seldom", "growth", "difference"]
"""How the error of a measure is found; ``intervals`` has the reasons.

``mean``: that of the mean of its influence. ``clusters``: the same, or over a longer look back if that is
wider. ``seldom``: the same, or with deviations taken as known if that is wider. ``growth``: that of the mean
log return. ``difference``: no interval, but two can be told apart. Empty: none.
"""


@dataclass(frozen=True)
class Measure:
    """A row of the table.

    Parameters
    ----------
    key, label, form
        Its name in documents and options, its name for people (indented where it belongs to the row above),
        and how a value is written.
    better
        1 where more is better, -1 where less is.
    formula
        Its value from ``Sums``; infinite or NaN where it is not defined, as a ratio over a deviation of 0.
    path
        For what is no function of sums, in place of a formula: its value from (n,) returns. No sweep has it.
    error
        How its error is found.
    best
        Whether one of several runs may be marked as the best by it: there is a test, and a better.
    relative
        Whether it hangs on the benchmark, so that the benchmark's own says nothing.
    swept
        Whether a sweep computes it.
    """

    key: str
    label: str
    form: Callable[[float], str]
    better: int
    formula: Callable[[Sums], float] = lambda _: float("nan")
    path: Callable[[Floats], float] | None = None
    error: ErrorKind = ""
    best: bool = False
    relative: bool = False
    swept: bool = True

    def text(self, value: float | None) -> str:
        """Return a value of it as it is shown; ``-`` where it is not defined."""
        return cell(value, self.form)


# fmt: off
MEASURES = (
    Measure("total_return", "total return", percent, 1,
            lambda s: np.expm1(s.log_growth), error="growth"),
    Measure("cagr", "return a year (CAGR)", percent, 1,
            lambda s: np.expm1(s.log_growth / s.n_years), error="growth", best=True),
    Measure("volatility", "volatility a year", percent, -1,
            lambda s: np.sqrt(s.squares / s.freedom * s.n / s.n_years), error="difference", best=True),
    Measure("sharpe", "Sharpe ratio", number, 1,
            lambda s: s.excess / np.sqrt(s.excess_squares / s.freedom) * np.sqrt(s.n / s.n_years),
            error="clusters", best=True),
    Measure("sortino", "Sortino ratio", number, 1,
            lambda s: s.excess / np.sqrt(s.downside / s.n) * np.sqrt(s.n / s.n_years),
            error="clusters", best=True),
    Measure("max_drawdown", "deepest drawdown", percent, 1,
            lambda s: s.deepest),
    Measure("calmar", "Calmar ratio", number, 1,
            lambda s: np.expm1(s.log_growth / s.n_years) / -s.deepest),
    # The root of the mean squared drawdown (Martin and McCann 1989, The Investor's Guide to Fidelity Funds).
    Measure("ulcer_index", "ulcer index", percent, -1,
            path=lambda returns: float(np.sqrt(np.mean(drawdowns(returns)[1:] ** 2)))),
    Measure("alpha", "alpha a year", percent, 1,
            lambda s: (s.excess - s.beta * s.benchmark_excess) * s.n / s.n_years,
            error="mean", best=True, relative=True),
    Measure("alpha_tstat", "  t (Newey-West)", number, 1,
            lambda s: s.tstat, relative=True, swept=False),
    Measure("alpha_pvalue", "  p", pvalue, -1,
            lambda s: s.pvalue, relative=True, swept=False),
    Measure("beta", "beta", number, -1,
            lambda s: s.beta, error="mean", relative=True),
    Measure("tracking_error", "tracking error a year", percent, -1,
            lambda s: np.sqrt(s.active_squares / s.freedom * s.n / s.n_years),
            error="difference", relative=True),
    Measure("information_ratio", "information ratio", number, 1,
            lambda s: s.active / np.sqrt(s.active_squares / s.freedom) * np.sqrt(s.n / s.n_years),
            error="seldom", best=True, relative=True),
    Measure("turnover", "turnover a year", percent, -1,
            lambda s: s.turnover / s.n_years),
    Measure("switches", "switches", count, -1,
            lambda s: s.switches),
    Measure("time_in_small", "time in small", percent, 1,
            lambda s: s.time_in_small),
)
# fmt: on
"""Every measure, in the order in which they are shown and written."""

BY_KEY = {measure.key: measure for measure in MEASURES}

_TIME_IN = "time_in_"


def holdings_of(
    weights: Floats, sleeves: tuple[str, ...], turnover: float, switches: float
) -> dict[str, float]:
    """Return the sums of what was held, (n, n_sleeves) weights, and of what was traded after the purchase."""
    small = weights[:, sleeves.index("small")].mean() if "small" in sleeves else 0.0
    return {"turnover": float(turnover), "switches": int(switches), "time_in_small": float(small)}


def time_in(weights: Floats, sleeves: tuple[str, ...]) -> dict[str, float]:
    """Return by key (``time_in_large``) the mean weight of each sleeve that (n, n_sleeves) weights hold."""
    means = zip(sleeves, weights.mean(axis=0).tolist(), (weights != 0.0).any(axis=0), strict=True)
    return {f"{_TIME_IN}{sleeve}": mean for sleeve, mean, held in means if held}


def measure_of(key: str) -> Measure:
    """Return a measure by its key, that of the time in any sleeve included."""
    if key in BY_KEY:
        return BY_KEY[key]
    label = f"time in {key.removeprefix(_TIME_IN)}"
    return replace(BY_KEY["time_in_small"], key=key, label=label, swept=False)


def listed(columns: Iterable[Mapping[str, float | None]]) -> tuple[Measure, ...]:
    """Return the rows of a table: every measure, and the time in each sleeve that any of its columns held."""
    held = dict.fromkeys(key for column in columns for key in column if key.startswith(_TIME_IN))
    return (*MEASURES, *(measure_of(key) for key in held if key not in BY_KEY))


def entry(metrics: Mapping[str, float | None], measure: Measure) -> float | None:
    """Return a measure of a column; a sleeve that it has not is one that it never held."""
    return metrics[measure.key] if measure.key in BY_KEY else metrics.get(measure.key, 0.0)


SWEPT = tuple(measure.key for measure in MEASURES if measure.swept and measure.path is None)
"""What a sweep computes, in the order of the columns of its answers."""


def value_of(formula: Callable[[Sums], float], sums: Sums) -> float:
    """Return a formula's value; NaN where it is not defined."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value = float(formula(Sums(*map(np.float64, sums))))
    return value if np.isfinite(value) else float("nan")


def values_of(sums: Sums, returns: Floats) -> dict[str, float]:
    """Return every measure by key, from the sums of (n,) returns and from the returns themselves."""
    found = {m.key: m.path(returns) if m.path else value_of(m.formula, sums) for m in MEASURES}
    return {key: int(value) if BY_KEY[key].form is count else value for key, value in found.items()}
