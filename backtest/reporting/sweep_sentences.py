"""A sweep in sentences: what its winner is worth, and the words for its parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from backtest.reporting.sentences import SIGNIFICANT
from backtest.reporting.table import ROWS, proper

if TYPE_CHECKING:
    from backtest.tuning.truth import Truth
    from backtest.tuning.tune import Choice, Sweep
    from backtest.tuning.walkforward import WalkForward


def shown(sweep: Sweep, score: float) -> float:
    """Return a score as a value of the objective."""
    return -score if sweep.objective.lower else score


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


def steadiness(walk: WalkForward) -> str:
    """Return how often a walk-forward chose, and how often it chose something else than before."""
    n = len(walk.folds)
    return f"{n} choice{'' if n == 1 else 's'}, {walk.changes} change{'' if walk.changes == 1 else 's'}"


def verdict(sweep: Sweep) -> list[str]:
    """Return what the winner is worth, in a few sentences; the count of trials is always among them."""
    truth, counts = sweep.truth, sweep.counts
    n, effective = counts["combinations"], f"{truth.effective:.0f}"
    told = [
        f"The best of {n:,} combinations, which amount to about {effective} independent "
        f"{'one' if effective == '1' else 'ones'}."
        if n > 1
        else "The only combination."
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
        of_them = f"{proper(f'{median:.2f}')} in the middle and {proper(f'{worst:.2f}')} at worst"
        have = f"{near.count} neighbours have a {name} of {of_them}"
        if near.count == 1:
            have = f"only neighbour has a {name} of {proper(f'{worst:.2f}')}"
        own = proper(f"{sweep.best.result.metrics[sweep.objective.name]:.2f}")
        told.append(f"Its {have}, against its own {own}.")
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
    if math.isnan(truth.superior.pvalue):
        doubts.append("Hansen's test against the benchmark has too little to go by")
    elif truth.superior.pvalue > SIGNIFICANT:
        doubts.append(f"Hansen's test against the benchmark gives p = {truth.superior.pvalue:.2f}")
    if truth.placebo is not None and not truth.placebo.pvalue <= SIGNIFICANT:
        doubts.append(
            f"{chance(truth.placebo.pvalue)} of the same searches at shifted dates find something as good"
        )
    return doubts
