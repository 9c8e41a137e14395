"""How long panels take: placebos of many events, and a million combinations on several markets.

Run with ``python -m benchmarks.panels``. Seconds are of the processor, all threads together.
"""

from __future__ import annotations

import time

import numpy as np

from backtest import load_market, load_strategy
from backtest.analysis.panel_events import around_events, placebo, pooled
from backtest.dates import last_business_day, to_days
from backtest.panels.panel import Member, Panel
from backtest.panels.tune import tune_panel
from benchmarks.calibration.panels import EFFECTS, cuts, differences
from benchmarks.calibration.processes import PROCESSES

SETS, MARKETS = 100, 6


def events() -> None:
    """Time 24 countries with 100 sets of events, each with its error and a placebo of all shifts."""
    rng = np.random.default_rng(1)
    values = differences(rng, PROCESSES["normal"])
    sets = [around_events(cuts(rng), 1, 12) for _ in range(SETS)]
    for name, effects in EFFECTS.items():
        began = time.process_time()
        shifts = [placebo(values, inside, effects)[1] for inside in sets if pooled(values, inside, effects)]
        assert min(shifts) >= 400
        spent = time.process_time() - began
        print(f"24 countries, {SETS} sets of events, {min(shifts)} shifts, {name}: {spent:.1f} s")


def combinations() -> None:
    """Time a million combinations on six markets, each left out in turn."""
    market = load_market("embedded")
    ends = last_business_day(to_days(np.arange("1990-01", "2018-12", dtype="datetime64[M]")))
    nothing = np.zeros(len(ends))
    members = tuple(
        Member(f"m{i}", "", nothing, nothing, None, "halves", "US dollars", market) for i in range(MARKETS)
    )
    panel = Panel("made", "Made", "", ends, members, {})
    grid = {"delay": "0:24:1", "hold": "1:60:1", "quiet": "0:60:1", "min_cut": "0:1:0.1"}
    began = time.process_time(), time.perf_counter()
    found = tune_panel(load_strategy("rate_cut"), panel, grid=grid)
    spent, waited = time.process_time() - began[0], time.perf_counter() - began[1]
    assert len({each.value for each in found.markets}) == 1
    print(f"{found.combinations:,} combinations on {MARKETS} markets: {spent:.0f} s, waited {waited:.0f} s")


if __name__ == "__main__":
    events()
    combinations()
