"""The processes that returns are drawn from: normal, fat-tailed, autocorrelated, clustered.

A market is a benchmark and a spread between small and large companies that has nothing to do with it:
``small = market + spread / 2`` and ``large = market - spread / 2``, as the embedded market is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Shocks = Callable[[np.random.Generator, int, int], "Floats"]
"""Draws (paths, n) shocks of mean 0 and standard deviation 1 from a generator."""

_BEFORE = 250  # bars that a process runs before it is looked at


def normal(rng: np.random.Generator, paths: int, n: int) -> Floats:
    """Return independent normal shocks."""
    return rng.standard_normal((paths, n))


def fat_tailed(rng: np.random.Generator, paths: int, n: int) -> Floats:
    """Return independent shocks of Student's t with 4 degrees of freedom."""
    return rng.standard_t(4.0, (paths, n)) / math.sqrt(2.0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _autoregressive(shocks: Floats, rho: float) -> Floats:
    out = shocks.copy()
    for path in range(shocks.shape[0]):
        for t in range(1, shocks.shape[1]):
            out[path, t] = rho * out[path, t - 1] + math.sqrt(1.0 - rho * rho) * shocks[path, t]
    return out


def autocorrelated(rho: float) -> Shocks:
    """Return normal shocks of which each keeps ``rho`` of the one before."""

    def draw(rng: np.random.Generator, paths: int, n: int) -> Floats:
        return _autoregressive(rng.standard_normal((paths, n)), rho)

    return draw


@njit(cache=True)  # type: ignore[untyped-decorator]
def _garch(shocks: Floats, kept: float, remembered: float) -> Floats:
    out = np.empty_like(shocks)
    for path in range(shocks.shape[0]):
        variance = 1.0
        for t in range(shocks.shape[1]):
            out[path, t] = math.sqrt(variance) * shocks[path, t]
            variance = 1.0 - kept - remembered + kept * out[path, t] ** 2 + remembered * variance
    return out


def clustered(kept: float, remembered: float, freedom: float) -> Shocks:
    """Return shocks of a GARCH(1, 1) with Student's t: so much of the last square and of the variance."""

    def draw(rng: np.random.Generator, paths: int, n: int) -> Floats:
        shocks = rng.standard_t(freedom, (paths, n + _BEFORE)) * math.sqrt((freedom - 2.0) / freedom)
        return _garch(shocks, kept, remembered)[:, _BEFORE:]

    return draw


@dataclass(frozen=True)
class Process:
    """How the shocks of the market and of the spread are drawn."""

    name: str
    market: Shocks
    spread: Shocks


# The GARCH was fitted by ``python -m benchmarks.calibration.fit`` to the excess return of the embedded market
# and to its small less large, August 1926 to November 2018.
PROCESSES = {
    process.name: process
    for process in (
        Process("normal", normal, normal),
        Process("t(4)", fat_tailed, fat_tailed),
        Process("AR(0.2)", autocorrelated(0.2), autocorrelated(0.2)),
        Process("GARCH-t", clustered(0.136, 0.830, 7.93), clustered(0.106, 0.868, 6.84)),
    )
}


@dataclass(frozen=True)
class World:
    """Size of the returns, and the bars a year; means and deviations are of a bar, decimal."""

    name: str
    bars: int
    ppy: float
    mean: float = 0.0066
    deviation: float = 0.0533
    spread_mean: float = 0.0
    spread_deviation: float = 0.0319
    cash: float = 0.0025

    def draw(self, process: Process, rng: np.random.Generator, paths: int = 1) -> Market:
        """Draw some paths of a market."""
        market = self.mean + self.deviation * process.market(rng, paths, self.bars)
        spread = self.spread_mean + self.spread_deviation * process.spread(rng, paths, self.bars)
        # Nobody loses more than all: of a million draws from t(4) some would.
        market, spread = np.maximum(self.cash + market, -0.55), spread.clip(-0.8, 0.8)
        return Market(market, spread, np.full(self.bars, self.cash))


def _days(n: int) -> World:
    return World(f"{n} days", n, 252.0, 0.0066 / 21, 0.0533 / 21**0.5, 0.0, 0.0319 / 21**0.5, 0.0025 / 21)


WORLDS = {
    world.name: world
    for world in (World("240 months", 240, 12.0), World("420 months", 420, 12.0), _days(2520))
}


@dataclass(frozen=True, eq=False)
class Market:
    """Simple returns, decimal: ``market`` and ``spread`` (paths, n), ``cash`` (n,)."""

    market: Floats
    spread: Floats
    cash: Floats

    @property
    def small(self) -> Floats:
        """The returns of small companies."""
        return self.market + self.spread / 2.0

    @property
    def large(self) -> Floats:
        """The returns of large companies."""
        return self.market - self.spread / 2.0

    def held(self, in_small: Bools) -> Floats:
        """Return what holding small where (n,) ``in_small`` says so, large elsewhere, earns before costs."""
        return np.where(in_small, self.small, self.large)


def rotation(n: int, ppy: float, out: int = 96, hold: int = 24) -> Bools:
    """Return when a rotation holds small companies, (n,): ``hold`` months after every ``out`` months out."""
    month = np.arange(n) * 12.0 // ppy
    return month % (out + hold) >= out
