"""Trials: the decisions of many combinations of parameters, over one window, measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.analysis import measures
from backtest.decisions import Rotation
from backtest.engine import path
from backtest.engine.curves import N_MEASURES
from backtest.engine.many import Measurer
from backtest.engine.yardstick import Yardstick
from backtest.runs import rebalancing, run
from backtest.tuning.blocks import block_sums
from backtest.tuning.constraints import all_hold
from backtest.tuning.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from backtest.dates import Bools, Floats, Ints
    from backtest.decisions import Decision
    from backtest.market.data import MarketData
    from backtest.market.market import Market
    from backtest.runs import Cost, Result
    from backtest.scripting.strategy import Strategy
    from backtest.tuning.constraints import Constraint
    from backtest.tuning.grid import Grid

STATUSES = ("measured", "excluded", "refused", "unknown")
"""A trial was measured; was left out by a constraint on parameters; was refused by the strategy or its
signals; or its inputs are not known by the start of the common window."""

MEASURED, EXCLUDED, REFUSED, UNKNOWN = range(4)

Window = tuple[int, int]


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
        Pairs of the places (within the n) that share a decision, and that decision: it has a set for each
        of them, or a single one.
    """

    status: NDArray[np.int8]
    first: Ints
    groups: list[tuple[Ints, Decision]]


@dataclass(frozen=True, eq=False)
class Trials:
    """What all trials of a sweep share; makes and measures any of them.

    Parameters
    ----------
    strategy, market, grid
        What is tuned, on what, and over which combinations.
    constraints
        Those on parameters alone.
    cost
        What trading costs.
    benchmark
        The sleeve that alpha is held against.
    same_close
        Whether fills use news of their own day.
    """

    strategy: Strategy
    market: MarketData
    grid: Grid
    constraints: tuple[Constraint, ...]
    cost: Cost
    benchmark: str
    same_close: bool = False
    refusals: Refusals = field(default_factory=Refusals)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; tables are made anew there."""
        made = {"known", "costs", "measurer"}
        return {name: value for name, value in vars(self).items() if name not in made}

    @cached_property
    def known(self) -> Market:
        """The market as the strategy sees it."""
        return self.market.known(same_close=self.same_close)

    @cached_property
    def costs(self) -> tuple[float, ...]:
        """The cost a side of each sleeve, as a fraction."""
        return tuple(self.cost.fractions(self.market.bars.sleeves))

    @cached_property
    def measurer(self) -> Measurer:
        """What measures decisions; it keeps the tables of the market."""
        return Measurer(self.market.bars, self.benchmark, self.costs)

    def run(self, number: int, window: Window) -> Result:
        """Return the run of one combination over a window; errors as ``runs.run``."""
        return self.follow(self.strategy, window, self.grid.values(number))

    def follow(self, strategy: Strategy, window: Window, values: dict[str, Any]) -> Result:
        """Return the run of a strategy over a window, on the terms that all trials share."""
        dates = self.market.bars.dates
        return run(
            strategy,
            self.market,
            start=dates[window[0]],
            end=dates[window[1]],
            cost_bps=self.cost.bps,
            benchmark=self.benchmark,
            same_close=self.same_close,
            **values,
        )

    def yardstick(self, window: Window) -> Yardstick:
        """Return the yardstick of a window."""
        first, last = window
        n_years = measures.years(self.market.bars.dates[first : last + 1], self.market.frequency)
        return Yardstick.of(self.market.bars, self.benchmark, first, last, n_years)

    def keeps(self, numbers: Ints) -> Bools:
        """Return which combinations keep to the constraints on parameters, (n,) bool."""
        return all_hold(self.constraints, self.grid.rows(numbers), len(numbers))

    def decide(self, numbers: Ints) -> Decided:
        """Return what the strategy decides for the combinations of these numbers."""
        n = len(numbers)
        rows = self.grid.rows(numbers)
        status = np.full(n, MEASURED, dtype=np.int8)
        status[~self.keeps(numbers)] = EXCLUDED
        first = np.full(n, -1, dtype=np.int64)
        groups = []
        for places in self._words(rows, np.flatnonzero(status == MEASURED)):
            kept, decision = self.refusals.decide(self.strategy, self.known, self.grid, rows, places)
            status[np.setdiff1d(places, kept, assume_unique=True)] = REFUSED
            if decision is not None:
                first[kept] = decision.first
                groups.append((kept, decision))
        return Decided(status, first, groups)

    def _words(self, rows: dict[str, NDArray[Any]], places: Ints) -> Iterable[Ints]:
        """Return the places that have the same words, a group each."""
        key = np.zeros(len(places), dtype=np.int64)
        for axis in self.grid.axes:
            if not axis.ordered:
                key = key * len(axis.values) + np.unique(rows[axis.name][places], return_inverse=True)[1]
        return [places[key == k] for k in np.unique(key)]

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
            (n_windows, n, n_measures) float64 in the order of ``MEASURES``; NaN where not measured.
        """
        decided = self.decide(numbers)
        earliest = min(first for first, _ in windows)
        status = decided.status.copy()
        status[(status == MEASURED) & (decided.first > earliest)] = UNKNOWN
        out = np.full((len(windows), len(numbers), N_MEASURES), np.nan)
        yardsticks = [self.yardstick(window) for window in windows]
        for places, decision in decided.groups:
            good = status[places] == MEASURED
            if good.any():
                out[:, places] = self.measurer.measure(silenced(decision, good), yardsticks, threads)
        out[:, status != MEASURED] = np.nan
        return status, out

    def blocks(self, numbers: Ints, window: Window, edges: Ints) -> Floats:
        """Return sums of excess returns over blocks of the window and of their squares.

        (2, n, n_blocks) float64; NaN where a combination is not measured. ``edges`` (n_blocks + 1,) are bars,
        from the window's first to its last: block b has the returns after ``edges[b]`` up to the next.
        """
        decided = self.decide(numbers)
        out = np.full((2, len(numbers), len(edges) - 1), np.nan)
        for places, decision in decided.groups:
            known = decided.first[places] <= window[0]
            if isinstance(decision, Rotation):
                pair = (decision.otherwise, decision.into)
                signal = silenced(decision, known).signal  # type: ignore[union-attr]
                runs = (signal.offsets, signal.starts, signal.stops)
                out[:, places] = block_sums(self.market.bars, pair, runs, edges, self.costs)
            else:
                cash = self.market.bars.column("cash")[window[0] + 1 : window[1] + 1]
                for which in np.flatnonzero(known):
                    excess = self._returns(decision, int(which), window) - cash
                    inside = np.add.reduceat([excess, excess**2], edges[:-1] - edges[0], axis=1)
                    out[:, places[which]] = inside
            out[:, places[~known]] = np.nan
        return out

    def returns(self, numbers: Ints, window: Window) -> Floats:
        """Return the combinations' returns after costs, (n, n_bars); each must be known over the window."""
        decided = self.decide(numbers)
        out = np.full((len(numbers), window[1] - window[0]), np.nan)
        for places, decision in decided.groups:
            for which, place in enumerate(places):
                if decided.first[place] <= window[0]:
                    out[place] = self._returns(decision, which, window)
        return out

    def _returns(self, decision: Decision, which: int, window: Window) -> Floats:
        first, last = window
        which = which if len(decision.first) > 1 else 0
        targets = decision.targets(self.market.bars.sleeves, first, last, which).moved(-first)
        bars = self.market.bars.window(first, last)
        rebalance = rebalancing(decision, which)
        return path.simulate(bars, targets, self.costs, rebalance).returns


def silenced(decision: Decision, good: NDArray[np.bool_]) -> Decision:
    """Return a decision without the runs of sets that are not good, which mean nothing."""
    if good.all() or not isinstance(decision, Rotation):
        return decision
    signal = decision.signal.spread(len(good))
    kept = np.repeat(good, np.diff(signal.offsets))
    offsets = np.r_[0, np.cumsum(kept)][signal.offsets]
    quiet = replace(signal, offsets=offsets, starts=signal.starts[kept], stops=signal.stops[kept])
    return replace(decision, signal=quiet)
