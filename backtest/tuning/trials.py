"""Trials: the decisions of many combinations of parameters, over one window, measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.engine.curves import N_MEASURES, Yardstick
from backtest.engine.many import Measurer
from backtest.measures import years
from backtest.placement import under, yardsticks
from backtest.rules import expressions as rules
from backtest.rules.evaluate import Evaluation
from backtest.rules.reading import holds
from backtest.runs import follow
from backtest.signals.rows import combinations
from backtest.tuning.blocks import block_sums
from backtest.tuning.objective import all_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from backtest.dates import Bools, Floats, Ints
    from backtest.decisions import Weights
    from backtest.market.data import MarketData
    from backtest.market.known import Known
    from backtest.rules.evaluate import Sets
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy
    from backtest.signals.spells import Spells
    from backtest.terms import Terms
    from backtest.tuning.grid import Grid
    from backtest.tuning.objective import Constraint

STATUSES = ("measured", "excluded", "refused", "unknown")
"""A trial was measured; was left out by a constraint on parameters; was refused by the strategy or its
signals; or its inputs are not known by the start of the common window."""

MEASURED, EXCLUDED, REFUSED, UNKNOWN = range(4)

_AT_ONCE = 1024  # sets whose returns are kept while they are added up

Window = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Group:
    """Combinations that share their words, and their decisions, each different one once.

    Parameters
    ----------
    places
        (n_places,) int64: which of the combinations that were asked for these are.
    decision
        The different decisions, a set each.
    of
        (n_places,) int64: the set of each combination.
    """

    places: Ints
    decision: Weights
    of: Ints

    def over(self, first: int, last: int) -> Group:
        """Return what is known by a window's first bar, each decision that is another within it once."""
        sets, which = self.decision.unlike(first, last)
        of = which[self.of]
        kept = of >= 0
        return Group(self.places[kept], self.decision.take(sets), of[kept])


@dataclass(frozen=True, eq=False)
class Decided:
    """What the strategy decided for some combinations.

    Parameters
    ----------
    status
        (n,) int8: ``EXCLUDED`` or ``REFUSED`` where it decided nothing, else ``MEASURED``.
    first
        (n,) int64: the first fill at which all that is needed is known; -1 where nothing was decided.
    groups
        What was decided, a group for each combination of words.
    """

    status: NDArray[np.int8]
    first: Ints
    groups: list[Group]

    def over(self, first: int, last: int) -> list[Group]:
        """Return the groups over a window, without those of which nothing is known by its first bar."""
        groups = [group.over(first, last) for group in self.groups]
        return [group for group in groups if len(group.places)]


@dataclass(frozen=True, eq=False)
class Trials:
    """What all trials of a sweep share; makes and measures any of them.

    Parameters
    ----------
    strategy, market, grid
        What is tuned, on what, and over which combinations.
    constraints
        Those on parameters alone.
    terms
        Those that all trials share; their window is not the sweep's.
    """

    strategy: Strategy
    market: MarketData
    grid: Grid
    constraints: tuple[Constraint, ...]
    terms: Terms
    _rules: dict[tuple[str, ...], tuple[rules.Decision, Evaluation]] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; the rule is drawn, and tables are made, anew there."""
        made = {"known", "costs", "measurer"}
        return {name: value for name, value in vars(self).items() if name not in made} | {"_rules": {}}

    def completed(self) -> Trials:
        """Return the same on the market as its terms and its rules want it."""
        axes, market = self.grid.words, self.market
        for words in product(*(axis.values for axis in axes)):
            named = zip((axis.name for axis in axes), words, strict=True)
            market = self.strategy.complete(market, dict(named))
        market, terms = under(market, self.terms)
        return replace(self, market=market, terms=terms)

    @property
    def needed(self) -> tuple[str, ...]:
        """The sleeves that need returns over the window: what any trial may hold, and is held against."""
        held = (name for rule in self._drawn for name in holds(rule))
        return ("cash", *yardsticks(self.market.bars, self.benchmark), *held)

    @property
    def benchmark(self) -> str:
        """The sleeve that alpha is held against."""
        return str(self.terms.benchmark)

    @cached_property
    def known(self) -> Known:
        """The market as the strategy sees it."""
        return self.market.known(same_close=self.terms.same_close, decide=self.terms.decide)

    @cached_property
    def costs(self) -> tuple[float, ...]:
        """The cost a side of each sleeve, as a fraction."""
        return tuple(self.terms.costs(self.market.bars.sleeves))

    @cached_property
    def measurer(self) -> Measurer:
        """What measures decisions; it keeps the tables of the market."""
        return Measurer(self.market.bars, self.benchmark, self.costs)

    def run(self, number: int, window: Window) -> Run:
        """Return the run of one combination over a window; errors as ``runs.run``."""
        return self.follow(self.strategy, window, self.grid.values(number))

    def follow(self, strategy: Strategy, window: Window, values: dict[str, Any]) -> Run:
        """Return the run of a strategy over a window, on the terms that all trials share."""
        first, last = (self.market.bars.dates[bar] for bar in window)
        return follow(strategy, self.market, self.terms.within(first, last), strategy.bind(values))

    def yardstick(self, window: Window) -> Yardstick:
        """Return the yardstick of a window."""
        first, last = window
        n_years = years(self.market.bars.dates[first : last + 1], self.market.frequency)
        return Yardstick.of(self.market.bars, self.benchmark, first, last, n_years)

    def keeps(self, numbers: Ints) -> Bools:
        """Return which combinations keep to the constraints on parameters, (n,) bool."""
        return all_hold(self.constraints, self.grid.rows(numbers), len(numbers))

    def decide(self, numbers: Ints) -> Decided:
        """Return what the strategy decides for the combinations of these numbers."""
        n = len(numbers)
        status = np.where(self.keeps(numbers), np.int8(MEASURED), np.int8(EXCLUDED))
        first = np.full(n, -1, dtype=np.int64)
        groups = []
        for rule, work, places in self._rules_of(numbers, np.flatnonzero(status == MEASURED)):
            made = work(rule)
            good = np.ones(len(places), dtype=np.bool_) if made.refused is None else ~made.refused
            status[places[~good]] = REFUSED
            if good.any():
                (sets,), which = combinations(made.of[good])
                decision = made.value.take(sets)
                first[places[good]] = decision.first[which]
                groups.append(Group(places[good], decision, which))
        return Decided(status, first, groups)

    def signals(self, numbers: Ints) -> Iterator[Spells]:
        """Give each signal that decides for some of the combinations, with the sets that these use."""
        for group in self.decide(numbers).groups:
            if (rotation := group.decision.rotation) is not None:
                yield rotation[1]
                continue
            for rule, work, _ in self._rules_of(numbers, group.places):
                for made in (work(each) for each in rule.inputs if isinstance(each, rules.Signal)):
                    yield made.value.take(np.unique(made.of))

    def _rules_of(
        self, numbers: Ints, places: Ints
    ) -> Iterator[tuple[rules.Decision, Callable[[rules.Expr], Sets], Ints]]:
        """Give the rule under each combination of words, what works out its parts, and its places."""
        digits = dict(zip((axis.name for axis in self.grid.axes), self.grid.digits(numbers), strict=True))
        group = np.zeros(len(places), dtype=np.int64)
        for axis in self.grid.words:
            group = group * len(axis.values) + digits[axis.name][places]
        for which in np.unique(group):
            mine = places[group == which]
            words = (axis.values[digits[axis.name][mine[0]]] for axis in self.grid.words)
            rule, evaluation = self._rule(tuple(map(str, words)))
            codes = {axis.name: digits[axis.name][mine] for axis in self.grid.axes if axis.ordered}
            yield rule, partial(evaluation.work, codes=codes, n_rows=len(mine)), mine

    @property
    def idle(self) -> list[str]:
        """The numbers that the grid varies and that the rule uses under none of its words."""
        used = {name for rule in self._drawn for name in rule.parameters}
        return [axis.name for axis in self.grid.free if axis.ordered and axis.name not in used]

    @property
    def _drawn(self) -> Iterator[rules.Decision]:
        """The rule under every combination of words."""
        words = product(*(axis.values for axis in self.grid.words))
        return (self._rule(tuple(map(str, each)))[0] for each in words)

    def _rule(self, words: tuple[str, ...]) -> tuple[rules.Decision, Evaluation]:
        """Return the rule under some words, drawn once, and what evaluates it."""
        if words not in self._rules:
            axes = {axis.name: axis.array for axis in self.grid.axes if axis.ordered}
            named = zip((axis.name for axis in self.grid.words), words, strict=True)
            rule = self.strategy.draw(self.known.names, dict(named))
            self._rules.setdefault(words, (rule, Evaluation(self.known, axes)))
        return self._rules[words]

    def first_fill(self, numbers: Ints, last: int) -> int:
        """Return the latest first fill of these combinations known before the ``last`` bar; -1 for none."""
        decided = self.decide(numbers)
        usable = (decided.first >= 0) & (decided.first < last)
        return int(decided.first[usable].max(initial=-1))

    def measure(
        self, numbers: Ints, windows: list[Window], threads: int | None = 1
    ) -> tuple[NDArray[np.int8], Floats]:
        """Measure combinations over windows.

        Returns
        -------
        status
            (n,) int8: the place in ``STATUSES``.
        measures
            (n_windows, n, n_measures) float64 in the order of ``measures.SWEPT``; NaN where not measured.
        """
        decided = self.decide(numbers)
        earliest, latest = min(first for first, _ in windows), max(last for _, last in windows)
        status = decided.status.copy()
        status[(status == MEASURED) & (decided.first > earliest)] = UNKNOWN
        out = np.full((len(windows), len(numbers), N_MEASURES), np.nan)
        yardsticks = [self.yardstick(window) for window in windows]
        for group in decided.over(earliest, latest):
            measured = self.measurer.measure(group.decision, yardsticks, threads)
            out[:, group.places] = measured[:, group.of]
        return status, out

    def blocks(self, numbers: Ints, window: Window, edges: Ints) -> Floats:
        """Return sums of excess returns over blocks of the window and of their squares.

        (2, n, n_blocks) float64; NaN where a combination is not measured. ``edges`` (n_blocks + 1,) are bars,
        from the window's first to its last: block b has the returns after ``edges[b]`` up to the next.
        """
        decided = self.decide(numbers)
        out = np.full((2, len(numbers), len(edges) - 1), np.nan)
        for group in decided.over(*window):
            decision = group.decision
            sums = np.full((2, decision.n_sets, len(edges) - 1), np.nan)
            if (rotation := decision.rotation) is not None:
                pair, signal = rotation
                sums[:] = block_sums(self.market.bars, pair, signal.arrays, edges, self.costs)
            else:
                cash = self.market.bars.column("cash")[window[0] + 1 : window[1] + 1]
                for start in range(0, decision.n_sets, _AT_ONCE):
                    some = np.arange(start, min(start + _AT_ONCE, decision.n_sets))
                    excess = self.measurer.returns(decision.take(some), *window) - cash
                    sums[:, some] = np.add.reduceat([excess, excess**2], edges[:-1] - edges[0], axis=2)
            out[:, group.places] = sums[:, group.of]
        return out

    def returns(self, numbers: Ints, window: Window) -> Floats:
        """Return the combinations' returns after costs, (n, n_bars); each must be known over the window."""
        decided = self.decide(numbers)
        out = np.full((len(numbers), window[1] - window[0]), np.nan)
        for group in decided.over(*window):
            out[group.places] = self.measurer.returns(group.decision, *window)[group.of]
        return out
