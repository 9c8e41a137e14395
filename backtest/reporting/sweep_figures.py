"""Figures of a sweep: from its numbers to charts."""

from __future__ import annotations

from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np

from backtest.reporting.cells import Cells, Spot, read_out, shaded, shades
from backtest.reporting.chart import ZERO, Band, Chart, Curve, Line, Plot, Points
from backtest.reporting.palette import BLUE, GREEN, MUTED, ORANGE, ROSE
from backtest.reporting.scales import Dates, Labels, Numbers
from backtest.tuning.views import Views, counted, density

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtest.dates import Days, Floats, Ints
    from backtest.tuning.grid import Axis
    from backtest.tuning.objective import Objective
    from backtest.tuning.tune import Sweep
    from backtest.tuning.views import Pair
    from backtest.tuning.walkforward import Fold

_MOST = 2000  # trials up to which each is a dot; more would make the page heavy, and are shown by density


_MOST_PAIRS = 15


def charts(sweep: Sweep) -> Iterator[Chart]:
    """Give every figure of a sweep's page."""
    yield distribution(sweep)
    grid, walked, crossed = sweep.trials.grid, sweep.walk_forward, sweep.halves
    if grid.free:
        digits = grid.digits(np.array([sweep.best.number, sweep.recommended.number]))
        places = {
            a.name: (int(d[0]), int(d[1])) for a, d in zip(grid.axes, digits, strict=True) if a in grid.free
        }
        views = Views(grid, sweep.survey.chosen, _values(sweep), sweep.objective.lower)
        yield marginal(sweep, views, places)
        free = [axis for axis, n in enumerate(grid.shape) if n > 1]
        for across, up in islice(combinations(free, 2), _MOST_PAIRS):
            pair = views.pair(across, up, sweep.recommended.number)
            winner, centre = zip(*(places[axis.name] for axis in (pair.up, pair.across)), strict=True)
            yield _pair(pair, winner, centre, sweep.objective)
    if crossed is not None:
        yield halves(*crossed)
    if walked is not None and grid.free:
        yield choices(walked.folds, sweep.trials.market.bars.dates, grid.free)
    if len(sweep.front):
        values = [-s if o.lower else s for o, s in zip(sweep.objectives, sweep.survey.scores, strict=True)]
        names = (sweep.objectives[0].measure.label, sweep.objectives[1].measure.label)
        yield front(np.array(values), sweep.front, names)


def _values(sweep: Sweep) -> Floats:
    return -sweep.scores if sweep.objective.lower else sweep.scores


def distribution(sweep: Sweep) -> Chart:
    """Return how the objective of all trials is distributed, and of the placebo's winners below it."""
    name, versus, label = sweep.objective.name, sweep.trials.benchmark, sweep.objective.measure.label
    best = sweep.best.result
    marks = {
        "winner": (best.metrics[name], ORANGE),
        "recommended": (sweep.recommended.result.metrics[name], GREEN),
        versus: (best.benchmarks[versus][name], MUTED),
    }
    values = _values(sweep)
    placebo = sweep.truth.placebo.best if sweep.truth.placebo else np.array([])
    placebo = placebo[np.isfinite(placebo)]
    edges, (trials, shifts) = counted((values, placebo), [value for value, _ in marks.values()])
    lines = tuple(
        Line((value,), colour, upright=True, word=word)
        for word, (value, colour) in marks.items()
        if np.isfinite(value)
    )
    said = f"All {np.isfinite(values).sum():,} trials that can be chosen, by {label}: how many"
    plots = [Plot(said, (Curve("trials", trials, BLUE, opacity=0.55),), 170, "bars", lines=lines)]
    if len(placebo):
        said = f"The best of each of {len(placebo):,} searches at shifted dates: how many"
        curve = Curve("shifts", shifts, ROSE, opacity=0.55)
        plots.append(Plot(said, (curve,), 170, "bars", lines=lines[:1]))
    return Chart(
        "distribution",
        Numbers(edges, label),
        tuple(plots),
        "The distribution of all trials and of the placebo",
        "Upper panel: every trial that can be chosen. Lower panel: the winners of the same search with the "
        "decisions shifted in time, which cannot know anything: a winner among them is one by luck.",
    )


def marginal(sweep: Sweep, views: Views, places: dict[str, tuple[int, int]]) -> Chart:
    """Return the objective along each parameter: median, bands of the trials, the best.

    ``places`` are those of the winner and of the recommended set on each free axis.
    """
    each = [(a, views.marginal(i)) for i, a in enumerate(views.grid.axes) if a.name in places]
    every = np.concatenate([quantiles.ravel() for _, quantiles in each])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    room = 0.05 * (high - low) or 0.5
    plots = []
    for axis, quantiles in each:
        winner, centre = places[axis.name]
        unit = f", {axis.parameter.unit.name}" if axis.parameter.unit.name else ""
        plots.append(
            Plot(
                f"{sweep.objective.measure.label} by {axis.name}{unit}",
                (
                    Curve("median", quantiles[:, 2], BLUE, width=1.6),
                    Curve("best", quantiles[:, 5], BLUE, "--"),
                ),
                130,
                low=low - room,
                top=high + room,
                bands=(
                    Band("5 to 95 in a hundred", quantiles[:, 0], quantiles[:, 4], opacity=0.15),
                    Band("25 to 75", quantiles[:, 1], quantiles[:, 3], opacity=0.25),
                ),
                lines=(Line((winner,), ORANGE, upright=True), Line((centre,), GREEN, upright=True)),
                x=_labels(axis),
            )
        )
    return Chart(
        "marginal",
        _labels(each[0][0]),
        tuple(plots),
        "The objective along each parameter",
        "All trials that share a value: the median, bands from 25 to 75 and from 5 to 95 in a hundred, and "
        "dashed the best. Upright lines: the winner (orange) and the recommended set (green).",
        columns=2,
    )


def _labels(axis: Axis, label: str = "") -> Labels:
    return Labels(tuple(axis.parameter.text(value) for value in axis.values), label)


def halves(inside: Floats, outside: Floats) -> Chart:
    """Return what the winner of one half of the blocks had there, and in the other; Sharpe ratios a year."""
    ends = np.array([min(inside.min(), outside.min()), max(inside.max(), outside.max())])
    dots = tuple(
        Points("in the other half", x, y, BLUE, 5.0, opacity=part) for x, y, part in density(inside, outside)
    )
    plot = Plot(
        f"In the other half, of {len(inside):,} ways to choose on one half and judge on the other",
        (Curve("", ends, MUTED, "--", 0.9, at=ends),),
        260,
        dots=dots,
        lines=(ZERO,),
    )
    return Chart(
        "halves",
        Numbers(ends, "Sharpe ratio in the half that chose"),
        (plot,),
        "In-sample against out-of-sample Sharpe ratios of the winners of every half",
        "Every way to choose on 8 of 16 blocks of the data and to judge on the others. Below the dashed "
        "line the choice did worse than it had promised; below zero it earned less than cash.",
    )


def choices(folds: Sequence[Fold], dates: Days, free: Sequence[Axis]) -> Chart:
    """Return which value of each parameter the walk-forward held over time."""
    edges = np.array([*(dates[fold.test[0]] for fold in folds), dates[folds[-1].test[1]]])
    plots = []
    for axis in free:
        held = [float(axis.values.index(fold.parameters[axis.name])) for fold in folds]
        curve = Curve(axis.name, np.repeat(held, 2), BLUE, width=1.8, at=np.repeat(edges, 2)[1:-1])
        plots.append(Plot(axis.name, (curve,), 66, rows=_labels(axis)))
    return Chart(
        "choices",
        Dates(edges),
        tuple(plots),
        "What the walk-forward chose over time",
        "The value of each parameter held over time.",
    )


def front(values: Floats, best: Ints, names: tuple[str, str]) -> Chart:
    """Return all trials by two objectives, (2, n), and those, by number, that none betters in both."""
    x, y = values[:, np.isfinite(values).all(axis=0)]
    each = [(x, y, 0.5)] if len(x) <= _MOST else density(x, y)
    trials = tuple(Points(names[1], a, b, MUTED, 4.0, opacity=part) for a, b, part in each)
    line = Curve("", values[1, best], ORANGE, at=values[0, best])
    plot = Plot(
        names[1], (line,), 270, dots=(*trials, Points(names[1], values[0, best], values[1, best], ORANGE))
    )
    return Chart(
        "front",
        Numbers(x, names[0], room=0.03),
        (plot,),
        "Trials by both objectives",
        "Trials that no other betters in both; their parameters are in sweep.json, under front.",
    )


def _pair(pair: Pair, winner: tuple[int, int], centre: tuple[int, int], objective: Objective) -> Chart:
    """Return maps over two parameters; ``winner`` and ``centre`` are a row and a column each."""
    each = {
        "the best of all trials": pair.best,
        "their median": pair.median,
        "through the recommended set": pair.through,
    }
    both, form, (x, y) = np.array([pair.best, pair.median]), objective.measure.form, (pair.across, pair.up)
    ends = float(np.nanmin(both)), float(np.nanmax(both))
    worst, best = reversed(ends) if objective.lower else ends
    looks, says = shades(form(worst), form(best)), (f"{x.name} {{column}}, {y.name} {{row}}\n{{value}}", "")
    spots = Spot("best", *winner, "the winner"), Spot("centre", *centre, "the recommended set")
    plots = (
        Plot(
            name,
            height=260,
            rows=_labels(y, y.name),
            cells=Cells(
                shaded(table, ends, lower=objective.lower), read_out(table, form), looks, says, spots
            ),
        )
        for name, table in each.items()
    )
    return Chart(
        f"pair-{x.name}-{y.name}",
        _labels(x, x.name),
        tuple(plots),
        f"{objective.measure.label} over {x.name} and {y.name}",
        f"{x.name} to the right, {y.name} upwards.",
        columns=3,
    )
