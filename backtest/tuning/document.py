"""A sweep as the record that is its JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import msgspec

from backtest.parameters import Value
from backtest.records.document import Day, Metrics
from backtest.tuning.edges import Edge
from backtest.tuning.sentences import verdict

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.tuning.tune import Choice, Sweep
    from backtest.tuning.walkforward import Fold


class NeighboursDocument(msgspec.Struct, frozen=True):
    """How many neighbours a combination has, and the middle and the worst of their objective."""

    count: int
    median: float | None
    worst: float | None


class ChoiceDocument(msgspec.Struct, frozen=True):
    """A combination that a sweep points at; ``tuning.tune.Choice`` says what it has."""

    parameters: dict[str, Value]
    metrics: Metrics
    doubts: tuple[str, ...]
    neighbours: NeighboursDocument
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, sweep: Sweep, choice: Choice) -> ChoiceDocument:
        """Return the document of a choice."""
        result, near = choice.result, choice.neighbours
        of = sweep.objective.score
        around = NeighboursDocument(near.count, of(near.median), of(near.worst))
        return cls(result.parameters, result.metrics, result.cautions, around, choice.edges)


class CrossedDocument(msgspec.Struct, frozen=True):
    """Of how many splits and trials the probability of overfitting is, and how often a choice fell behind."""

    splits: int
    trials: int
    undefined: int
    behind_probability: float | None


class SuperiorDocument(msgspec.Struct, frozen=True):
    """What the test of superior ability compared, and the smallest information ratio that it would show."""

    strategies: int
    stepm_superior: int
    stepm_names_best: bool | None
    visible_information_ratio: float | None


class PlaceboDocument(msgspec.Struct, frozen=True):
    """The best of the same search at each of many shifts, and without one."""

    shifts: int
    trials: int
    actual: float | None
    best: list[float | None]


class FoldDocument(msgspec.Struct, frozen=True):
    """A step of a walk-forward: first fill and last bar of training and test, and what it chose."""

    train: tuple[Day, Day]
    test: tuple[Day, Day]
    parameters: dict[str, Value]
    inside: float | None
    outside: float | None


def _fold(sweep: Sweep, fold: Fold) -> FoldDocument:
    dates = sweep.trials.market.bars.dates
    (a, b), (c, d) = (dates[list(window)].astype(str).tolist() for window in (fold.train, fold.test))
    return FoldDocument((a, b), (c, d), fold.parameters, fold.inside, fold.outside)


class WalkDocument(msgspec.Struct, frozen=True):
    """A walk-forward: how often its choice changed, and its stitched run."""

    changes: int
    start: Day
    end: Day
    metrics: Metrics
    benchmark_metrics: Metrics
    folds: list[FoldDocument]

    @classmethod
    def of(cls, sweep: Sweep) -> WalkDocument | None:
        """Return the document of a sweep's walk-forward, if it has one."""
        walk = sweep.walk_forward
        if walk is None:
            return None
        run, folds = walk.result, [_fold(sweep, fold) for fold in walk.folds]
        versus = run.benchmarks[sweep.trials.benchmark]
        return cls(walk.changes, run.start, run.end, run.metrics, versus, folds)


class SweepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``tune --json`` prints.

    Parameters
    ----------
    objective, constraints
        Measures by name with commas, the first one decides; what kept a trial from being chosen or measured.
    counts
        How many trials there are of each status.
    verdict, sentences
        The outcome, and what is said of it.
    deflated
        The deflated Sharpe ratio, a bar: ``sharpe``, ``threshold``, ``probability``, ``trials``.
    front
        The parameters of the trials that no other betters in both of two objectives.
    results, report
        The folder of the trials, and the page, if one was written.
    """

    strategy: str
    market: str
    start: Day
    end: Day
    benchmark: str
    search: str
    combinations: int
    seconds: float
    objective: str
    constraints: list[str]
    counts: dict[str, int]
    best: ChoiceDocument
    recommended: ChoiceDocument
    benchmark_metrics: Metrics
    verdict: str
    sentences: list[str]
    effective_trials: float | None
    deflated_sharpe_probability: float | None
    deflated: dict[str, float | None]
    pbo: float | None
    crossvalidation: CrossedDocument | None
    spa_pvalue: float | None
    spa: SuperiorDocument
    placebo_pvalue: float | None
    placebo: PlaceboDocument | None
    walk_forward: WalkDocument | None
    front: list[dict[str, Value]]
    results: str
    report: str | None = None

    @classmethod
    def of(cls, sweep: Sweep, report: Path | None = None) -> SweepDocument:
        """Return the document of a sweep; ``report`` is the place of its page, if one was written."""
        trials, truth = sweep.trials, sweep.truth
        crossed, placebo, tested = truth.crossvalidation, truth.placebo, truth.superior
        start, end = sweep.dates
        return cls(
            strategy=trials.strategy.name,
            market=trials.market.name,
            start=start,
            end=end,
            benchmark=trials.benchmark,
            search=sweep.search.kind,
            combinations=sweep.counts["combinations"],
            seconds=round(sweep.seconds, 3),
            objective=",".join(each.name for each in sweep.objectives),
            constraints=[each.text for each in (*trials.constraints, *sweep.objective.constraints)],
            counts=sweep.counts,
            best=ChoiceDocument.of(sweep, sweep.best),
            recommended=ChoiceDocument.of(sweep, sweep.recommended),
            benchmark_metrics=sweep.best.result.benchmarks[trials.benchmark],
            verdict=sweep.verdict.outcome,
            sentences=verdict(sweep),
            effective_trials=truth.effective,
            deflated_sharpe_probability=truth.deflated.probability,
            deflated=asdict(truth.deflated),
            pbo=None if crossed is None else crossed.probability,
            crossvalidation=None
            if crossed is None
            else CrossedDocument(len(crossed.ranks), crossed.trials, crossed.undefined, crossed.behind),
            spa_pvalue=tested.pvalue,
            spa=SuperiorDocument(tested.strategies, len(tested.better), truth.named, sweep.verdict.visible),
            placebo_pvalue=None if placebo is None else placebo.pvalue,
            placebo=None
            if placebo is None
            else PlaceboDocument(len(placebo.shifts), placebo.trials, placebo.actual, placebo.best.tolist()),
            walk_forward=WalkDocument.of(sweep),
            front=[trials.grid.values(int(number)) for number in sweep.survey.numbers(sweep.front)],
            results=str(sweep.results.trials.resolve()),
            report=None if report is None else str(report),
        )
