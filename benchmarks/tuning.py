"""Sweeps of ``rate_cut`` over a century of daily bars, end to end, with parity; prints JSON.

python -m benchmarks.tuning                  rate, two cores against one, overfitting, placebo
python -m benchmarks.tuning --memory         10,000,000 combinations and the most memory they took
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from backtest import load_strategy, run
from backtest.analysis.crossvalidation import overfitting
from backtest.engine.parallel import share
from backtest.market.data import MarketData
from backtest.measures import SWEPT
from backtest.reporting.sweep_page import sweep_page, write_sweep
from backtest.terms import Terms
from backtest.tuning.asked import DEFAULTS
from backtest.tuning.blocks import block_edges
from backtest.tuning.executors import Crew
from backtest.tuning.grid import make_grid
from backtest.tuning.objective import Objective
from backtest.tuning.placebo import placebo
from backtest.tuning.results import open_results
from backtest.tuning.sweep import common_window, manifest_of, measure_chunks
from backtest.tuning.trials import Trials
from backtest.tuning.tune import tune
from benchmarks.million import peak_memory
from benchmarks.world import bars, policy

MILLION = {"quiet": "0:60:1", "min_cut": "0:1:0.1", "delay": "0:24:1", "hold": "1:60:1"}
TEN_MILLION = {"quiet": "0:60:1", "min_cut": "0:1:0.009", "delay": "0:24:1", "hold": "1:60:1"}
THOUSAND = {"quiet": "0,12", "min_cut": "0.25,0.5", "delay": "0:24:6", "hold": "1:50:1"}


def market() -> MarketData:
    """Return the world of the benchmarks as a market."""
    returns = bars()
    observed = {"POLICY": policy(returns.dates)}
    about = ("random", "a random world", "daily", "", "market")
    return MarketData(*about, returns, observed, "POLICY", frozenset(), {})


def trials_of(grid: dict[str, str]) -> Trials:
    """Return the trials of a grid of ``rate_cut``."""
    strategy = load_strategy("rate_cut")
    made = make_grid(strategy.parameters, grid, {}, strategy.name)
    return Trials(strategy, market(), made, (), Terms(benchmark="market"))


def swept(trials: Trials, folder: Path, executor: str) -> tuple[float, float]:
    """Sweep end to end; return seconds for the common window, and for measuring and writing."""
    clock = time.perf_counter()
    window = common_window(trials, None, Crew(executor))
    found = time.perf_counter()
    manifest = manifest_of(trials, DEFAULTS, window)
    measure_chunks(trials, None, window, open_results(folder, manifest, resume=False), Crew(executor))
    return found - clock, time.perf_counter() - found


def check(trials: Trials, folder: Path) -> float:
    """Return the largest relative difference between 20 rows of a sweep and their single runs."""
    import pandas as pd

    window = common_window(trials, np.array([0, trials.grid.size - 1]), Crew("threads:1"))
    worst = 0.0
    files = sorted((folder / "trials").iterdir())
    for file in np.random.default_rng(0).permutation(files)[:4]:
        for _, row in pd.read_parquet(file).sample(5, random_state=1).iterrows():
            start, parameters = (
                trials.market.bars.dates[window[0]],
                trials.grid.values(int(row["combination"])),
            )
            metrics = run(trials.strategy, trials.market, start=start, **parameters).metrics
            pairs = [(row[name], metrics[name]) for name in SWEPT]
            worst = max(worst, *(abs(a - b) / max(abs(b), 1e-3) for a, b in pairs))
    assert worst < 1e-9, worst
    return worst


def rates() -> dict[str, Any]:
    """Measure a million combinations by one worker and by two, in turns; the best of three rounds counts."""
    told: dict[str, Any] = {}
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        swept(trials_of(THOUSAND), Path(folder) / "warm", "threads:1")
        # A pool of processes takes seconds to start and to load what is compiled, once.
        swept(trials_of({**MILLION, "quiet": "0:6:1"}), Path(folder) / "pool", "loky:2")
        for turn in range(3):
            for executor in ("threads:1", "threads:2", "loky:2"):
                trials, place = trials_of(MILLION), Path(folder) / f"{executor.replace(':', '-')}-{turn}"
                before = time.process_time()
                window, measuring = swept(trials, place, executor)
                seconds = window + measuring
                found = {
                    "seconds": round(seconds, 2),
                    "processor_seconds_here": round(time.process_time() - before, 2),  # loky's are elsewhere
                    "common_window": round(window, 2),
                    "a_second": round(trials.grid.size / seconds),
                }
                best[executor] = min(best.get(executor, found), found, key=lambda one: one["seconds"])
        told.update(best)
        told["combinations"] = trials.grid.size
        told["bytes"] = sum(file.stat().st_size for file in (place / "trials").iterdir())
        told["largest_difference_from_runs"] = check(trials, place)
    for kind in ("threads", "loky"):
        ratio = best["threads:1"]["seconds"] / best[f"{kind}:2"]["seconds"]
        told[f"{kind}: two against one"] = round(ratio, 2)
    return told


def statistics() -> dict[str, Any]:
    """Measure the probability of overfitting over 100,000 combinations, and 1,000 shifts of 1,000."""
    trials = trials_of(MILLION)
    numbers = np.arange(0, trials.grid.size, 10)[:100_000]
    window = common_window(trials, np.array([0, trials.grid.size - 1]), Crew("threads:1"))
    overfitting(np.ones((2, 16)) * np.arange(16), np.ones((2, 16)) * 99.0, np.full(16, 10))
    clock = time.perf_counter()
    sums, squares = trials.blocks(numbers, window, block_edges(*window, 16))
    summed = time.perf_counter()
    found = overfitting(sums, squares, np.diff(block_edges(*window, 16)), share=share)
    crossed = time.perf_counter()
    small = trials_of(THOUSAND)
    told = {
        "overfitting_100000": {
            "block_sums_seconds": round(summed - clock, 2),
            "seconds": round(crossed - clock, 2),
            "probability": found.probability,
        }
    }
    window = common_window(small, None, Crew("threads:1"))
    placebo(small, np.arange(10), window, Objective("sharpe"), 2)
    clock = time.perf_counter()
    luck = placebo(small, np.arange(small.grid.size), window, Objective("sharpe"), 1000)
    seconds = round(time.perf_counter() - clock, 2)
    told["placebo_1000_shifts"] = {"trials": luck.trials, "seconds": seconds, "pvalue": luck.pvalue}
    return told


def memory() -> dict[str, Any]:
    """Tune over ten million combinations, page and all; seconds and the most memory up to each part's end."""
    ends: dict[str, tuple[float, int]] = {}
    began = time.perf_counter()

    def tell(what: str, done: int, total: int) -> None:
        if done == total:
            ends[what] = (time.perf_counter() - began, peak_memory())

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "out"
        found = tune("rate_cut", market(), grid=TEN_MILLION, out=place, placebo=20, tell=tell)
        tell("all statistics", 1, 1)
        write_sweep(found, sweep_page(found))
        tell("the page", 1, 1)
        size = sum(file.stat().st_size for file in (place / "trials").iterdir())
    n = found.counts["combinations"]
    return {
        "combinations": n,
        "a_second_measured_and_written": round(n / ends["measuring"][0]),
        "until": {
            what: {"seconds": round(at, 1), "peak_megabytes": round(peak / 1e6)}
            for what, (at, peak) in ends.items()
        },
        "bytes": size,
    }


def main() -> None:
    """Measure what is asked for."""
    load = os.getloadavg()[0]
    told = memory() if "--memory" in sys.argv else {**rates(), **statistics()}
    print(json.dumps({"load_before": load, "cores": os.cpu_count(), **told}, indent=2))


if __name__ == "__main__":
    main()
