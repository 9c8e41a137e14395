"""What the page of a run says: the test of alpha, and the intervals of its measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.analysis.regression import alpha
from benchmarks.calibration.experiments import REJECTS, Experiment
from benchmarks.calibration.processes import PROCESSES, WORLDS, rotation

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.calibration.experiments import Outcomes
    from benchmarks.calibration.processes import Process, World


def _alpha(process: Process, world: World) -> Experiment:
    """Rotating between two companies' sizes of one mean: no alpha, and a beta of one."""
    held = rotation(world.bars, world.ppy)

    def once(rng: np.random.Generator) -> Outcomes:
        market = world.draw(process, rng)
        test = alpha(market.held(held)[0], market.market[0], market.cash, world.ppy)
        return {"alpha": test.pvalue < 0.05}

    return Experiment("alpha of a rotation", f"{process.name}, {world.name}", REJECTS, once, 2000)


EXPERIMENTS = [_alpha(process, world) for world in WORLDS.values() for process in PROCESSES.values()]
