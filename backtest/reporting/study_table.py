"""Studies for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from backtest.reporting.study_document import WARNING
from backtest.reporting.table import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.market.data import MarketData
    from backtest.studies.claim import Claim
    from backtest.studies.findings import Table
    from backtest.studies.register import Study


def _grid(console: Console, pairs: Sequence[tuple[str, str]]) -> None:
    grid = RichTable.grid(padding=(0, 2))
    for name, sentence in pairs:
        grid.add_row(Text(name, style="dim"), Text(sentence))
    console.print(grid)


def _show_table(console: Console, table: Table) -> None:
    """Print a table, as several where the window is too narrow, so that no number is cut."""
    labels, *columns = ([name, *(row[i] for row in table.rows)] for i, name in enumerate(table.columns))
    console.print(Text(table.title, style="italic"))
    for part in fitting(labels, [(cells[0], cells[1:]) for cells in columns], console.width):
        console.print(part)
        console.print()


def vintage(market: MarketData) -> str:
    """Return how far the data reach, and in what respect they are a proxy."""
    proxy = f"; proxy: {market.proxy}" if market.proxy else ""
    return f"{market.name}, bars to {market.bars.dates[-1]}{proxy}"


def show_study(study: Study, report: Path | None) -> None:
    """Print one study: the verdict first, then claim, test, rule and the numbers."""
    console = Console(highlight=False, soft_wrap=False)
    claim, finding = study.claim, study.finding
    pairs = [
        ("claim", claim.statement),
        ("origin", claim.origin),
        ("test", claim.test),
        ("rule", claim.rule.text),
        ("data", vintage(study.market)),
    ]
    if claim.published:
        pairs.append(("published", claim.published))
    if claim.revised:
        pairs.append(("revised", f"after a look at the number: it {'; it '.join(claim.revised)}"))
    console.print(Text(f"Verdict: {study.verdict.word}: {study.verdict.because}.", style="bold"))
    console.print()
    _grid(console, pairs)
    console.print()
    for table in finding.tables if finding else ():
        _show_table(console, table)
    if finding:
        console.print(Text(f"{finding.headline} ({finding.sample})."))
        for note in finding.notes:
            console.print(Text(note, style="dim"))
    console.print(Text(WARNING, style="dim"))
    _show_place(console, report)


def show_claims(studies: Sequence[Study], report: Path | None) -> None:
    """Print all claims, a row each."""
    console = Console(highlight=False, soft_wrap=False)
    console.print(Text(vintage(studies[0].market)))
    console.print()
    shown = RichTable(show_edge=False, pad_edge=False, show_lines=True)
    for column in ("claim", "verdict", "number", "sample"):
        shown.add_column(column, overflow="fold")
    for study in studies:
        finding = study.finding
        shown.add_row(
            Text(f"{study.claim.id}\n{study.claim.statement}"),
            Text(study.verdict.word),
            Text(finding.headline if finding else study.verdict.because),
            Text(finding.sample if finding else "-"),
        )
    console.print(shown)
    console.print()
    console.print(Text(WARNING, style="dim"))
    _show_place(console, report)


def show_list(claims: Sequence[Claim]) -> None:
    """Print the names and statements of all claims."""
    console = Console(highlight=False, soft_wrap=False)
    _grid(console, [(claim.id, claim.statement) for claim in claims])


def _show_place(console: Console, report: Path | None) -> None:
    if report is not None:
        # A path must stay in one piece, to be copied.
        console.print(Text(f"Report: {report}"), soft_wrap=True)
