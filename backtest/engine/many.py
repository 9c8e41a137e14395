"""Many parameter sets at once: the engine is chosen by what a strategy decides, never by who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from backtest.decisions import Rotation
from backtest.engine.path import Schedules
from backtest.engine.path import sweep as by_path
from backtest.engine.segments import Segments
from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats, Ints
    from backtest.engine.yardstick import Yardstick
    from backtest.market.data import Bars


class Mixes(Protocol):
    """Decisions of fractional weights, for many sets.

    ``sleeves`` are the names of the columns of ``weights`` (n_decisions, n_sleeves); what is left is cash.
    The decisions of set s are those from ``offsets[s]`` to ``offsets[s + 1]``, each from the fill ``at`` on,
    the first of a set at fill 0. ``every_months`` and ``band`` (n_sets,) say when to trade back, 0 for never.
    """

    @property
    def sleeves(self) -> tuple[str, ...]: ...  # noqa: D102 - said above
    @property
    def offsets(self) -> Ints: ...  # noqa: D102
    @property
    def at(self) -> Ints: ...  # noqa: D102
    @property
    def weights(self) -> Floats: ...  # noqa: D102
    @property
    def every_months(self) -> Ints: ...  # noqa: D102
    @property
    def band(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Measurer:
    """Measures what a strategy decides, for as many parameter sets as it decides for.

    One sleeve at a time goes to the segments engine, everything else to the path engine. What is worked out
    for a market is kept, so use one measurer for all chunks of a grid. Memory is that of a chunk: its runs,
    and 14 figures a set; 65,536 sets at a time need about 50 MB.

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
        self, decision: Rotation | Mixes, yardsticks: Sequence[Yardstick], threads: int | None = None
    ) -> Floats:
        """Return (n_windows, n_sets, n_measures) float64 in the order of ``curves.MEASURES``.

        Each window is a run of its own: the first purchase at its first bar, no trade at its last.
        ``threads`` are by default as many as there are processors; the answer does not depend on them.

        Raises
        ------
        UsageError
            When the market has no such sleeve; the nearest one is named.
        DataError
            When a sleeve that is held has no return; the sentence names sleeve and date.
        """
        if isinstance(decision, Rotation):
            signal = decision.signal
            pair = (decision.otherwise, decision.into)
            if pair not in self._pairs:
                self._pairs[pair] = Segments.of(self.bars, *pair, self.benchmark)
            return self._pairs[pair].sweep(
                signal.offsets, signal.starts, signal.stops, self.costs, yardsticks, threads
            )
        return np.array(
            [
                by_path(
                    self.bars, schedules(decision, self.bars.sleeves, y.first, y.last), self.costs, y, threads
                )
                for y in yardsticks
            ]
        )


def schedules(mixes: Mixes, sleeves: Sequence[str], first: int, last: int) -> Schedules:
    """Return what to hold in a window: the mix in force at its first bar, and each change before its last.

    Raises
    ------
    UsageError
        When the market has no such sleeve; the nearest one is named.
    """
    n_sets = len(mixes.offsets) - 1
    which = np.repeat(np.arange(n_sets), np.diff(mixes.offsets))
    until = np.r_[mixes.at[1:], 0]
    until[mixes.offsets[1:] - 1] = last
    used = (mixes.at < last) & ((mixes.at > first) | (until > first))

    weights = np.zeros((int(used.sum()), len(sleeves)))
    for column, name in enumerate(mixes.sleeves):
        if name not in sleeves:
            raise UsageError(f"the market has no sleeve '{name}'; {nearest(name, sleeves)}")
        weights[:, list(sleeves).index(name)] += mixes.weights[used, column]
    left = 1.0 - weights.sum(axis=1)
    weights[:, list(sleeves).index("cash")] += np.where(np.abs(left) < 1e-12, 0.0, left)

    which = which[used]
    new_set = np.r_[True, which[1:] != which[:-1]]
    changed = new_set | np.r_[True, (weights[1:] != weights[:-1]).any(axis=1)]
    return Schedules(
        np.r_[0, np.bincount(which[changed], minlength=n_sets).cumsum()],
        np.maximum(mixes.at[used][changed], first),
        np.arange(int(changed.sum())),
        weights[changed],
        mixes.every_months,
        np.where(mixes.band > 0.0, mixes.band, np.inf),
    )
