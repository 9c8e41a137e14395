"""Printed figures beside ours, as a page: a table each, and why they differ where they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.records.document import DataDocument
from backtest.reporting import blocks as b
from backtest.reporting.page import data

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtest.replications.replicate import Figure, Replication, Replications

SAID = (
    "Ours agrees where it is the printed figure when it is rounded to as many digits. Means are of months, a "
    "year is twelve of them, t and p are the ordinary ones, as printed, and nothing is net of costs."
)


def _row(figure: Figure, *, other: bool) -> tuple[b.Said, ...]:
    digits = figure.digits + 1
    verdict: b.Said = "agrees" if figure.agrees else f"{figure.difference:+.{digits}f}"
    shown = (figure.what, figure.printed, f"{figure.ours:.{digits}f}", verdict)
    return (*shown, f"{figure.other:.{digits}f}") if other else shown


def _table(each: Replication, figures: Sequence[Figure], *, brief: bool) -> b.Table:
    other = each.about.other
    heads = ["", "printed", "ours", "difference", *filter(None, [other])]
    return b.table(heads, (_row(figure, other=bool(other)) for figure in figures), brief=brief)


def _other(each: Replication) -> Iterator[b.Block]:
    """Say what the last column is."""
    about = each.about
    if about.other:
        last = each.used[about.other_returns].last.astype("datetime64[M]")
        yield b.Text(
            f"{about.other.capitalize()}: with {about.other_returns} as far as it goes, {last}.", "note"
        )


def _section(each: Replication, found: Replications) -> Iterator[b.Block]:
    about = each.about
    yield b.Heading(f"{each.name}: {about.title}", brief=True)
    yield b.Text(f"{found.papers[about.paper]}, {about.exhibit}.", "note")
    yield b.Text(about.sample, brief=True)
    if about.note:
        yield b.Text(about.note, brief=True)
    yield _table(each, each.figures, brief=True)
    if each.cases:
        yield b.Text(f"Case by case {_agreeing(each.cases)} agree.", brief=True)
        yield _table(each, each.cases, brief=False)
    yield from _other(each)
    if about.differs and not each.agrees:
        yield b.Text(about.differs, brief=True)


def _agreeing(figures: Sequence[Figure]) -> str:
    return f"{sum(figure.agrees for figure in figures)} of {len(figures)}"


def _conclusion(found: Replications) -> Iterator[str]:
    yield f"{_agreeing(found.figures)} printed figures are ours to the digits that are printed."
    if found.cases:
        yield f"Of single cases {_agreeing(found.cases)} are."
    if found.lacking:
        yield f"Left out for want of data: {', '.join(each.table for each in found.lacking)}."


def replication_page(found: Replications) -> b.Page:
    """Return the page of all tables."""
    blocks: list[b.Block] = [
        b.Heading(found.title, 1),
        b.Conclusion(tuple(_conclusion(found)), brief=True),
        b.Text(SAID, "lead"),
    ]
    for each in found.each:
        blocks += _section(each, found)
    if found.lacking:
        blocks.append(b.Heading("Left out for want of data", brief=True))
        blocks.append(b.Definitions(tuple((each.table, each.said) for each in found.lacking), brief=True))
    if found.missing:
        blocks.append(b.Heading("Not reproduced", brief=True))
        pairs = tuple((name, f"{each.citation}. {each.why}") for name, each in found.missing.items())
        blocks.append(b.Definitions(pairs, brief=True))
    blocks += [b.Heading("Data"), data(DataDocument.of(found))]
    return b.Page(
        found.title, tuple(blocks), "The numbers behind this page lie beside it: replications.json."
    )
