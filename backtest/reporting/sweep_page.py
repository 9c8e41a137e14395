"""The page of a sweep."""

from __future__ import annotations

import importlib.metadata
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.reporting import sweep_figures as figures
from backtest.reporting.html import drawing, render
from backtest.reporting.sweep import RECOMMENDED, WALKED, chance, label_of, shown, values_of, verdict
from backtest.reporting.table import ROWS, cell, proper
from backtest.tuning.views import marginal, pairs, places_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from backtest.dates import Ints
    from backtest.tuning.tune import Sweep

_MOST_PAIRS = 15


def _measures(sweep: Sweep) -> dict[str, Any]:
    runs = [sweep.best.result.metrics, sweep.recommended.result.metrics]
    heads = ["", "winner", "recommended"]
    if sweep.walk_forward is not None:
        runs.append(sweep.walk_forward.result.metrics)
        heads.append("walk-forward")
    runs.append(sweep.best.result.benchmarks[sweep.trials.benchmark])
    heads.append(sweep.trials.benchmark)
    rows = [[label, *(proper(cell(run[key], form)) for run in runs)] for key, label, form in ROWS]
    return {"heads": heads, "rows": rows}


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
    truth = sweep.truth
    rows = [
        ["trials measured", f"{truth.measured:,}", f"{truth.distinct:,} of them differ in some measure"],
        [
            "effective number of trials",
            f"{truth.effective:.1f}",
            "from the correlations of returns above the benchmark (Galwey 2009)",
        ],
        [
            "deflated Sharpe ratio",
            chance(truth.deflated.probability),
            (
                "probability that the Sharpe ratio over cash exceeds what luck gives the best of all trials "
                "(Bailey and Lopez de Prado 2014); a rise of the whole market counts as an edge"
            ),
        ],
        ["with the effective number", chance(truth.deflated_effective.probability), "the same"],
        [
            "deflated, over the benchmark",
            chance(truth.deflated_active.probability),
            "the same for returns above the benchmark's, all trials counted",
        ],
    ]
    if truth.crossvalidation is not None:
        crossed = truth.crossvalidation
        rows += [
            [
                "probability of overfitting",
                chance(crossed.probability),
                (
                    f"{len(crossed.ranks):,} splits of 16 blocks, {crossed.trials:,} trials, by the Sharpe "
                    "ratio (Bailey, Borwein, Lopez de Prado and Zhu 2017); one half is what noise gives"
                ),
            ],
            [
                "probability of a loss",
                chance(crossed.loss),
                "the choice of one half earns less than cash in the other",
            ],
        ]
    rows.append(
        [
            "superior to the benchmark",
            "not defined" if math.isnan(truth.superior.pvalue) else f"p = {truth.superior.pvalue:.3f}",
            (
                f"Hansen (2005), mean monthly returns of the best {truth.superior.strategies:,}; StepM "
                f"(Romano and Wolf 2005) names {len(truth.superior.better):,}"
            ),
        ]
    )
    if truth.placebo is not None:
        placebo = truth.placebo
        rows.append(
            [
                "placebo",
                f"p = {placebo.pvalue:.3f}",
                f"{len(placebo.shifts):,} searches of {placebo.trials:,} trials at shifted dates",
            ]
        )
    return rows


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


def _places(sweep: Sweep, digits: tuple[Ints, ...]) -> list[tuple[int, int]]:
    """Return the places of the winner and of the recommended set on each free axis."""
    both = (sweep.best.place, sweep.recommended.place)
    return [
        (int(digits[i][both[0]]), int(digits[i][both[1]]))
        for i, axis in enumerate(sweep.trials.grid.axes)
        if len(axis.values) > 1
    ]


def _figures(sweep: Sweep) -> list[tuple[str, Any, str]]:
    """Return name, drawing function and description of every figure."""
    label, grid = label_of(sweep.objective.name), sweep.trials.grid
    values = np.array([shown(sweep, 1.0)]) * sweep.scores
    finite = values[np.isfinite(values)]
    digits = places_of(grid, sweep.chosen, len(values))
    chosen = _places(sweep, digits)
    free = [i for i, n in enumerate(grid.shape) if n > 1]
    marks = {
        "winner": sweep.best.result.metrics[sweep.objective.name],
        "recommended": sweep.recommended.result.metrics[sweep.objective.name],
        sweep.trials.benchmark: sweep.best.result.benchmarks[sweep.trials.benchmark][sweep.objective.name],
    }
    placebo = None if sweep.truth.placebo is None else sweep.truth.placebo.best
    if placebo is not None:
        placebo = placebo[np.isfinite(placebo)]
    drawn: list[tuple[str, Any, str]] = [
        (
            "distribution",
            lambda size: figures.distribution_figure(finite, marks, placebo, label, size),
            "The distribution of all trials and of the placebo",
        )
    ]
    if free:
        curves = [(grid.axes[i], marginal(grid.axes[i], digits[i], values)) for i in free]
        drawn.append(
            (
                "marginal",
                lambda size: figures.marginal_figure(curves, chosen, label, size),
                "The objective along each parameter",
            )
        )
    names = [grid.axes[i].name for i in free]
    tables = pairs(grid, digits, sweep.scores, sweep.recommended.place, lower=sweep.objective.lower)
    for pair in tables[:_MOST_PAIRS]:
        at = (names.index(pair.across.name), names.index(pair.up.name))
        winner, centre = ((chosen[at[0]][i], chosen[at[1]][i]) for i in (0, 1))
        drawn.append(
            (
                f"pair-{pair.across.name}-{pair.up.name}",
                lambda size, p=pair, w=winner, c=centre: figures.pair_figure(p, w, c, label, size),
                f"{label} over {pair.across.name} and {pair.up.name}",
            )
        )
    return drawn + _more_figures(sweep)


def _more_figures(sweep: Sweep) -> list[tuple[str, Any, str]]:
    drawn: list[tuple[str, Any, str]] = []
    crossed = sweep.truth.crossvalidation
    if crossed is not None:
        ppy = math.sqrt(len(sweep.best.result.returns) / sweep.trials.yardstick(sweep.window).n_years)
        drawn.append(
            (
                "halves",
                lambda size: figures.halves_figure(crossed.inside * ppy, crossed.outside * ppy, size),
                "In-sample against out-of-sample Sharpe ratios of the winners of every half",
            )
        )
    walked = sweep.walk_forward
    if walked is not None and sweep.trials.grid.free:
        dates, free = sweep.trials.market.bars.dates, sweep.trials.grid.free
        drawn.append(
            (
                "choices",
                lambda size: figures.choices_figure(walked.folds, dates, free, size),
                "What the walk-forward chose over time",
            )
        )
    if len(sweep.objectives) > 1 and len(sweep.front):
        names = [o.name for o in sweep.objectives]
        table = sweep.results.columns(names)
        good = np.isfinite(table[names[0]]) & np.isfinite(table[names[1]])
        front = np.column_stack([table[name][sweep.front] for name in names])
        labels = (label_of(names[0]), label_of(names[1]))
        drawn.append(
            (
                "front",
                lambda size: figures.front_figure(
                    table[names[0]][good], table[names[1]][good], front, labels, size
                ),
                "Trials by both objectives",
            )
        )
    return drawn


def sweep_page(sweep: Sweep) -> tuple[str, dict[str, Figure]]:
    """Return a sweep's page, and its figures by name."""
    drawings, drawn = {}, {}
    for name, draw, shows in _figures(sweep):
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
        proxy=market.proxy,
        verdict=verdict(sweep),
        winner=values_of(sweep.best),
        recommended=values_of(sweep.recommended),
        parameters=_parameters(sweep),
        truth=_truth(sweep),
        measures=_measures(sweep),
        counts=_counts(sweep),
        folds=_folds(sweep),
        changes=None if sweep.walk_forward is None else sweep.walk_forward.changes,
        figures=drawings,
        pairs=[drawings[name] for name in drawings if name.startswith("pair-")],
        links={"recommended": f"{RECOMMENDED}/index.html", "walked": f"{WALKED}/index.html"},
        whole=sweep.chosen is None,
        version=importlib.metadata.version("size-rotation"),
    )
    return page, drawn
