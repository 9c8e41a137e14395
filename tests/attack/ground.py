"""A folder of small files of every kind that the command reads, and one call in it, watched from all sides."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import resource
import shutil
import signal
import socket
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.cli import command, guard

_MEMORY = 6 * 2**30
SECONDS = 20.0
"""Processor time that a call may take; what waits for a file that never ends is stopped after as long again."""

_MONTHS = pd.date_range("2000-01-31", periods=60, freq="BME")
_SCRIPT = """\
from backtest import Market, Months, main, param, rotate, strategy


@strategy
def mine(market: Market, hold: Months = param(24, low=1, high=60, help="so long")):
    \"\"\"Small after a cut.\"\"\"
    return rotate(market.policy.first_cuts(quiet=12, at_least=0.25).within(0, hold), into="small", otherwise="large")


if __name__ == "__main__":
    main(mine)
"""
_SCHEME = """\
title = "Two halves"
source = "made"
by = "rank"
classes = ["small", "large"]
borders = [4]
"""
_MOVING = _SCHEME.replace('"rank"', '"capitalisation"').replace("[4]", "[250.0]") + (
    'currency = "USD"\nindex = "MADE"\nindex_base = 100.0\n'
)
_MARKET = """\
extends = "embedded"
title = "a market of one's own"

[series]
mine = "MINE"
"""


class TooLongError(BaseException):
    """A call that took longer than it may; no guard catches it."""


@dataclass(frozen=True)
class Outcome:
    """What a call came to."""

    status: int
    said: str
    complained: str


def _late(*_: object) -> None:
    raise TooLongError


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    clocks = (
        (signal.SIGVTALRM, signal.ITIMER_VIRTUAL, seconds),
        (signal.SIGALRM, signal.ITIMER_REAL, 10 * seconds),
    )
    before = [signal.signal(number, _late) for number, _, _ in clocks]
    for _, clock, most in clocks:
        signal.setitimer(clock, most)
    # A file that never ends must not take the machine with it.
    memory = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, memory[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, memory)
        for (number, clock, _), handler in zip(clocks, before, strict=True):
            signal.setitimer(clock, 0.0)
            signal.signal(number, handler)


def _no_network(*_: object, **__: object) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


def call(folder: Path, arguments: Sequence[str], seconds: float = SECONDS) -> Outcome:
    """Call the command in a folder, in this process; TooLongError where it does not come back."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    complained = io.TextIOWrapper(
        io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True
    )
    before, connect = Path.cwd(), socket.socket.connect
    environment = dict(os.environ)
    os.environ |= {"ROTATION_DATA": str(folder / "store"), "COLUMNS": "100"}
    os.chdir(folder)
    socket.socket.connect = _no_network  # type: ignore[method-assign, assignment]
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(complained),
            _limited(seconds),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("error")
            status = _status(arguments)
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        os.chdir(before)
        os.environ.clear()
        os.environ |= environment
    texts = [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (said, complained)]  # type: ignore[attr-defined]
    return Outcome(status, *texts)


def _status(arguments: Sequence[str]) -> int:
    try:
        return guard.guarded("rotation", lambda: command.dispatch("rotation", None, list(arguments)))
    except SystemExit as stop:  # help
        return int(stop.code or 0)


def _companies() -> pd.DataFrame:
    random = np.random.default_rng(1)
    prices = 10.0 * np.exp(np.cumsum(random.normal(0.005, 0.05, (len(_MONTHS), 8)), axis=0))
    rows = [
        {
            "date": day.date(),
            "company": f"C{i}",
            "price": round(prices[t, i], 4),
            "shares": 2.0 ** (i + 1),
            "industry": "ab"[i % 2],
        }
        for t, day in enumerate(_MONTHS)
        for i in range(8)
    ]
    return pd.DataFrame(rows)


def _accounts() -> pd.DataFrame:
    ends = [day for day in _MONTHS if day.month == 12]
    rows = [
        {
            "company": f"C{i}",
            "published": day.date() + pd.Timedelta(days=80),
            "period_end": day.date(),
            "earnings": 1.5 + i,
            "book": 12.0 + i,
            "sales": 30.0,
        }
        for day in ends
        for i in range(8)
    ]
    return pd.DataFrame(rows)


IMPORT = ("data", "import", "mine.csv", "--id", "MINE", "--kind", "total-return", "--unit", "level")


def make(folder: Path) -> None:
    """Fill an empty folder."""
    companies = _companies()
    companies.to_csv(folder / "companies.csv", index=False)
    companies.to_parquet(folder / "companies.parquet", index=False)
    with gzip.open(folder / "zipped.csv.gz", "wb") as out:
        out.write((folder / "companies.csv").read_bytes())
    with zipfile.ZipFile(folder / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "companies.csv", "companies.csv")
    _accounts().to_csv(folder / "accounts.csv", index=False)
    dates = [str(day.date()) for day in _MONTHS]
    (folder / "rates.csv").write_text("date,currency,rate\n" + "".join(f"{d},THB,31.5\n" for d in dates))
    (folder / "index.csv").write_text(
        "date,value,known_at\n" + "".join(f"{d},{100 + i},{d}\n" for i, d in enumerate(dates))
    )
    (folder / "mine.csv").write_text(
        "date,value\n" + "".join(f"{d},{100 + 2 * (i % 7) + i}.25\n" for i, d in enumerate(dates))
    )
    pd.read_csv(folder / "mine.csv", parse_dates=["date"]).to_parquet(folder / "mine.parquet", index=False)
    for name, text in (
        ("halves.toml", _SCHEME),
        ("moving.toml", _MOVING),
        ("market.toml", _MARKET),
        ("mine.py", _SCRIPT),
    ):
        (folder / name).write_text(text)
    (folder / "mapping.toml").write_text('[columns]\ncompany = "company"\ndate = "date"\n')
    (folder / "days.txt").write_text("1984-09-20\n1989-06-06\n2001-01-03\n")
    for arguments in (
        IMPORT,
        ("run", "rate_cut", "--json", "--out", "report"),
        ("tune", "rate_cut", "--grid", "hold=12,24", "--placebo", "5", "--json", "--out", "sweep"),
        (
            "universe",
            "build",
            "companies.csv",
            "--scheme",
            "halves.toml",
            "--fundamentals",
            "accounts.csv",
            "--json",
            "--out",
            "built",
        ),
        ("signal", "rate_cut", "--changed"),
    ):
        done = call(folder, arguments, 100.0 * SECONDS)  # loops may be compiled
        assert done.status == 0, (arguments, done.complained)


def seen(folder: Path) -> dict[str, str]:
    """Return every path in a folder with what it is: the checksum of a file, or the kind of anything else."""
    found = {}
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(root, name)  # noqa: PTH118 - names that are no text, too
            whole = not os.path.islink(path) and os.path.isfile(path)  # noqa: PTH113, PTH114 - the same
            found[path] = hashlib.sha256(Path(path).read_bytes()).hexdigest() if whole else "no file"
    return found


def restore(template: Path, folder: Path) -> None:
    """Make a folder what the template is."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder, symlinks=True)
    os.mkfifo(folder / "pipe")


def objections(
    before: dict[str, str], after: dict[str, str], outcome: Outcome, *, tells: bool = False
) -> list[str]:
    """Return what is wrong with a call's outcome; ``tells`` where it may say what it did before it fails."""
    wrong, lines = [], outcome.complained.splitlines()
    if outcome.status not in (0, 1, 2, 3):
        wrong.append(f"exit status {outcome.status}")
    if "Traceback" in outcome.complained + outcome.said or "our fault" in outcome.complained:
        wrong.append("not expected: " + lines[-1][:300])
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    if outcome.status in (1, 2):
        if len(lines) != 1 and not (outcome.said.startswith("usage:") and not lines):
            wrong.append(f"{len(lines)} lines of complaint: {outcome.complained[:300]}")
        if outcome.said and not tells and not outcome.said.startswith("usage:"):
            wrong.append("said something and failed: " + outcome.said[:80])
        if any(ord(letter) < 32 for line in lines for letter in line):
            wrong.append("a control character on the terminal")
        if len(outcome.complained) > 1500:
            wrong.append(f"a sentence of {len(outcome.complained)} letters")
        changed = {path for path in changed if not tells or "store" not in path}
        if changed:
            wrong.append(f"left or changed: {sorted(changed)[:3]}")
    elif any(
        path in before for path in changed if not path.endswith("signals.json") and "/sweep" not in path
    ):
        wrong.append(f"changed what was there: {sorted(changed)[:3]}")
    elif lines and outcome.status == 0:
        wrong.append("said on standard error, status 0: " + lines[0][:200])
    return wrong
