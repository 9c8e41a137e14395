"""The truth about the winner: what the best of so many trials is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.crossvalidation import N_BLOCKS, overfitting
from backtest.analysis.overfitting import deflated_sharpe, effective_trials
from backtest.analysis.superior import settled, superior
from backtest.engine.parallel import share
from backtest.errors import UsageError
from backtest.measures import SWEPT
from backtest.tuning.blocks import block_edges
from backtest.tuning.placebo import placebo
from backtest.tuning.survey import DIGESTED, different
from backtest.tuning.trials import MEASURED

if TYPE_CHECKING:
    from backtest.analysis.crossvalidation import Overfitting
    from backtest.analysis.overfitting import Deflated
    from backtest.analysis.superior import Superior
    from backtest.dates import Days, Floats, Ints
    from backtest.tuning.executors import Crew
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

_CHUNK, _MONTHLY = 1 << 15, 1 << 10  # trials whose blocks, or months, are summed at a time


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


def month_edges(dates: Days, window: Window) -> Ints:
    """Return the bars between which a window's months lie: its first, the last of each month, its last."""
    first, last = window
    months = dates[first + 1 : last + 1].astype("datetime64[M]")
    ends = first + 1 + np.flatnonzero(months[1:] != months[:-1])
    return np.r_[first, ends, last].astype(np.int64)


def monthly_gains(trials: Trials, numbers: Ints, window: Window) -> Floats:
    """Return the combinations' returns above the benchmark's, summed over calendar months, (n, n_months).

    NaN where a combination is not measured. Returns are summed, not compounded: their mean is then that of
    the bars, whatever their length.
    """
    edges = month_edges(trials.market.bars.dates, window)
    return trials.blocks(numbers, window, edges)[0] - benchmark_sums(trials, window, edges)[0]


def benchmark_sums(trials: Trials, window: Window, edges: Ints) -> Floats:
    """Return the benchmark's sums of excess returns over blocks and of their squares, (2, n_blocks)."""
    bars = trials.market.bars.window(*window)
    excess = (bars.column(trials.benchmark) - bars.column("cash"))[1:]
    return np.add.reduceat([excess, excess**2], edges[:-1] - edges[0], axis=1)


def _kept(trials: Trials, numbers: Ints, window: Window) -> tuple[Floats, Floats]:
    """Return the blocks that the test of superiority takes, (n, n_blocks), and information ratios a month.

    The ratio is NaN for a trial that never differs from the benchmark.
    """
    gains = monthly_gains(trials, numbers, window)
    ratios = np.full(len(gains), np.nan)
    if gains.shape[1] > 1:
        deviations = gains.std(axis=1, ddof=1)
        np.divide(gains.mean(axis=1), deviations, out=ratios, where=deviations > 1e-12)
    return settled(gains), ratios


def thinned(places: Ints, n: int, seed: int = 0) -> Ints:
    """Return at most ``n`` of the places, rising.

    The winner is not among them by right: held against others that were drawn, it would look too good.
    """
    if len(places) <= n:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, n, replace=False))


def _blocks(trials: Trials, numbers: Ints, window: Window) -> Floats:
    return trials.blocks(numbers, window, block_edges(*window, N_BLOCKS))


def _cross_validated(trials: Trials, numbers: Ints, window: Window, crew: Crew) -> Overfitting | None:
    """Return the probability of overfitting; None where too few trials differ, or bars for the blocks."""
    if len(numbers) < 2 or window[1] - window[0] < N_BLOCKS:
        return None
    both = np.concatenate(crew.in_order("cross-validation", _blocks, trials, numbers, _CHUNK, window), axis=1)
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
    crew
        Who works, and who is told how far it is.
    unseen
        Combinations drawn without a look at any return, where the sweep sought out its own by their returns:
        those would look too good beside the luck of as many. Everything is then told of these, and the winner
        is held against the luck of the whole grid.
    seed
        Of what is drawn.
    """

    shifts: int
    crew: Crew
    unseen: Ints | None = None
    seed: int = 0


def truth(
    trials: Trials, window: Window, survey: Survey, best: int, objective: Objective, tests: Tests
) -> Truth:
    """Return what the best of the trials is worth.

    Parameters
    ----------
    trials, window
        The sweep.
    survey
        What its dataset says of all trials.
    best
        The winner's combination.
    objective
        What it is the best in.
    tests
        What is told of it, and how.
    """
    unseen, seed, crew = tests.unseen, tests.seed, tests.crew
    distinct = survey.numbers(np.flatnonzero(survey.distinct))
    pool = distinct if unseen is None else _different(trials, unseen, window)
    tested, searched = thinned(pool, TESTED, seed), thinned(pool, PLACEBO_TRIALS, seed)
    parts = crew.in_order("gains", _kept, trials, tested, _MONTHLY, window)
    blocks, ratios = (np.concatenate(both) for both in zip(*parts, strict=True))
    winner = monthly_gains(trials, np.array([best]), window)[0]
    effective = effective_trials(monthly_gains(trials, thinned(pool, CORRELATED, seed), window))
    spread = float(np.nanstd(ratios, ddof=1)) if np.isfinite(ratios).sum() > 1 else 0.0
    tried = len(distinct) if unseen is None else trials.grid.size
    # Copies are left out: a parameter without effect would fill one side of the median with one run.
    crossing = thinned(pool, CROSS_VALIDATED, seed)
    told = superior(blocks, seed=seed)
    return Truth(
        measured=survey.counts["measured"],
        distinct=len(distinct),
        effective=effective,
        deflated=deflated_sharpe(winner, spread, tried),
        crossvalidation=_cross_validated(trials, crossing, window, crew),
        superior=told,
        named=_named(told, tested, best),
        placebo=placebo(trials, searched, window, objective, tests.shifts, seed, crew.tell)
        if tests.shifts
        else None,
        n_years=trials.yardstick(window).n_years,
    )


def _different(trials: Trials, numbers: Ints, window: Window) -> Ints:
    """Return those of the combinations that are measured and differ from all before them in some measure."""
    import pandas as pd

    status, measured = trials.measure(numbers, [window], None)
    rows = pd.DataFrame(measured[0], columns=list(SWEPT))
    return numbers[different(rows[DIGESTED]) & (status == MEASURED)]


def _named(told: Superior, tested: Ints, winner: int) -> bool | None:
    """Return whether the tests name the winner, whose number it is; None where they did not see it."""
    place = np.flatnonzero(tested == winner)
    if len(place) == 0 or math.isnan(told.pvalue):
        return None
    return bool(np.isin(place, told.better).any())
