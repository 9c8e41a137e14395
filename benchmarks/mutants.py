"""Whether tests would notice: every small change to a module, one by one, against the tests of that module.

    python -m benchmarks.mutants                # all modules of tests/mutants.toml
    python -m benchmarks.mutants dates release  # those with one of the words in their path
    python -m benchmarks.mutants --survivors    # only what no test noticed the last time

mutmut makes the changes and tries them, each in a process of its own that stops at the first test to fail.
A module's results stand in build/mutants while the module and its tests stay as they are; a run that was
stopped goes on where it was. What no test notices has to stand in tests/mutants.toml with the reason: any
other, and a reason that is needed no longer, makes the command fail.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LIST = REPOSITORY / "tests" / "mutants.toml"
WORK = REPOSITORY / "build" / "mutants"
NEEDED = ("backtest", "strategies", "data", "tests", "benchmarks", "docs", "README.md", "constraints.txt")
"""What the tests need around them."""

UNNOTICED = (0, 5, 33)  # mutmut's codes: the tests passed, there were none, none reaches the function
LEAST = 0.95


@dataclass
class Module:
    """What became of the changes of one module."""

    path: str
    n_mutants: int
    n_open: int
    unnoticed: list[tuple[str, str]]
    """Function and change, as in tests/mutants.toml."""


def _settings(path: str, tests: list[str]) -> str:
    """Return mutmut's own settings, which it reads from the folder that it is started in."""
    return f"""
[tool.mutmut]
source_paths = ["backtest"]
only_mutate = {json.dumps([path])}
also_copy = {json.dumps([name for name in NEEDED if name != "backtest"])}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist"]
pytest_add_cli_args_test_selection = {json.dumps(tests)}
timeout_multiplier = 4.0
timeout_constant = 3.0
"""


def _digest(path: str, tests: list[str]) -> str:
    found = hashlib.sha256()
    for name in [path, *tests, "tests/conftest.py"]:
        place = REPOSITORY / name.partition("::")[0]
        found.update(place.read_bytes())
    return found.hexdigest()


def _prepare(place: Path, path: str, tests: list[str]) -> None:
    """Bring the module's own copy of the project up to date."""
    for name in NEEDED:
        for file in [REPOSITORY / name, *(REPOSITORY / name).rglob("*")]:
            there = place / file.relative_to(REPOSITORY)
            if file.is_file() and not (there.is_file() and there.read_bytes() == file.read_bytes()):
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, there)
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8") + _settings(path, tests)
    if not (place / "pyproject.toml").is_file() or (place / "pyproject.toml").read_text("utf-8") != project:
        (place / "pyproject.toml").write_text(project, encoding="utf-8")


def _meta(place: Path, path: str) -> Path:
    return place / "mutants" / f"{path}.meta"


def _codes(place: Path, path: str) -> dict[str, int | None]:
    """Return what mutmut noted for each change; None for one that is still to be tried."""
    file = _meta(place, path)
    return json.loads(file.read_text("utf-8"))["exit_code_by_key"] if file.is_file() else {"": None}


def _forget(place: Path, path: str, codes: tuple[int, ...] | None) -> None:
    """Have the changes with these codes, or all, tried again; and find out anew which test reaches what."""
    (place / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    file = _meta(place, path)
    if file.is_file():
        meta = json.loads(file.read_text("utf-8"))
        known = meta["exit_code_by_key"]
        meta["exit_code_by_key"] = {k: None if codes is None or c in codes else c for k, c in known.items()}
        file.write_text(json.dumps(meta), encoding="utf-8")


def _changes(place: Path, path: str, keys: list[str]) -> list[tuple[str, str]]:
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.utils.format_utils import orig_function_and_class_names_from_key

    found = []
    with contextlib.chdir(place):
        for key in keys:
            name, cls = orig_function_and_class_names_from_key(key)
            lines = get_diff_for_mutant(key, path=Path(path)).splitlines()
            changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
            was, now = ([line[1:].strip() for line in changed if line[0] == sign] for sign in "-+")
            found.append((f"{cls}.{name}" if cls else name, f"{' '.join(was)}  ->  {' '.join(now)}"))
    return found


def _run(path: str, tests: list[str], *, survivors: bool, jobs: int) -> Module:
    place = WORK / path.removesuffix(".py").replace("/", ".")
    digest, stamp = _digest(path, tests), place / "digest"
    as_before = stamp.is_file() and stamp.read_text("utf-8") == digest
    if survivors or not as_before:
        _prepare(place, path, tests)
        _forget(place, path, UNNOTICED if survivors else None)
        stamp.write_text(digest, encoding="utf-8")
    if None in _codes(place, path).values():
        start = "from mutmut.__main__ import cli; cli()"
        command = [sys.executable, "-c", start, "run", "--max-children", str(jobs)]
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",
            "HYPOTHESIS_PROFILE": "mutants",
            "ROTATION_SHARED_DATA": str(place / "none"),
        }
        with (place / "log").open("w") as log:
            done = subprocess.run(command, cwd=place, env=environment, stdout=log, stderr=log, check=False)
        if done.returncode:
            sys.exit(f"{path}: mutmut stopped; the end of {place / 'log'} says why")
    codes = _codes(place, path)
    unnoticed = [key for key, code in codes.items() if code in UNNOTICED]
    n_open = sum(code is None for code in codes.values())
    return Module(path, len(codes), n_open, _changes(place, path, unnoticed))


def main() -> None:
    """Run the modules that are asked for, print what became of them, and fail where a test is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="parts of modules' paths; by default all modules")
    parser.add_argument(
        "--survivors", action="store_true", help="try only what no test noticed the last time"
    )
    parser.add_argument("--jobs", type=int, default=1, help="changes tried at once (default 1)")
    asked = parser.parse_args()
    listed = tomllib.loads(LIST.read_text("utf-8"))
    print(f"{'module':<40} {'mutants':>8} {'killed':>7} {'listed':>7} {'new':>5} {'killed':>7}", flush=True)
    missing = False
    for path, tests in listed["modules"].items():
        if asked.words and not any(word in path for word in asked.words):
            continue
        module = _run(path, tests, survivors=asked.survivors, jobs=asked.jobs)
        missing |= _report(module, listed)
    sys.exit(1 if missing else 0)


def _report(module: Module, listed: dict) -> bool:
    """Print a module's line and what has to be done about it; return whether anything has."""
    families = [re.compile(family["change"]) for family in listed.get("families", [])]
    own = {(e["function"], e["change"]): 0 for e in listed.get("survivors", []) if e["module"] == module.path}
    new = []
    for function, change in module.unnoticed:
        if (function, change) in own:
            own[function, change] += 1
        elif not any(family.fullmatch(change) for family in families):
            new.append((function, change))
    killed = module.n_mutants - module.n_open - len(module.unnoticed)
    share = killed / max(module.n_mutants - module.n_open, 1)
    print(
        f"{module.path:<40} {module.n_mutants:>8} {killed:>7} {len(module.unnoticed) - len(new):>7} "
        f"{len(new):>5} {share:>7.1%}",
        flush=True,
    )
    for function, change in new:
        print(f"    no test notices, in {function}: {change}")
    idle = [key for key, count in own.items() if not count]
    for function, change in idle:
        print(f"    a test notices now, so take it off the list, in {function}: {change}")
    if module.n_open:
        print(f"    {module.n_open} not tried yet: run the command again")
    if share < LEAST:
        print(f"    fewer than {LEAST:.0%} are killed")
    return bool(new or idle or module.n_open or share < LEAST)


if __name__ == "__main__":
    main()
