"""Monthly gains of many trials over the benchmark, and what the tests of a sweep keep of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.superior import settled

if TYPE_CHECKING:
    from backtest.dates import Days, Floats, Ints
    from backtest.tuning.executors import Crew
    from backtest.tuning.trials import Trials, Window

_CHUNK = 1 << 10


@dataclass(frozen=True, eq=False)
class Gains:
    """What is kept of the monthly gains of some trials.

    Parameters
    ----------
    blocks
        (n, n_blocks) float64: the sums that the test of superiority takes.
    ratios
        (n,) float64: the information ratio a month; NaN for a trial that never differs from the benchmark.
    """

    blocks: Floats
    ratios: Floats


def month_edges(dates: Days, window: Window) -> Ints:
    """Return the bars between which a window's months lie: its first, the last of each month, its last."""
    first, last = window
    months = dates[first + 1 : last + 1].astype("datetime64[M]")
    ends = first + 1 + np.flatnonzero(months[1:] != months[:-1])
    return np.r_[first, ends, last].astype(np.int64)


def monthly_gains(trials: Trials, numbers: Ints, window: Window) -> Floats:
    """Return the combinations' returns above the benchmark's, summed over calendar months, (n, n_months).

    NaN where a combination is not measured. Returns are summed, not compounded: their mean is then that of
    the bars, whatever their length.
    """
    edges = month_edges(trials.market.bars.dates, window)
    return trials.blocks(numbers, window, edges)[0] - benchmark_sums(trials, window, edges)[0]


def benchmark_sums(trials: Trials, window: Window, edges: Ints) -> Floats:
    """Return the benchmark's sums of excess returns over blocks and of their squares, (2, n_blocks)."""
    bars = trials.market.bars.window(*window)
    excess = (bars.column(trials.benchmark) - bars.column("cash"))[1:]
    return np.add.reduceat([excess, excess**2], edges[:-1] - edges[0], axis=1)


def _kept(trials: Trials, numbers: Ints, window: Window) -> tuple[Floats, Floats]:
    gains = monthly_gains(trials, numbers, window)
    ratios = np.full(len(gains), np.nan)
    if gains.shape[1] > 1:
        deviations = gains.std(axis=1, ddof=1)
        np.divide(gains.mean(axis=1), deviations, out=ratios, where=deviations > 1e-12)
    return settled(gains), ratios


def gains_of(trials: Trials, numbers: Ints, window: Window, crew: Crew) -> Gains:
    """Return what is kept of the gains of combinations that are all measured over a window."""
    parts = crew.in_order("gains", _kept, trials, numbers, _CHUNK, window)
    return Gains(*(np.concatenate(both) for both in zip(*parts, strict=True)))
