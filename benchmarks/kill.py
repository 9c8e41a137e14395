"""What is left when a command is killed, starved, or started several times at once: whole files or none.

    python -m benchmarks.kill --kills 200 --seed 0     a table of counts; exit 1 where anything was wrong
    python -m benchmarks.kill --kills 5 --only killed   the kills alone

Every command is first left alone, and its files are kept. Then it is killed (``kill -9``), half of the times
at a random moment, half of the times at one after it began to write. What is left must be nothing, a draft of
another name, or the very bytes that an undisturbed command writes; a store must verify, and a sweep must go
on with ``--resume`` to the same bytes. So it must be where several processes write to one place, and where
signals, a closed pipe, no home, few file descriptors, little memory and a full disk end a command: then with
one sentence, or as if nothing had been.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.attack.ground import _SCHEME, _accounts, _companies
from tests.market.made import made
from tests.market.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROTATION = str(Path(sys.executable).with_name("rotation"))
SECONDS = 300.0
DRAFT = ".part"
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


@dataclass(frozen=True)
class Job:
    """A command and what it makes, below its folder."""

    name: str
    arguments: tuple[str, ...]
    out: str


FETCH = Job("data fetch", ("data", "fetch", "--force", "AAA", "BAA", "GS10", "VIXCLS", "DFEDTARU"), "store")
RUN = Job("run", ("run", "rate_cut", "--csv", "--out", "report"), "report")
_GRID = ("--grid", "delay=0:24:1", "--grid", "hold=1:60:1", "--grid", "min_cut=0.25:1:0.25")
TUNE = Job("tune", ("tune", "rate_cut", *_GRID, "--placebo", "0", "--out", "sweep"), "sweep")
STUDY = Job("study", ("study", "first-cut", "--out", "study"), "study")
BUILD = Job(
    "universe build",
    ("universe", "build", "companies.csv", "--scheme", "halves.toml", "--out", "built"),
    "built",
)
JOBS = (FETCH, RUN, TUNE, STUDY, BUILD)
_TABLE = ("universe", "classify", "companies.csv", "--scheme", "halves.toml", "--out", "table.csv")
_SCREEN = (
    "universe",
    "screen",
    "companies.csv",
    "--fundamentals",
    "accounts.csv",
    "--scheme",
    "halves.toml",
    "--out",
    "table.csv",
)


@dataclass
class Ground:
    """A folder that is made anew for every command, always at the same place, and what was counted."""

    home: Path
    environment: dict[str, str]
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    whole: dict[str, dict[str, str]] = field(default_factory=dict)
    tells: bool = False
    took: dict[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where commands are called."""
        return self.home / "here"

    @property
    def temporary(self) -> Path:
        """Where commands have their temporary files."""
        return self.home / "temporary"

    def fresh(self) -> None:
        """Make the folder anew."""
        for place in (self.folder, self.temporary):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
        _companies().to_csv(self.folder / "companies.csv", index=False)
        _accounts().to_csv(self.folder / "accounts.csv", index=False)
        (self.folder / "halves.toml").write_text(_SCHEME)

    def start(
        self, arguments: Sequence[str], limit: Callable[[], None] | None = None, **other: str | None
    ) -> subprocess.Popen[bytes]:
        """Start a command; ``limit`` is called in it first, ``other`` changes its surroundings."""
        changed = {
            **self.environment,
            "TMPDIR": str(self.temporary),
            "ROTATION_DATA": str(self.folder / "store"),
            **other,
        }

        def first() -> None:
            for name in SIGNALS:  # what was started in a shell's background does not hear Ctrl-C
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            if limit is not None:
                limit()

        return subprocess.Popen(
            [ROTATION, *arguments],
            cwd=self.folder,
            env={name: value for name, value in changed.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=first,  # noqa: PLW1509 - this process has no threads that hold a lock then
        )

    def note(self, what: str, outcome: str, *wrong: str) -> None:
        """Count an outcome, and what was wrong with it."""
        self.counts[what, "tried"] += 1
        if self.tells:
            print(what, outcome, *wrong, file=sys.stderr, flush=True)
        self.counts[what, outcome] += 1
        if wrong:
            self.counts[what, "wrong"] += 1
            self.wrong += [f"{what}: {each}" for each in wrong]

    def undisturbed(self, job: Job, rounds: int = 2) -> None:
        """Do a job alone, twice, for the first may compile; keep what it made and how long it took."""
        for _ in range(rounds):
            self.fresh()
            began = time.monotonic()
            process = self.start(job.arguments)
            said = ended(process)
            self.took[job.name] = time.monotonic() - began
            if process.returncode != 0:
                raise SystemExit(f"{job.name}: {said.decode()}")
        self.whole[job.name] = seen(self.folder / job.out)

    def objections(self, job: Job) -> list[str]:
        """Return what is wrong with what a job left: anything but nothing, drafts, and its own bytes."""
        place, said = self.folder / job.out, []
        for path in (p for p in self.folder.rglob("*") if DRAFT not in str(p.relative_to(self.folder))):
            inside = path == place or place in path.parents
            if not inside and path.name not in {"companies.csv", "accounts.csv", "halves.toml", job.out}:
                said.append(f"left {path.relative_to(self.folder)}")
        if not place.exists():
            return said
        if job is FETCH:
            return said + self._verified()
        there, whole = seen(place), self.whole[job.name]
        if job is TUNE:
            return said + self._resumed(there)
        torn = sorted(name for name in {*there, *whole} if there.get(name) != whole.get(name))
        return said + [f"{job.out} is not what it would be: {name}" for name in torn[:3]]

    def _verified(self) -> list[str]:
        """Return what ``data verify`` says of the store, and which of its files is not what its name says."""
        process = self.start(("data", "verify"))
        told, complained = process.communicate(timeout=SECONDS)
        good = process.returncode == 0 and not complained
        said = [] if good else [f"verify: {(told + complained).decode()[-200:]}"]
        values = [path for path in (self.folder / "store").rglob("*.parquet") if path.name[0] != "."]
        torn = [p.name for p in values if hashlib.sha256(p.read_bytes()).hexdigest()[:16] != p.stem]
        return said + [f"{name} is torn" for name in torn]

    def _resumed(self, there: dict[str, str]) -> list[str]:
        """Go on with a sweep; return what of it differs from one that nobody disturbed."""
        whole = self.whole[TUNE.name]
        torn = [name for name in _trials(there) if there[name] != whole.get(name)]
        process = self.start((*TUNE.arguments, "--resume"))
        complained = ended(process)
        if process.returncode != 0:
            return [*torn, f"resume: {complained.decode()[-200:]}"]
        now = seen(self.folder / TUNE.out)
        again = {**_trials(now), **_report(now)}
        if again != {**_trials(whole), **_report(whole)} or {*now} != {*whole}:
            torn.append("resumed to other bytes")
        return torn

    def drafts(self) -> list[Path]:
        """Return what is left of writing: drafts, and temporary files."""
        return [*(p for p in self.folder.rglob(f"*{DRAFT}")), *self.temporary.iterdir()]


def _trials(there: dict[str, str]) -> dict[str, str]:
    return {name: sha for name, sha in there.items() if name == "manifest.json" or name.startswith("trials/")}


def _report(there: dict[str, str]) -> dict[str, str]:
    return {name: sha for name, sha in there.items() if name.startswith("recommended/")}


def seen(place: Path) -> dict[str, str]:
    """Return the checksum of each file of a folder that is no draft."""
    found = sorted(p for p in place.rglob("*") if p.is_file() and DRAFT not in str(p.relative_to(place)))
    return {str(p.relative_to(place)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def ended(process: subprocess.Popen[bytes]) -> bytes:
    """Return what a command said on standard error; one that does not come back is killed."""
    try:
        return process.communicate(timeout=SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return b"did not come back: " + process.communicate()[1]


def complaints(process: subprocess.Popen[bytes], said: bytes) -> list[str]:
    """Return what is wrong with how a command ended: anything but an answer or one sentence."""
    lines = said.decode(errors="replace").splitlines()
    if process.returncode not in (0, 1, 2):
        return [f"exit status {process.returncode}: {' / '.join(lines)[-300:]}"]
    if process.returncode == 0 and not lines:
        return []
    if process.returncode == 0 or len(lines) != 1 or "Traceback" in lines[0] or "our fault" in lines[0]:
        return [f"status {process.returncode}, {len(lines)} lines: {' / '.join(lines)[-300:]}"]
    return []


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and judge at once: one that it started may live a little longer."""
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def killed(ground: Ground, job: Job, chance: random.Random, *, writing: bool) -> None:
    """Kill a job at a random moment, after it began to write where ``writing``, and judge what is left."""
    ground.fresh()
    process = ground.start(job.arguments)
    began, before = time.monotonic(), len(list(ground.folder.iterdir()))
    if writing:
        while len(list(ground.folder.iterdir())) == before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(
            chance.uniform(0.0, 0.1)
            if chance.random() < 0.5
            else chance.uniform(0.0, ground.took[job.name] / 3)
        )
    else:
        time.sleep(max(chance.uniform(0.0, ground.took[job.name]) - (time.monotonic() - began), 0.0))
    _end(process)
    what = f"kill -9 of {job.name}"
    if process.returncode == 0:
        ground.note(what, "done before", *ground.objections(job))
        return
    left = ground.drafts()
    ground.counts[what, "drafts"] += len(left)
    nothing = not (ground.folder / job.out).exists()
    ground.note(what, "nothing left" if nothing else "whole", *ground.objections(job))


def explored(ground: Ground, chance: random.Random) -> None:
    """Kill the explorer at a random moment after its page asked for a report; it writes nothing else."""
    ground.fresh()
    process = ground.start(("explore", "rate_cut", "--no-browser"))
    assert process.stdout is not None
    said = process.stdout.readline().decode().strip()
    if not said.startswith("http://127.0.0.1:"):
        _end(process)
        ground.note("kill -9 of explore", "did not begin", said)
        return
    with urllib.request.urlopen(said, timeout=SECONDS) as page:  # noqa: S310 - it begins with http
        place = page.url
    asked = json.dumps({"values": [{}], "terms": {}, "linear": False, "applied": 0}).encode()

    def keep() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # it is killed meanwhile
            urllib.request.urlopen(f"{place}keep", asked, timeout=SECONDS).close()  # noqa: S310 - as above

    asking = threading.Thread(target=keep)
    asking.start()
    time.sleep(chance.uniform(0.0, 1.2 * ground.took[RUN.name]))
    _end(process)
    asking.join()
    reports = [path for path in ground.folder.glob("reports/*/*") if DRAFT not in path.name]
    torn = [path.name for path in reports if not _is_whole(path)]
    ground.counts["kill -9 of explore", "drafts"] += len(ground.drafts())
    ground.note("kill -9 of explore", "whole" if reports else "nothing left", *(f"{x} is torn" for x in torn))


def _is_whole(report: Path) -> bool:
    """Return whether a report has each file that its checksums name, as they say, and no other."""
    if not (report / "SHA256SUMS").is_file():
        return False
    lines = (report / "SHA256SUMS").read_text().splitlines()
    return {name: sha for sha, _, name in (line.partition("  ") for line in lines)} == {
        name: sha for name, sha in seen(report).items() if name != "SHA256SUMS"
    }


def swept(ground: Ground) -> None:
    """Ask that what a killed command left goes with the next one that writes beside it."""
    for job in (RUN, BUILD):
        ground.fresh()
        process = ground.start(job.arguments)
        while not ground.drafts() and process.poll() is None:
            time.sleep(0.001)
        _end(process)
        left = ground.drafts()
        for place in left:
            os.utime(place, (time.time() - 90.0,) * 2)
        process = ground.start(job.arguments)
        said = ended(process)
        wrong = [f"still there: {place.name}" for place in ground.drafts()]
        ground.note(f"swept after {job.name}", f"{len(left)} left", *wrong, *complaints(process, said))


def told(ground: Ground, job: Job, name: str, chance: random.Random) -> None:
    """End a job by a signal that it hears, at a random moment once it is at work."""
    ground.fresh()
    process = ground.start(job.arguments)
    time.sleep(chance.uniform(0.15, 1.0) * ground.took[job.name])
    process.send_signal(getattr(signal, name))
    said = ended(process)
    early = process.returncode == -getattr(signal, name) and not said
    wrong = [] if early else complaints(process, said)
    wrong += [f"left {place.name}" for place in ground.drafts() if not early]
    outcome = "before it heard" if early else "done before" if process.returncode == 0 else "one sentence"
    ground.note(name, outcome, *wrong, *ground.objections(job))


def _files(number: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def _memory(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _size(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def starved(ground: Ground, job: Job) -> None:
    """Do a job where something is lacking."""
    bare = {"ROTATION_DATA": None, "XDG_DATA_HOME": None, "XDG_CACHE_HOME": None}
    cases: dict[str, tuple[Callable[[], None] | None, dict[str, str | None]]] = {
        "no home": (None, {"HOME": None}),
        "home cannot be written": (None, {"HOME": "/sys", **({} if job is FETCH else bare)}),
        "256 file descriptors": (_files(256), {}),
        "1.5 GB of addresses": (_memory(3 * 2**29), {}),
        "4 GB of addresses": (_memory(2**32), {}),
        "files of 16 KB at most": (_size(2**14), {}),
    }
    for what, (limit, other) in cases.items():
        ground.fresh()
        process = ground.start(job.arguments, limit, **other)
        said = ended(process)
        outcome = "done" if process.returncode == 0 else "one sentence"
        wrong = [*complaints(process, said), *(f"left {place.name}" for place in ground.drafts())]
        ground.note(what, outcome, *(f"{job.name}: {each}" for each in (*wrong, *ground.objections(job))))


def unheard(ground: Ground, job: Job) -> None:
    """Do a job whose reader has gone."""
    ground.fresh()
    process = ground.start(job.arguments)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.wait(timeout=SECONDS)
    wrong = [f"said {said.decode()[-300:]}"] if said or process.returncode not in (0, 1) else []
    wrong += [f"left {place.name}" for place in ground.drafts()]
    outcome = "done" if process.returncode == 0 else "stopped"
    ground.note("closed pipe", outcome, *wrong, *ground.objections(job))


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[bool]:
    """Put a small disk at a place, where that is allowed; say whether it is there."""
    place.mkdir(exist_ok=True)
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    asked = [mount or "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    there = (
        bool(mount and unmount) and subprocess.run(asked, capture_output=True, check=False).returncode == 0
    )
    try:
        yield there
    finally:
        if there:
            subprocess.run([unmount or "umount", str(place)], check=True)


def full(ground: Ground, job: Job, size: str) -> None:
    """Do a job on a disk that is too small for it."""
    ground.fresh()
    with small_disk(ground.folder / "small", size) as there:
        if not there:
            ground.note("full disk", "not allowed to try")
            return
        place = ground.folder / "small" / job.out
        arguments = tuple(f"small/{word}" if word == job.out else word for word in job.arguments)
        process = ground.start(arguments, ROTATION_DATA=str(ground.folder / "small" / "store"))
        said = ended(process)
        wrong = complaints(process, said)
        wrong += [f"left {path.name}" for path in (ground.folder / "small").rglob(f"*{DRAFT}")]
        whole = ground.whole[job.name]
        there_now = seen(place)
        if job in (RUN, STUDY, BUILD) and place.exists() and {*there_now} != {*whole}:
            wrong.append(f"{job.out} is not whole")
        if job is TUNE:
            wrong += [f"torn {name}" for name, sha in _trials(there_now).items() if sha != whole.get(name)]
    outcome = "done" if process.returncode == 0 else "one sentence"
    ground.note("full disk", outcome, *(f"{job.name}, {size}: {each}" for each in wrong))


def together(ground: Ground, job: Job, others: Sequence[tuple[str, ...]], *, all_done: bool = False) -> None:
    """Start several processes on one place at once: what is there then is wholly that of one of them."""
    ground.fresh()
    running = [ground.start(arguments) for arguments in others]
    ends = [(process, ended(process)) for process in running]
    wrong = [each for process, said in ends for each in complaints(process, said)]
    done = sum(process.returncode == 0 for process, _ in ends)
    if done != len(others) if all_done else done < 1:
        wrong.append(f"{done} of {len(others)} were done")
    wrong += [f"left {place.name}" for place in ground.drafts()]
    ground.note(f"{len(others)} at once: {job.name}", f"{done} done", *wrong, *ground.objections(job))


def one_file(ground: Ground) -> None:
    """Let processes of two kinds write one file at once: it is wholly that of one of them."""
    bytes_of = []
    for arguments in (_TABLE, _SCREEN):
        ground.fresh()
        ground.start(arguments).communicate(timeout=SECONDS)
        bytes_of.append((ground.folder / "table.csv").read_bytes())
    ground.fresh()
    running = [ground.start(arguments) for arguments in (_TABLE, _SCREEN, _TABLE, _SCREEN)]
    ends = [(process, ended(process)) for process in running]
    wrong = [each for process, said in ends for each in complaints(process, said)]
    if (ground.folder / "table.csv").read_bytes() not in bytes_of:
        wrong.append("table.csv is of nobody")
    done = sum(process.returncode == 0 for process in running)
    ground.note("4 at once: one file", f"{done} done", *wrong)


def resumed_at_once(ground: Ground) -> None:
    """Let four processes go on with one half-finished sweep at once: it comes to the same bytes."""
    ground.fresh()
    ground.start(TUNE.arguments).communicate(timeout=SECONDS)
    for part in sorted((ground.folder / "sweep" / "trials").iterdir())[1::2]:
        part.unlink()
    running = [ground.start((*TUNE.arguments, "--resume", "--json")) for _ in range(4)]
    ends = [(process, ended(process)) for process in running]
    wrong = [each for process, said in ends for each in complaints(process, said)]
    if _trials(seen(ground.folder / "sweep")) != _trials(ground.whole[TUNE.name]):
        wrong.append("resumed to other bytes")
    done = sum(process.returncode == 0 for process in running)
    ground.note("4 at once: tune --resume", f"{done} done", *wrong)


def contended(ground: Ground) -> None:
    """Let processes meet at one store, one sweep, one report and one file."""
    together(ground, FETCH, [FETCH.arguments] * 4, all_done=True)
    together(ground, RUN, [RUN.arguments] * 4)
    together(ground, TUNE, [TUNE.arguments] * 4)
    resumed_at_once(ground)
    one_file(ground)


def in_turn(ground: Ground, n: int, chance: random.Random, jobs: Sequence[Job]) -> None:
    """Kill jobs and the explorer, each in its turn, ``n`` times in all."""
    turns = (*jobs, None)
    for number in range(n):
        job = turns[number % len(turns)]
        if job is None:
            explored(ground, chance)
        else:
            killed(ground, job, chance, writing=number // len(turns) % 2 == 0)


def attack(ground: Ground, n: int, seed: int, only: Sequence[str], jobs: Sequence[Job] = JOBS) -> None:
    """Do all of it, or the parts named in ``only``."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    for job in (FETCH, RUN, TUNE) if [*only] == ["contended"] else jobs:
        ground.undisturbed(job)
    if "killed" in only:
        in_turn(ground, n, chance, jobs)
        if n >= len(JOBS):
            swept(ground)
    if "signals" in only:
        for name in SIGNALS:
            for job in jobs:
                told(ground, job, name, chance)
    if "starved" in only:
        for job in jobs:
            starved(ground, job)
            unheard(ground, job)
            for size in ("64k", "192k"):
                full(ground, job, size)
    if "contended" in only:
        contended(ground)


PARTS = ("killed", "signals", "starved", "contended")


@contextmanager
def ground_at(home: Path) -> Iterator[Ground]:
    """Give a ground below a folder, and a server of made files that ``data fetch`` asks."""
    with serving(made) as library:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROTATION_")}
        yield Ground(home, {**kept, **library.environment, "ROTATION_TIMEOUT": "20"})


def table(ground: Ground) -> str:
    """Return the counts in words."""
    lines = []
    for what in dict.fromkeys(what for what, _ in ground.counts):
        told_of = {outcome: n for (name, outcome), n in ground.counts.items() if name == what}
        tried = told_of.pop("tried")
        wrong = told_of.pop("wrong", 0)
        rest = ", ".join(f"{n} {outcome}" for outcome, n in sorted(told_of.items()))
        lines.append(f"| {what} | {tried} | {rest} | {wrong} |")
    return "\n".join(["| what | tried | came to | wrong |", "|---|---|---|---|", *lines])


def main() -> int:
    """Attack, print a table of counts and what was wrong; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=PARTS, action="append")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-") as home, ground_at(Path(home)) as ground:
        ground.tells = True
        began = time.monotonic()
        attack(ground, options.kills, options.seed, options.only or PARTS)
        print(table(ground))
        print(f"{time.monotonic() - began:.0f} seconds")
        for each in ground.wrong:
            print(each)
    return 1 if ground.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
