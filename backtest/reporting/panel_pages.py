"""What a strategy gave on a panel, as a page: the words first, a row a market, and all of them together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.measures import BY_KEY
from backtest.records.document import DataDocument
from backtest.reporting import blocks as b
from backtest.reporting.page import data
from backtest.reporting.sentences import NO_ADVICE, charged
from backtest.reporting.study_figures import study_chart
from backtest.studies.findings import Dots
from backtest.wording import p_clause, percent, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.panels.run import PanelRun
    from backtest.panels.tune import PanelSweep

_KEYS = ("cagr", "sharpe", "max_drawdown", "alpha", "alpha_pvalue", "beta", "switches")
SHOWN = tuple(BY_KEY[key] for key in _KEYS)
"""The measures of a row."""


def _conclusion(result: PanelRun) -> Iterator[str]:
    """Give what it does not beat, then the alpha of all."""
    for name, (above, n) in sorted(result.beaten().items(), key=lambda each: each[1][0]):
        yield f"Its Sharpe ratio is above that of holding {name} in {above} of {n} markets."
    pooled = result.pooled
    if pooled is None:
        yield f"No alpha of all: {result.apart}, so that their numbers do not add up."
    elif not math.isnan(pooled.alpha):
        ends = "" if math.isnan(pooled.low) else f" ({signed(pooled.low)} to {signed(pooled.high)})"
        above, n = result.positive()
        yield (
            f"Alpha of all markets {signed(pooled.alpha)} a year{ends}, {p_clause(pooled.alpha_pvalue)}; "
            f"positive in {above} of {n} markets."
        )


def _table(result: PanelRun) -> b.Table:
    heads = ["market", "from", "to", *(m.label for m in SHOWN), "benchmark", "its CAGR", "its Sharpe ratio"]
    rows: list[tuple[str, ...]] = []
    for name, each in result.runs.items():
        held = each.benchmarks[each.benchmark]
        rows.append(
            (
                name,
                each.start,
                each.end,
                *(measure.text(each.metrics[measure.key]) for measure in SHOWN),
                each.benchmark,
                *(BY_KEY[key].text(held[key]) for key in ("cagr", "sharpe")),
            )
        )
    if result.pooled is not None:
        found = {key: BY_KEY[key].text(getattr(result.pooled, key)) for key in ("alpha", "alpha_pvalue")}
        over = (f"{result.pooled.months} months", f"{result.pooled.cells} of markets")
        rows.append(("all", *over, *(found.get(m.key, "-") for m in SHOWN), "each its own", "-", "-"))
    return b.table(heads, rows, brief=True)


def _picture(result: PanelRun) -> Dots:
    """Return alpha with its interval, market by market and of all."""
    rows = {name: (each.skill.whole.alpha, *each.skill.ends) for name, each in result.runs.items()}
    if result.pooled is not None:
        rows["all"] = (result.pooled.alpha, result.pooled.low, result.pooled.high)
    values, lows, highs = 100.0 * np.array(list(rows.values())).T
    return Dots(tuple(rows), values, lows, highs, "alpha, % a year, with its 95% interval")


def panel_run_page(result: PanelRun) -> b.Page:
    """Return the page of a strategy on a panel."""
    first = next(iter(result.runs.values()))
    title = f"{result.strategy.name} on {result.panel.title}"
    refused = [f"Not run on {name}: {why}." for name, why in result.refused.items()]
    blocks: list[b.Block] = [
        b.Heading(title, 1),
        b.Text(result.strategy.thesis, "lead"),
        b.Conclusion(tuple(_conclusion(result)), brief=True),
        b.Text(NO_ADVICE, "warning", brief=True),
        _table(result),
        study_chart(
            "alpha",
            _picture(result),
            "Alpha of each market and of all",
            "Each market against its own benchmark and beta; the error of all is that of sums by month.",
        ),
        b.Heading("To read this"),
        *(b.Text(note, brief=True) for note in (*refused, *result.panel.notes)),
        b.Definitions(
            (
                ("parameters", _values(first.parameters)),
                ("panel", f"{result.panel.name}: {result.panel.title}"),
                ("costs", charged(first.terms)),
            ),
            brief=True,
        ),
        b.Heading("Data"),
        data(DataDocument.of(result.panel)),
    ]
    return b.Page(title, tuple(blocks), f"The numbers behind this page lie beside it: run.json. {NO_ADVICE}")


def _worth(sweep: PanelSweep) -> Iterator[str]:
    """Give what is not beaten by what the others chose, then where it stands among all combinations."""
    n, what = len(sweep.markets), sweep.objective.measure.label
    yield (
        f"Chosen on the others, its {what} is better than that of holding the benchmark in "
        f"{sweep.ahead('benchmark')} of {n} markets."
    )
    yield (
        f"It is better than the default parameters in {sweep.ahead('default')} of {n}, and than the middle "
        f"combination in {sweep.ahead('median')} of {n}: above {percent(sweep.above, 0)} of all on average, "
        "where choosing blindly gives 50%."
    )


def panel_sweep_page(sweep: PanelSweep) -> b.Page:
    """Return the page of a search over a panel."""
    title = f"{sweep.strategy.name} tuned on {sweep.panel.title}"
    write = sweep.objective.measure.text
    heads = (
        "left out",
        "chosen by the others",
        "there",
        "middle",
        "default",
        "benchmark",
        "best, in hindsight",
        "above",
    )
    rows = [
        (
            each.name,
            _values(each.parameters),
            *(write(value) for value in (each.value, each.median, each.default, each.benchmark, each.best)),
            percent(each.above, 0),
        )
        for each in sweep.markets
    ]
    notes = [f"Not searched on {name}: {why}." for name, why in sweep.refused.items()]
    blocks: list[b.Block] = [
        b.Heading(title, 1),
        b.Text(sweep.strategy.thesis, "lead"),
        b.Conclusion(tuple(_worth(sweep)), brief=True),
        b.Text(NO_ADVICE, "warning", brief=True),
        b.Heading(
            f"{sweep.objective.measure.label}: chosen on the others, judged on the one left out", brief=True
        ),
        b.table(heads, rows, "lwrrrrrr", brief=True),
        b.Text(
            f"{sweep.combinations:,} combinations on each market. Best on average over all of them, with "
            f"nothing left to judge it by: {_values(sweep.chosen)}.",
            brief=True,
        ),
        *(b.Text(note, brief=True) for note in (*notes, *sweep.panel.notes)),
        b.Definitions((("costs", charged(sweep.terms)),), brief=True),
        b.Heading("Data"),
        data(DataDocument.of(sweep.panel)),
    ]
    return b.Page(title, tuple(blocks), f"The numbers behind this page lie beside it: tune.json. {NO_ADVICE}")


def _values(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "none"
