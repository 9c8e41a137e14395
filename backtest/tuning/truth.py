"""The truth about the winner: what the best of so many trials is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.analysis.crossvalidation import N_BLOCKS, overfitting
from backtest.analysis.overfitting import deflated_sharpe, effective_trials
from backtest.analysis.superior import superior
from backtest.engine.parallel import share
from backtest.errors import UsageError
from backtest.measures import SWEPT
from backtest.tuning.blocks import block_edges
from backtest.tuning.executors import each
from backtest.tuning.gains import benchmark_sums, gains_of, monthly_gains
from backtest.tuning.placebo import placebo
from backtest.tuning.survey import DIGESTED, first_of_each
from backtest.tuning.trials import MEASURED

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

TESTED = 20_000
"""Distinct trials that are tested for superiority; of more, a sample."""

PLACEBO_TRIALS = 5_000
"""Distinct trials that the placebo searches at every shift; of more, a sample."""

_CHUNK = 1 << 15


@dataclass(frozen=True, eq=False)
class Truth:
    """What is told together with a winner.

    Everything but the counts is of returns above the benchmark's.

    Parameters
    ----------
    measured, distinct
        Trials measured, and those among them that differ in some measure.
    effective
        How many independent trials these amount to, by the correlations of their monthly gains.
    deflated
        Bailey and Lopez de Prado's, every distinct trial counted as a try of its own.
    crossvalidation
        The probability of backtest overfitting; None where fewer than two trials differ: a winner among
        equals has the rank of the median in every split, which says nothing of overfitting.
    superior
        Hansen's and Romano and Wolf's tests against the benchmark; months of returns.
    named
        Whether StepM names the winner; None where the winner was not among those tested.
    placebo
        The same search at shifted dates; None where it was not asked for.
    n_years
        The length of the window.
    """

    measured: int
    distinct: int
    effective: float
    deflated: Deflated
    crossvalidation: Overfitting | None
    superior: Superior
    named: bool | None
    placebo: Placebo | None
    n_years: float


def thinned(places: Ints, n: int, seed: int = 0) -> Ints:
    """Return at most ``n`` of the places, rising.

    The winner is not among them by right: held against others that were drawn, it would look too good.
    """
    if len(places) <= n:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, n, replace=False))


def _blocks(trials: Trials, numbers: Ints, window: Window, place: int) -> tuple[int, Floats]:
    return place, trials.blocks(numbers, window, block_edges(*window, N_BLOCKS))


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
    edges = block_edges(*window, N_BLOCKS)
    benchmark = benchmark_sums(trials, window, edges)
    try:
        return overfitting(both[0], both[1], np.diff(edges), benchmark, share)
    except UsageError:
        return None


@dataclass(frozen=True, eq=False)
class Tests:
    """What a winner is put through.

    Parameters
    ----------
    shifts
        Of the placebo; 0 for none.
    executor, tell
        Who works, and who is told how far it is.
    unseen
        Combinations drawn without a look at any return, where the sweep sought out its own by their returns:
        those would look too good beside the luck of as many. Everything is then told of these, and the winner
        is held against the luck of the whole grid.
    seed
        Of what is drawn.
    """

    shifts: int
    executor: str
    unseen: Ints | None = None
    seed: int = 0
    tell: Any = None


def truth(
    trials: Trials,
    chosen: Ints | None,
    window: Window,
    survey: Survey,
    best: int,
    objective: Objective,
    tests: Tests,
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
    tests
        What is told of it, and how.
    """
    unseen, seed, executor, tell = tests.unseen, tests.seed, tests.executor, tests.tell

    def number(places: Ints) -> Ints:
        return places if chosen is None else chosen[places]

    n_years = trials.yardstick(window).n_years
    distinct = np.flatnonzero(survey.distinct)
    pool = number(distinct) if unseen is None else different(trials, unseen, window)
    tested = thinned(pool, TESTED, seed)
    gains = gains_of(trials, tested, window, executor, tell)
    winner = monthly_gains(trials, number(np.array([best])), window)[0]
    effective = effective_trials(monthly_gains(trials, thinned(pool, CORRELATED, seed), window))
    spread = float(np.nanstd(gains.ratios, ddof=1)) if np.isfinite(gains.ratios).sum() > 1 else 0.0
    tried = len(distinct) if unseen is None else trials.grid.size
    # Copies are left out: a parameter without effect would fill one side of the median with one run.
    crossing = thinned(pool, CROSS_VALIDATED, seed)
    told = superior(gains.blocks, seed=seed)
    return Truth(
        measured=survey.measured,
        distinct=len(distinct),
        effective=effective,
        deflated=deflated_sharpe(winner, spread, tried),
        crossvalidation=cross_validated(trials, crossing, window, executor, tell) if len(pool) > 1 else None,
        superior=told,
        named=_named(told, tested, int(number(np.array([best]))[0])),
        placebo=placebo(
            trials, thinned(pool, PLACEBO_TRIALS, seed), window, objective, tests.shifts, seed, tell
        )
        if tests.shifts
        else None,
        n_years=n_years,
    )


def different(trials: Trials, numbers: Ints, window: Window) -> Ints:
    """Return those of the combinations that are measured and differ from all before them in some measure."""
    status, measured = trials.measure(numbers, [window], None)
    columns = [measured[0][:, SWEPT.index(name)] for name in DIGESTED]
    return numbers[first_of_each(columns) & (status == MEASURED)]


def _named(told: Superior, tested: Ints, winner: int) -> bool | None:
    """Return whether the tests name the winner, whose number it is; None where they did not see it."""
    place = np.flatnonzero(tested == winner)
    if len(place) == 0 or math.isnan(told.pvalue):
        return None
    return bool(np.isin(place, told.better).any())
