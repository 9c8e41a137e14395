"""The truth about the winner: what the best of so many trials is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.analysis.crossvalidation import N_BLOCKS, overfitting
from backtest.analysis.overfitting import deflated_sharpe, effective_trials
from backtest.analysis.superior import by_month, superior
from backtest.engine.parallel import share
from backtest.errors import UsageError
from backtest.tuning.blocks import block_edges
from backtest.tuning.executors import each
from backtest.tuning.placebo import placebo
from backtest.tuning.survey import SPREAD

if TYPE_CHECKING:
    from backtest.analysis.crossvalidation import Overfitting
    from backtest.analysis.overfitting import Deflated
    from backtest.analysis.superior import Superior
    from backtest.dates import Floats, Ints
    from backtest.tuning.objective import Objective
    from backtest.tuning.placebo import Placebo
    from backtest.tuning.survey import Survey
    from backtest.tuning.trials import Trials, Window

CROSS_VALIDATED = 250_000
"""Distinct trials that take part in cross-validation; of more, a sample."""

CORRELATED = 500
"""Distinct trials whose correlations are estimated."""

TESTED = 300
"""Best distinct trials that are tested for superiority."""

PLACEBO_TRIALS = 5_000
"""Distinct trials that the placebo searches at every shift; of more, a sample."""

_CHUNK = 1 << 15


@dataclass(frozen=True, eq=False)
class Truth:
    """What is told together with a winner.

    Parameters
    ----------
    measured, distinct
        Trials measured, and those among them that differ in some measure.
    effective
        How many independent trials these amount to, by the correlations of their returns above the benchmark.
    deflated
        Bailey and Lopez de Prado's, over cash, all trials counted.
    deflated_effective
        The same with the effective number of trials.
    deflated_active
        The same over the benchmark: an information ratio; all trials counted.
    crossvalidation
        The probability of backtest overfitting; None where fewer than two trials differ: a winner among
        equals has the rank of the median in every split, which says nothing of overfitting.
    superior
        Hansen's and Romano and Wolf's tests against the benchmark; months of returns.
    placebo
        The same search at shifted dates; None where it was not asked for.
    """

    measured: int
    distinct: int
    effective: float
    deflated: Deflated
    deflated_effective: Deflated
    deflated_active: Deflated
    crossvalidation: Overfitting | None
    superior: Superior
    placebo: Placebo | None


def thinned(places: Ints, n: int, seed: int = 0) -> Ints:
    """Return at most ``n`` of the places, rising.

    The winner is not among them by right: held against others that were drawn, it would look too good.
    """
    if len(places) <= n:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, n, replace=False))


def _blocks(trials: Trials, numbers: Ints, window: Window, place: int) -> tuple[int, Floats]:
    return place, trials.blocks(numbers, window)


def cross_validated(
    trials: Trials, numbers: Ints, window: Window, executor: str, tell: Any = None
) -> Overfitting | None:
    """Return the probability of overfitting; None where too few trials differ, or bars for the blocks."""
    if window[1] - window[0] < N_BLOCKS:
        return None
    calls = [(numbers[i : i + _CHUNK], window, i) for i in range(0, len(numbers), _CHUNK)]
    parts, done = {}, 0
    for first, sums in each(_blocks, trials, calls, executor):
        parts[first], done = sums, done + sums.shape[1]
        if tell:
            tell("cross-validation", done, len(numbers))
    both = np.concatenate([parts[first] for first in sorted(parts)], axis=1)
    edges = block_edges(*window, both.shape[2])
    try:
        return overfitting(both[0], both[1], np.diff(edges), share)
    except UsageError:
        return None


def truth(
    trials: Trials,
    chosen: Ints | None,
    window: Window,
    survey: Survey,
    best: int,
    objective: Objective,
    *,
    shifts: int,
    executor: str,
    unseen: Ints | None = None,
    seed: int = 0,
    tell: Any = None,
) -> Truth:
    """Return what the best of the trials is worth.

    Parameters
    ----------
    trials, chosen, window
        The sweep; ``chosen`` are the numbers of its combinations, None for all of the grid.
    survey
        What its dataset says of all trials.
    best
        The place of the winner.
    objective
        What it is the best in.
    shifts
        Of the placebo; 0 for none.
    unseen
        The combinations that the placebo searches, where these are not the sweep's own: what was sought out
        among the true returns would look too good beside the same at shifted ones.
    """

    def number(places: Ints) -> Ints:
        return places if chosen is None else chosen[places]

    bars = trials.market.bars.window(*window)
    dates, cash, versus = bars.dates[1:], bars.column("cash")[1:], bars.column(trials.benchmark)[1:]
    ppy = len(cash) / trials.yardstick(window).n_years
    winner = trials.returns(number(np.array([best])), window)[0]
    distinct, n = np.flatnonzero(survey.distinct), survey.measured
    spread, active_spread = (survey.deviations[name] / math.sqrt(ppy) for name in SPREAD)

    sampled = thinned(distinct, CORRELATED, seed)
    effective = effective_trials(
        by_month(dates, trials.returns(number(sampled), window)) - by_month(dates, versus)
    )
    # Copies are left out: a parameter without effect would fill one side of the median with one run.
    crossing = number(thinned(distinct, CROSS_VALIDATED, seed))
    models = trials.returns(number(highest(survey.scores[0], distinct, best)), window)
    searched = thinned(number(distinct) if unseen is None else unseen, PLACEBO_TRIALS, seed)
    return Truth(
        measured=n,
        distinct=len(distinct),
        effective=effective,
        deflated=deflated_sharpe(winner - cash, spread, n),
        deflated_effective=deflated_sharpe(winner - cash, spread, max(effective, 1.0)),
        deflated_active=deflated_sharpe(winner - versus, active_spread, n),
        crossvalidation=cross_validated(trials, crossing, window, executor, tell)
        if len(distinct) > 1
        else None,
        superior=superior(by_month(dates, versus), by_month(dates, models), seed=seed),
        placebo=placebo(trials, searched, window, objective, shifts, seed, tell) if shifts else None,
    )


def highest(scores: Floats, places: Ints, best: int) -> Ints:
    """Return which of the places have the ``TESTED`` highest scores, rising, with the best among them."""
    own = scores[places]
    places, own = places[np.isfinite(own)], own[np.isfinite(own)]
    if len(own) > TESTED:
        places = places[np.argpartition(own, len(own) - TESTED)[-TESTED:]]
    return np.unique(np.r_[best, places])
