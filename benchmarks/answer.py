"""How long a person waits for an answer of ours, bt, vectorbt and quantstats: a process each, in turn.

Each says on a terminal what the run of ``rate_cut`` came to: we a table, then the page and the ledger, bt and
vectorbt a table, quantstats a page. The others are given prices, weights at the fills, or returns; we work
them out.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from backtest import run

HERE = Path(__file__).parent
ROUNDS = 5
TOLD = "the table ends"
COMMON = f"""
import sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
def read(name):
    return pd.read_csv(sys.argv[1] + "/" + name + ".csv", index_col=0, parse_dates=True)
def told(value):
    print(value, "{TOLD}", flush=True)
"""
BT = """
import bt
prices, targets = read("prices"), read("targets")
algos = [bt.algos.WeighTarget(targets), bt.algos.Rebalance()]
made = bt.Backtest(
    bt.Strategy("s", algos), prices, initial_capital=1e6, integer_positions=False,
    commissions=lambda quantity, price: abs(quantity) * price * 0.001,
)
found = bt.run(made)
found.display()
told(made.strategy.values.iloc[-1] / 1e6)
"""
VECTORBT = """
import vectorbt as vbt
prices, targets = read("prices"), read("targets")
found = vbt.Portfolio.from_orders(
    prices, targets.reindex(prices.index), size_type="targetpercent", fees=0.001, init_cash=1.0,
    cash_sharing=True, group_by=True, call_seq="auto", freq="30D",
)
print(found.stats())
told(found.value().iloc[-1])
"""
QUANTSTATS = """
import quantstats
returns = read("returns")
page = sys.argv[1] + "/page.html"
quantstats.reports.html(returns["ours"], returns["market"], output=page, periods_per_year=12)
told((1.0 + returns["ours"]).prod())
"""
OURS = """
import sys
sys.argv = ["rotation", "run", "rate_cut", "--out", sys.argv[1] + "/ours"]
from backtest.cli import entry
entry()
"""
OF_OURS = "time in small"  # the last row of our table


@dataclass(frozen=True)
class Wait:
    """Seconds until the table stood on the terminal and until the end; by the clock, and of processors."""

    table: float
    end: float
    table_processor: float
    end_processor: float


def _used(pid: int) -> float:
    """Return the processor time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def wait(code: str, mark: str, folder: Path) -> tuple[Wait, str]:
    """Run Python code on a terminal of its own; return how long it took, and all that it said."""
    shutil.rmtree(folder / "ours", ignore_errors=True)
    ours, its = os.openpty()
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=its, stderr=subprocess.DEVNULL, cwd=HERE.parent
    )
    os.close(its)
    said, told = b"", (0.0, 0.0)
    while True:
        try:
            said += os.read(ours, 65536)
        except OSError:  # that is how Linux says that a terminal's other end is closed
            break
        if told == (0.0, 0.0) and mark.encode() in said:
            told = time.perf_counter() - begin, _used(process.pid)
    os.close(ours)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = said.decode()
    assert process.returncode == 0, text
    assert told[0] > 0.0, text
    return Wait(told[0], time.perf_counter() - begin, told[1], used.ru_utime + used.ru_stime), text


def write_data(folder: Path) -> float:
    """Write what the others are given; return what the run makes of 1."""
    result = run("rate_cut")
    bars = result.market.bars
    first, last = (int(bars.dates.searchsorted(np.datetime64(day))) for day in (result.start, result.end))
    window = bars.window(first, last)
    dates = pd.DatetimeIndex(window.dates)
    growth = pd.DataFrame({name: window.column(name) for name in ("small", "large")}, dates) + 1.0
    growth.iloc[0] = 1.0
    growth.cumprod().to_csv(folder / "prices.csv")
    held = result.trades.set_index("date")["hold"]
    pd.DataFrame({name: (held == name).astype(float) for name in growth}).to_csv(folder / "targets.csv")
    market = window.column("market")[1:]
    pd.DataFrame({"ours": result.returns, "market": market}).to_csv(folder / "returns.csv")
    return float((1.0 + result.returns).prod())


PROGRAMS = {
    "ours": (OURS, OF_OURS),
    "bt": (COMMON + BT, TOLD),
    "vectorbt": (COMMON + VECTORBT, TOLD),
    "quantstats": (COMMON + QUANTSTATS, TOLD),
}


def timed() -> dict[str, list[Wait]]:
    """Time all programs in turns, after a round that is not counted; assert that they agree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        value = write_data(folder)
        for who, (code, mark) in PROGRAMS.items():
            _, text = wait(code, mark, folder)
            if who != "ours":
                line = next(line for line in text.splitlines() if TOLD in line)
                away = abs(float(line.split()[0]) / value - 1.0)
                assert away < (0.02 if who == "bt" else 1e-9), (
                    who,
                    away,
                )  # bt overdraws its cash by the costs
        waits: dict[str, list[Wait]] = {who: [] for who in PROGRAMS}
        for _ in range(ROUNDS):
            for who, (code, mark) in PROGRAMS.items():
                waits[who].append(wait(code, mark, folder)[0])
    return waits


def main() -> None:
    """Time all, print a table and write ``answer.json``."""
    before = os.getloadavg()[0]
    waits = timed()
    names = Wait.__dataclass_fields__
    seconds = {
        who: {name: round(statistics.median(getattr(each, name) for each in found), 2) for name in names}
        for who, found in waits.items()
    }
    ratios = {
        f"{moment}{clock}, ours / {who}": round(
            statistics.median(
                getattr(mine, moment + clock) / getattr(other, moment + clock)
                for mine, other in zip(waits["ours"], waits[who], strict=True)
            ),
            2,
        )
        for moment, who in (("table", "bt"), ("table", "vectorbt"), ("end", "quantstats"))
        for clock in ("", "_processor")
    }
    told = {
        "cores": os.cpu_count(),
        "load": [before, os.getloadavg()[0]],
        "python": platform.python_version(),
        "versions": {who: importlib.metadata.version(who) for who in PROGRAMS if who != "ours"},
        "rounds": ROUNDS,
        "seconds": seconds,
        "ratios": ratios,
    }
    (HERE / "answer.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    shown = Table("", *names, title=f"Seconds, medians of {ROUNDS}; load {before:.1f}")
    for who, found in seconds.items():
        shown.add_row(who, *(f"{found[name]:.2f}" for name in names))
    Console(width=100).print(shown)
    for which, ratio in ratios.items():
        print(f"{which}: {ratio:.2f}")


if __name__ == "__main__":
    main()
