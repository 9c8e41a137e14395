"""Size portfolios from a table of the size of the full US daily history, against the same in plain pandas.

    python -m benchmarks.universe                    100 million company-days, in a temporary folder (2 GB)
    python -m benchmarks.universe --rows 10          10 million
    python -m benchmarks.universe --reconstitute daily
    python -m benchmarks.universe --check            exit 1 over 120 s or 4 GB, or where pandas disagrees

Each is run in a process of its own, so that its time and memory are its own. Seconds of the processor are
shown beside those of the clock: on a machine that others use as well, the clock tells more about the others.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ALIVE = 4000
SCHEME = """title = "Five classes"
source = "us_six without its highest border"
currency = "USD"
unit = 1_000_000
classes = ["nano", "micro", "small", "mid", "large"]
borders = [50, 250, 2_000, 10_000]
"""
LIMIT_SECONDS, LIMIT_BYTES = 120.0, 4e9


def make(folder: Path, millions: int, seed: int = 1) -> int:
    """Write company-days, one file a year sorted by date; returns the number of rows.

    Four thousand companies are listed at a time. Each day one in 2500 vanishes and another comes, so that a
    company stays for ten years on average; capitalisations of new ones spread from a million to a hundred
    billion dollars.
    """
    random = np.random.default_rng(seed)
    days = millions * 1_000_000 // ALIVE
    dates = np.busday_offset("1926-01-04", np.arange(days))
    company, newest = np.arange(ALIVE), ALIVE
    size, shares = random.normal(19.0, 2.0, ALIVE), np.exp(random.normal(16.0, 1.0, ALIVE))
    swing = random.uniform(0.01, 0.04, ALIVE)
    folder.mkdir(parents=True)
    for start in range(0, days, 250):
        year: list[tuple[Any, ...]] = []
        for day in range(start, min(start + 250, days)):
            gone = np.flatnonzero(random.random(ALIVE) < 1.0 / 2500.0)
            company[gone] = np.arange(newest, newest + len(gone))
            newest += len(gone)
            size[gone] = random.normal(19.0, 2.0, len(gone))
            returns = np.clip(
                random.normal(0.0003, 1.0, ALIVE) * swing + random.normal(0.0, 0.008), -0.5, 1.0
            )
            size += np.log1p(returns)
            year.append(
                (np.full(ALIVE, dates[day]), company.copy(), np.exp(size) / shares, shares.copy(), returns)
            )
        names = ("date", "company", "price", "shares", "total_return")
        columns = [np.concatenate(column) for column in zip(*year, strict=True)]
        pq.write_table(
            pa.table(dict(zip(names, columns, strict=True))), folder / f"{start // 250:03}.parquet"
        )
    return days * ALIVE


def ours(folder: Path, reconstitute: str) -> dict[str, Any]:
    """Build the classes with the package."""
    from backtest.universe.build import Rules, build, frame
    from backtest.universe.intake import take_in
    from backtest.universe.mapping import Mapping
    from backtest.universe.schemes import load_scheme
    from backtest.universe.statistics import class_table
    from backtest.universe.workshop import Workshop

    path = folder.parent / "five.toml"
    path.write_text(SCHEME)
    scheme = load_scheme(str(path))
    steps = {}
    with Workshop(folder=folder.parent) as shop:
        began = time.perf_counter()
        table = take_in(shop, folder, Mapping(currency="USD"), "USD")
        steps["read and check"] = time.perf_counter() - began
        portfolios = build(shop, table, scheme, Rules(reconstitute))
        steps["sort, clean, classify, drift"] = time.perf_counter() - began - steps["read and check"]
        classes = class_table(shop, scheme, table, portfolios)
        steps["statistics"] = time.perf_counter() - began - sum(steps.values())
    returns = frame(portfolios, scheme)[list(scheme.classes)]
    return {
        "rows": table.rows,
        "steps": steps,
        "moves": float(classes["additions"].sum()),
        "returns": returns,
    }


def plain(folder: Path, reconstitute: str) -> dict[str, Any]:
    """Build the same in plain pandas, as one would write it in a notebook."""
    import pandas as pd

    table = pd.read_parquet(folder)
    table["date"] = pd.to_datetime(table["date"])
    table["cap"] = table["price"] * table["shares"]
    table = table.sort_values(["company", "date"])
    dates = pd.DatetimeIndex(np.sort(table["date"].unique()))
    if reconstitute == "monthly":
        formed = pd.Series(dates, dates).groupby(dates.to_period("M")).max()
    else:
        formed = pd.Series(dates, dates)
    period = pd.Series(np.searchsorted(formed.to_numpy(), dates.to_numpy(), "left") - 1, dates)
    bars = pd.Series(np.arange(len(dates)), dates)
    table["period"] = table["date"].map(period)
    members = table[table["date"].isin(formed)][["date", "company", "cap"]]
    members["class"] = np.searchsorted([5e7, 2.5e8, 2e9, 1e10], members["cap"], "right")
    members["period"] = members["date"].map(pd.Series(np.arange(len(formed)), formed.to_numpy()))
    joined = table.merge(members, on=["company", "period"], suffixes=("", "_then")).sort_values(
        ["company", "date"]
    )
    # Who misses a day leaves for the rest of the period.
    place = joined["date"].map(bars) - joined["date_then"].map(bars)
    joined = joined[place == joined.groupby(["company", "period"]).cumcount() + 1].copy()
    grown = (1.0 + joined["total_return"]).groupby([joined["company"], joined["period"]]).cumprod()
    joined["close"] = joined["cap_then"] * grown
    joined["open"] = joined["close"] / (1.0 + joined["total_return"])
    sums = joined.groupby(["date", "class"])[["open", "close"]].sum()
    sums = sums.assign(value=sums["close"] / sums["open"] - 1.0).reset_index()
    returns = sums.pivot_table(index="date", columns="class", values="value")
    returns.columns = pd.Index(["nano", "micro", "small", "mid", "large"])
    return {"rows": len(table), "steps": {}, "moves": float("nan"), "returns": returns.reindex(dates)}


def measured(how: str, folder: Path, reconstitute: str) -> dict[str, Any]:
    """Run one of the two in a process of its own; returns what it says."""
    out = folder.parent / f"{how}-{folder.name}.parquet"
    command = [
        sys.executable,
        "-m",
        "benchmarks.universe",
        "--worker",
        how,
        str(folder),
        reconstitute,
        str(out),
    ]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    said = json.loads(done.stdout)
    said["wall"] = time.perf_counter() - began
    said["out"] = str(out)
    return said


def worker(how: str, folder: Path, reconstitute: str, out: Path) -> None:
    """Be the process: work, write the returns, and say what it took."""
    began = time.perf_counter()
    found = (ours if how == "ours" else plain)(folder, reconstitute)
    seconds = time.perf_counter() - began
    found.pop("returns").to_parquet(out)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps({**found, "seconds": seconds, "cpu": cpu, "bytes": usage.ru_maxrss * 1024}))


def show(label: str, said: dict[str, Any]) -> None:
    """Print one line of the table, and its steps."""
    rate = said["rows"] / said["seconds"] / 1e6
    print(
        f"{label:22} {said['rows'] / 1e6:6.1f} million rows  {said['seconds']:7.1f} s  "
        f"({said['cpu']:6.1f} s of processor)  {said['bytes'] / 1e9:5.2f} GB  {rate:5.2f} million a second"
    )
    for step, seconds in said["steps"].items():
        print(f"  {step:30} {seconds:6.1f} s")


def compare(mine: str, theirs: str) -> float:
    """Return the largest difference between two tables of returns."""
    import pandas as pd

    a, b = pd.read_parquet(mine), pd.read_parquet(theirs)
    if a.shape != b.shape or (a.isna().to_numpy() != b.isna().to_numpy()).any():
        raise SystemExit(f"the two do not have the same returns: {a.shape} and {b.shape}")
    return float(np.nanmax(np.abs(a.to_numpy() - b.to_numpy())))


def main() -> None:
    """Make the tables, run both, print, and check."""
    if sys.argv[1:2] == ["--worker"]:
        how, folder, reconstitute, out = sys.argv[2:]
        worker(how, Path(folder), reconstitute, Path(out))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100, help="millions (default: 100)")
    parser.add_argument("--reconstitute", default="monthly", choices=("monthly", "daily"))
    parser.add_argument("--folder", type=Path, help="where temporary files go")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        whole, tenth = Path(name, "whole"), Path(name, "tenth")
        rows = make(whole, options.rows)
        make(tenth, max(options.rows // 10, 1))
        print(f"{rows / 1e6:.0f} million company-days, five classes daily, formed {options.reconstitute}")
        full = measured("ours", whole, options.reconstitute)
        show("ours", full)
        part = measured("ours", tenth, options.reconstitute)
        show("ours, a tenth", part)
        pandas = measured("plain", tenth, options.reconstitute)
        show("plain pandas, a tenth", pandas)
        apart = compare(part["out"], pandas["out"])
        print(
            f"against pandas on a tenth: {pandas['seconds'] / part['seconds']:.1f} times the speed, "
            f"{pandas['bytes'] / part['bytes']:.1f} times less memory; returns agree to {apart:.1e}"
        )
    if options.check and (full["seconds"] > LIMIT_SECONDS or full["bytes"] > LIMIT_BYTES or apart > 1e-10):
        raise SystemExit(f"over {LIMIT_SECONDS:.0f} s or {LIMIT_BYTES / 1e9:.0f} GB, or the returns disagree")


if __name__ == "__main__":
    main()
