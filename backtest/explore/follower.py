"""A follower: one strategy under the hand; what a move does not touch is kept from the positions before."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from backtest.cautions.lookahead import doubts
from backtest.engine import path, reference
from backtest.measures import Sums, time_in, values_of, years
from backtest.placement import Placement, placed
from backtest.runs import carried_out, holding

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Floats
    from backtest.engine.reference import Path
    from backtest.market.data import Bars, MarketData
    from backtest.parameters import Value
    from backtest.rules.ruling import Ruling
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy
    from backtest.terms import Terms


@dataclass(frozen=True, eq=False)
class Glimpse:
    """What is drawn at once of a position: the path and its measures, without what needs a regression.

    Parameters
    ----------
    name
        The strategy's.
    ruling, placement, path
        As those of its run.
    """

    name: str
    ruling: Ruling
    placement: Placement
    path: Path

    @cached_property
    def bars(self) -> Bars:
        """The bars from the first fill to the last."""
        return self.placement.bars

    @property
    def benchmark(self) -> str:
        """The sleeve that it is held against."""
        return str(self.placement.terms.benchmark)

    @property
    def active(self) -> Floats:
        """Its returns less the benchmark's, (n,)."""
        return self.path.returns - self.bars.column(self.benchmark)[1:]

    @property
    def n_years(self) -> float:
        """The length of its returns in years."""
        return years(self.bars.dates, self.placement.market.frequency)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Every measure by key; NaN for alpha's t and p, which follow with the run."""
        against, free = (self.bars.earned(name) for name in (self.benchmark, "cash"))
        sums = Sums.of(self.path.returns, against, free, self.n_years)
        sums = sums._replace(**holding(self.path, self.bars.sleeves))
        return {**values_of(sums, self.path.returns), **time_in(self.path.weights, self.bars.sleeves)}


class Engine:
    """What simulates: the reference engine until the compiled one is ready, which then does the same.

    Compiling takes some seconds after an installation, and a moment in every later process; both engines
    give the same to the last bit.
    """

    def __init__(self) -> None:
        self._simulate: Callable[..., Path] = reference.simulate
        self._begun = False

    def __call__(self, *arguments: Any) -> Path:
        """Return what ``reference.simulate`` does."""
        return self._simulate(*arguments)

    def warm_up(self, glimpse: Glimpse) -> None:
        """Compile in a thread of its own, by simulating what was glimpsed; only the first call does so."""
        if self._begun:
            return
        self._begun = True

        def work() -> None:
            glimpse.placement.path(glimpse.ruling.decision, path.simulate)
            self._simulate = path.simulate

        threading.Thread(target=work, daemon=True).start()


class Follower:
    """Runs one strategy on one market again and again, each time a little differently."""

    def __init__(self, strategy: Strategy, market: MarketData, engine: Engine) -> None:
        self.strategy, self.market, self._engine = strategy, market, engine
        self._rulings: dict[Any, Ruling] = {}
        self._doubts: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def ruling(self, terms: Terms, values: dict[str, Value]) -> Ruling:
        """Return what the strategy's rule says at some values, moved from what it said last."""
        parameters = self.strategy.parameters
        words = tuple(values[p.name] for p in parameters if p.choices)
        drawn = (words, terms.same_close, terms.decide)
        if drawn not in self._rulings:
            self._rulings[drawn] = self.strategy.ruling(
                self.market, values, same_close=terms.same_close, decide=terms.decide
            )
        else:
            axes = {p.name: p.array([values[p.name]]) for p in parameters if not p.choices}
            self._rulings[drawn] = self._rulings[drawn].moved(axes)
        return self._rulings[drawn]

    def glimpse(self, terms: Terms, values: dict[str, Value]) -> Glimpse:
        """Return what is drawn at once; errors as ``runs.run``."""
        ruling = self.ruling(terms, values)
        placement = placed(ruling, terms, self.strategy.name)
        return Glimpse(self.strategy.name, ruling, placement, placement.path(ruling.decision, self._engine))

    def run(self, terms: Terms, values: dict[str, Value]) -> Run:
        """Return the run itself; errors as ``runs.run``.

        What is to be said of functions and days of the script's own is found out once for each choice of its
        words: it takes seconds.
        """
        ruling = self.ruling(terms, values)
        words = tuple(values[p.name] for p in self.strategy.parameters if p.choices)
        if words not in self._doubts:
            self._doubts[words] = doubts(self.strategy, values, ruling)
        return carried_out(self.strategy, ruling, terms, values, self._doubts[words], self._engine)
