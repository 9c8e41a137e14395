"""Whether a process that runs, sweeps and draws for hours grows: memory and file descriptors by the call.

    python -m benchmarks.soak                                    2,000 runs, 100 sweeps and pages, 2,000 moves
    python -m benchmarks.soak --runs 200 --sweeps 10 --pages 10
    python -m benchmarks.soak --runs 0 --sweeps 0 --pages 0 --moves 50000    a hand in the explorer

Slopes are of least squares over the second half of the calls, when all that is kept once has been kept. Runs
differ in their parameters, so that nothing is answered from what an earlier one worked out. A hand asks the
explorer's server as its page does: every tenth move it rests until the verdict is there, every thousandth it
looks at a plane. What it tried is kept, so that its memory may grow by some bytes a move.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backtest import load_market, load_strategy, run, tune
from backtest.explore.server import Explorer
from backtest.explore.sitting import Sitting
from backtest.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest import MarketData

SAMPLES = 50


def resident() -> int:
    """Return how many bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def descriptors() -> int:
    """Return how many file descriptors it holds."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - links that may go while they are read


def soaked(what: str, work: Callable[[int], object], n: int) -> str:
    """Call something many times; return a line on what was held first and last, and on the slopes."""
    for number in range(-3, 0):  # what is loaded and compiled once
        work(number)
    every, at, held, open_ = max(n // SAMPLES, 1), [], [], []
    began = time.perf_counter()
    for number in range(n):
        work(number)
        if number % every == 0:
            gc.collect()
            at.append(number)
            held.append(resident())
            open_.append(descriptors())
    seconds = time.perf_counter() - began
    half = len(at) // 2
    slopes = [float(np.polyfit(at[half:], values[half:], 1)[0]) for values in (held, open_)]
    return (
        f"| {what} | {n:,} | {seconds:.0f} s | {held[0] / 2**20:.0f} to {held[-1] / 2**20:.0f} MB | "
        f"{slopes[0] / 1024:+.2f} KB | {open_[0]} to {open_[-1]} | {slopes[1]:+.4f} |"
    )


def explored(market: MarketData, moves: int) -> str:
    """Move a hand in the explorer so often; return the line of it."""
    strategy = load_strategy("rate_cut")
    with Explorer(lambda: Sitting(["rate_cut"], [strategy], market, Terms(), [{}])) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
        place, applied = f"/{server.token}/{server.begin()}/", 0

        def ask(door: str, body: dict[str, object]) -> dict[str, object]:
            connection.request("POST", place + door, json.dumps(body))
            answer: dict[str, object] = json.loads(connection.getresponse().read())
            if "error" in answer:
                raise SystemExit(f"{door}: {answer['error']}")
            return answer

        def move(number: int) -> None:
            nonlocal applied
            values = {"delay": number % 25, "hold": 1 + number // 25 % 60, "quiet": number // 1500 % 61}
            wanted = {"values": [values], "terms": {}, "linear": False, "applied": applied}
            applied = int(str(ask("move", wanted)["answer"]))
            if number % 10 == 0:
                ask("settle", wanted)
            if number % 1000 == 0:
                pair = {"which": 0, "across": "delay", "up": "hold", "objective": "sharpe"}
                ask("plane", {"wanted": wanted, **pair})

        line = soaked("moves in the explorer", move, moves)
        server.shutdown()
    return line


def main() -> int:
    """Run, sweep and draw, and print a line of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--moves", type=int, default=2000)
    options = parser.parse_args()
    market = load_market("embedded")

    def parameters(number: int) -> dict[str, int]:
        return {"hold": 1 + number % 60, "delay": number // 60 % 24}

    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        place = Path(home) / "out"

        def swept(number: int) -> None:
            shutil.rmtree(place, ignore_errors=True)
            delays = f"{number % 12},{12 + number % 13}"
            tune("rate_cut", market, grid={"hold": "1:60:1", "delay": delays}, placebo=5, out=place)

        def drawn(number: int) -> None:
            shutil.rmtree(place, ignore_errors=True)
            run("rate_cut", market, **parameters(number)).report(place)

        print(
            "| what | calls | took | memory | a call | descriptors | a call |\n|---|---|---|---|---|---|---|"
        )
        for what, work, n in (
            ("runs", lambda number: run("rate_cut", market, **parameters(number)).metrics, options.runs),
            ("sweeps", swept, options.sweeps),
            ("runs with their page", drawn, options.pages),
        ):
            if n:
                print(soaked(what, work, n), flush=True)
        if options.moves:
            print(explored(market, options.moves), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
