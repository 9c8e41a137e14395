"""Robustness: how a result changes with costs and with later fills, over one window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from backtest.measures import time_in, years
from backtest.placement import simulated, window_of
from backtest.runs import holding, measured
from backtest.terms import Terms

if TYPE_CHECKING:
    from backtest.runs import Run

COSTS = (0.0, 10.0, 25.0, 50.0)
"""Basis points a side."""

DELAYS = (0, 1, 2)
"""Bars between the decision and its fill."""


class Robustness(msgspec.Struct, frozen=True):
    """A run's trials, all from the same first fill, ``start``, to the same last bar, ``end``.

    Each trial has ``cost_bps``, ``delay_fill`` and the measures that they gave, by key.
    """

    start: str
    end: str
    trials: tuple[Mapping[str, float | None], ...]


def robustness(result: Run) -> Robustness:
    """Return a run's result under other costs and later fills.

    All trials have one window: from the fill that the longest delay needs, so that they may be compared.

    Raises
    ------
    UsageError
        When no bar is left for the longest delay.
    """
    from backtest.engine.path import simulate  # compiled: not every run has trials

    market, strategy = result.market, result.strategy
    decision = result.ruling.decision
    within = Terms(start=result.start, end=result.end)
    warm_up = decision.first_fill + max(DELAYS)
    first, last = window_of(market.bars, warm_up, within, strategy.name, ["cash"])
    bars = market.bars.window(first, last)
    risk_free, versus = bars.column("cash")[1:], bars.column(result.benchmark)[1:]
    n_years = years(bars.dates, market.frequency)
    trials = []
    for delay in DELAYS:
        for bps in COSTS:
            costs = Terms(cost_bps=bps).costs(bars.sleeves)
            under = msgspec.structs.replace(result.terms, delay_fill=delay)
            path = simulated(decision, market, (first, last), costs, under, engine=simulate)
            held = holding(path, bars.sleeves)
            found = measured(path.returns, versus, risk_free, n_years, held)
            found |= time_in(path.weights, bars.sleeves)
            trials.append({"cost_bps": bps, "delay_fill": delay, **found})
    return Robustness(str(bars.dates[0]), str(bars.dates[-1]), tuple(trials))
