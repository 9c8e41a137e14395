"""Engines against vectorbt and bt: the same portfolios, parity asserted, medians and ratios as a table."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from backtest.decisions import Targets
from backtest.engine import path, reference
from backtest.engine.path import Schedules
from backtest.measures import SWEPT
from benchmarks.growth import growth
from benchmarks.world import COSTS, World, n_combinations, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Floats, Ints
    from backtest.decisions import Weights

HERE = Path(__file__).parent
BATCH = 200  # combinations that vectorbt gets at once
WALKED = 4_000  # combinations that path gets at once: some tenths of a second
AT_ONCE = 65_536  # combinations that segments gets at once, as in a sweep
ROUNDS = 7
TWELVE = [name for name in SWEPT if name not in ("turnover", "time_in_small")]
PARITY = 1e-9


def timed(work: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, Any]:
    """Return the median of the seconds that some work takes, and what it gave."""
    seconds, answer = [], None
    for _ in range(rounds):
        begin = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), answer


def interleaved(*works: Callable[[], Any]) -> tuple[Any, ...]:
    """Return the medians of the seconds of several works, taken in turns, and what the first one gave.

    In turns, because other work on the machine slows all that run at the same time. The seconds are
    (n_works, 2): those of the clock on the wall, and those of all processors together.
    """
    seconds: list[list[tuple[float, float]]] = [[] for _ in works]
    answers = [None] * len(works)
    for _ in range(ROUNDS):
        for place, work in enumerate(works):
            begin, used = time.perf_counter(), time.process_time()
            answers[place] = work()
            seconds[place].append((time.perf_counter() - begin, time.process_time() - used))
    return np.median(np.array(seconds), axis=1), answers[0]


def measured(values: Floats, here: World, switches: Ints) -> Floats:
    """Return the twelve measures of (n_bars, n_sets) portfolio values, all sets at once in numpy."""
    y = here.yardstick
    n, n_years = len(values), y.n_years
    r = values / np.vstack([np.ones(values.shape[1]), values[:-1]]) - 1.0
    e, a = r - y.risk_free[:, None], r - y.benchmark[:, None]
    x = y.benchmark - y.risk_free
    ppy, annual = n / n_years, np.sqrt(n / n_years)
    grown = values[-1] ** (1.0 / n_years) - 1.0
    peak = np.maximum(np.maximum.accumulate(values), 1.0)
    worst = np.minimum((values / peak - 1.0).min(axis=0), 0.0)
    off = x - x.mean()
    beta = off @ (e - e.mean(axis=0)) / (off @ off)
    below = np.sqrt((np.minimum(e, 0.0) ** 2).mean(axis=0))
    return np.column_stack(
        [
            values[-1] - 1.0,
            grown,
            r.std(axis=0, ddof=1) * annual,
            e.mean(axis=0) / e.std(axis=0, ddof=1) * annual,
            e.mean(axis=0) / below * annual,
            worst,
            grown / np.abs(worst),
            (e.mean(axis=0) - beta * x.mean()) * ppy,
            beta,
            a.std(axis=0, ddof=1) * annual,
            a.mean(axis=0) / a.std(axis=0, ddof=1) * annual,
            switches,
        ]
    )


def by_vectorbt(here: World, decision: Weights) -> tuple[Floats, float]:
    """Return the measures of a batch, and the seconds that vectorbt's simulation took of it.

    Target percentages at the fills that trade and nothing elsewhere, cash shared, sales first, a group a set,
    room for no more order records than there are orders.
    """
    import vectorbt as vbt

    y, n_sets, (_, signal) = here.yardstick, decision.n_sets, decision.rotation
    window = here.bars.window(y.first, y.last)
    prices = (1.0 + window.returns[:, :2]).cumprod(axis=0)
    prices /= prices[0]
    sizes = np.full((len(prices), 2 * n_sets), np.nan)
    switches = np.empty(n_sets)
    for which in range(n_sets):
        starts, stops = signal.runs(which)
        edges = np.column_stack([starts, stops]).ravel() - y.first
        inner = edges[(edges > 0) & (edges < len(prices) - 1)]
        begin = np.searchsorted(edges, 0, "right") % 2
        for place, fill in enumerate([0, *inner]):
            yes = (begin + place) % 2
            sizes[fill, 2 * which : 2 * which + 2] = yes, 1 - yes
        switches[which] = len(inner)
    clock = time.perf_counter()
    columns = pd.MultiIndex.from_product([range(n_sets), ["small", "large"]], names=["set", "sleeve"])
    index = pd.DatetimeIndex(window.dates)
    portfolio = vbt.Portfolio.from_orders(
        pd.DataFrame(np.tile(prices, n_sets), index, columns),
        size=sizes,
        size_type="targetpercent",
        fees=COSTS[0],
        init_cash=1.0,
        cash_sharing=True,
        group_by="set",
        call_seq="auto",
        freq="1D",
        max_orders=2 * int(np.isfinite(sizes[:, ::2]).sum()),
    )
    values = portfolio.value().to_numpy()
    simulated = time.perf_counter() - clock
    return measured(values[1:], here, switches), simulated


def scheduled(here: World, decision: Weights) -> Schedules:
    """Return a rotation's decisions for the path engine."""
    y, names, (_, signal) = here.yardstick, here.bars.sleeves, decision.rotation
    targets = []
    for which in range(signal.n_sets):
        starts, stops = signal.runs(which)
        edges = np.column_stack([starts, stops]).ravel()
        inner = edges[(edges > y.first) & (edges < y.last)]
        begin = np.searchsorted(edges, y.first, "right") % 2
        targets.append((np.r_[y.first, inner], (begin + np.arange(len(inner) + 1)) % 2))
    weights = np.zeros((2, len(names)))
    weights[0, names.index("large")] = weights[1, names.index("small")] = 1.0
    n_sets = len(targets)
    return Schedules(
        np.cumsum([0, *(len(fills) for fills, _ in targets)]),
        np.concatenate([fills for fills, _ in targets]),
        np.concatenate([rows for _, rows in targets]),
        weights,
        np.zeros(n_sets, dtype=np.int64),
        np.full(n_sets, np.inf),
    )


def apart(one: Floats, other: Floats) -> float:
    """Return the largest difference of two tables of measures, relative where they are larger than 1."""
    assert np.array_equal(np.isnan(one), np.isnan(other)), "a measure is defined in one engine only"
    return float(np.nanmax(np.abs(one - other) / np.maximum(1.0, np.abs(other))))


def against_vectorbt(here: World) -> dict[str, Any]:
    """Time segments, path and vectorbt on combinations of one grid; assert that they agree."""
    rng = np.random.default_rng(7)
    batch = np.sort(rng.choice(n_combinations(), BATCH, replace=False))
    many = np.arange(400_000, 400_000 + AT_ONCE)  # consecutive combinations, as a sweep takes them
    columns = [SWEPT.index(name) for name in TWELVE]
    decision = here.decide(batch)
    schedules = scheduled(here, decision)
    more = scheduled(here, here.decide(np.arange(500_000, 500_000 + WALKED)))

    def segments() -> Floats:
        return here.measurer.measure(here.decide(many), [here.yardstick])[0]

    def paths() -> Floats:
        return path.sweep(here.bars, more, COSTS, here.yardstick)

    def vectorbt() -> tuple[Floats, float]:
        return by_vectorbt(here, decision)

    segments(), paths(), vectorbt()  # compile
    ours = path.sweep(here.bars, schedules, COSTS, here.yardstick)
    clocks, (theirs, simulated) = interleaved(vectorbt, paths, segments, lambda: here.decide(many))
    of_vectorbt, of_path, of_segments, of_signals = clocks[:, 0]
    used = clocks[:, 1] / (BATCH, WALKED, AT_ONCE, AT_ONCE)
    by_segments = here.measurer.measure(decision, [here.yardstick])[0]
    agreement = {
        "segments - path": apart(by_segments, ours),
        "path - vectorbt": apart(ours[:, columns], theirs),
        "segments - vectorbt": apart(by_segments[:, columns], theirs),
    }
    assert max(agreement.values()) < PARITY, agreement
    micro = 1e6 / BATCH
    return {
        "vectorbt_us": of_vectorbt * micro,
        "vectorbt_simulation_us": simulated * micro,
        "path_us": of_path * 1e6 / WALKED,
        "segments_us": of_segments * 1e6 / AT_ONCE,
        "segments_of_which_signals_us": of_signals * 1e6 / AT_ONCE,
        "switches_a_combination": float(by_segments[:, SWEPT.index("switches")].mean()),
        "segments_times_faster": of_vectorbt / BATCH / (of_segments / AT_ONCE),
        "path_times_faster": of_vectorbt / BATCH / (of_path / WALKED),
        "processor_us": dict(
            zip(("vectorbt", "path", "segments", "signals"), (used * 1e6).tolist(), strict=True)
        ),
        "segments_times_less_processor": used[0] / used[2],
        "path_times_less_processor": used[0] / used[1],
        "agreement": agreement,
    }


def by_bt(here: World, fills: Ints, weights: Floats, cost: float) -> Callable[[], Floats]:
    """Return a bt backtest of one run, ready to be run: large and small, weights at the fills that trade."""
    import bt

    window = here.bars.window(here.yardstick.first, here.yardstick.last)
    index = pd.DatetimeIndex(window.dates)
    growth_of = (1.0 + window.returns[:, :2]).cumprod(axis=0)
    prices = pd.DataFrame(growth_of / growth_of[0], index, ["small", "large"])
    wanted = pd.DataFrame(weights[:, :2], index[fills], prices.columns)

    def work() -> Floats:
        algos = [bt.algos.WeighTarget(wanted), bt.algos.Rebalance()]
        test = bt.Backtest(
            bt.Strategy("rate_cut", algos),
            prices,
            initial_capital=1e6,
            commissions=lambda quantity, price: abs(quantity) * price * cost,
            integer_positions=False,
            progress_bar=False,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bt's own, of what pandas deprecates
            test.run()
        return test.strategy.values.to_numpy()[1:] / 1e6

    return work


def against_bt(here: World) -> dict[str, Any]:
    """Time one run in bt and in our engines; assert that without costs the values agree.

    With costs they cannot: bt spends the value before the costs of the sale, so that its cash is overdrawn by
    them after every switch.
    """
    schedules = scheduled(here, here.decide(np.array([500_000])))
    fills, weights = schedules.fills - here.yardstick.first, schedules.weights[schedules.rows]
    window = here.bars.window(here.yardstick.first, here.yardstick.last)
    targets = Targets(fills, weights)
    free = path.simulate(window, targets, [0.0] * len(COSTS))
    away = float(np.abs(by_bt(here, fills, weights, 0.0)() / free.equity - 1.0)[1:].max())
    assert away < PARITY, f"bt and path differ by {away:.1e}"
    of_bt, theirs = timed(by_bt(here, fills, weights, COSTS[0]), 3)
    of_path, ours = timed(lambda: path.simulate(window, targets, COSTS))
    of_reference, _ = timed(lambda: reference.simulate(window, targets, COSTS), 3)
    return {
        "bt_ms": of_bt * 1e3,
        "path_ms": of_path * 1e3,
        "reference_ms": of_reference * 1e3,
        "path_times_faster": of_bt / of_path,
        "agreement_without_costs": away,
        "apart_with_costs": float(np.abs(theirs / ours.equity - 1.0)[1:].max()),
    }


def million() -> dict[str, Any]:
    """Run the sweep of a million combinations in a process of its own, for its time and its memory."""
    command = [sys.executable, "-m", "benchmarks.million"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE.parent)
    answer = json.loads(done.stdout)
    answer["combinations_a_second"] = answer["combinations"] / answer["seconds"]
    return answer


def bandwidth() -> float:
    """Return how many bytes a second all processors together read from memory."""
    from concurrent.futures import ThreadPoolExecutor

    parts = [np.ones(25_000_000) for _ in range(os.cpu_count() or 1)]
    with ThreadPoolExecutor(len(parts)) as pool:
        seconds, _ = timed(lambda: list(pool.map(np.sum, parts)))
    return sum(part.nbytes for part in parts) / seconds


def limit(here: World, of_segments: float) -> dict[str, float]:
    """Return how far segments is from what memory allows: runs in, measures out."""
    many = np.arange(400_000, 400_000 + AT_ONCE)
    _, signal = here.decide(many).rotation
    moved = (signal.starts.nbytes + signal.stops.nbytes + signal.offsets.nbytes) / AT_ONCE + 8 * len(SWEPT)
    speed = bandwidth()
    return {
        "bytes_a_combination": moved,
        "bandwidth_gb_s": speed / 1e9,
        "least_us": moved / speed * 1e6,
        "fraction_of_bandwidth": moved / speed * 1e6 / of_segments,
    }


def table(results: dict[str, Any]) -> Table:
    """Return the results as a table for people."""
    grid, single, sweep = results["grid"], results["single run"], results["million"]
    shown = Table(
        "what", "measured", "against", title=f"{results['machine']}, load {results['load']:.1f}; medians"
    )
    shown.add_row("vectorbt from_orders", f"{grid['vectorbt_us']:,.0f} us a combination", "1")
    shown.add_row("path", f"{grid['path_us']:.1f} us", f"{grid['path_times_faster']:,.0f} times faster")
    shown.add_row(
        "segments, signals included", f"{grid['segments_us']:.2f} us",
        f"{grid['segments_times_faster']:,.0f} times faster",
    )  # fmt: skip
    used = grid["processor_us"]
    shown.add_row("vectorbt, processor time", f"{used['vectorbt']:,.0f} us", "1")
    shown.add_row(
        "path, processor time",
        f"{used['path']:.1f} us",
        f"{grid['path_times_less_processor']:,.0f} times less",
    )
    shown.add_row(
        "segments, processor time", f"{used['segments']:.2f} us",
        f"{grid['segments_times_less_processor']:,.0f} times less",
    )  # fmt: skip
    shown.add_row("bt, one run", f"{single['bt_ms']:,.0f} ms", "1")
    shown.add_row(
        "path, one run", f"{single['path_ms']:.2f} ms", f"{single['path_times_faster']:,.0f} times faster"
    )
    shown.add_row(
        f"{sweep['combinations']:,} combinations to Parquet", f"{sweep['seconds']:.1f} s",
        f"{sweep['combinations_a_second']:,.0f} a second, peak {sweep['peak_bytes'] / 1e6:,.0f} MB",
    )  # fmt: skip
    shown.add_row(
        "memory traffic of segments", f"{results['limit']['bytes_a_combination']:.0f} bytes",
        f"{results['limit']['fraction_of_bandwidth']:.1%} of {results['limit']['bandwidth_gb_s']:.0f} GB/s",
    )  # fmt: skip
    for row in results["growth"]["bars"]:
        shown.add_row(f"{row['bars']:,} bars, 20 switches", f"{row['segments_us']:.2f} us", "")
    for row in results["growth"]["switches"]:
        shown.add_row(f"25,000 bars, {row['switches']} switches", f"{row['segments_us']:.2f} us", "")
    return shown


def main() -> None:
    """Run everything, print the table and write ``results.json`` and ``growth.png``."""
    here = world()
    grid = against_vectorbt(here)
    results = {
        "machine": f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}",
        "load": os.getloadavg()[0],
        "grid": grid,
        "single run": against_bt(here),
        "million": million(),
        "growth": growth(HERE / "growth.png"),
        "limit": limit(here, grid["segments_us"]),
    }
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    Console(width=110).print(table(results))


if __name__ == "__main__":
    main()
