"""The yardstick: the window that portfolios are measured over, and what they are held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from backtest.engine.curves import describe_benchmark
from backtest.errors import DataError

if TYPE_CHECKING:
    from backtest.dates import Days, Floats
    from backtest.market.data import Bars


def require_whole(name: str, returns: Floats, dates: Days) -> None:
    """Raise DataError, with the first date without a return, where what the measures need has gaps."""
    missing = np.isnan(returns)
    if missing.any():
        day = dates[missing.argmax()]
        raise DataError(
            f"{name} has no return on {day}, which the measures need; choose a window in which it has all"
        )


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What the measures of many portfolios share.

    Parameters
    ----------
    first, last
        The bars of the first fill and of the end.
    n_years
        The years that the returns in between span.
    risk_free, benchmark
        (n,) float64: cash and the benchmark over these bars.
    about
        What ``describe_benchmark`` says of the two.
    """

    first: int
    last: int
    n_years: float
    risk_free: Floats
    benchmark: Floats
    about: Floats

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats, float]:
        """What the compiled loops take."""
        return self.risk_free, self.benchmark, self.about, self.n_years

    @cached_property
    def sums(self) -> tuple[float, float, float, float, float, float]:
        """The years, ``about``, and the sums of cash, of the benchmark's excess return and of its square."""
        x = self.benchmark - self.risk_free  # summed without BLAS, whose threads take longer to start
        totals = (float(self.risk_free.sum()), float(x.sum()), float((x * x).sum()))
        return (self.n_years, float(self.about[0]), float(self.about[1]), *totals)

    @classmethod
    def of(cls, bars: Bars, benchmark: str, first: int, last: int, n_years: float) -> Yardstick:
        """Return the yardstick over the bars from ``first`` to ``last``, which span ``n_years``.

        Raises
        ------
        UsageError
            When there is no such benchmark.
        DataError
            When cash or the benchmark lack a return in the window; the sentence names sleeve and date.
        """
        part = slice(first + 1, last + 1)
        columns = {name: np.ascontiguousarray(bars.column(name)[part]) for name in ("cash", benchmark)}
        for name, column in columns.items():
            require_whole(name, column, bars.dates[part])
        risk_free, held_against = columns["cash"], columns[benchmark]
        return cls(
            first,
            last,
            n_years,
            risk_free,
            held_against,
            describe_benchmark(held_against, risk_free),
        )
