"""What a sweep says of its winner: SPA, StepM, the deflated Sharpe ratio, the placebo, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.superior import settled, superior
from benchmarks.calibration.experiments import REJECTS, Experiment
from benchmarks.calibration.processes import PROCESSES, WORLDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.calibration.experiments import Outcomes
    from benchmarks.calibration.processes import Floats, Process, World

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
    return Experiment("superior trials of noise", case, REJECTS, once, 1000 if trials < 3000 else 300)


EXPERIMENTS = [
    _superior(kind, process, world, trials)
    for kind in GAINS
    for trials in (20, 300, 3000)
    for world in MONTHS
    for process in PROCESSES.values()
]
