"""What the pages of runs and comparisons say: tests of alpha and Sharpe ratios, intervals, further paths."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.comparison import sharpe_difference
from backtest.analysis.intervals import COMPARED, INTERVALS, Influences, difference, intervals
from backtest.analysis.next_path import deviation, next_path
from backtest.analysis.regression import alpha
from backtest.measures import Sums, values_of
from benchmarks.calibration.experiments import COVERS, REJECTS, Experiment
from benchmarks.calibration.processes import PROCESSES, WORLDS, rotation

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.calibration.experiments import Outcomes
    from benchmarks.calibration.processes import Bools, Floats, Market, Process, World

MEAN = 0.02
"""What small earns above large a year, where the truth is not to be nothing."""


def _small(world: World) -> Bools:
    return np.ones(world.bars, dtype=bool)


def _rotation(world: World) -> Bools:
    return rotation(world.bars, world.ppy)


def _episode(world: World) -> Bools:
    """Hold small once, for two years."""
    months = np.arange(world.bars) * 12.0 // world.ppy
    return (months >= 96) & (months < 120)


HOLDING: dict[str, Callable[[World], Bools]] = {
    "small": _small,
    "rotation": _rotation,
    "one episode": _episode,
}


def _with_premium(world: World) -> World:
    return replace(world, spread_mean=MEAN / world.ppy)


def _returns(market: Market, held: Bools) -> tuple[Floats, Floats]:
    """Return a strategy that leaves its benchmark for small where ``held``, and the benchmark, (paths, n)."""
    return market.market + held * market.spread, market.market


@cache
def _truth(process: str, world: str, holding: str) -> dict[str, float]:
    """Return the measures of a process: those of a sample of some million bars."""
    own = _with_premium(WORLDS[world])
    held = HOLDING[holding](own)
    copies = 2_000_000 // own.bars
    long = replace(own, bars=copies * own.bars)
    market = long.draw(PROCESSES[process], np.random.default_rng(1))
    returns, benchmark = (x[0] for x in _returns(market, np.tile(held, copies)))
    n_years = long.bars / long.ppy
    ours = Influences(returns, benchmark, market.cash, n_years)
    theirs = Influences(benchmark, benchmark, market.cash, n_years)
    logs = float(np.log1p(returns).mean())
    named = {measure: ours.of(measure) for measure in INTERVALS}
    found = {measure: influence.estimate for measure, influence in named.items() if influence}
    found |= {f"{m}, less": difference(ours, theirs, m).estimate for m in COMPARED}
    return {**found, "total_return": float(np.expm1(logs * own.bars))}


def _intervals(process: Process, world: World, holding: str) -> Experiment:
    """Hold every interval of a run against the process that made it."""
    drawn, held = _with_premium(world), HOLDING[holding](world)

    def once(rng: np.random.Generator) -> Outcomes:
        truth = _truth(process.name, world.name, holding)
        market = drawn.draw(process, rng)
        returns, benchmark = (x[0] for x in _returns(market, held))
        n_years = world.bars / world.ppy
        ours = Influences(returns, benchmark, market.cash, n_years)
        theirs = Influences(benchmark, benchmark, market.cash, n_years)
        told = {m: (i.low, i.high) for m, i in intervals(ours).items()}
        told |= {f"{m}, less": difference(ours, theirs, m).ends() for m in COMPARED}
        return {m: None if low != low else low <= truth[m] <= high for m, (low, high) in told.items()}

    case = f"{process.name}, {world.name}, {holding}"
    return Experiment("intervals of a run", case, COVERS, once)


def _further(process: Process, world: World, holding: str) -> Experiment:
    """Hold the range of the next path against the next path, of a strategy or of the market alone."""

    def drawn(rng: np.random.Generator) -> Floats:
        market = world.draw(process, rng)
        return market.market[0] if holding == "market" else _returns(market, HOLDING[holding](world))[0][0]

    def once(rng: np.random.Generator) -> Outcomes:
        this, following = drawn(rng), drawn(rng)
        n_years = world.bars / world.ppy
        told = next_path(this, n_years)
        if told is None:
            return {"max_drawdown": None, "calmar": None}
        nothing = np.zeros(len(following))
        found = values_of(Sums.of(following, nothing, nothing, n_years), following)
        return {m: getattr(told, m)[0] <= found[m] <= getattr(told, m)[1] for m in ("max_drawdown", "calmar")}

    return Experiment("next path", f"{process.name}, {world.name}, {holding}", COVERS, once, 400)


def _alpha(process: Process, world: World, holding: str) -> Experiment:
    """Rotate between sizes of one mean: no alpha against what is held otherwise, nor against the market."""
    held = HOLDING[holding](world)

    def once(rng: np.random.Generator) -> Outcomes:
        market = world.draw(process, rng)
        left, benchmark = (x[0] for x in _returns(market, held))
        whole = market.held(held)[0]
        return {
            "against what it leaves": alpha(left, benchmark, market.cash, world.ppy).pvalue < 0.05,
            "against the market": alpha(whole, market.market[0], market.cash, world.ppy).pvalue < 0.05,
        }

    case = f"{process.name}, {world.name}, {holding}"
    return Experiment("alpha of a rotation without skill", case, REJECTS, once)


def _difference(process: Process, world: World) -> Experiment:
    """Two portfolios of one distribution: small and large, and two rotations between them."""
    held = _rotation(world)

    def once(rng: np.random.Generator) -> Outcomes:
        market = world.draw(process, rng)
        pairs = {
            "small and large": (market.small, market.large),
            "two rotations": (market.held(held), market.held(np.roll(held, len(held) // 3))),
            "rotation and large": (market.held(held), market.large),
        }
        sharpe = {
            name: sharpe_difference(a[0] - market.cash, b[0] - market.cash, world.ppy).pvalue < 0.05
            for name, (a, b) in pairs.items()
        }
        volatility = {
            f"volatility, {name}": deviation(a[0]).less(deviation(b[0])).pvalue() < 0.05
            for name, (a, b) in pairs.items()
        }
        return sharpe | volatility

    return Experiment("difference of two runs", f"{process.name}, {world.name}", REJECTS, once)


FURTHER = ("small", "rotation", "market")
"""Whose next path is asked for."""

EXPERIMENTS = [
    *(_alpha(p, w, h) for w in WORLDS.values() for p in PROCESSES.values() for h in HOLDING),
    *(_difference(p, w) for w in WORLDS.values() for p in PROCESSES.values()),
    *(_intervals(p, w, h) for w in WORLDS.values() for p in PROCESSES.values() for h in HOLDING),
    *(_further(p, w, h) for w in WORLDS.values() for p in PROCESSES.values() for h in FURTHER),
]
