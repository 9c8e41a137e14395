"""The statistics that papers print of a sample of monthly returns, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from backtest.analysis.regression import least_squares, ordinary_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Bools, Floats, Ints

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Sample:
    """Monthly returns in percent, without a gap.

    Parameters
    ----------
    months
        (n,) int64, the month of the year of each, 1 to 12.
    returns
        (n,) float64, percent a month, of a portfolio that costs nothing, such as SMB.
    market
        (n,) float64, percent a month, the market less the bill; NaN where a table does not use it.
    """

    months: Ints
    returns: Floats
    market: Floats


@dataclass(frozen=True)
class Statistic(Generic[T]):
    """What a table prints: its label with the unit, and the function that gives it of a sample."""

    label: str
    of: Callable[[T], float]
    needs_market: bool = False


def _t(values: Floats) -> float:
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


def _p(values: Floats) -> float:
    from scipy.stats import t

    return float(2.0 * t.sf(abs(_t(values)), len(values) - 1))


def _january(sample: Sample) -> Floats:
    return sample.returns[sample.months == 1]


def _other_months(sample: Sample) -> Floats:
    return sample.returns[sample.months != 1]


def _line(sample: Sample) -> tuple[float, float, float]:
    """Return alpha a month, beta, and the ordinary t of alpha."""
    design = np.column_stack([np.ones(len(sample.market)), sample.market])
    alpha, beta = least_squares(sample.returns, design).coefficients.tolist()
    return alpha, beta, alpha / float(ordinary_errors(sample.returns, design)[0])


STATISTICS: dict[str, Statistic[Sample]] = {
    "mean": Statistic("mean, % a month", lambda s: float(s.returns.mean())),
    "mean_p": Statistic("mean, p", lambda s: _p(s.returns)),
    "mean_year": Statistic("mean, % a year", lambda s: 12.0 * float(s.returns.mean())),
    "volatility": Statistic("volatility, % a year", lambda s: 12.0**0.5 * float(s.returns.std(ddof=1))),
    "t": Statistic("mean, t", lambda s: _t(s.returns)),
    "sharpe": Statistic("Sharpe ratio", lambda s: (12.0 / len(s.returns)) ** 0.5 * _t(s.returns)),
    "alpha": Statistic("alpha, % a month", lambda s: _line(s)[0], needs_market=True),
    "alpha_year": Statistic("alpha, % a year", lambda s: 12.0 * _line(s)[0], needs_market=True),
    "alpha_t": Statistic("alpha, t", lambda s: _line(s)[2], needs_market=True),
    "beta": Statistic("beta", lambda s: _line(s)[1], needs_market=True),
    "january": Statistic("mean of January, %", lambda s: float(_january(s).mean())),
    "january_p": Statistic("mean of January, p", lambda s: _p(_january(s))),
    "other_months": Statistic("mean of other months, %", lambda s: float(_other_months(s).mean())),
    "other_months_p": Statistic("mean of other months, p", lambda s: _p(_other_months(s))),
}
"""The statistics by the names that ``data/replications.toml`` uses. A year is twelve months, not compounded;
t and p are the ordinary ones, as papers print them: of independent months of one variance."""


@dataclass(frozen=True, eq=False)
class RealReturns:
    """What was earned after each of several months.

    Parameters
    ----------
    returns
        (n,) float64, percent over the whole time after the case.
    recession
        (n,) bool: whether a recession is marked.
    """

    returns: Floats
    recession: Bools


OF_CASES: dict[str, Statistic[RealReturns]] = {
    "mean": Statistic("mean of all, %", lambda c: float(c.returns.mean())),
    "mean_recession": Statistic("mean with a recession, %", lambda c: float(c.returns[c.recession].mean())),
    "mean_other": Statistic("mean without a recession, %", lambda c: float(c.returns[~c.recession].mean())),
}
"""The statistics of cases by the names that the file uses."""
