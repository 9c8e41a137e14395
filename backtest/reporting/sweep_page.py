"""The page of a sweep, block by block, and its folder; a terminal shows the blocks that are brief."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING

from backtest.files import whole_file, whole_folder
from backtest.records.document import to_json
from backtest.reporting import blocks as b
from backtest.reporting import tables
from backtest.reporting.folder import write_figures, write_report
from backtest.reporting.html import render
from backtest.reporting.page import measures
from backtest.reporting.saving import write_workbook
from backtest.reporting.sentences import NO_ADVICE
from backtest.reporting.sweep_figures import charts
from backtest.spreadsheets import csv_of
from backtest.tuning.document import SweepDocument
from backtest.tuning.results import GO_ON
from backtest.tuning.sentences import cautions, chance, steadiness, values_of, verdict
from backtest.wording import cell, counted, number, p_clause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from backtest.reporting.chart import Chart
    from backtest.reporting.saving import Workbook
    from backtest.tuning.truth import Truth
    from backtest.tuning.tune import Sweep

RECOMMENDED, WALKED = "recommended", "walk_forward"
"""The folders, beside the page, of the reports that it links to."""

LAST = (
    "The trials lie beside this page in trials/, one row each, for pandas or DuckDB; sweep.json has the "
    "numbers of this page. " + NO_ADVICE
)


def _measures(sweep: Sweep) -> b.Table:
    """Return the table of measures; a walk-forward begins later, so that it has a benchmark of its own."""
    columns = sweep.columns
    if sweep.walk_forward is not None:
        versus, walked = sweep.trials.benchmark, sweep.walk_forward.result
        columns["walk-forward"] = walked.metrics
        columns[f"{versus} from {walked.start}"] = walked.benchmarks[versus]
    return measures(columns)


def _measures_note(sweep: Sweep) -> str:
    said = "After costs; the benchmark before. "
    if sweep.survey.chosen is None:
        said += (
            "The recommended set is the centre of the best plateau: the region of the grid in which "
            "neighbours are good as well."
        )
    else:
        said += "The recommended set is the trial with the best average over itself and its nearest trials."
    if sweep.walk_forward is not None:
        said += (
            f" The walk-forward begins on {sweep.walk_forward.result.start}, after its first training: hold "
            "it against the column beside it, not against the winner."
        )
    return said


def _parameters(sweep: Sweep) -> b.Table:
    rows = []
    for axis in sweep.trials.grid.axes:
        values = [axis.parameter.text(value) for value in axis.values]
        across = values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}, {len(values)} values"
        if not axis.ordered:
            across = ", ".join(values)
        chosen = [
            axis.parameter.text(c.result.parameters[axis.name]) for c in (sweep.best, sweep.recommended)
        ]
        rows.append((axis.name, axis.parameter.help, across, *chosen))
    return b.table(["", "", "tried", "winner", "recommended"], rows, "lwlrr")


def _truth(truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Give what the winner is worth: the name of each statistic, its value, and what it says."""
    each = "of them differs" if truth.distinct == 1 else "of them differ"
    yield "trials measured", f"{truth.measured:,}", f"{truth.distinct:,} {each} in some measure"
    yield from _deciding(truth)
    yield (
        "effective number of trials",
        f"{truth.effective:.1f}",
        "from the correlations of returns above the benchmark (Galwey 2009)",
    )
    yield (
        "deflated Sharpe ratio",
        chance(truth.deflated.probability),
        (
            "probability that the information ratio over the benchmark exceeds what luck gives the best, "
            "each distinct trial a try of its own (Bailey and Lopez de Prado 2014)"
        ),
    )
    crossed = truth.crossvalidation
    if crossed is not None:
        yield (
            "probability of overfitting",
            chance(crossed.probability),
            (
                f"{len(crossed.ranks):,} splits of 16 blocks, {counted(crossed.trials, 'trial')}, by the "
                "Sharpe ratio (Bailey, Borwein, Lopez de Prado and Zhu 2017); one half is what noise gives, "
                "and what trials give that hardly differ"
            ),
        )
        yield (
            "probability of falling behind",
            chance(crossed.behind),
            "the choice of one half has a lower Sharpe ratio than the benchmark in the other",
        )


def _deciding(truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Give the tests that decide the verdict."""
    superior, placebo = truth.superior, truth.placebo
    yield (
        "superior to the benchmark",
        "not defined" if math.isnan(superior.pvalue) else p_clause(superior.pvalue),
        (
            f"decides: Hansen (2005), mean monthly returns of "
            f"{counted(superior.strategies, 'distinct trial')}; StepM "
            f"(Romano and Wolf 2005) names {len(superior.better):,}"
        ),
    )
    if placebo is not None:
        yield (
            "placebo",
            p_clause(placebo.pvalue),
            (
                f"decides: {len(placebo.shifts):,} searches of "
                f"{counted(placebo.trials, 'trial')} at shifted dates"
            ),
        )


def _counts(sweep: Sweep) -> b.Table:
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
    shown = {name: n for name, n in sweep.counts.items() if n or name in {"combinations", "measured"}}
    return b.table(["combinations", ""], [(said[name], f"{n:,}") for name, n in shown.items()])


def _walk_forward(sweep: Sweep, drawn: dict[str, Chart]) -> Iterator[b.Block]:
    walk = sweep.walk_forward
    if walk is None:
        return
    dates, free = sweep.trials.market.bars.dates, sweep.trials.grid.free
    yield b.Heading("Walk-forward")
    report = b.Link("the report of the stitched run", f"{WALKED}/index.html")
    ends = (
        f"). The table ends with the {sweep.objective.measure.label} of each choice in its training and in "
    )
    yield b.Text((f"Parameters chosen on the past only: {steadiness(walk)} (", report, f"{ends}its test."))
    if "choices" in drawn:
        yield drawn["choices"]
    rows = [
        (
            f"{dates[fold.train[0]]} to {dates[fold.train[1]]}",
            f"{dates[fold.test[0]]} to {dates[fold.test[1]]}",
            ", ".join(f"{a.name} {a.parameter.text(fold.parameters[a.name])}" for a in free),
            number(fold.inside),
            cell(fold.outside, number),
        )
        for fold in walk.folds
    ]
    yield b.table(
        ["Trained on", "Tested on", "Chosen", "in training", "in the test"], rows, "llwrr", first=10
    )
    yield b.Text(
        "A training ends before its test begins: where the earliest window of any combination that is still "
        "open then was opened, or as purge= says. So nothing is learnt from returns that a window shares "
        "with the test.",
        "note",
    )


def _lead(sweep: Sweep) -> str:
    start, end = sweep.dates
    objective = ", ".join(o.measure.label for o in sweep.objectives)
    constraints = [c.text for c in (*sweep.trials.constraints, *sweep.objective.constraints)]
    counts = sweep.counts
    rest = [f"{n:,} {name}" for name, n in counts.items() if n and name in {"excluded", "refused", "unknown"}]
    return (
        f"{sweep.trials.strategy.name}: {counts['combinations']:,} combinations on "
        f"{sweep.trials.market.name}, {start} to {end}, by {objective}"
        + (f", subject to {', '.join(constraints)}" if constraints else "")
        + (f" ({', '.join(rest)})" if rest else "")
    )


def _walked(sweep: Sweep) -> list[b.Block]:
    """Return the walk-forward in a sentence, for a terminal."""
    if sweep.walk_forward is None:
        return []
    walked, versus = sweep.walk_forward.result, sweep.trials.benchmark
    return [
        b.Text(
            f"Walk-forward: {steadiness(sweep.walk_forward)}; Sharpe ratio out of sample "
            f"{walked.metrics['sharpe']:.2f}, {walked.start} to {walked.end}; that of {versus} "
            f"{walked.benchmarks[versus]['sharpe']:.2f}.",
            brief=True,
        )
    ]


def sheets(sweep: Sweep) -> Workbook:
    """Return the sheets of a sweep's workbook."""
    return tables.sweep_sheets(sweep, verdict(sweep), list(_truth(sweep.truth)))


def sweep_page(sweep: Sweep) -> b.Page:
    """Return the page of a sweep."""
    drawn = {chart.name: chart for chart in charts(sweep)}
    market, name = sweep.trials.market, sweep.trials.strategy.name
    chosen = (("winner", values_of(sweep.best)), ("recommended", values_of(sweep.recommended)))
    blocks: list[b.Block] = [
        b.Heading(f"{name}: a sweep", 1),
        b.Text(_lead(sweep), "lead", brief=True),
        *(b.Text(said, "warning", brief=True) for said in cautions(sweep)),
        b.Conclusion(tuple(verdict(sweep)), brief=True),
        *_walked(sweep),
        *([b.Text(f"Proxy: {market.proxy}.", "warning", brief=True)] if market.proxy else []),
        b.Definitions(chosen, brief=True),
        b.Text(b.Link("The report of the recommended set", f"{RECOMMENDED}/index.html")),
        b.Heading("What the winner is worth"),
        b.table(["", "", ""], _truth(sweep.truth), "lrw", brief=True),
        *(b.Heading("All trials"), drawn["distribution"], _counts(sweep)),
        *(b.Heading("Measures"), b.Text(_measures_note(sweep), "note"), _measures(sweep)),
        *(b.Heading("Parameters"), _parameters(sweep)),
    ]
    if "marginal" in drawn:
        blocks.append(drawn["marginal"])
    pairs = [chart for key, chart in drawn.items() if key.startswith("pair-")]
    if pairs:
        said = (
            "The best and the median over all other parameters, and the slice through the recommended set. A "
            "lonely strong cell is luck until shown otherwise; a strong region is a finding."
        )
        blocks += [b.Heading("Two parameters at a time"), b.Text(said, "note"), *pairs]
    if "halves" in drawn:
        blocks += [b.Heading("In one half and in the other"), drawn["halves"]]
    blocks += _walk_forward(sweep, drawn)
    if "front" in drawn:
        blocks += [b.Heading("Two objectives"), drawn["front"]]
    return b.Page(f"{name}: a sweep", tuple(blocks), LAST)


def write_sweep(sweep: Sweep, page: b.Page, *, also: Collection[str] = ()) -> Path:
    """Write a sweep's page into its folder, beside its dataset, and return the page's place.

    ``index.html`` and ``sweep.json``; ``recommended/`` is the report of the recommended set,
    which ``rotation compare`` takes; ``walk_forward/`` that of the stitched run. What an earlier call
    wrote is replaced; the page comes last, so that it is there only with all that it shows. ``also`` may ask
    for ``csv``, the trials in ``trials.csv``, for ``xlsx``, one Excel workbook, and for ``png``, the figures.

    Raises
    ------
    RotationError
        When the disk is full or the folder cannot be written to.
    """
    folder = sweep.results.folder
    place, document = folder / "index.html", folder / "sweep.json"
    for file in (place, document, folder / "trials.csv", folder / "sweep.xlsx"):
        file.unlink(missing_ok=True)
    for name in (RECOMMENDED, WALKED, "figures"):
        shutil.rmtree(folder / name, ignore_errors=True)
    tried = sweep.counts["combinations"]
    write_report(sweep.recommended.result, folder / RECOMMENDED, tried=tried, also=also)
    if sweep.walk_forward is not None:
        write_report(sweep.walk_forward.result, folder / WALKED, tried=tried, also=also)
    text = render(page)
    if "png" in also:
        with whole_folder(folder / "figures") as draft:
            write_figures(page.blocks, draft)
    if "csv" in also:
        with whole_file(folder / "trials.csv", "the trials", GO_ON) as written:
            for which, part in enumerate(sweep.results.whole()):
                written.write(csv_of(sweep.results.table(part).to_pandas(), header=which == 0))
    if "xlsx" in also:
        with whole_file(folder / "sweep.xlsx", "the workbook", GO_ON) as written:
            write_workbook(sheets(sweep), written)
    answers = to_json(SweepDocument.of(sweep, place.resolve())) + "\n"
    for path, content in ((document, answers), (place, text)):
        with whole_file(path, "the sweep's page", GO_ON) as written:
            written.write(content.encode())
    return place
