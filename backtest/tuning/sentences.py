"""A sweep in sentences: what its winner is worth, and the words for its parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from backtest.errors import joined
from backtest.tuning.verdict import HOLDS, LEVEL, LUCK, WORTH_HAVING
from backtest.wording import counted, p_clause

if TYPE_CHECKING:
    from backtest.tuning.edges import Edge
    from backtest.tuning.truth import Truth
    from backtest.tuning.tune import Choice, Sweep
    from backtest.tuning.verdict import Judgement
    from backtest.tuning.walkforward import WalkForward


def chance(value: float) -> str:
    """Return a probability as people say it."""
    if math.isnan(value):
        return "not defined"
    return f"{value:.0%}" if 0.01 <= value <= 0.99 else ("under 1%" if value < 0.01 else "over 99%")


def values_of(choice: Choice) -> str:
    """Return a choice's parameters in one line."""
    parameters = choice.result.strategy.parameters
    return ", ".join(f"{p.name} {p.text(choice.result.parameters[p.name])}" for p in parameters)


def steadiness(walk: WalkForward) -> str:
    """Return how often a walk-forward chose, and how often it chose something else than before."""
    return f"{counted(len(walk.folds), 'choice')}, {counted(walk.changes, 'change')}"


def verdict(sweep: Sweep) -> list[str]:
    """Return what the winner is worth, in a few sentences; the count of trials is always among them."""
    told = [_tried(sweep), *_idle(sweep), *outcome_of(sweep.verdict, sweep.truth), *_doubts(sweep)]
    near = sweep.best.neighbours
    if near.count:
        measure = sweep.objective.measure
        worst, median = (measure.text(sweep.objective.score(score)) for score in (near.worst, near.median))
        own = measure.text(sweep.best.result.metrics[measure.key])
        name = f"a{'n' if measure.label[0] in 'aeiou' else ''} {measure.label}"
        have = f"{near.count} neighbours have {name} of {median} in the middle and {worst} at worst"
        if near.count == 1:
            have = f"only neighbour has {name} of {worst}"
        told.append(f"Its {have}, against its own {own}.")
    return [*told, *(edge_in_words(edge) for edge in sweep.best.edges)]


def cautions(sweep: Sweep) -> list[str]:
    """Return what is to be said first of the winner's rule, and of the recommended set where that is more."""
    winner, recommended = sweep.best.result.cautions, sweep.recommended.result.cautions
    said = [*winner, *(f"the recommended set: {doubt}" for doubt in recommended if doubt not in winner)]
    return [f"{each[0].upper()}{each[1:]}." for each in said]


def _tried(sweep: Sweep) -> str:
    n, effective = sweep.counts["combinations"], f"{sweep.truth.effective:.0f}"
    if n == 1:
        return "The only combination."
    ones = "one" if effective == "1" else "ones"
    return f"The best of {n:,} combinations, which amount to about {effective} independent {ones}."


def _idle(sweep: Sweep) -> list[str]:
    """Return which parameters were varied although nothing comes of them."""
    idle, grid = sweep.trials.idle, sweep.trials.grid
    if not idle:
        return []
    words = " and ".join(f"{a.name} {' or '.join(map(str, a.values))}" for a in grid.words)
    have, them = ("has", "it") if len(idle) == 1 else ("have", "them")
    return [f"{joined(idle)} {have} no effect: with {words} the rule does not use {them}."]


def outcome_of(judged: Judgement, truth: Truth) -> list[str]:
    """Return the outcome and what it rests on; a second sentence where it holds up."""
    found = [_superior(judged, truth)]
    if truth.placebo is not None:
        share = chance(truth.placebo.pvalue)
        found.append(f"{share} of the same searches at shifted dates find something as good")
    else:
        found.append("no search at shifted dates was asked for")
    if judged.outcome == HOLDS:
        return [
            f"It holds up: {', and '.join(found)}.",
            (
                "That is evidence, not proof: whoever tries other ideas on the same data tries more than is "
                "counted here."
            ),
        ]
    if judged.outcome == LUCK:
        seen = f"an information ratio of {WORTH_HAVING:g} a year would have shown"
        return [f"It looks like luck: {'; '.join(found)}; {seen}."]
    if judged.superior or judged.shifted:
        return [f"It cannot be told from luck, because the tests disagree: {', but '.join(found)}."]
    if math.isnan(judged.visible):
        return [f"It cannot be told from luck: {'; '.join(found)}."]
    only = f"in this sample only an information ratio of {judged.visible:.2f} a year or more would show"
    return [f"It cannot be told from luck: {'; '.join(found)}; {only}."]


def _superior(judged: Judgement, truth: Truth) -> str:
    tested = truth.superior
    if judged.superior is None:
        return "Hansen's test against the benchmark has too little to go by"
    among = counted(tested.strategies, "trial") + (" drawn by chance" if truth.named is None else "")
    says = f"Hansen's test of {among} against the benchmark gives {p_clause(tested.pvalue)}"
    if tested.pvalue <= LEVEL and truth.named is False:
        says += ", though for others than the winner"
    return says


def _doubts(sweep: Sweep) -> list[str]:
    """Return what else is to be said of a winner, whatever the outcome; nothing where there is nothing."""
    truth, judged, walk = sweep.truth, sweep.verdict, sweep.walk_forward
    told = []
    if judged.outcome == HOLDS and not truth.deflated.probability >= 1.0 - LEVEL:
        told.append(
            "Were every trial a try of its own, the probability that it beats the benchmark by more than the "
            f"luckiest of them would be {chance(truth.deflated.probability)}."
        )
    crossed = truth.crossvalidation
    if crossed is not None and judged.unsettled:
        share, behind = chance(crossed.probability), chance(crossed.behind)
        told.append(
            f"Which of the trials is the best is not settled: the choice of one half of the data is in the "
            f"lower half of them on the rest in {share} of the splits, "
            + ("but behind" if judged.follows else "and behind")
            + f" the benchmark in {behind}."
        )
    if walk is not None:
        own, versus = (
            m["sharpe"] for m in (walk.result.metrics, walk.result.benchmarks[sweep.trials.benchmark])
        )
        if own < versus:
            told.append(
                f"Chosen on the past only, the parameters fell behind {sweep.trials.benchmark}: a Sharpe "
                f"ratio of {f'{own:.2f}'} against {f'{versus:.2f}'}."
            )
    if sweep.search.kind == "optuna":
        told.append(
            "Optuna sought out what the returns favour, so every test here is of as many combinations drawn "
            "by chance."
        )
    return told


def edge_in_words(edge: Edge) -> str:
    """Return that a winner lies on the edge of its grid, and how to look beyond."""
    end = "highest" if edge.highest else "lowest"
    value = edge.value if isinstance(edge.value, str) else f"{edge.value:g}"
    if edge.wider is None:
        return f"Its {edge.name} of {value} is the {end} that the strategy allows."
    return f"Its {edge.name} of {value} is the {end} that was tried; look beyond with --grid {edge.wider}."
