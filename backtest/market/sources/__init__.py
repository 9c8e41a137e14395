"""Sources: where a series' values come from. Each is a file here that registers itself; no list names it."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import shlex
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from backtest.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from backtest.market.entry import Entry
    from backtest.market.table import SourceTable

    Brought: TypeAlias = "Callable[[Entry, bytes, str], SourceTable]"
    Tables: TypeAlias = "Callable[[Sequence[Entry]], dict[str, SourceTable | DataError]]"


@dataclass(frozen=True)
class Source:
    """One source.

    Parameters
    ----------
    name
        What entries of the catalogue call it; the extra that installs what it needs has the same name.
    tables
        From entries of one file (their ``download``) to their tables by id. It raises a DataError where the
        file cannot be had; where only a part of it is not what the catalogue says, the error stands in the
        place of that part's table.
    options
        The record of what an entry says to this source only; None where there is nothing to say.
    carried
        Whether its values are on this computer, so that they are read each time; others are stored.
    needs
        A package that it needs and that the installation may lack.
    brought
        Of what a user has to bring: from an entry, the content of the file and its name to the table.
    """

    name: str
    tables: Tables
    options: type | None = None
    carried: bool = False
    needs: str = ""
    brought: Brought | None = None

    @property
    def lacking(self) -> str:
        """The package that it needs and that is not installed; empty where it has all."""
        return self.needs if self.needs and importlib.util.find_spec(self.needs) is None else ""

    def require(self) -> None:
        """Raise a DataError with the command that installs what it lacks, if it lacks anything."""
        if self.lacking:
            raise DataError(
                f"the source '{self.name}' needs the package {self.lacking}; install it with: "
                f"pip install 'size-rotation[{self.name}]'"
            )


_SOURCES: dict[str, Source] = {}


def source(
    name: str,
    *,
    options: type | None = None,
    carried: bool = False,
    needs: str = "",
    brought: Brought | None = None,
) -> Callable[[Tables], Tables]:
    """Register a function as a source; the parameters are those of ``Source``."""

    def register(tables: Tables) -> Tables:
        _SOURCES[name] = Source(name, tables, options, carried, needs, brought)
        return tables

    return register


@cache
def sources() -> dict[str, Source]:
    """Return all sources by name. Their files import what is heavy only when they are asked for values."""
    for file in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{file.name}")
    return dict(sorted(_SOURCES.items()))


def source_of(about: Entry) -> Source:
    """Return the source of a series; DataError where there is none of that name."""
    if about.source not in sources():
        raise DataError(
            f"series {about.id}: there is no source '{about.source}'; {nearest(about.source, sources())}"
        )
    return sources()[about.source]


def _bring(about: Entry) -> str:
    return f"rotation data import {shlex.quote(about.download)} --id {about.id}"


def bringing(entries: Sequence[Entry], why: str) -> dict[str, SourceTable | DataError]:
    """Return what a source answers that downloads nothing: for each series how to bring it.

    ``why`` says why it is not downloaded and where the file is; ``{file}`` stands for its name.
    """
    return {
        e.id: DataError(
            f"{e.id} is not downloaded, since {why.format(file=e.download)} and bring it: {_bring(e)}"
        )
        for e in entries
    }


def getting(entries: Iterable[Entry]) -> tuple[list[str], list[str]]:
    """Return the ids of the series that are downloaded, and the commands that bring the others."""
    each = list(entries)
    fetched = [e.id for e in each if not source_of(e).brought]
    return fetched, [_bring(e) for e in each if source_of(e).brought]


def commands(entries: Iterable[Entry]) -> list[str]:
    """Return the commands that get series: one for all that are downloaded, one for each that is brought."""
    fetched, brought = getting(entries)
    return [*([f"rotation data fetch {' '.join(fetched)}"] if fetched else []), *brought]
