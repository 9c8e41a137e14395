"""The stages engine: a mix goes from stage to stage of some bars, and each different stage is walked once.

What a portfolio does over a few bars follows from how it comes in (which mix it holds, and since which trade,
for then its holdings have drifted), from what is decided on these bars, and from when it trades back to its
mix. Thousands of parameter sets differ as a whole, but few of them differ over any few bars. So a stage is
walked as ``path`` walks, the first time that it is asked for, and remembered (see ``elements``). A set is
then a chain of look-ups; and one that differs from the set before by a band that decides nothing is that set.

Neither threads nor what was asked before changes a bit. Where rounding could have decided about a trade,
where a sum is not good (see ``rounding``), or where a return is missing, the set is left to another engine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled, copy, higher, inlined, lower
from backtest.engine.answers import LONGEST, Answers, Window, of_rows, of_signals
from backtest.engine.curves import N_MEASURES, Yardstick
from backtest.engine.elements import (
    BELOW,
    LEAST,
    NEXT,
    Memory,
    Setting,
    Stage,
    Traded,
    find,
    fits,
    forget,
    join,
    make,
    remember,
    state_of,
    stretch_of,
    sums_of,
    trade,
    traded_of,
)
from backtest.engine.parallel import share
from backtest.engine.rounding import ULP, FiveSums, conclude, plus
from backtest.engine.trading import months_of, value_after_costs
from backtest.signals.together import Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Bools, Floats, Ints
    from backtest.decisions import Weights
    from backtest.market.data import Bars

_STAGES = 8  # of more of them more are alike, and there are more to look up
_PART = 4096  # sets whose answers are written down at a time


@compiled
def _alike(answers: tuple[Ints, Ints, Ints], which: int) -> bool:
    """Return whether a set gets the same answers as the one before it."""
    bits, begins, places = answers
    for signal in range(len(places)):
        one, other = places[signal, which], places[signal, which - 1]
        if one != other:
            if begins[one] != begins[other]:
                return False
            for stage in range(bits.shape[1]):
                if bits[one, stage] != bits[other, stage]:
                    return False
    return True


@inlined
def _error(
    sums: FiveSums, n: int, centre: float, n_terms: int, traded: Traded
) -> tuple[float, int, FiveSums]:
    """Return what rounding can have done to the sums; see ``rounding.conclude``.

    Holdings that have drifted are off by a rounding a bar, and what carries a cost is off by one of 1;
    roundings add up as a random walk does.
    """
    noise = ULP * (n_terms + 4)
    size = math.sqrt(sums[1] + n * centre * centre)
    off = 2.0 * ULP * (math.sqrt(traded[4] + 4.0) * size + math.sqrt(traded[3])) / noise
    of_squares = (math.sqrt(sums[1]), math.sqrt(sums[2]), math.sqrt(sums[3]), math.sqrt(sums[4]))
    reach = (
        math.sqrt(n) * off, 2.0 * of_squares[0] * off, 2.0 * of_squares[1] * off,
        2.0 * of_squares[2] * off, 2.0 * of_squares[3] * off,
    )  # fmt: skip
    return noise, n, reach


@compiled
def _measure_sets(
    out: Floats,
    good: Bools,
    answers: Answers,
    rebalances: tuple[Ints, Floats],
    window: Window,
    setting: Setting,
    memory: Memory,
    yardstick: Yardstick,
) -> None:
    """Write the measures of the sets, and which of them are good."""
    (bits, begins, places), (every_months, bands), (first, last, length) = answers, rebalances, window
    weights, figures = setting.weights, memory.figures
    n, n_signals, n_stages, n_bars = last - first, len(places), bits.shape[1], len(setting.months)
    held, here = np.empty(weights.shape[1]), np.empty(n_signals, np.int64)
    least, below = 0.0, np.inf
    for which in range(len(out)):
        every, band, mask = every_months[which], bands[which], 0
        if (
            which > 0 and max(band, bands[which - 1]) < np.inf and every == every_months[which - 1]
            and least <= band < below and _alike(answers, which)
        ):  # fmt: skip
            copy(out[which], out[which - 1])
            good[which] = good[which - 1]
            continue
        for signal in range(n_signals):
            mask |= begins[places[signal, which]] << signal
        row = setting.asked[mask]
        state = state_of(0, row, first if setting.only[row] < 0 else 0, len(weights), n_bars)
        least, below = 0.0, np.inf
        stretch, sums, traded = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 0.0)
        element = -1
        for stage in range(n_stages):
            for signal in range(n_signals):
                here[signal] = bits[places[signal, which], stage]
            before, element = element, find(memory, state, every, here, band)
            if element < 0:
                copy(held, weights[row] if stage == 0 else memory.holdings[before])
                start, kept = first + stage * length, setting.first_kept[row] if stage == 0 else 1.0
                bars = Stage(stage, start, min(start + length, last), last, kept)
                element = make(memory, state, every, here, band, held, bars, setting)
            state = memory.keys[element, NEXT]
            stretch = join(stretch, stretch_of(figures, element))
            sums = plus(sums, 1.0, sums_of(figures, element))
            traded = trade(traded, traded_of(figures, element))
            if band < np.inf:
                least, below = higher(least, figures[element, LEAST]), lower(below, figures[element, BELOW])
        error = _error(sums, n, setting.centre, length + n_stages, traded)
        good[which] = stretch[0] > 0.0 and conclude(
            out[which], sums, (stretch[0], stretch[3] - 1.0), n, setting.centre, error, yardstick,
            (traded[0], traded[1], traded[2] / n),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stages:
    """Measures mixes of a market, and remembers their stages.

    Parameters
    ----------
    bars, benchmark, costs
        As for ``many.Measurer``.

    What is remembered stays for the next sweep, which can use it if its weights and window are the same.
    """

    bars: Bars
    benchmark: str
    costs: Sequence[float]
    _free: list[tuple[object, Memory]] = field(default_factory=list, repr=False)

    def sweep(self, mixes: Weights, yardstick: Yardstick, threads: int | None = None) -> tuple[Floats, Bools]:
        """Measure many mixes over a window.

        Parameters
        ----------
        mixes
            What to hold: what is in force at the window's first bar, and each change before its last.
        yardstick, threads
            As for ``path.sweep``.

        Returns
        -------
        measures
            (n_sets, n_measures) float64 in the order of ``SWEPT``.
        good
            (n_sets,) bool: whether they are. The others are for the path engine, which also has the sentence
            about a return that is missing.

        Raises
        ------
        UsageError
            When the market has no such sleeve; the nearest one is named.
        """
        first, last = yardstick.first, yardstick.last
        n_stages = max(min(_STAGES, last - first), -(-(last - first) // LONGEST))
        window = (first, last, -(-(last - first) // n_stages))
        n_stages = -(-(last - first) // window[2])
        weights, row_of = np.unique(mixes.full(self.bars.sleeves), axis=0, return_inverse=True)
        asked = row_of.reshape(-1)
        if isinstance(mixes.given, Together):
            answers_of = of_signals(mixes.given, window, n_stages)
        else:
            changes = replace(mixes.given, rows=asked[mixes.given.rows])
            digits = max(1, (len(weights) - 1).bit_length())
            asked = np.minimum(np.arange(1 << digits), len(weights) - 1)
            answers_of = of_rows(changes, digits, window, n_stages)
        setting = self._setting(weights, asked)
        n_signals = len(asked).bit_length() - 1
        out, good = np.empty((mixes.n_sets, N_MEASURES)), np.empty(mixes.n_sets, np.bool_)
        key = (first, last, weights.tobytes(), asked.tobytes())

        def work(start: int, stop: int) -> None:
            memory = self._memory(key, len(setting.returns), n_signals)
            for begin in range(start, stop, _PART):
                part = slice(begin, min(begin + _PART, stop))
                rebalances = (mixes.every_months[part], mixes.band[part])
                _measure_sets(
                    out[part], good[part], answers_of(part), rebalances, window, setting, memory,
                    yardstick,
                )  # fmt: skip
            self._free.append((key, memory))

        share(work, mixes.n_sets, threads, smallest=256)
        return out, good

    def _setting(self, weights: Floats, asked: Ints) -> Setting:
        """Return what all stages share, without the sleeves that no row holds."""
        bars, costs = self.bars, np.asarray(self.costs, dtype=np.float64)
        held = np.flatnonzero(weights.any(axis=0))
        small = [place for place, sleeve in enumerate(held) if bars.sleeves[sleeve] == "small"]
        benchmark, cash = (np.ascontiguousarray(bars.column(name)) for name in (self.benchmark, "cash"))
        rows = np.ascontiguousarray(weights[:, held])
        only = np.where((rows != 0.0).sum(axis=1) == 1, (rows != 0.0).argmax(axis=1), -1)
        at_first = np.array([float(sleeve == "cash") for sleeve in bars.sleeves])
        return Setting(
            np.ascontiguousarray(bars.returns.T[held]), months_of(bars), costs[held], cash, benchmark,
            float(np.nanmean(benchmark)), small[0] if small else -1, asked, rows, only,
            np.array([value_after_costs(at_first, row, costs) for row in weights]),
        )  # fmt: skip

    def _memory(self, key: object, n_sleeves: int, n_signals: int) -> Memory:
        """Return a memory that no thread uses now: of the same weights and window, or an empty one."""
        of, memory = self._free.pop() if self._free else (None, None)
        if memory is None or not fits(memory, n_sleeves, n_signals):
            return remember(n_sleeves, n_signals)
        if of != key:
            forget(memory)
        return memory
