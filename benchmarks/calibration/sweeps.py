"""What a sweep says of its winner: SPA, StepM, the deflated Sharpe ratio, the placebo, and the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest import load_strategy
from backtest.analysis.superior import settled, superior
from backtest.market.data import Bars, MarketData
from backtest.measures import SWEPT
from backtest.series import Series
from backtest.terms import Terms
from backtest.tuning.executors import Crew
from backtest.tuning.grid import make_grid
from backtest.tuning.objective import Objective
from backtest.tuning.survey import DIGESTED, Survey, different
from backtest.tuning.sweep import common_window
from backtest.tuning.trials import MEASURED, Trials
from backtest.tuning.truth import Tests, truth
from backtest.tuning.verdict import HOLDS, LEVEL, judged
from benchmarks.calibration.experiments import REJECTS, Experiment
from benchmarks.calibration.processes import PROCESSES, WORLDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from backtest.dates import Days
    from backtest.tuning.truth import Truth
    from benchmarks.calibration.experiments import Outcomes
    from benchmarks.calibration.processes import Floats, Process, World

ONE = Crew("threads:1")
WARM_UP = 3  # years before the window: the longest that any trial looks back

GRIDS: dict[str, dict[str, str | None]] = {
    "rate_cut": {"delay": "0:12:3", "hold": "6:48:6", "quiet": "0,12", "min_cut": "0.25,0.5"},
    "small_momentum": {"months": "1:24:1", "band": "0:10:2"},
}
"""One strategy whose decisions have nothing to do with returns, and one that decides by them."""

MONTHS = tuple(world for world in WORLDS.values() if world.ppy == 12.0)


def windows(rng: np.random.Generator, trials: int, n: int) -> NDArray[np.bool_]:
    """Return when each trial of a grid holds small companies, (trials, n).

    Every trial opens windows after some cases; neighbours share their cases and differ by a few months of
    delay or of length, as the trials of a sweep do. The cases have nothing to do with any return.
    """
    cases = np.sort(rng.choice(n, max(n // 40, 4), replace=False))
    delays = np.arange(0, 13, 2)
    lengths = np.unique(np.linspace(3, 48, max(min(trials // len(delays), 30), 2)).round().astype(int))
    out = np.zeros((trials, n), dtype=bool)
    trial = 0
    while trial < trials:
        kept = cases[rng.random(len(cases)) < 0.8]
        for delay in delays:
            for length in lengths[: trials - trial]:
                for case in kept:
                    out[trial, case + delay : case + delay + length] = True
                trial += 1
    return out


def _unrelated(rng: np.random.Generator, process: Process, world: World, trials: int) -> Floats:
    """Trials that have nothing in common."""
    return world.spread_deviation / 2.0 * process.spread(rng, trials, world.bars)


def _apart(rng: np.random.Generator, process: Process, world: World, trials: int) -> Floats:
    """Rotations between small and large companies, held against the market: always half the spread apart."""
    market = world.draw(process, rng)
    return np.where(windows(rng, trials, world.bars), market.spread, -market.spread) / 2.0


def _now_and_then(rng: np.random.Generator, process: Process, world: World, trials: int) -> Floats:
    """Rotations held against large companies, which they hold for long stretches."""
    market = world.draw(process, rng)
    return np.where(windows(rng, trials, world.bars), market.spread, 0.0)


GAINS: dict[str, Callable[[np.random.Generator, Process, World, int], Floats]] = {
    "unrelated": _unrelated,
    "a grid, apart": _apart,
    "a grid, now and then": _now_and_then,
}


def _superior(kind: str, process: Process, world: World, trials: int) -> Experiment:
    def once(rng: np.random.Generator) -> Outcomes:
        found = superior(settled(GAINS[kind](rng, process, world, trials)), repetitions=500)
        return {"SPA": found.pvalue <= 0.05, "StepM": len(found.better) > 0}

    case = f"{trials:,} {kind}, {process.name}, {world.name}"
    return Experiment("superior trials of noise", case, REJECTS, once, 1000 if trials < 3000 else 200)


def _dates(world: World) -> Days:
    """Return the last business day of each month, or business days."""
    if world.ppy == 12.0:
        months = np.arange(world.bars) + np.datetime64("1980-02", "M")
        return np.busday_offset(months.astype("datetime64[D]"), -1, roll="forward")
    return np.busday_offset("1980-01-01", np.arange(world.bars), roll="forward")


def _policy(rng: np.random.Generator, dates: Days) -> Series:
    """Return a policy rate that moves every three months or so, in cycles, whatever returns do."""
    days = np.sort(rng.choice(dates, len(np.unique(dates.astype("datetime64[M]"))) // 3, replace=False))
    falling = (np.arange(len(days)) + rng.integers(12)) // 6 % 2 == 1
    moves = np.where(falling, -0.25, 0.25) * rng.choice([1, 1, 2, 3], len(days))
    return Series("POLICY", days, 20.0 + moves.cumsum(), days)


def market_of(rng: np.random.Generator, process: Process, world: World) -> MarketData:
    """Return a market in which no rotation has an edge; its first years are for looking back."""
    longer = replace(world, bars=world.bars + round(WARM_UP * world.ppy))
    drawn, dates = longer.draw(process, rng), _dates(longer)
    returns = np.column_stack([drawn.small[0], drawn.large[0], drawn.market[0], drawn.cash])
    bars = Bars(dates, ("small", "large", "market", "cash"), returns)
    frequency = "monthly" if world.ppy == 12.0 else "daily"
    policy = {"POLICY": _policy(rng, dates)}
    return MarketData("noise", "noise", frequency, "", "market", bars, policy, "POLICY", frozenset(), {})


def told(strategy: str, market: MarketData, shifts: int = 99) -> Truth:
    """Return what a sweep of a strategy tells of its winner, without costs and without a folder."""
    of = load_strategy(strategy)
    grid = make_grid(of.parameters, GRIDS[strategy], {}, strategy)
    trials = Trials(of, market, grid, (), Terms(cost_bps=0.0, benchmark=market.benchmark))
    window = common_window(trials, None, ONE)
    status, (measured,) = trials.measure(np.arange(grid.size), [window])
    objective = Objective("sharpe")
    scores = objective.of(measured)
    rows = pd.DataFrame(measured, columns=list(SWEPT))
    distinct = different(rows[DIGESTED]) & (status == MEASURED)
    found = Survey(None, (scores,), distinct, {"measured": int(np.count_nonzero(status == MEASURED))})
    return truth(trials, window, found, int(np.nanargmax(scores)), objective, Tests(shifts, ONE))


def _sweep(strategy: str, process: Process, world: World) -> Experiment:
    def once(rng: np.random.Generator) -> Outcomes:
        found = told(strategy, market_of(rng, process, world))
        placebo = found.placebo
        return {
            "SPA": found.superior.pvalue <= LEVEL,
            "placebo": None if placebo is None else placebo.pvalue <= LEVEL,
            "deflated above 95%": found.deflated.probability > 1.0 - LEVEL,
            "verdict: holds up": judged(found).outcome == HOLDS,
        }

    case = f"{strategy}, {process.name}, {world.name}"
    return Experiment("sweeps of a strategy over noise", case, REJECTS, once, 500)


EXPERIMENTS = [
    _superior(kind, process, world, trials)
    for kind in GAINS
    for trials in (20, 300, 3000)
    for world in MONTHS
    for process in PROCESSES.values()
] + [
    _sweep(strategy, PROCESSES[process], WORLDS[world])
    for strategy in GRIDS
    for process, world in [*((name, "420 months") for name in PROCESSES), ("GARCH-t", "2520 days")]
]
