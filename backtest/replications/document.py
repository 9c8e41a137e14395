"""Printed figures beside ours as the record that is their JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from backtest.records.document import DataDocument

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.replications.replicate import Figure, Replication, Replications


class FigureDocument(msgspec.Struct, frozen=True):
    """A figure; ``replicate.Figure`` says what each is, ``other`` is null where there is no other series."""

    figure: str
    printed: str
    digits: int
    ours: float
    difference: float
    agrees: bool
    other: float | None

    @classmethod
    def of(cls, figure: Figure) -> FigureDocument:
        """Return the document of a figure."""
        numbers = (figure.digits, figure.ours, figure.difference, figure.agrees, figure.other)
        return cls(figure.what, figure.printed, *numbers)


class TableDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A table: where it is printed, its sample, its figures, those of single cases, and why ours differ."""

    table: str
    title: str
    citation: str
    exhibit: str
    first: str
    last: str
    series: list[str]
    other: str | None
    figures: list[FigureDocument]
    cases: list[FigureDocument]
    note: str | None
    differs: str | None

    @classmethod
    def of(cls, each: Replication, citation: str) -> TableDocument:
        """Return the document of a table."""
        about = each.about
        return cls(
            table=each.name,
            title=about.title,
            citation=citation,
            exhibit=about.exhibit,
            first=about.first,
            last=about.last,
            series=list(each.used),
            other=about.other_returns or None,
            figures=[FigureDocument.of(figure) for figure in each.figures],
            cases=[FigureDocument.of(figure) for figure in each.cases],
            note=about.note or None,
            differs=None if each.agrees else about.differs,
        )


class MissingDocument(msgspec.Struct, frozen=True):
    """What is not reproduced, and why."""

    citation: str
    why: str


class LackingDocument(msgspec.Struct, frozen=True):
    """A table that could not be made of what is stored: why, and the commands that get what it lacks."""

    table: str
    why: str
    commands: tuple[str, ...]


class ReplicationsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``replicate --json`` prints; ``report`` is the folder of the page, where one was written."""

    figures: int
    agree: int
    cases: int
    cases_agree: int
    tables: list[TableDocument]
    not_reproduced: list[MissingDocument]
    lacking: list[LackingDocument]
    data: DataDocument
    report: str | None = None

    @classmethod
    def of(cls, found: Replications, report: Path | None = None) -> ReplicationsDocument:
        """Return the document of all tables."""
        return cls(
            figures=len(found.figures),
            agree=sum(figure.agrees for figure in found.figures),
            cases=len(found.cases),
            cases_agree=sum(figure.agrees for figure in found.cases),
            tables=[TableDocument.of(each, found.papers[each.about.paper]) for each in found.each],
            not_reproduced=[MissingDocument(each.citation, each.why) for each in found.missing.values()],
            lacking=[LackingDocument(name, e.why, e.commands) for name, e in found.lacking.items()],
            data=DataDocument.of(found),
            report=None if report is None else str(report),
        )
