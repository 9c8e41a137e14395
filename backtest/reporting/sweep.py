"""A sweep as a JSON document, as sentences, and as a folder with a page."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

from backtest.reporting.document import plain, to_json
from backtest.reporting.folder import write_report
from backtest.reporting.sentences import SIGNIFICANT
from backtest.reporting.style import png
from backtest.reporting.table import ROWS, cell, proper
from backtest.tuning.results import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.tuning.truth import Truth
    from backtest.tuning.tune import Choice, Sweep

RECOMMENDED, WALKED = "recommended", "walk_forward"


def _choice(sweep: Sweep, choice: Choice) -> dict[str, Any]:
    return {
        "parameters": choice.result.parameters,
        "metrics": choice.result.metrics,
        "neighbours": {
            "count": choice.neighbours.count,
            "median": shown(sweep, choice.neighbours.median),
            "worst": shown(sweep, choice.neighbours.worst),
        },
    }


def shown(sweep: Sweep, score: float) -> float:
    """Return a score as a value of the objective."""
    return -score if sweep.objective.lower else score


def _deflated(truth: Truth) -> dict[str, Any]:
    named = {
        "all_trials": truth.deflated,
        "effective_trials": truth.deflated_effective,
        "over_benchmark": truth.deflated_active,
    }
    return {
        name: {
            "trials": of.trials,
            "sharpe": of.sharpe,
            "threshold": of.threshold,
            "probability": of.probability,
        }
        for name, of in named.items()
    }


def sweep_document(sweep: Sweep, report: Path | None = None) -> dict[str, Any]:
    """Return what ``tune --json`` prints."""
    truth, start_end = sweep.truth, sweep.dates
    crossed, placebo = truth.crossvalidation, truth.placebo
    content: dict[str, Any] = {
        "strategy": sweep.trials.strategy.name,
        "market": sweep.trials.market.name,
        "start": start_end[0],
        "end": start_end[1],
        "benchmark": sweep.trials.benchmark,
        "search": sweep.search.kind,
        "combinations": sweep.counts["combinations"],
        "seconds": round(sweep.seconds, 3),
        "objective": ",".join(o.name for o in sweep.objectives),
        "constraints": [c.text for c in (*sweep.trials.constraints, *sweep.objective.constraints)],
        "counts": sweep.counts,
        "best": _choice(sweep, sweep.best),
        "recommended": _choice(sweep, sweep.recommended),
        "benchmark_metrics": sweep.best.result.benchmarks[sweep.trials.benchmark],
        "effective_trials": truth.effective,
        "deflated_sharpe_probability": truth.deflated.probability,
        "deflated": _deflated(truth),
        "pbo": None if crossed is None else crossed.probability,
        "crossvalidation": None
        if crossed is None
        else {
            "splits": len(crossed.ranks),
            "trials": crossed.trials,
            "undefined": crossed.undefined,
            "loss_probability": crossed.loss,
        },
        "spa_pvalue": truth.superior.pvalue,
        "spa": {
            "lower": truth.superior.lower,
            "upper": truth.superior.upper,
            "strategies": truth.superior.strategies,
            "stepm_superior": len(truth.superior.better),
        },
        "placebo_pvalue": None if placebo is None else placebo.pvalue,
        "placebo": None
        if placebo is None
        else {"shifts": len(placebo.shifts), "trials": placebo.trials, "best": placebo.best.tolist()},
        "walk_forward": _walked(sweep),
        "front": [sweep.trials.grid.values(_number(sweep, int(place))) for place in sweep.front],
        "results": str(sweep.results.trials.resolve()),
        "report": None if report is None else str(report),
    }
    return plain(content)


def _number(sweep: Sweep, place: int) -> int:
    return place if sweep.chosen is None else int(sweep.chosen[place])


def _walked(sweep: Sweep) -> dict[str, Any] | None:
    if sweep.walk_forward is None:
        return None
    dates = sweep.trials.market.bars.dates
    return {
        "changes": sweep.walk_forward.changes,
        "metrics": sweep.walk_forward.result.metrics,
        "folds": [
            {
                "train": [str(dates[bar]) for bar in fold.train],
                "test": [str(dates[bar]) for bar in fold.test],
                "parameters": fold.parameters,
                "inside": fold.inside,
                "outside": fold.outside,
            }
            for fold in sweep.walk_forward.folds
        ],
    }


def label_of(measure: str) -> str:
    """Return a measure's name for people."""
    return next((label.strip() for key, label, _ in ROWS if key == measure), measure)


def chance(value: float) -> str:
    """Return a probability as people say it."""
    if math.isnan(value):
        return "not defined"
    return f"{value:.0%}" if 0.01 <= value <= 0.99 else ("under 1%" if value < 0.01 else "over 99%")


def values_of(choice: Choice) -> str:
    """Return a choice's parameters in one line."""
    parameters = choice.result.strategy.parameters
    return ", ".join(f"{p.name} {p.text(choice.result.parameters[p.name])}" for p in parameters)


def verdict(sweep: Sweep) -> list[str]:
    """Return what the winner is worth, in a few sentences; the count of trials is always among them."""
    truth, counts = sweep.truth, sweep.counts
    told = [
        (
            f"The best of {counts['combinations']:,} combinations, which amount to about "
            f"{truth.effective:.0f} independent ones."
        )
    ]
    doubts = doubts_of(truth)
    if doubts:
        told.append(f"It may well be luck: {'; '.join(doubts)}.")
    else:
        told.append(
            "No test here calls it luck. That is evidence, not proof: whoever tries other ideas on the same "
            "data tries more than is counted here."
        )
    near = sweep.best.neighbours
    if near.count:
        name = label_of(sweep.objective.name)
        worst, median = shown(sweep, near.worst), shown(sweep, near.median)
        told.append(
            f"Its {near.count} neighbours have a {name} of {proper(f'{median:.2f}')} in "
            f"the middle and {proper(f'{worst:.2f}')} at worst, against its own "
            f"{proper(f'{sweep.best.result.metrics[sweep.objective.name]:.2f}')}."
        )
    return told


def doubts_of(truth: Truth) -> list[str]:
    """Return which tests leave the winner in doubt."""
    doubts = []
    active = truth.deflated_active
    if not active.probability >= 1.0 - SIGNIFICANT:
        doubts.append(
            "the probability that it beats the benchmark by more than the luckiest of as many trials "
            f"would is {chance(active.probability)}"
        )
    if not truth.deflated.probability >= 1.0 - SIGNIFICANT:
        doubts.append(f"its deflated Sharpe ratio has a probability of {chance(truth.deflated.probability)}")
    if truth.crossvalidation is not None and truth.crossvalidation.probability > 0.25:
        doubts.append(
            "a winner chosen on half of the data falls into the lower half on the rest in "
            f"{chance(truth.crossvalidation.probability)} of the cases"
        )
    if not truth.superior.pvalue <= SIGNIFICANT:
        doubts.append(f"Hansen's test against the benchmark gives p = {truth.superior.pvalue:.2f}")
    if truth.placebo is not None and not truth.placebo.pvalue <= SIGNIFICANT:
        doubts.append(
            f"{chance(truth.placebo.pvalue)} of the same searches at shifted dates find something as good"
        )
    return doubts


def write_sweep(sweep: Sweep) -> Path:
    """Write a sweep's page into its folder, beside its dataset, and return the page's place.

    ``index.html``, ``sweep.json`` and ``figures/``; ``recommended/`` is the report of the recommended set,
    which ``rotation compare`` takes; ``walk_forward/`` that of the stitched run. What an earlier call
    wrote is replaced.
    """
    from backtest.reporting.sweep_page import sweep_page

    folder = sweep.results.folder
    for name in (RECOMMENDED, WALKED, "figures"):
        shutil.rmtree(folder / name, ignore_errors=True)
    tried = sweep.counts["combinations"]
    write_report(sweep.recommended.result, folder / RECOMMENDED, tried=tried)
    if sweep.walk_forward is not None:
        write_report(sweep.walk_forward.result, folder / WALKED, tried=tried)
    page, figures = sweep_page(sweep)
    place = folder / "index.html"
    (folder / "figures").mkdir()
    for name, figure in figures.items():
        png(figure, folder / "figures" / f"{name}.png")
    write_whole(folder / "sweep.json", (to_json(sweep_document(sweep, place.resolve())) + "\n").encode())
    write_whole(place, page.encode())
    return place


def lines_of(sweep: Sweep, place: Path) -> list[str]:
    """Return a sweep's answer for a terminal, line by line."""
    start, end = sweep.dates
    counts, truth = sweep.counts, sweep.truth
    rest = [f"{n:,} {name}" for name, n in counts.items() if n and name in {"excluded", "refused", "unknown"}]
    lines = [
        f"{sweep.trials.strategy.name} on {sweep.trials.market.name}, {start} to {end}: "
        f"{counts['combinations']:,} combinations in {sweep.seconds:.1f} seconds"
        + (f" ({', '.join(rest)})" if rest else ""),
        "",
        f"  winner       {values_of(sweep.best)}",
        f"  recommended  {values_of(sweep.recommended)}  (centre of the best plateau)",
        "",
        f"  {'':24}{'winner':>12}{'recommended':>14}{sweep.trials.benchmark:>12}",
    ]
    runs = [
        sweep.best.result.metrics,
        sweep.recommended.result.metrics,
        sweep.best.result.benchmarks[sweep.trials.benchmark],
    ]
    for key, label, form in ROWS:
        texts = [cell(run[key], form) for run in runs]
        lines.append(f"  {label:24}{texts[0]:>12}{texts[1]:>14}{texts[2]:>12}")
    crossed, placebo = truth.crossvalidation, truth.placebo
    lines += [
        "",
        f"  trials {counts['combinations']:,}, effective {truth.effective:.1f}",
        (
            f"  deflated Sharpe probability {truth.deflated.probability:.3f}; over the benchmark "
            f"{truth.deflated_active.probability:.3f}"
        ),
        (
            f"  probability of overfitting {'-' if crossed is None else f'{crossed.probability:.3f}'}; "
            f"SPA p {truth.superior.pvalue:.3f}; "
            f"placebo p {'-' if placebo is None else f'{placebo.pvalue:.3f}'}"
        ),
        "",
        *verdict(sweep),
    ]
    if sweep.walk_forward is not None:
        lines.append(
            f"Walk-forward: {len(sweep.walk_forward.folds)} choices, {sweep.walk_forward.changes} changes; "
            f"Sharpe ratio out of sample {sweep.walk_forward.result.metrics['sharpe']:.2f}."
        )
    return [*lines, "", f"results  {sweep.results.trials}", f"report   {place}"]
