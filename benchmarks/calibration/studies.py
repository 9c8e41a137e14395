"""What the pages of studies say: cases, forecasts, volatilities and leads, where nothing is to be found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from backtest.analysis.event_study import event_study
from backtest.analysis.lead_lag import lead, volatility_ratio
from backtest.analysis.predictive import predictive
from backtest.studies.steadiness import coefficient
from backtest.wording import signed
from benchmarks.calibration.experiments import COVERS, REJECTS, Experiment
from benchmarks.calibration.processes import PROCESSES, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.calibration.experiments import Outcomes
    from benchmarks.calibration.processes import Floats, Market, Process

    Ints = NDArray[np.int64]

HORIZONS = (12, 24, 36)
LENGTH = World("900 months", 900, 12.0)


def scattered(rng: np.random.Generator, cases: int, n: int) -> Ints:
    """Return months at random, so that some windows overlap."""
    return np.sort(rng.choice(n - max(HORIZONS) - 1, cases, replace=False))


def apart(rng: np.random.Generator, cases: int, n: int) -> Ints:
    """Return months at least so far apart that no windows overlap."""
    room = (n - 1) // cases
    return np.arange(cases) * room + rng.integers(0, max(1, room - max(HORIZONS)), cases)


def around(market: Market, at: Ints, calm: bool, window: int) -> tuple[Floats, Floats]:
    """Return small and large; unless ``calm`` the spread is twice as wild in the months after each case."""
    wild = np.ones(market.spread.shape[1])
    for case in [] if calm else at:
        wild[case + 1 : case + 1 + window] = 2.0
    spread = (market.spread[0] * wild).clip(-0.8, 0.8)
    return market.market[0] + spread / 2.0, market.market[0] - spread / 2.0


def _events(process: Process, cases: int, overlap: bool, calm: bool) -> Experiment:
    place = scattered if overlap else apart

    def once(rng: np.random.Generator) -> Outcomes:
        at = place(rng, cases, LENGTH.bars)
        market = LENGTH.draw(process, rng)
        said: Outcomes = {}
        for bars in HORIZONS:
            (found,) = event_study(*around(market, at, calm, bars), at, (bars,)).summary
            # The interval of the mean misses the truth, which is zero, as often as this test rejects it.
            said[f"{bars} months against zero"] = found.pvalue_zero < 0.05
            said[f"{bars} against ordinary"] = found.pvalue_ordinary < 0.05
        return said

    how = f"{cases} cases {'that may overlap' if overlap else 'apart'}"
    how += "" if calm else ", twice as wild after them"
    return Experiment("tests of an event study", f"{process.name}, {how}", REJECTS, once)


def foretelling(
    rng: np.random.Generator, process: Process, n: int, kept: float, pushed: float
) -> tuple[Floats, Floats]:
    """Return log returns, and a level that they push about, keeping ``kept`` of itself: nothing foretells."""
    before = 300
    surprise, other = process.spread(rng, 2, n + before)
    innovation = pushed * surprise + math.sqrt(1.0 - pushed**2) * other
    return 0.0319 * surprise[before:], lfilter([1.0], [1.0, -kept], innovation)[before:]


def _forecast(process: Process, n: int, kept: float, pushed: float) -> Experiment:
    def once(rng: np.random.Generator) -> Outcomes:
        returns, level = foretelling(rng, process, n, kept, pushed)
        return {
            f"slope, {bars} months": predictive(returns, level, bars).pvalue < 0.05 for bars in (12, 36, 60)
        }

    case = f"{process.name}, {n} months, level keeps {kept:g}, correlation {pushed:g}"
    return Experiment("tests of a forecast", case, REJECTS, once)


def _volatility(process: Process, n: int) -> Experiment:
    world = World(f"{n} months", n, 12.0)

    def once(rng: np.random.Generator) -> Outcomes:
        market = world.draw(process, rng)
        small, large = market.small[0], market.large[0]
        # The interval of a ratio moves with it: what it covers at 1 it covers at any other.
        found = volatility_ratio(small, large)
        return {
            "ratio of volatilities": found.low <= 1.0 <= found.high,
            "no lead (its p is 0.05 or more)": lead(small, large).pvalue >= 0.05,
        }

    return Experiment("risk of small and large", f"{process.name}, {world.name}", COVERS, once)


def regimes(rng: np.random.Generator, n: int, good: int, bad: int) -> NDArray[np.bool_]:
    """Return when it is bad, (n,): spells of ``good`` and of ``bad`` months on average."""
    state, out = False, np.zeros(n, dtype=bool)
    for t in range(n):
        state ^= bool(rng.random() < 1.0 / (bad if state else good))
        out[t] = state
    return out


def _regression(process: Process, n: int, good: int, bad: int) -> Experiment:
    def once(rng: np.random.Generator) -> Outcomes:
        spread = World(f"{n} months", n, 12.0).draw(process, rng).spread[0]
        down = regimes(rng, n, good, bad)
        change = process.market(rng, 1, n)[0]
        months = np.arange(n).astype(str)
        constant = np.ones(n)
        # With fewer spells a study does not say anything.
        spells = int((np.diff(down.astype(int), prepend=0) == 1).sum())
        if spells < 5:
            return {}
        asked = {
            "mean in good months": (np.column_stack([~down, down]), 0, spells),
            "in bad months": (np.column_stack([~down, down]), 1, spells),
            "good less bad": (np.column_stack([constant, ~down]), 1, spells),
            "beta to a driver": (np.column_stack([constant, change]), 1, n),
            "mean of all": (constant[:, None], 0, n),
        }
        said: Outcomes = {}
        for name, (design, column, cases) in asked.items():
            found = coefficient(name, spread, design.astype(np.float64), column, months, cases, signed)
            said[name] = found.low <= 0.0 <= found.high
        return said

    case = f"{process.name}, {n} months, spells of {good} and {bad}"
    return Experiment("regressions of a study", case, COVERS, once)


EXPERIMENTS = [
    *(
        _events(process, cases, overlap, calm)
        for process in PROCESSES.values()
        for cases, overlap in ((6, False), (9, True), (16, True), (16, False))
        for calm in (True, False)
    ),
    *(
        _forecast(PROCESSES[name], n, kept, pushed)
        for name in ("normal", "GARCH-t")
        for n in (420, 1100)
        for kept in (0.9, 0.97, 0.99)
        for pushed in (0.0, -0.5, -0.9)
    ),
    *(
        _regression(process, n, good, bad)
        for process in PROCESSES.values()
        for n, good, bad in ((1199, 60, 13), (552, 75, 15), (852, 25, 25))
    ),
    *(_volatility(process, n) for process in PROCESSES.values() for n in (105, 420, 1100)),
]
