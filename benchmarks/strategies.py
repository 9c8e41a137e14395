"""A million combinations of every shipped strategy, decided and measured together, against ``rate_cut``.

    python -m benchmarks.strategies [--chunks N]     N of the 16 chunks of each grid, 16 by default

The market is ``embedded`` with made series for the roles that it lacks: 1,109 monthly bars. Two threads, a
chunk each. Each grid has about a million combinations, no two of which ask for the same. The ratio is one of
processor time, which other work on the machine changes least.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backtest import load_market, load_strategy
from backtest.series import Series
from backtest.terms import Terms
from backtest.tuning.grid import make_grid
from backtest.tuning.sweep import numbers_of, pieces_of
from backtest.tuning.trials import Trials

if TYPE_CHECKING:
    from backtest import MarketData

HERE = Path(__file__).parent
CHUNK = 1 << 16

GRIDS = {
    "rate_cut": "delay=0:24:1 hold=1:60:1 quiet=0:60:1 min_cut=0:1:0.1",
    "balanced": "small=0:100:1 every=0:60:1 band=0:50:lin163",
    "concentration": "months=6:120:1 high=0:100:1 history=12:360:4",
    "credit": "wide=50:100:0.5 narrow=0:49.5:0.5 history=12:308:3",
    "easing": "delay=0:24:1 min_move=0:1:lin40000",
    "ensemble": "min_move=0:1:lin10 cheap=0:100:lin20 wide=0:100:lin20 months=1:25:1 history=12:120:12",
    "growth_to_value": "lean=12:120:2 cheap=50:100:2 closed=0:50:2 history=12:336:12",
    "rate_cut_and_discount": "hold=1:60:1 quiet=0:45:5 min_cut=0:1:lin5 wide=50:84:2 closed=0:48:lin19",
    "recovery": "measure=vote sahm=0.1:2:lin28 fall=0.5:10:lin20 high=12:110:2 after=1:36:1",
    "small_momentum": "months=1:60:1 band=0:20:lin16700",
    "trend": "months=1:60:1 band=0:20:lin480 average=2:36:1",
    "valuation_discount": "wide=50:100:2 closed=0:50:2 history=12:144:12 limit=1:120:1",
    "volatility": "average=1:24:1 band=0:50:lin42000",
}


def market() -> MarketData:
    """Return the embedded market, with made series for what it lacks."""
    whole = load_market("embedded")
    dates = whole.bars.dates[whole.bars.dates >= np.datetime64("1950-01-01")]
    random = np.random.default_rng(1950)
    made = {}
    for id, level, size in (
        *(("concentration", 0.9, 0.002), ("unemployment", 6.0, 0.15), ("production", 50.0, 0.6)),
        *(("term_spread", 1.0, 0.25), ("vix", 20.0, 2.0)),
    ):
        walk = np.zeros(len(dates))
        for t in range(1, len(dates)):
            walk[t] = 0.97 * walk[t - 1] + random.normal(0.0, size)
        made[id] = Series(id, dates, np.maximum(level + walk, 0.01 * level), dates + 10)
    roles = {**whole.roles, **{id: id for id in made}}
    return replace(whole, observations={**whole.observations, **made}, roles=roles)


def microseconds(name: str, data: MarketData, n_chunks: int) -> tuple[int, float, float]:
    """Return how many combinations were measured, and the microseconds of clock and processor for each."""
    strategy = load_strategy(name)
    grid = make_grid(strategy.parameters, dict(part.split("=") for part in GRIDS[name].split()), {}, name)
    trials = Trials(strategy, data, grid, (), Terms().on(data.bars.sleeves, data.benchmark))
    last = len(data.bars.dates) - 1
    corners = numbers_of(None, 0, grid.size)[:: max(grid.size // 4096, 1)]
    window = (trials.first_fill(corners, last), last)
    trials.measure(corners[:64], [window])  # compile
    trials = replace(trials, _rules={})  # and forget what was worked out
    pieces = pieces_of(grid.size, CHUNK)
    some = [pieces[int(which)] for which in np.unique(np.linspace(0, len(pieces) - 1, n_chunks).astype(int))]
    begin, busy = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda piece: trials.measure(np.arange(*piece), [window]), some))
    n = sum(stop - start for start, stop in some)
    return n, (time.perf_counter() - begin) / n * 1e6, (time.process_time() - busy) / n * 1e6


def main() -> None:
    """Print a table, and write it as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chunks", type=int, default=16)
    parser.add_argument("--out", type=Path, default=HERE / "strategies.json")
    options = parser.parse_args()
    data, found = market(), {}
    for name in GRIDS:
        n, clock, processor = microseconds(name, data, options.chunks)
        found[name] = {"combinations": n, "clock": clock, "processor": processor}
        ratio = processor / found["rate_cut"]["processor"]
        took = f"{clock:8.2f} us on the clock {processor:8.2f} of processor"
        print(f"{name:24}{n:12,} combinations {took} {ratio:6.2f} times rate_cut", flush=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
