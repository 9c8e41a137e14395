"""Haste: how much of a result on daily bars needs the very next close of companies that seldom trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace

from backtest.analysis.regression import alpha
from backtest.dates import EVERY_FILL
from backtest.measures import years
from backtest.placement import placed
from backtest.rules.reading import nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Floats
    from backtest.market.data import Bars
    from backtest.parameters import Value
    from backtest.placement import Placement
    from backtest.rules.ruling import Ruling
    from backtest.scripting.strategy import Strategy

STALE = 0.05
"""The correlation of a day's return of small with that of large the day before from which closes are old."""

OLD = np.datetime64("1946-01-01")
"""Before it many companies went days without a trade."""

FEWEST = 250
"""Bars of which a correlation is told: a year of days."""

FALLEN = 0.5
"""The part of its alpha below which a result does not survive slower trading."""


class Haste(NamedTuple):
    """What is left of a run's alpha, a year, where it acts less quickly.

    Parameters
    ----------
    follows, follows_early
        The correlation of small's return of a bar with large's of the bar before: in the window, and in its
        part before 1946; NaN where there is none.
    as_run, later, monthly, both
        Alpha as run; filled a bar later; decided at month ends; both.
    """

    follows: float
    follows_early: float
    as_run: float
    later: float
    monthly: float
    both: float

    @property
    def falls(self) -> bool:
        """Whether most of an alpha above zero is gone under one of them."""
        return self.as_run > 0.0 and min(self.later, self.monthly, self.both) < FALLEN * self.as_run

    @property
    def said(self) -> str:
        """What there is to say, as a clause."""
        early = self.follows_early
        before = "" if early != early else f", {early:.2f} before 1946"
        fallen = ": MOST OF IT NEEDS CLOSES AT WHICH NOBODY COULD TRADE" if self.falls else ""
        return (
            "it acts on daily prices, and closes of small companies are old: what large did, small does a "
            f"day later (correlation {self.follows:.2f}{before}); alpha a year is {self.as_run:+.2%} as run, "
            f"filled a day later {self.later:+.2%}, decided at month ends {self.monthly:+.2%}, "
            f"both {self.both:+.2%}{fallen}"
        )


def _follows(bars: Bars, until: np.datetime64 | None = None) -> float:
    dates = bars.dates if until is None else bars.dates[bars.dates < until]
    small, large = (bars.column(name)[1 : len(dates)] for name in ("small", "large"))
    if len(small) < FEWEST:
        return float("nan")
    return float(np.corrcoef(small[1:], large[:-1])[0, 1])


def _alpha(placement: Placement, returns: Floats) -> float:
    bars = placement.bars
    against, free = bars.earned(str(placement.terms.benchmark)), bars.earned("cash")
    ppy = len(returns) / years(bars.dates, placement.market.frequency)
    return alpha(returns, against, free, ppy).alpha


def haste(
    strategy: Strategy, ruling: Ruling, values: Mapping[str, Value], placement: Placement, returns: Floats
) -> Haste | None:
    """Return what slower trading leaves of a run; None where the question does not arise.

    It arises where a rule acts on the sleeves' own returns, on daily bars, more often than once a month, and
    the closes of small companies in its window are old: what large did, small does a day later.

    Parameters
    ----------
    strategy, ruling, values, placement
        What ran, and where.
    returns
        (n_bars - 1,) float64: what it earned.
    """
    market, terms, bars = placement.market, placement.terms, placement.bars
    if market.frequency != "daily" or not {"small", "large"} <= {*bars.sleeves}:
        return None
    if terms.decide not in (EVERY_FILL, "week-end") or all(n.op != "index" for n in nodes(ruling.rule)):
        return None
    follows, early = _follows(bars), _follows(bars, OLD)
    if not max(follows, np.nan_to_num(early)) >= STALE:
        return None
    from backtest.engine.path import simulate  # compiled: not every run is asked

    slower = strategy.ruling(ruling.market, values, same_close=terms.same_close, decide="month-end")
    found = []
    for rule, delay in ((ruling, 1), (slower, 0), (slower, 1)):
        under = replace(terms, delay_fill=terms.delay_fill + delay, decide=rule.known.fills.decide)
        place = placed(rule, under, strategy.name)
        found.append(_alpha(place, place.path(rule.decision, simulate).returns))
    return Haste(follows, early, _alpha(placement, returns), *found)
