"""Placement: where and under which terms a ruling is carried out, and the path of what it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.engine.lots import Tax
from backtest.engine.reference import Path, Rebalance, simulate
from backtest.errors import UsageError
from backtest.market.load import with_sleeves
from backtest.market.money import in_real_money
from backtest.rules.reading import holds
from backtest.terms import DEAREST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backtest.decisions import Weights
    from backtest.market.data import Bars, MarketData
    from backtest.rules.ruling import Ruling
    from backtest.terms import Terms

BENCHMARKS = ("large", "small", "market")
"""Sleeves that every run is held against, as far as the market has them."""


def under(market: MarketData, terms: Terms) -> tuple[MarketData, Terms]:
    """Return a market as terms want it, their benchmark a sleeve, and the terms on it; errors as ``run``."""
    market = with_sleeves(market, [terms.benchmark] if terms.benchmark else [])
    terms = terms.on(market.bars.sleeves, market.benchmark)
    return in_real_money(market) if terms.real else market, terms


def yardsticks(bars: Bars, benchmark: str) -> list[str]:
    """Return the sleeves that a run is held against: those of every run, and its benchmark."""
    return list(dict.fromkeys([*(name for name in BENCHMARKS if name in bars.sleeves), benchmark]))


def window_of(bars: Bars, warm_up: int, terms: Terms, name: str, needed: Iterable[str]) -> tuple[int, int]:
    """Return the indices of the first fill and of the last bar; UsageError where there are none.

    No fill lies before all sleeves that are ``needed`` have returns.
    """
    begins, late = bars.begins(needed)
    why = f"{late} begins then" if begins > warm_up else "a signal needs its history first"
    warm_up = max(begins, warm_up)
    lowest, highest = bars.dates[0], bars.dates[-1]
    days = {"start": lowest, "end": highest}
    for what, given in (("start", terms.start), ("end", terms.end)):
        if given is None:
            continue
        days[what] = np.datetime64(given)
        if not lowest <= days[what] <= highest:
            raise UsageError(
                f"the {what} {days[what]} lies outside the data, which run from {lowest} to {highest}"
            )
    if days["start"] >= days["end"]:
        raise UsageError(f"the start {days['start']} must lie before the end {days['end']}")
    first = max(int(np.searchsorted(bars.dates, days["start"])), warm_up)
    last = int(np.searchsorted(bars.dates, days["end"], side="right")) - 1
    if warm_up >= last:
        known = "never known" if warm_up >= len(bars.dates) else f"known from {bars.dates[warm_up]} on"
        raise UsageError(
            f"{name} cannot run: its inputs are {known} ({why}), and "
            f"the last bar is {bars.dates[max(last, 0)]}"
        )
    if first >= last:
        raise UsageError(f"there is no bar between {days['start']} and {days['end']} to run on")
    return first, last


def simulated(
    decision: Weights,
    market: MarketData,
    window: tuple[int, int],
    costs: list[float],
    terms: Terms,
    engine: Callable[..., Path] = simulate,
) -> Path:
    """Return the path of a decision from the first fill to the last bar, delayed and taxed by terms."""
    (first, last), delay_fill, rates = window, terms.delay_fill, terms.rates
    targets = decision.targets(market.bars.sleeves, first - delay_fill, last - delay_fill)
    bars = market.bars.window(first, last)
    tax = rates and Tax.over(bars, market.frequency, rates, highest=terms.lots == DEAREST)
    back = Rebalance(int(decision.every_months[0]), float(decision.band[0]))
    return engine(bars, targets.moved(delay_fill - first), costs, back, tax)


class Placement(NamedTuple):
    """Where a ruling is carried out: a market as the terms want it, and its first and last bar.

    The benchmark is a sleeve of it; ``costs`` are a side of each sleeve, as fractions; ``names`` the sleeves
    that a run is held against; ``warm_up`` and ``late`` as in ``Run``.
    """

    market: MarketData
    terms: Terms
    costs: list[float]
    names: list[str]
    first: int
    last: int
    warm_up: np.datetime64
    late: str

    @property
    def bars(self) -> Bars:
        """The market's bars from the first fill to the last."""
        return self.market.bars.window(self.first, self.last)

    def path(self, decision: Weights, engine: Callable[..., Path] = simulate) -> Path:
        """Return the path of a decision over these bars; ``engine`` does what ``reference.simulate`` does."""
        return simulated(decision, self.market, (self.first, self.last), self.costs, self.terms, engine)


def placed(ruling: Ruling, terms: Terms, name: str) -> Placement:
    """Return where a strategy's ruling is carried out; errors as ``run``."""
    market, terms = under(ruling.market, terms)
    names = yardsticks(market.bars, str(terms.benchmark))
    needed = ("cash", *names, *holds(ruling.rule))
    warm_up = ruling.decision.first_fill + terms.delay_fill
    first, last = window_of(market.bars, warm_up, terms, name, needed)
    begins, late = market.bars.begins(needed)
    known = market.bars.dates[max(warm_up, begins)]
    late = late if begins > warm_up else ""
    return Placement(market, terms, terms.costs(market.bars.sleeves), names, first, last, known, late)
