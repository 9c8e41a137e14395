"""The page of a comparison, and its folder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.intervals import FEWEST
from backtest.measures import entry, listed
from backtest.records.comparison import Comparison, TestedPair, written
from backtest.reporting import blocks as b
from backtest.reporting import comparison_figures as figures
from backtest.reporting.page import shading, tint
from backtest.reporting.sentences import SIGNIFICANT
from backtest.wording import cell, number, p_clause, pvalue

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Floats
    from backtest.records.record import RunRecord


LAST = (
    "The numbers behind this page lie beside it: comparison.json, returns.parquet. Past returns, after the "
    "fact; no advice."
)


def verdict(comparison: Comparison) -> str:
    """Return in one sentence which Sharpe ratios differ by more than noise."""
    tested = [d for d in comparison.differences if not math.isnan(d.pvalue)]
    if not tested and all(
        np.array_equal(record.returns, comparison.records[0].returns) for record in comparison.records
    ):
        return "The runs earn the same at every bar."
    if not tested:
        return "Whether the Sharpe ratios differ cannot be tested on these bars."
    level = SIGNIFICANT / len(tested)
    apart = [d for d in tested if d.pvalue < level]
    if not apart:
        surest = min(tested, key=lambda d: d.pvalue)
        bar = f"{SIGNIFICANT:g}" + (f" over {len(tested)} pairs, {pvalue(level)}" if len(tested) > 1 else "")
        return (
            f"No two Sharpe ratios differ by more than noise, for which p must be below {bar}; the surest "
            f"pair is {surest.a} and {surest.b}, {_said(surest)}."
        )
    ahead = [
        f"{d.a} above {d.b} ({_said(d)})" if d.sharpe_difference > 0 else f"{d.b} above {d.a} ({_said(d)})"
        for d in apart
    ]
    return f"Sharpe ratios that differ by more than noise: {'; '.join(ahead)}."


def _said(pair: TestedPair) -> str:
    return f"{abs(pair.sharpe_difference):.2f} apart, {p_clause(pair.pvalue)}"


def _pairs_note(comparison: Comparison) -> str:
    n = len(comparison.differences)
    said = (
        "Whether two Sharpe ratios differ, after Ledoit and Wolf (2008): circular blocks, studentised, 95% "
        "interval."
    )
    if n == 1:
        return said
    return (
        f"{said} With {n} pairs, one in twenty falls below 0.05 by chance: only p below "
        f"{SIGNIFICANT / n:.4f} counts as more than noise."
    )


def _method(comparison: Comparison) -> str:
    if len(comparison.records[0].returns) < FEWEST:
        return "There are too few bars to tell noise from difference: none is marked."
    return (
        "A star marks the run that is better than every other by more than noise: the p-value of every "
        "difference, counted once for each rival, lies below 0.05. The deepest drawdown and the Calmar ratio "
        "have no such test. Without a star no difference stands out from noise."
    )


def _measures(comparison: Comparison) -> b.Table:
    rows = []
    for measure in listed(comparison.metrics):
        cells: list[b.Said | b.Cell] = [measure.label]
        for i, metrics in enumerate(comparison.columns.values()):
            text = measure.text(entry(metrics, measure))
            best = comparison.best.get(measure.key) == i
            cells.append(b.Cell(f"{text} *", "best") if best else text)
        rows.append(cells)
    return b.table(["", *comparison.columns], rows, brief=True)


def _years(comparison: Comparison) -> b.Table:
    years, returns = comparison.years
    rows: list[tuple[b.Said | b.Cell, ...]] = [
        (str(year), *(b.Cell(f"{100.0 * value:.1f}", tint(value, 0.40)) for value in row))
        for year, row in zip(years.astype(str).tolist(), returns.tolist(), strict=True)
    ]
    return b.table(["", *comparison.columns], rows[::-1], kind="months", first=15)


def _matrix(comparison: Comparison, values: Floats, form: Callable[[float], str]) -> b.Table:
    rows = [
        (label, *(cell(float(value), form) for value in row))
        for label, row in zip(comparison.labels, values, strict=True)
    ]
    return b.table(["", *comparison.labels], rows, kind="names")


def _differences(comparison: Comparison) -> b.Table:
    rows = []
    for pair in comparison.differences:
        ends = "-" if math.isnan(pair.low) else f"{number(pair.low)} to {number(pair.high)}"
        rows.append((pair.a, pair.b, number(pair.sharpe_difference), ends, pvalue(pair.pvalue)))
    return b.table(["", "against", "difference", "95% interval", "p"], rows, "llrrr", "names")


def _parameters(comparison: Comparison) -> b.Block:
    rows = [
        (name, *("-" if value is None else written(value) for value in values))
        for name, values in comparison.parameters().items()
    ]
    return b.table(["", *comparison.labels], rows) if rows else b.Text("None.")


def _values(record: RunRecord) -> str:
    own = record.document.parameters
    return ", ".join(f"{name} {written(value)}" for name, value in own.items()) or "no parameters"


def _terms(label: str, record: RunRecord) -> tuple[b.Block, b.Block]:
    own, costs = record.document, written(record.document.cost_bps)
    said = f"{own.thesis} (Market {own.market}; costs {costs} bp a side.)"
    return b.Heading(label, 3), b.Text(said)


def page(comparison: Comparison) -> b.Page:
    """Return the page of a comparison; its brief blocks are what a terminal shows."""
    first, labels = comparison.records[0], comparison.labels
    runs = list(zip(labels, comparison.records, strict=True))
    window = (
        f"{comparison.start} to {comparison.end}, {len(first.returns):,} {first.frequency} bars, after costs"
    )
    # Parameters of different strategies have nothing in common; they stand above the measures.
    alike = len({record.name for record in comparison.records}) == 1
    blocks: list[b.Block] = [
        b.Heading(f"{len(labels)} runs side by side", 1),
        b.Text(window, "lead", brief=True),
        *(b.Text(said, "warning", brief=True) for said in comparison.cautions),
        b.Conclusion((verdict(comparison),), brief=True),
        b.Definitions(tuple((label, _values(record)) for label, record in runs), brief=True),
        b.Heading("Measures"),
        _measures(comparison),
        b.Text(_method(comparison), "note"),
        b.Heading("Sharpe ratios, pair by pair"),
        b.Text(_pairs_note(comparison), "note"),
        _differences(comparison),
        *(
            b.Heading("Growth"),
            figures.growth(comparison, (*shading(first), "The runs are after costs, a benchmark is before.")),
        ),
        *(b.Heading("Risk and return"), figures.risk(comparison)),
        *(b.Heading("Drawdowns"), figures.falls(comparison)),
        *(b.Heading("Holdings"), figures.held(comparison)),
        b.Heading("Calendar years"),
        b.Text("Returns in percent; the first and the last year may be a part of one.", "note"),
        _years(comparison),
        b.Heading("How alike they are"),
        b.Heading("Correlation of the returns less the benchmark's", 3),
        _matrix(comparison, comparison.correlations, number),
        b.Heading("Held alike, of the value, on average", 3),
        _matrix(comparison, comparison.alike, lambda value: f"{value:.0%}"),
        *([b.Heading("Parameters that differ"), _parameters(comparison)] if alike else []),
        b.Heading("What they are"),
        *(block for label, record in runs for block in _terms(label, record)),
    ]
    if comparison.best:
        after = next(i for i, block in enumerate(blocks) if isinstance(block, b.Table)) + 1
        blocks.insert(after, b.Text("* better than every other by more than noise", "note", brief=True))
    return b.Page(f"{len(labels)} runs side by side", tuple(blocks), LAST)
