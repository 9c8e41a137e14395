"""The table of measures, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtest.reporting.sentences import terms, verdict

if TYPE_CHECKING:
    from collections.abc import Callable
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


def cell(value: float | None, form: Callable[[float], str]) -> str:
    """Return a value as it is shown; ``-`` where it is not defined."""
    return "-" if value is None or value != value else form(value)


def proper(text: str) -> str:
    """Return a number's text with a minus sign in place of the hyphen."""
    return text.replace("-", "\u2212") if text != "-" else "\u2013"


def table(result: Result) -> Table:
    """Return the measures of a run beside those of its benchmarks; ``-`` where one is not defined."""
    columns = {result.strategy.name: result.metrics, **result.benchmarks}
    shown = Table(show_edge=False, pad_edge=False)
    shown.add_column("")
    for name in columns:
        shown.add_column(Text(name), justify="right")
    for key, label, form in ROWS:
        shown.add_row(label, *(cell(metrics[key], form) for metrics in columns.values()))
    return shown


def _late(bars: int) -> str:
    return f"{bars} bar{'' if bars == 1 else 's'} late" if bars else "filled at once"


def robustness_table(robust: Robustness) -> Table:
    """Return a row for each cost and, for each delay, the return a year, the Sharpe ratio and alpha's t."""
    costs = list(dict.fromkeys(trial.cost_bps for trial in robust.trials))
    delays = list(dict.fromkeys(trial.delay_fill for trial in robust.trials))
    by_terms = {(trial.cost_bps, trial.delay_fill): trial.metrics for trial in robust.trials}
    shown = Table(
        title=f"return a year / Sharpe / t of alpha, {robust.start} to {robust.end}",
        title_justify="left",
        title_style="",
        show_edge=False,
        pad_edge=False,
    )
    shown.add_column("costs a side")
    for delay in delays:
        shown.add_column(_late(delay), justify="right", no_wrap=True)
    for cost in costs:
        cells = []
        for delay in delays:
            metrics = by_terms[cost, delay]
            parts = (("cagr", percent), ("sharpe", number), ("alpha_tstat", number))
            cells.append(" / ".join(cell(metrics[key], form) for key, form in parts))
        shown.add_row(f"{cost:g} bp", *cells)
    return shown


def show(result: Result, report: Path, robust: Robustness | None = None) -> None:
    """Print a run: its terms, the table, the verdict, its robustness and where the report is."""
    console = Console(highlight=False, soft_wrap=False)
    heading = Table.grid(padding=(0, 2))
    for name, sentence in terms(result):
        heading.add_row(Text(name, style="dim"), Text(sentence))
    console.print(heading)
    console.print()
    console.print(table(result))
    console.print()
    console.print(Text(verdict(result)))
    if robust is not None:
        console.print()
        console.print(robustness_table(robust))
    # A path must stay in one piece, to be copied.
    console.print(Text(f"Report: {report}"), soft_wrap=True)
