"""The yardstick: the window that portfolios are measured over, and what they are held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from backtest.engine.curves import describe_benchmark

if TYPE_CHECKING:
    from backtest.dates import Floats
    from backtest.market.data import Bars


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
        window = bars.window(first, last)
        risk_free, held_against = (np.ascontiguousarray(window.earned(name)) for name in ("cash", benchmark))
        return cls(
            first,
            last,
            n_years,
            risk_free,
            held_against,
            describe_benchmark(held_against, risk_free),
        )
