"""How the processor time of a combination grows: not with the bars, and in proportion to the switches."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.engine.curves import Yardstick
from backtest.engine.path import Schedules
from backtest.engine.path import sweep as by_path
from backtest.engine.segments import Segments
from benchmarks.world import COSTS, bars

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.dates import Ints

N_SETS = 20_000
N_PATHS = 64
N_POINTS = 500  # fills at which a set may trade, whatever the number of bars
ROUNDS = 5


def runs(n_bars: int, n_switches: int) -> tuple[Ints, Ints, Ints]:
    """Return sets of so many switches each, at random among evenly spaced fills."""
    rng = np.random.default_rng(n_switches)
    points = np.linspace(2, n_bars - 2, N_POINTS).astype(np.int64)
    chosen = np.sort(rng.random((N_SETS, N_POINTS)).argpartition(n_switches, axis=1)[:, :n_switches], axis=1)
    edges = points[chosen]
    return np.arange(N_SETS + 1) * (n_switches // 2), edges[:, ::2].ravel(), edges[:, 1::2].ravel()


def seconds(n_bars: int, n_switches: int) -> tuple[float, float]:
    """Return the microseconds of processor time a combination of segments and of path, one thread."""
    market = bars(n_bars)
    yardstick = Yardstick.of(market, "market", 0, n_bars - 1, n_bars / 252.0)
    pair = Segments.of(market, "large", "small", "market")
    offsets, starts, stops = runs(n_bars, n_switches)
    weights = np.zeros((2, 4))
    weights[0, 1] = weights[1, 0] = 1.0
    edges = np.column_stack([starts, stops]).reshape(N_SETS, -1)[:N_PATHS]
    fills = np.column_stack([np.zeros(N_PATHS, dtype=np.int64), edges])
    schedules = Schedules(
        np.arange(N_PATHS + 1) * (n_switches + 1),
        fills.ravel(),
        np.tile(np.arange(n_switches + 1) % 2, N_PATHS),
        weights,
        np.zeros(N_PATHS, dtype=np.int64),
        np.full(N_PATHS, np.inf),
    )
    of_segments, of_path = [], []
    for _ in range(ROUNDS):
        begin = time.process_time()
        answer = pair.sweep((offsets, starts, stops), COSTS, [yardstick], threads=1)[0]
        middle = time.process_time()
        walked = by_path(market, schedules, COSTS, yardstick, threads=1)
        of_segments.append((middle - begin) / N_SETS)
        of_path.append((time.process_time() - middle) / N_PATHS)
        np.testing.assert_allclose(answer[:N_PATHS], walked, rtol=1e-10, atol=1e-10)
    return statistics.median(of_segments) * 1e6, statistics.median(of_path) * 1e6


def growth(picture: Path) -> dict[str, Any]:
    """Return and draw the microseconds a combination against bars and against switches."""
    seconds(1_000, 20)  # compile
    by_bars = [
        {"bars": n, "segments_us": one, "path_us": other}
        for n in (1_000, 3_000, 10_000, 30_000, 100_000)
        for one, other in [seconds(n, 20)]
    ]
    by_switches = [
        {"switches": n, "segments_us": one, "path_us": other}
        for n in (2, 10, 20, 50, 100, 200)
        for one, other in [seconds(25_000, n)]
    ]
    draw(picture, by_bars, by_switches)
    return {"bars": by_bars, "switches": by_switches}


def draw(picture: Path, by_bars: list[dict[str, Any]], by_switches: list[dict[str, Any]]) -> None:
    """Draw both series of times, one thread."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, rows, of in zip(
        figure.subplots(1, 2), (by_bars, by_switches), ("bars", "switches"), strict=True
    ):
        for engine in ("segments", "path"):
            axes.loglog([row[of] for row in rows], [row[f"{engine}_us"] for row in rows], "o-", label=engine)
        axes.set_xlabel(f"{of} ({'20 switches' if of == 'bars' else '25,000 bars'})")
        axes.set_ylabel("microseconds a combination, one thread")
        axes.legend()
    figure.savefig(picture, dpi=110)
