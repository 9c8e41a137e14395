"""The table of measures, for a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtest.reporting.sentences import terms, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from backtest.robustness import Robustness
    from backtest.runs import Result


def percent(value: float) -> str:
    """Return a fraction as a percentage."""
    return f"{value:.2%}" if abs(value) < 10.0 else f"{value:,.0%}"


def number(value: float) -> str:
    """Return a number with two decimals."""
    return f"{value:.2f}"


def pvalue_text(value: float) -> str:
    """Return a p-value with three decimals, or that it is below the last of them."""
    return f"{value:.3f}" if value >= 0.001 else "<0.001"


ROWS: list[tuple[str, str, Callable[[float], str]]] = [
    ("total_return", "total return", percent),
    ("cagr", "return a year (CAGR)", percent),
    ("volatility", "volatility a year", percent),
    ("sharpe", "Sharpe ratio", number),
    ("sortino", "Sortino ratio", number),
    ("max_drawdown", "deepest drawdown", percent),
    ("calmar", "Calmar ratio", number),
    ("alpha", "alpha a year", percent),
    ("alpha_tstat", "  t (Newey-West)", number),
    ("alpha_pvalue", "  p", pvalue_text),
    ("beta", "beta", number),
    ("tracking_error", "tracking error a year", percent),
    ("information_ratio", "information ratio", number),
    ("turnover", "turnover a year", percent),
    ("switches", "switches", lambda value: f"{value:.0f}"),
    ("time_in_small", "time in small", percent),
]
"""Key, label and form of every measure, in the order in which they are shown."""


_MINUS = re.compile(r"(?<!\w)-(?=[\d.])")


def cell(value: float | None, form: Callable[[float], str]) -> str:
    """Return a value as it is shown; ``-`` where it is not defined."""
    return "-" if value is None or value != value else form(value)


def proper(text: str) -> str:
    """Return a text with a minus sign in place of the hyphen before a number; those of dates stay."""
    return _MINUS.sub("\u2212", text) if text != "-" else "\u2013"


_BETWEEN = 3  # characters between two columns: a line, and a space on either side


def fitting(labels: list[str], columns: Iterable[tuple[str, list[str]]], width: int) -> list[Table]:
    """Return the columns in as few tables as show every number whole; each has the labels again.

    A heading that is wider than the room is folded.

    ``labels`` has a heading, then one label a row; ``columns`` a heading and the rows of each.
    """
    room = width - max(map(len, labels))
    groups: list[list[tuple[str, list[str]]]] = []
    left = 0
    for name, cells in columns:
        needed = max([*map(len, cells), min(len(name), room - _BETWEEN)]) + _BETWEEN
        if not groups or needed > left:
            groups.append([])
            left = room
        groups[-1].append((name, cells))
        left -= needed
    tables = []
    for group in groups:
        shown = Table(show_edge=False, pad_edge=False)
        shown.add_column(Text(labels[0]), no_wrap=True)
        for name, cells in group:
            whole = max(map(len, cells), default=0)
            shown.add_column(Text(name), justify="right", min_width=whole, overflow="fold")
        for label, *cells in zip(labels[1:], *(cells for _, cells in group), strict=True):
            shown.add_row(Text(label), *cells)
        tables.append(shown)
    return tables


def tables(result: Result, width: int) -> list[Table]:
    """Return the measures of a run beside those of its benchmarks; ``-`` where one is not defined."""
    columns = {result.strategy.name: result.metrics, **result.benchmarks}
    return fitting(
        ["", *(label for _, label, _ in ROWS)],
        [(name, [cell(metrics[key], form) for key, _, form in ROWS]) for name, metrics in columns.items()],
        width,
    )


def _late(bars: int) -> str:
    return f"{bars} bar{'' if bars == 1 else 's'} late" if bars else "filled at once"


def robustness_tables(robust: Robustness, width: int) -> list[Table]:
    """Return a row for each cost and, for each delay, the return a year, the Sharpe ratio and alpha's t."""
    costs = list(dict.fromkeys(trial.cost_bps for trial in robust.trials))
    delays = list(dict.fromkeys(trial.delay_fill for trial in robust.trials))
    by_terms = {(trial.cost_bps, trial.delay_fill): trial.metrics for trial in robust.trials}
    columns: dict[str, list[str]] = {}
    for delay in delays:
        cells = columns[_late(delay)] = []
        for cost in costs:
            metrics = by_terms[cost, delay]
            parts = (("cagr", percent), ("sharpe", number), ("alpha_tstat", number))
            cells.append(" / ".join(cell(metrics[key], form) for key, form in parts))
    return fitting(["costs", *(f"{cost:g} bp" for cost in costs)], columns.items(), width)


def show(result: Result, report: Path, robust: Robustness | None = None) -> None:
    """Print a run: its terms, the table, the verdict, its robustness and where the report is."""
    console = Console(highlight=False, soft_wrap=False)
    heading = Table.grid(padding=(0, 2))
    for name, sentence in terms(result):
        heading.add_row(Text(name, style="dim"), Text(sentence))
    console.print(heading)
    console.print()
    for table in tables(result, console.width):
        console.print(table)
        console.print()
    console.print(Text(verdict(result)))
    if robust is not None:
        console.print()
        console.print(f"return a year / Sharpe / t of alpha by costs a side, {robust.start} to {robust.end}")
        for table in robustness_tables(robust, console.width):
            console.print(table)
            console.print()
    # A path must stay in one piece, to be copied.
    console.print(Text(f"Report: {report}"), soft_wrap=True)
