"""A sweep as a JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from backtest.records.document import plain
from backtest.reporting.sweep_sentences import shown, verdict

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.tuning.tune import Choice, Sweep


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
        "verdict": sweep.verdict.outcome,
        "sentences": verdict(sweep),
        "effective_trials": truth.effective,
        "deflated_sharpe_probability": truth.deflated.probability,
        "deflated": asdict(truth.deflated),
        "pbo": None if crossed is None else crossed.probability,
        "crossvalidation": None
        if crossed is None
        else {
            "splits": len(crossed.ranks),
            "trials": crossed.trials,
            "undefined": crossed.undefined,
            "behind_probability": crossed.behind,
        },
        "spa_pvalue": truth.superior.pvalue,
        "spa": {
            "strategies": truth.superior.strategies,
            "stepm_superior": len(truth.superior.better),
            "stepm_names_best": truth.named,
            "visible_information_ratio": sweep.verdict.visible,
        },
        "placebo_pvalue": None if placebo is None else placebo.pvalue,
        "placebo": None
        if placebo is None
        else {
            "shifts": len(placebo.shifts),
            "trials": placebo.trials,
            "actual": placebo.actual,
            "best": placebo.best.tolist(),
        },
        "walk_forward": _walked(sweep),
        "front": [sweep.trials.grid.values(_number(sweep, int(place))) for place in sweep.front],
        "results": str(sweep.results.trials.resolve()),
        "report": None if report is None else str(report),
    }
    return plain(content)


def _choice(sweep: Sweep, choice: Choice) -> dict[str, Any]:
    return {
        "parameters": choice.result.parameters,
        "metrics": choice.result.metrics,
        "doubts": list(choice.result.doubts),
        "neighbours": {
            "count": choice.neighbours.count,
            "median": shown(sweep, choice.neighbours.median),
            "worst": shown(sweep, choice.neighbours.worst),
        },
        "edges": [asdict(edge) for edge in choice.edges],
    }


def _number(sweep: Sweep, place: int) -> int:
    return place if sweep.chosen is None else int(sweep.chosen[place])


def _walked(sweep: Sweep) -> dict[str, Any] | None:
    if sweep.walk_forward is None:
        return None
    dates, walked = sweep.trials.market.bars.dates, sweep.walk_forward.result
    return {
        "changes": sweep.walk_forward.changes,
        "start": walked.start,
        "end": walked.end,
        "metrics": walked.metrics,
        "benchmark_metrics": walked.benchmarks[sweep.trials.benchmark],
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
