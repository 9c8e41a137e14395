"""Sources: where a series' values come from. A source is one class here and a name in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.errors import DataError, nearest
from backtest.market.sources.arch_figures import ArchFigures
from backtest.market.sources.facts import Facts

if TYPE_CHECKING:
    from backtest.market.catalogue import Entry
    from backtest.market.sources.base import Source, SourceSeries

SOURCES: dict[str, Source] = {"arch": ArchFigures(), "facts": Facts()}


def read(entry: Entry) -> SourceSeries:
    """Return the series' values from the source that its catalogue entry names."""
    if entry.source not in SOURCES:
        raise DataError(
            f"series {entry.id}: there is no source '{entry.source}'; {nearest(entry.source, SOURCES)}"
        )
    return SOURCES[entry.source].read(entry)
