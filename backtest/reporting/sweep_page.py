"""The page of a sweep."""

from __future__ import annotations

import importlib.metadata
import math
from functools import partial
from itertools import combinations, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.reporting import sweep_figures as figures
from backtest.reporting.html import drawing, render
from backtest.reporting.sweep_sentences import chance, label_of, steadiness, values_of, verdict
from backtest.reporting.table import ROWS, cell, proper
from backtest.tuning.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure

    from backtest.dates import Floats
    from backtest.reporting.style import Size
    from backtest.tuning.truth import Truth
    from backtest.tuning.tune import Sweep

RECOMMENDED, WALKED = "recommended", "walk_forward"
"""The folders, beside the page, of the reports that it links to."""

_MOST_PAIRS = 15


def _measures(sweep: Sweep) -> dict[str, Any]:
    """Return the table of measures; a walk-forward begins later, so that it has a benchmark of its own."""
    versus, best = sweep.trials.benchmark, sweep.best.result
    columns = {
        "winner": best.metrics,
        "recommended": sweep.recommended.result.metrics,
        versus: best.benchmarks[versus],
    }
    if sweep.walk_forward is not None:
        walked = sweep.walk_forward.result
        columns["walk-forward"] = walked.metrics
        columns[f"{versus} from {walked.start}"] = walked.benchmarks[versus]
    rows = [
        [label, *(proper(cell(metrics[key], form)) for metrics in columns.values())]
        for key, label, form in ROWS
    ]
    return {"heads": ["", *columns], "rows": rows}


def _parameters(sweep: Sweep) -> list[list[str]]:
    rows = []
    for axis in sweep.trials.grid.axes:
        values = [axis.parameter.text(value) for value in axis.values]
        across = values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}, {len(values)} values"
        if not axis.ordered:
            across = ", ".join(values)
        chosen = [
            axis.parameter.text(c.result.parameters[axis.name]) for c in (sweep.best, sweep.recommended)
        ]
        rows.append([axis.name, axis.parameter.help, across, *chosen])
    return rows


def _truth(sweep: Sweep) -> list[list[str]]:
    """Return what the winner is worth: the name of each statistic, its value, and what it says."""
    truth = sweep.truth
    rows = [
        ("trials measured", f"{truth.measured:,}", f"{truth.distinct:,} of them differ in some measure"),
        *_deciding(truth),
        (
            "effective number of trials",
            f"{truth.effective:.1f}",
            "from the correlations of returns above the benchmark (Galwey 2009)",
        ),
        (
            "deflated Sharpe ratio",
            chance(truth.deflated.probability),
            (
                "probability that the information ratio over the benchmark exceeds what luck gives the best, "
                "each distinct trial a try of its own (Bailey and Lopez de Prado 2014)"
            ),
        ),
    ]
    crossed = truth.crossvalidation
    if crossed is not None:
        rows += [
            (
                "probability of overfitting",
                chance(crossed.probability),
                (
                    f"{len(crossed.ranks):,} splits of 16 blocks, {crossed.trials:,} trials, by the Sharpe "
                    "ratio (Bailey, Borwein, Lopez de Prado and Zhu 2017); one half is what noise gives, and "
                    "what trials give that hardly differ"
                ),
            ),
            (
                "probability of falling behind",
                chance(crossed.behind),
                "the choice of one half has a lower Sharpe ratio than the benchmark in the other",
            ),
        ]
    return [list(row) for row in rows]


def _deciding(truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Give the tests that decide the verdict."""
    superior, placebo = truth.superior, truth.placebo
    yield (
        "superior to the benchmark",
        "not defined" if math.isnan(superior.pvalue) else f"p = {superior.pvalue:.3f}",
        (
            f"decides: Hansen (2005), mean monthly returns of {superior.strategies:,} distinct trials; StepM "
            f"(Romano and Wolf 2005) names {len(superior.better):,}"
        ),
    )
    if placebo is not None:
        yield (
            "placebo",
            f"p = {placebo.pvalue:.3f}",
            f"decides: {len(placebo.shifts):,} searches of {placebo.trials:,} trials at shifted dates",
        )


def _counts(sweep: Sweep) -> list[list[str]]:
    said = {
        "combinations": "tried",
        "measured": "measured",
        "excluded": "left out by a constraint on parameters",
        "refused": "refused by the strategy or its signals: values that cannot go together",
        "unknown": "not known by the start of the common window",
        "duplicates": "the same as another in every measure",
        "without_switch": "never switched",
        "not_eligible": "measured, but break a constraint or have no objective (no volatility, for instance)",
        "tied_with_best": "as good as the winner; the first was taken",
    }
    return [[said[name], f"{n:,}"] for name, n in sweep.counts.items()]


def _folds(sweep: Sweep) -> list[list[str]]:
    if sweep.walk_forward is None:
        return []
    dates, free = sweep.trials.market.bars.dates, sweep.trials.grid.free
    return [
        [
            f"{dates[fold.train[0]]} to {dates[fold.train[1]]}",
            f"{dates[fold.test[0]]} to {dates[fold.test[1]]}",
            ", ".join(f"{a.name} {a.parameter.text(fold.parameters[a.name])}" for a in free),
            proper(f"{fold.inside:.2f}"),
            proper(cell(fold.outside, lambda v: f"{v:.2f}")),
        ]
        for fold in sweep.walk_forward.folds
    ]


def _places(sweep: Sweep) -> dict[str, tuple[int, int]]:
    """Return the places of the winner and of the recommended set on each free axis."""
    grid = sweep.trials.grid
    digits = grid.digits(np.array([sweep.best.number, sweep.recommended.number]))
    return {a.name: (int(d[0]), int(d[1])) for a, d in zip(grid.axes, digits, strict=True) if a in grid.free}


Drawing = tuple[str, "Callable[[Size], Figure]", str]
"""The name of a figure, what draws it at a size, and what it shows."""


def _drawings(sweep: Sweep) -> Iterator[Drawing]:
    """Give every figure of the page."""
    values = -sweep.scores if sweep.objective.lower else sweep.scores
    yield _distribution(sweep, values)
    if sweep.trials.grid.free:
        yield from _over_parameters(sweep, values)
    crossed, walked, free = sweep.truth.crossvalidation, sweep.walk_forward, sweep.trials.grid.free
    if crossed is not None:
        ppy = math.sqrt(len(sweep.best.result.returns) / sweep.trials.yardstick(sweep.window).n_years)
        yield (
            "halves",
            partial(figures.halves_figure, crossed.inside * ppy, crossed.outside * ppy),
            "In-sample against out-of-sample Sharpe ratios of the winners of every half",
        )
    if walked is not None and free:
        dates = sweep.trials.market.bars.dates
        yield (
            "choices",
            partial(figures.choices_figure, walked.folds, dates, free),
            "What the walk-forward chose over time",
        )
    if len(sweep.front):
        yield _front(sweep)


def _distribution(sweep: Sweep, values: Floats) -> Drawing:
    name, versus = sweep.objective.name, sweep.trials.benchmark
    marks = {
        "winner": sweep.best.result.metrics[name],
        "recommended": sweep.recommended.result.metrics[name],
        versus: sweep.best.result.benchmarks[versus][name],
    }
    placebo = None if sweep.truth.placebo is None else sweep.truth.placebo.best
    if placebo is not None:
        placebo = placebo[np.isfinite(placebo)]
    return (
        "distribution",
        partial(figures.distribution_figure, values, marks, placebo, label_of(name)),
        "The distribution of all trials and of the placebo",
    )


def _over_parameters(sweep: Sweep, values: Floats) -> Iterator[Drawing]:
    """Give the curves along each parameter and the maps over each pair, the first ``_MOST_PAIRS`` of them."""
    grid, label, places = sweep.trials.grid, label_of(sweep.objective.name), _places(sweep)
    views = Views(grid, sweep.chosen, values, sweep.objective.lower)
    free = [axis for axis, n in enumerate(grid.shape) if n > 1]
    curves = [(grid.axes[axis], views.marginal(axis)) for axis in free]
    yield (
        "marginal",
        partial(figures.marginal_figure, curves, list(places.values()), label),
        "The objective along each parameter",
    )
    for across, up in islice(combinations(free, 2), _MOST_PAIRS):
        pair = views.pair(across, up, sweep.recommended.number)
        names = pair.across.name, pair.up.name
        winner, centre = zip(*(places[name] for name in names), strict=True)
        yield (
            f"pair-{names[0]}-{names[1]}",
            partial(figures.pair_figure, pair, winner, centre, label, lower=views.lower),
            f"{label} over {names[0]} and {names[1]}",
        )


def _front(sweep: Sweep) -> Drawing:
    signed = [-s if o.lower else s for o, s in zip(sweep.objectives, sweep.survey.scores, strict=True)]
    both = np.isfinite(signed[0]) & np.isfinite(signed[1])
    front = np.column_stack([values[sweep.front] for values in signed])
    labels = (label_of(sweep.objectives[0].name), label_of(sweep.objectives[1].name))
    return (
        "front",
        partial(figures.front_figure, signed[0][both], signed[1][both], front, labels),
        "Trials by both objectives",
    )


def sweep_page(sweep: Sweep) -> tuple[str, dict[str, Figure]]:
    """Return a sweep's page, and its figures by name."""
    drawings, drawn = {}, {}
    for name, draw, shows in _drawings(sweep):
        drawings[name], drawn[name] = drawing(name, draw, shows)
    start, end = sweep.dates
    objective = ", ".join(label_of(o.name) for o in sweep.objectives)
    constraints = [c.text for c in (*sweep.trials.constraints, *sweep.objective.constraints)]
    market = sweep.trials.market
    page = render(
        "sweep.html",
        title=f"{sweep.trials.strategy.name}: a sweep",
        name=sweep.trials.strategy.name,
        lead=f"{sweep.counts['combinations']:,} combinations on {market.name}, {start} to {end}, "
        f"by {objective}" + (f", subject to {', '.join(constraints)}" if constraints else ""),
        proxy=f"Proxy: {market.proxy}." if market.proxy else "",
        verdict=verdict(sweep),
        winner=values_of(sweep.best),
        recommended=values_of(sweep.recommended),
        parameters=_parameters(sweep),
        truth=_truth(sweep),
        measures=_measures(sweep),
        counts=_counts(sweep),
        folds=_folds(sweep),
        objective_name=label_of(sweep.objective.name),
        walked_from=None if sweep.walk_forward is None else sweep.walk_forward.result.start,
        steadiness=None if sweep.walk_forward is None else steadiness(sweep.walk_forward),
        figures=drawings,
        pairs=[drawings[name] for name in drawings if name.startswith("pair-")],
        links={"recommended": f"{RECOMMENDED}/index.html", "walked": f"{WALKED}/index.html"},
        whole=sweep.chosen is None,
        version=importlib.metadata.version("size-rotation"),
    )
    return page, drawn
