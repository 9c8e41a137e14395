"""Printed figures beside ours, as a page: a table each, and why they differ where they do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from backtest.files import whole_folder
from backtest.folders import expanded
from backtest.records.document import DataDocument, write_document
from backtest.replications.document import ReplicationsDocument
from backtest.reporting import blocks as b
from backtest.reporting.folder import default_place
from backtest.reporting.html import render
from backtest.reporting.page import data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backtest.replications.replicate import Figure, Replication, Replications

SAID = (
    "Ours agrees where it is the printed figure when it is rounded to as many digits. Means are of months, a "
    "year is twelve of them, t and p are the ordinary ones, as printed, and nothing is net of costs."
)


def _row(figure: Figure, *, older: bool) -> tuple[b.Said, ...]:
    digits = figure.digits
    verdict: b.Said = "agrees" if figure.agrees else f"{figure.difference:+.{digits + 1}f}"
    shown = (figure.what, figure.printed, f"{figure.ours:.{digits + 1}f}", verdict)
    return (*shown, f"{figure.older:.{digits + 1}f}") if older else shown


def _table(each: Replication) -> b.Table:
    older = any(not math.isnan(figure.older) for figure in each.figures)
    heads = ["", "printed", "ours", "difference"]
    if older:
        heads.append("older file")
    return b.table(heads, (_row(figure, older=older) for figure in each.figures), brief=True)


def _section(each: Replication, found: Replications) -> Iterator[b.Block]:
    about = each.about
    yield b.Heading(f"{each.name}: {about.title}", brief=True)
    yield b.Text(f"{found.papers[about.paper]}, {about.exhibit}.", "note")
    yield b.Text(f"{about.first} to {about.last}, {len(about.months)} months of {about.returns}.", brief=True)
    if about.assumed:
        yield b.Text(about.assumed, brief=True)
    yield _table(each)
    older = each.about.older_returns
    if older:
        last = found.sources[older].last.astype("datetime64[M]")
        yield b.Text(
            f"Older file: the series {older}, which goes to {last}, and the newer one after that.", "note"
        )
    if about.differs and not each.agrees:
        yield b.Text(about.differs, brief=True)


def replication_page(found: Replications) -> b.Page:
    """Return the page of all tables."""
    figures = found.figures
    agree = sum(figure.agrees for figure in figures)
    blocks: list[b.Block] = [
        b.Heading(found.title, 1),
        b.Conclusion(
            (f"{agree} of {len(figures)} printed figures are ours to the digits that are printed.",),
            brief=True,
        ),
        b.Text(SAID, "lead"),
    ]
    for each in found.each:
        blocks += _section(each, found)
    if found.missing:
        blocks.append(b.Heading("Not reproduced", brief=True))
        pairs = tuple((name, f"{each.citation}. {each.why}") for name, each in found.missing.items())
        blocks.append(b.Definitions(pairs, brief=True))
    blocks += [b.Heading("Data"), data(DataDocument.of(found))]
    return b.Page(
        found.title, tuple(blocks), "The numbers behind this page lie beside it: replications.json."
    )


def write_replications(found: Replications, out: str | Path | None = None) -> Path:
    """Write ``index.html`` and ``replications.json``, whole or not at all; return the folder."""
    place = expanded(out) if out is not None else default_place(found.name)
    with whole_folder(place) as draft:
        (draft / "index.html").write_text(render(replication_page(found)), encoding="utf-8")
        write_document(ReplicationsDocument.of(found, place.resolve()), draft / "replications.json")
    return place
