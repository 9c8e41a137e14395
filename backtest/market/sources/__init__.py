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
    from collections.abc import Callable, Sequence

    from backtest.market.entry import Entry, SourceTable

    Brought: TypeAlias = "Callable[[Entry, bytes, str], SourceTable]"
    Table: TypeAlias = "Callable[[Entry], SourceTable]"


@dataclass(frozen=True)
class Source:
    """One source.

    Parameters
    ----------
    name
        What entries of the catalogue call it; the extra that installs what it needs has the same name.
    opened
        From a file (``download`` of its entries) to what makes the table of each entry that is in it. Either
        raises a DataError: where the file cannot be had, where a part is not what the catalogue says.
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
    opened: Callable[[str], Table]
    options: type | None = None
    carried: bool = False
    needs: str = ""
    brought: Brought | None = None

    def table(self, about: Entry) -> SourceTable:
        """Return one entry's table; errors as ``opened``."""
        return self.opened(about.download)(about)

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
    name: str, *, options: type | None = None, carried: bool = False, needs: str = ""
) -> Callable[[Table], Table]:
    """Register a function from an entry to its table as a source; the parameters are those of ``Source``."""

    def register(table: Table) -> Table:
        _SOURCES[name] = Source(name, lambda _: table, options, carried, needs)
        return table

    return register


def source_of_files(name: str, options: type) -> Callable[[Callable[[str], Table]], Callable[[str], Table]]:
    """Register a function as a source whose files have several series; it is ``opened`` of ``Source``."""

    def register(opened: Callable[[str], Table]) -> Callable[[str], Table]:
        _SOURCES[name] = Source(name, opened, options)
        return opened

    return register


def source_to_bring(name: str, why: str, *, options: type, needs: str = "") -> Callable[[Brought], Brought]:
    """Register a function as a source of what a user has to bring; it is ``brought`` of ``Source``.

    ``why`` says why the file is not downloaded and where it is; ``{file}`` stands for its name.
    """

    def refused(about: Entry) -> SourceTable:
        said = f"{about.id} is not downloaded, since {why.format(file=about.download)} and bring it"
        raise DataError(f"{said}: {bringing(about)}")

    def register(brought: Brought) -> Brought:
        _SOURCES[name] = Source(name, lambda _: refused, options, needs=needs, brought=brought)
        return brought

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


def bringing(about: Entry) -> str:
    """Return the command that brings a series; empty where it is downloaded."""
    if not source_of(about).brought:
        return ""
    return f"rotation data import {shlex.quote(about.download)} --id {about.id}"


def not_stored(what: str, lacking: Sequence[Entry], cures: Sequence[str]) -> DataError:
    """Return the error that says which series something needs and how to get them."""
    named = ", ".join(about.id for about in lacking[:3]) + (", ..." if len(lacking) > 3 else "")
    return DataError(
        f"{what} needs {len(lacking)} series that are not stored yet ({named}); "
        f"get them with: {', and '.join(cures)}"
    )


def commands(entries: Sequence[Entry], fetch: str = "") -> list[str]:
    """Return the commands that get series: one for all that are downloaded, one for each that is brought.

    ``fetch`` is the first, where it need not name them.
    """
    brought = [command for command in map(bringing, entries) if command]
    fetched = [about.id for about in entries if not bringing(about)]
    return [*([fetch or f"rotation data fetch {' '.join(fetched)}"] if fetched else []), *brought]
