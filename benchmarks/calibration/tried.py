"""What was tried and left: intervals of volatility, none of which covers, other ranges of the next path."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from arch import arch_model
from arch.bootstrap import optimal_block_length

from backtest.analysis.long_run import Error, cosine_covariance, prewhitened_error
from backtest.analysis.next_path import deviation, drawn_paths
from backtest.measures import drawdowns
from benchmarks.calibration.experiments import COVERS, Experiment
from benchmarks.calibration.processes import PROCESSES, WORLDS, clustered

if TYPE_CHECKING:
    from benchmarks.calibration.experiments import Outcomes
    from benchmarks.calibration.processes import Floats, Process, World

_TAILS = (0.025, 0.975)


@cache
def _deviation(process: str, world: str) -> float:
    """Return the logarithm of the deviation of the market's returns."""
    market = WORLDS[world].draw(PROCESSES[process], np.random.default_rng(1), 10_000).market
    return float(np.log(market.std()))


def _cosines(values: Floats, n: int) -> Error:
    variance, freedom = cosine_covariance(values[:, None], n)
    return Error(math.sqrt(float(variance[0, 0]) / len(values)), float(freedom))


def _resampled(returns: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return the middle of a stationary bootstrap with blocks of the length that the data ask for."""
    table = optimal_block_length(np.column_stack([returns, (returns - returns.mean()) ** 2]))
    block = max(float(table["stationary"].max()), 1.0)
    still, as_large = np.zeros(500), np.ones(500)
    value = drawn_paths(returns, block, still, as_large, rng)
    low, high = np.quantile(np.log(np.diff(value, axis=1, prepend=0.0).std(axis=1)), _TAILS)
    return float(low), float(high)


def _fitted(returns: Floats, estimate: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return the ends by a GARCH(1, 1) with Student's t, fitted and simulated 400 times."""
    standard = (returns - returns.mean()) / returns.std()
    model = arch_model(standard, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    _, kept, remembered, freedom = model.fit(disp="off", show_warning=False).params
    drawn = clustered(kept, min(remembered, 0.99 - kept), max(freedom, 2.5))(rng, 400, len(returns))
    low, high = np.quantile(np.log(drawn.std(axis=1, ddof=1)), _TAILS)
    return estimate - float(high), estimate - float(low)


def _volatility(process: Process, world: World) -> Experiment:
    def once(rng: np.random.Generator) -> Outcomes:
        truth = _deviation(process.name, world.name)
        returns = world.draw(process, rng).market[0]
        found = deviation(returns)
        estimate, values = math.log(found.estimate), found.values / found.estimate
        told = {
            name: (estimate - error.reach(), estimate + error.reach())
            for name, error in (
                ("prewhitened", prewhitened_error(values)),
                ("8 cosines", _cosines(values, 8)),
                ("24 cosines", _cosines(values, 24)),
            )
        }
        told["percentile bootstrap"] = _resampled(returns, rng)
        told["fitted GARCH-t"] = _fitted(returns, estimate, rng)
        return {name: low <= truth <= high for name, (low, high) in told.items()}

    return Experiment("volatility, tried", f"{process.name}, {world.name}", COVERS, once, 200)


def _fall(process: Process, world: World) -> Experiment:
    def once(rng: np.random.Generator) -> Outcomes:
        this, following = (np.log1p(world.draw(process, rng).market[0]) for _ in range(2))
        truth = drawdowns(np.expm1(following)).min()
        error = prewhitened_error(this - this.mean())
        means, as_large = error.size * rng.standard_t(error.freedom, 500), np.ones(500)
        tried = {
            "a twentieth, as it is": (20.0, 0.0 * means),
            "a tenth, mean uncertain": (10.0, means),
            "a twentieth, mean uncertain": (20.0, means),
            "a fortieth, mean uncertain": (40.0, means),
        }
        told = {}
        for name, (part, shifts) in tried.items():
            value = drawn_paths(this, len(this) / part, shifts, as_large, rng)
            highest = np.maximum(np.maximum.accumulate(value, axis=1), 0.0)
            low, high = np.quantile(np.expm1((value - highest).min(axis=1)), _TAILS)
            told[name] = bool(low <= truth <= high)
        return told

    return Experiment("next path, tried", f"{process.name}, {world.name}", COVERS, once, 200)


EXPERIMENTS = [
    *(_volatility(p, w) for w in WORLDS.values() if w.ppy == 12.0 for p in PROCESSES.values()),
    *(_fall(p, w) for w in WORLDS.values() if w.ppy == 12.0 for p in PROCESSES.values()),
]
