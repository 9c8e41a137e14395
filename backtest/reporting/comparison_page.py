"""The comparison as a page, as a table for a terminal, and as a folder."""

from __future__ import annotations

import importlib.metadata
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtest.analysis.intervals import FEWEST
from backtest.folders import expanded
from backtest.reporting import comparison_figures as figures
from backtest.reporting import style
from backtest.reporting.comparison import Comparison, Difference, as_document, written
from backtest.reporting.document import to_json
from backtest.reporting.figures import held
from backtest.reporting.folder import default_place, whole_folder
from backtest.reporting.html import drawing, render
from backtest.reporting.sentences import SIGNIFICANT, p_clause
from backtest.reporting.table import ROWS, cell, number, proper, pvalue_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from backtest.dates import Floats
    from backtest.reporting.record import Record

DASHES = {"-": "none", "--": "6 3", ":": "2 2", "-.": "6 2 2 2"}

_COLUMN = 14  # letters that a run takes in a terminal: a number, a star, a line

SHOWS = {
    "growth": "Growth of 1 of every run, and each value relative to its benchmark",
    "drawdown": "Drawdowns of every run",
    "holdings": "What every run held, and how much of it alike",
}
"""What each figure shows, for who cannot see it."""


def verdict(comparison: Comparison) -> str:
    """Return in one sentence which Sharpe ratios differ by more than noise."""
    labels = comparison.labels
    tested = [d for d in comparison.differences if not math.isnan(d.test.pvalue)]
    if not tested and all(
        np.array_equal(record.returns, comparison.records[0].returns) for record in comparison.records
    ):
        return "The runs earn the same at every bar."
    if not tested:
        return "Whether the Sharpe ratios differ cannot be tested on these bars."
    level = SIGNIFICANT / len(tested)
    apart = [d for d in tested if d.test.pvalue < level]
    if not apart:
        surest = min(tested, key=lambda d: d.test.pvalue)
        pair = f"{labels[surest.a]} and {labels[surest.b]}"
        return f"No two Sharpe ratios differ by more than noise; the surest pair is {pair}, {_said(surest)}."
    ahead = [
        f"{labels[d.a if d.test.difference > 0 else d.b]} above "
        f"{labels[d.b if d.test.difference > 0 else d.a]} ({_said(d)})"
        for d in apart
    ]
    return f"Sharpe ratios that differ by more than noise: {'; '.join(ahead)}."


def _said(difference: Difference) -> str:
    return f"{abs(difference.test.difference):.2f} apart, {p_clause(difference.test.pvalue)}"


def _pairs_note(comparison: Comparison) -> str:
    n = len(comparison.differences)
    if n == 1:
        return ""
    return (
        f"With {n} pairs, one in twenty falls below 0.05 by chance: only p below {SIGNIFICANT / n:.4f} "
        "counts as more than noise."
    )


def _method(comparison: Comparison) -> str:
    if len(comparison.records[0].returns) < FEWEST:
        return "There are too few bars to tell noise from difference: none is marked."
    return (
        "A star marks the run that is better than every other by more than noise: the p-value of every "
        "difference, counted once for each rival, lies below 0.05. The deepest drawdown and the Calmar ratio "
        "have no such test. Without a star no difference stands out from noise."
    )


def _measures(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "label": label.strip(),
            "cells": [
                (proper(cell(metrics[key], form)), comparison.best.get(key) == i)
                for i, metrics in enumerate(comparison.metrics)
            ],
        }
        for key, label, form in ROWS
    ]


def _matrix(labels: list[str], values: Floats, form: Callable[[float], str]) -> list[list[str]]:
    return [
        [label, *(proper(cell(float(value), form)) for value in row)]
        for label, row in zip(labels, values, strict=True)
    ]


def _differences(comparison: Comparison) -> list[list[str]]:
    labels = comparison.labels
    rows = []
    for a, b, test in comparison.differences:
        ends = "\u2013" if math.isnan(test.low) else f"{number(test.low)} to {number(test.high)}"
        pvalue = cell(test.pvalue, pvalue_text)
        rows.append([labels[a], labels[b], *map(proper, (cell(test.difference, number), ends, pvalue))])
    return rows


def _parameters(comparison: Comparison) -> list[list[str]]:
    return [
        [name, *("\u2013" if value is None else written(value) for value in values)]
        for name, values in comparison.parameters().items()
    ]


def _values(record: Record) -> str:
    own = record.document["parameters"]
    return ", ".join(f"{name} {written(value)}" for name, value in own.items()) or "no parameters"


def _terms(comparison: Comparison) -> list[tuple[str, str]]:
    rows = []
    for label, record in zip(comparison.labels, comparison.records, strict=True):
        own, costs = record.document, written(record.document["cost_bps"])
        rows.append(
            (label, f"{own['thesis']} ({_values(record)}; market {own['market']}; costs {costs} bp a side)")
        )
    return rows


def _held(comparison: Comparison) -> dict[str, str]:
    """Return the colour of every sleeve that a run held."""
    return {sleeve: colour for record in comparison.records for sleeve, colour in held(record).items()}


def page(comparison: Comparison) -> tuple[str, dict[str, Figure]]:
    """Return the page's text, and its figures at full size by name."""
    draws = {
        "growth": lambda size: figures.growth_figure(comparison, size),
        "drawdown": lambda size: figures.drawdown_figure(comparison, size),
        "holdings": lambda size: figures.holdings_figure(comparison, size),
    }
    both = {name: drawing(name, draw, SHOWS[name]) for name, draw in draws.items()}
    first, labels = comparison.records[0], comparison.labels
    lines = style.lines(len(labels))
    crowded = not all(figures.labelled(comparison, size) for size in (style.WIDE, style.NARROW))
    text = render(
        "comparison.html",
        title=f"{len(labels)} runs side by side",
        window=f"{comparison.start} to {comparison.end}, {len(first.returns):,} {first.frequency} bars",
        cautions=comparison.cautions,
        runs=[(label, _values(r)) for label, r in zip(labels, comparison.records, strict=True)],
        verdict=proper(verdict(comparison)),
        labels=labels,
        method=_method(comparison),
        measures=_measures(comparison),
        differences=_differences(comparison),
        pairs_note=_pairs_note(comparison),
        figures={name: drawn for name, (drawn, _) in both.items()},
        cuts=bool(first.cuts),
        recessions=bool(first.recessions),
        key=[(n, c[1:], DASHES[d]) for n, (c, d) in zip(labels, lines, strict=True)] if crowded else [],
        held=[(name, colour[1:]) for name, colour in _held(comparison).items()],
        matrix_heads=["", *labels],
        correlations=_matrix(labels, comparison.correlations, number),
        alike=_matrix(labels, comparison.alike, lambda value: f"{value:.0%}"),
        parameters=_parameters(comparison),
        terms=_terms(comparison),
        version=importlib.metadata.version("size-rotation"),
    )
    return text, {name: figure for name, (_, figure) in both.items()}


def write_comparison(comparison: Comparison, out: Path | None = None) -> Path:
    """Write a comparison's page, figures and numbers; return its folder, else ``reports/compare/STAMP``."""
    place = expanded(out) if out is not None else default_place("compare")
    with whole_folder(place) as draft:
        text, drawn = page(comparison)
        (draft / "index.html").write_text(text, encoding="utf-8")
        (draft / "figures").mkdir()
        for name, figure in drawn.items():
            style.png(figure, draft / "figures" / f"{name}.png")
        content = to_json(as_document(comparison, place.resolve()))
        (draft / "comparison.json").write_text(content + "\n", encoding="utf-8")
        dates = comparison.records[0].dates[1:].astype("datetime64[s]")
        columns: dict[str, Any] = {"date": dates}
        for label, record in zip(comparison.labels, comparison.records, strict=True):
            columns[f"return:{label}"] = record.returns
        columns["held_alike"] = comparison.together
        pd.DataFrame(columns).to_parquet(draft / "returns.parquet", index=False)
    return place


def _blocks(comparison: Comparison, width: int) -> list[range]:
    """Return the runs that fit side by side into so many letters, table by table."""
    labels, n = max(len(label) for _, label, _ in ROWS), len(comparison.labels)
    fit = max((width - labels) // _COLUMN, 1)
    return [range(begin, min(begin + fit, n)) for begin in range(0, n, fit)]


def _table(comparison: Comparison, runs: range) -> Table:
    shown = Table(show_edge=False, pad_edge=False)
    shown.add_column("", no_wrap=True)
    for i in runs:
        shown.add_column(Text(comparison.labels[i]), justify="right", min_width=_COLUMN - 3, overflow="fold")
    for key, label, form in ROWS:
        values = [
            cell(comparison.metrics[i][key], form) + (" *" if comparison.best.get(key) == i else "")
            for i in runs
        ]
        shown.add_row(label, *values)
    return shown


def show(comparison: Comparison, report: Path) -> None:
    """Print a comparison: what is not alike, the table, what differs by more than noise, the page's place."""
    console = Console(highlight=False)
    first = comparison.records[0]
    window = (
        f"{comparison.start} to {comparison.end}, {len(first.returns)} {first.frequency} bars, after costs"
    )
    console.print(Text(window))
    for label, record in zip(comparison.labels, comparison.records, strict=True):
        console.print(Text(f"{label}: {_values(record)}"))
    for sentence in comparison.cautions:
        console.print(Text(sentence))
    console.print()
    for runs in _blocks(comparison, console.width):
        console.print(_table(comparison, runs))
        console.print()
    if comparison.best:
        console.print(Text("* better than every other by more than noise"))
        console.print()
    console.print(Text(verdict(comparison)))
    console.print(Text(f"Report: {report}"), soft_wrap=True)
