"""The ``rotation doctor`` command: what is installed, stored, stale and unusable, and what to type then."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.arguments import Parser
from backtest.cli.options import add_json, say_json
from backtest.errors import RotationError, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from backtest.scripting.strategy import Strategy

OURS = "size-rotation"
BUILT_ON = ("numpy", "pandas", "numba", "scipy", "vectorbt", "duckdb", "matplotlib", "arch")
DEVELOPERS = frozenset({"bench", "dev", "docs", "mutants"})
"""Extras that nobody needs who does not change the code."""

_NAMED = 5  # series by name in one line


@dataclass(frozen=True)
class State:
    """One thing that was looked at.

    Parameters
    ----------
    about
        What: ``installed``, an extra, ``store``, ``series``, a series, a market.
    state
        ``fine``, ``lacking`` (an option that is not there), ``stale`` or ``unusable``.
    said
        One clause for people.
    command
        What to type; empty where there is nothing to do.
    """

    about: str
    state: str
    said: str
    command: str = ""


def versions() -> str:
    """Return our version, what it stands on, and where series are stored, in one line."""
    from backtest.market.store import data_folder

    stood_on = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in BUILT_ON)
    ours = f"{OURS} {importlib.metadata.version(OURS)}"
    return f"{ours}; Python {platform.python_version()}, {stood_on}; series in {data_folder()}"


def _extras() -> Iterator[State]:
    wanted: dict[str, list[str]] = {}
    for requirement in importlib.metadata.requires(OURS) or []:
        package, _, marker = requirement.partition(";")
        extra = re.search(r"extra == ['\"](.+?)['\"]", marker)
        if extra and extra[1] not in DEVELOPERS:
            wanted.setdefault(extra[1], []).append(re.split(r"[^\w.-]", package)[0])
    for name, packages in sorted(wanted.items()):
        lacking = [package for package in packages if not _installed(package)]
        if lacking:
            said = f"{joined(lacking)} not installed"
            yield State(f"extra {name}", "lacking", said, f"pip install '{OURS}[{name}]'")
        else:
            yield State(f"extra {name}", "fine", "installed")


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _writable(folder: Path) -> bool:
    """Whether something could be written there, in the nearest folder that is there already."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


def _stored() -> Iterator[State]:
    from backtest.market.catalogue import entry
    from backtest.market.fetch import is_stale, verify
    from backtest.market.store import Store

    store = Store()
    state, said = ("fine", "can be written") if _writable(store.folder) else ("unusable", "cannot be written")
    cure = "" if state == "fine" else "rotation data list --data-dir DIR"
    yield State("store", state, f"{store.folder} {said}", cure)
    found = verify()
    damaged = {each.id for each in found if each.wrong}
    whole = {each.id for each in found} - damaged
    yield State("series", "fine", f"{len(whole)} stored and whole")
    for each in found:
        if each.wrong:
            yield State(each.id, "unusable", each.wrong, "rotation data verify")
    stale = sorted(id for id in whole if is_stale(entry(id), store.current(id)))
    if stale:
        named = ", ".join(stale[:_NAMED]) + (", ..." if len(stale) > _NAMED else "")
        yield State("series", "stale", f"{len(stale)} ({named})", f"rotation data fetch {' '.join(stale)}")


def _markets() -> Iterator[State]:
    from backtest.market.definition import shipped_markets
    from backtest.market.sources import commands

    for market in shipped_markets():
        absent = market.missing
        lacking = len(absent)
        state, said = (
            ("lacking", f"{lacking} of its series not stored") if lacking else ("fine", "can be used")
        )
        cures = commands(absent, f"rotation data fetch {market.name}")
        yield State(f"market {market.name}", state, said, "\n".join(cures))


def states() -> list[State]:
    """Return everything that was looked at, in the order in which it is shown."""
    return [State("installed", "fine", versions()), *_extras(), *_stored(), *_markets()]


def doctor(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any
    """Be ``rotation doctor``; exit status 1 where something that is stored cannot be used."""
    about = "Say what is installed, stored, stale and unusable, and the command for each."
    parser = Parser(prog=prog, description=about)
    parser.add_data_dir()
    add_json(parser)
    options = parser.parse(arguments)
    found = states()
    if options.json:
        say_json(found)
    else:
        _show(found)
    bad = [each for each in found if each.state == "unusable"]
    if bad:
        raise RotationError(f"{bad[0].about} is unusable: {bad[0].said}")
    return 0


def _show(found: Sequence[State]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for each in found:
        said = Text(each.said, overflow="fold")  # a path is not to be cut
        if each.command:
            said.append(f"\n{each.command}", style="bold")
        table.add_row(Text(each.about), Text(each.state), said)
    Console(highlight=False).print(table)
