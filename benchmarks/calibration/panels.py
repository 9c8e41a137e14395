"""What a panel's page says of events in many countries at once, where nothing is to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.panel_events import around_events, placebo, pooled
from benchmarks.calibration.experiments import REJECTS, Experiment
from benchmarks.calibration.processes import PROCESSES

if TYPE_CHECKING:
    from backtest.analysis.panel_events import Effects
    from benchmarks.calibration.experiments import Outcomes
    from benchmarks.calibration.processes import Bools, Floats, Process

MONTHS, COUNTRIES = 428, 24
EFFECTS: dict[str, Effects] = {
    "as it is": "none",
    "own means out": "members",
    "months out": "members and months",
}


def cuts(rng: np.random.Generator) -> Bools:
    """Return first cuts of many banks: a wave every three years or so, which most join within half a year."""
    events = np.zeros((MONTHS, COUNTRIES), dtype=np.bool_)
    month = rng.integers(0, 36)
    while month < MONTHS:
        joins = np.flatnonzero(rng.random(COUNTRIES) < 0.7)
        at = month + rng.integers(-6, 7, len(joins))
        there = (at >= 0) & (at < MONTHS)
        events[at[there], joins[there]] = True
        month += rng.integers(24, 54)
    return events


def differences(rng: np.random.Generator, process: Process) -> Floats:
    """Return small less large of each country, half of its variance common to all; some begin late."""
    common, own = process.spread(rng, 1, MONTHS), process.spread(rng, COUNTRIES, MONTHS)
    values = 0.025 * (common + own).T
    for country in range(5):
        values[: rng.integers(12, 80), country] = np.nan
    return values


def _panel(process: Process, first: int, last: int) -> Experiment:
    def once(rng: np.random.Generator) -> Outcomes:
        values, inside = differences(rng, process), around_events(cuts(rng), first, last)
        said: Outcomes = {}
        for name, effects in EFFECTS.items():
            found = pooled(values, inside, effects)
            said[name] = found.pvalue < 0.05
            said[f"{name}, by months"] = found.by_month.pvalue(found.estimate) < 0.05
            said[f"{name}, placebo"] = placebo(values, inside, effects)[0] < 0.05
        return said

    return Experiment("events of a panel", f"{process.name}, months {first} to {last}", REJECTS, once)


EXPERIMENTS = [
    _panel(process, *span)
    for process in PROCESSES.values()
    for span in ((-12, -7), (-6, 0), (1, 12), (13, 24))
]
