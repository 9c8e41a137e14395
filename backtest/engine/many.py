"""Many parameter sets at once: the engine is chosen by what a strategy decides, never by who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from backtest.engine.path import Schedules
from backtest.engine.path import returns as path_returns
from backtest.engine.path import sweep as by_path
from backtest.engine.segments import Segments
from backtest.engine.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats
    from backtest.decisions import Weights
    from backtest.engine.curves import Yardstick
    from backtest.market.data import Bars


@dataclass(frozen=True, eq=False)
class Measurer:
    """Measures what a strategy decides, for as many parameter sets as it decides for.

    One of two sleeves at a time goes to the segments engine, everything else to the stages engine, and what
    that cannot tell to the path engine. What is worked out for a market is kept, so use one measurer for all
    chunks of a grid. Memory is that of a chunk: its runs, and 14 figures a set; 65,536 sets at a time need
    about 50 MB. The stages engine remembers up to 64 MB a thread.

    Parameters
    ----------
    bars
        All bars of the market.
    benchmark
        The sleeve that portfolios are held against.
    costs
        (n_sleeves,) cost a side, as a fraction of the notional traded.
    """

    bars: Bars
    benchmark: str
    costs: Sequence[float]
    _pairs: dict[tuple[str, str], Segments] = field(default_factory=dict, repr=False)

    def measure(
        self, decision: Weights, yardsticks: Sequence[Yardstick], threads: int | None = None
    ) -> Floats:
        """Return (n_windows, n_sets, n_measures) float64 in the order of ``measures.SWEPT``.

        Each window is a run of its own: the first purchase at its first bar, no trade at its last.
        ``threads`` are by default as many as there are processors; the answer does not depend on them.

        Raises
        ------
        UsageError
            When the market has no such sleeve; the nearest one is named.
        DataError
            When a sleeve that is held has no return; the sentence names sleeve and date.
        """
        if (rotation := decision.rotation) is not None:
            pair, signal = rotation
            if pair not in self._pairs:
                self._pairs[pair] = Segments.of(self.bars, *pair, self.benchmark)
            return self._pairs[pair].sweep(signal.arrays, self.costs, yardsticks, threads)
        return np.array([self._mixes(decision, yardstick, threads) for yardstick in yardsticks])

    def _mixes(self, mixes: Weights, yardstick: Yardstick, threads: int | None) -> Floats:
        """Measure mixes over a window, stage by stage, and bar by bar where that is not good enough."""
        out, good = self._stages.sweep(mixes, yardstick, threads)
        if not good.all():
            left, window = mixes.take(np.flatnonzero(~good)), (yardstick.first, yardstick.last)
            wanted = Schedules.of(left, self.bars.sleeves, window)
            out[~good] = by_path(self.bars, wanted, self.costs, yardstick, threads)
        return out

    def returns(self, decision: Weights, first: int, last: int) -> Floats:
        """Return the returns after costs over a window, (n_sets, n); errors as ``measure``."""
        wanted = Schedules.of(decision, self.bars.sleeves, (first, last))
        return path_returns(self.bars, wanted, self.costs, (first, last))

    @cached_property
    def _stages(self) -> Stages:
        return Stages(self.bars, self.benchmark, self.costs)
