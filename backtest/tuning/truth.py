"""The truth about the winner: what the best of so many trials is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.analysis.crossvalidation import overfitting
from backtest.analysis.overfitting import deflated_sharpe, effective_trials
from backtest.analysis.superior import by_month, superior
from backtest.engine.parallel import share
from backtest.errors import UsageError
from backtest.tuning.blocks import block_edges
from backtest.tuning.executors import each
from backtest.tuning.placebo import placebo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.analysis.crossvalidation import Overfitting
    from backtest.analysis.overfitting import Deflated
    from backtest.analysis.superior import Superior
    from backtest.dates import Floats, Ints
    from backtest.tuning.objective import Objective
    from backtest.tuning.placebo import Placebo
    from backtest.tuning.trials import Trials, Window

CROSS_VALIDATED = 250_000
"""Trials that take part in cross-validation, distinct ones first; of more, a sample with the winner."""

CORRELATED = 500
"""Distinct trials whose correlations are estimated."""

TESTED = 300
"""Best distinct trials that are tested for superiority."""

PLACEBO_TRIALS = 5_000
"""Distinct trials that the placebo searches at every shift; of more, a sample with the winner."""

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
        The probability of backtest overfitting; None where fewer than two trials differ.
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


def digests(columns: list[Floats]) -> NDArray[np.uint64]:
    """Return a digest of each row of (n,) columns; two rows among a million collide once in 10^7 times."""
    import pandas as pd

    digest = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        digest = digest * np.uint64(0x9E3779B97F4A7C15) + pd.util.hash_array(column)
    return digest


def distinct_places(digest: NDArray[np.uint64], usable: Ints) -> Ints:
    """Return the places of trials that differ, the first of each kind, rising."""
    own = digest if len(usable) == len(digest) else digest[usable]
    order = np.argsort(own, kind="stable")
    first = np.ones(len(order), dtype=bool)
    for begin in range(1, len(order), _CHUNK):  # in pieces: ten million trials are to fit into a gigabyte
        part = slice(begin, min(begin + _CHUNK, len(order)))
        first[part] = own[order[part]] != own[order[part.start - 1 : part.stop - 1]]
    return usable[np.sort(order[first])]


def thinned(places: Ints, n: int, always: list[int], seed: int = 0) -> Ints:
    """Return at most about ``n`` of the places, rising, with some always among them."""
    if len(places) > n:
        places = np.random.default_rng(seed).choice(places, n, replace=False)
    return np.unique(np.r_[places, np.array(always, dtype=np.int64)])


def _blocks(trials: Trials, numbers: Ints, window: Window) -> tuple[int, Floats]:
    return int(numbers[0]), trials.blocks(numbers, window)


def cross_validated(
    trials: Trials, numbers: Ints, window: Window, executor: str, tell: Any = None
) -> Overfitting | None:
    """Return the probability of overfitting over rising numbers; None where too few trials differ."""
    calls = [(trials, numbers[i : i + _CHUNK], window) for i in range(0, len(numbers), _CHUNK)]
    parts, done = {}, 0
    for first, sums in each(_blocks, calls, executor):
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
    table: dict[str, Floats],
    distinct: Ints,
    usable: Ints,
    best: int,
    objective: Objective,
    *,
    shifts: int,
    executor: str,
    seed: int = 0,
    tell: Any = None,
) -> Truth:
    """Return what the best of the trials is worth.

    Parameters
    ----------
    trials, chosen, window
        The sweep; ``chosen`` are the numbers of its combinations, None for all of the grid.
    table
        (n,) columns of all trials: Sharpe ratio, information ratio and objective.
    distinct
        The places of the trials that differ, ``distinct_places``.
    usable
        The places of the trials that were measured.
    best
        The place of the winner.
    objective
        What it is the best in.
    shifts
        Of the placebo; 0 for none.
    """

    def number(places: Ints) -> Ints:
        return places if chosen is None else chosen[places]

    bars = trials.market.bars.window(*window)
    dates, cash, versus = bars.dates[1:], bars.column("cash")[1:], bars.column(trials.benchmark)[1:]
    ppy = len(cash) / trials.yardstick(window).n_years
    winner = trials.returns(number(np.array([best])), window)[0]

    sampled = thinned(distinct, CORRELATED, [best], seed)
    effective = effective_trials(
        by_month(dates, trials.returns(number(sampled), window)) - by_month(dates, versus)
    )
    spread, active_spread = (
        _deviation(table[name], usable) / math.sqrt(ppy) for name in ("sharpe", "information_ratio")
    )
    n = len(usable)
    crossing = number(thinned(distinct if n > CROSS_VALIDATED else usable, CROSS_VALIDATED, [best], seed))
    crossvalidation = cross_validated(trials, crossing, window, executor, tell)

    tested = np.unique(np.r_[best, _highest(objective.score(table[objective.name][distinct]), distinct)])
    models = by_month(dates, trials.returns(number(tested), window))
    found = superior(by_month(dates, versus), models, seed=seed)
    return Truth(
        measured=n,
        distinct=len(distinct),
        effective=effective,
        deflated=deflated_sharpe(winner - cash, spread, n),
        deflated_effective=deflated_sharpe(winner - cash, spread, max(effective, 1.0)),
        deflated_active=deflated_sharpe(winner - versus, active_spread, n),
        crossvalidation=crossvalidation,
        superior=found,
        placebo=placebo(
            trials,
            number(thinned(distinct, PLACEBO_TRIALS, [best], seed)),
            window,
            objective,
            shifts,
            seed,
            tell,
        )
        if shifts
        else None,
    )


DIGESTED = ("total_return", "sharpe", "max_drawdown", "switches", "time_in_small")
"""Measures by which trials are told apart."""


def _deviation(column: Floats, usable: Ints) -> float:
    """Return the standard deviation across trials, of those that have the measure."""
    values = column if len(usable) == len(column) else column[usable]
    values = values[np.isfinite(values)]
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _highest(scores: Floats, places: Ints) -> Ints:
    """Return the places of the ``TESTED`` highest scores."""
    scores = np.where(np.isnan(scores), -np.inf, scores)
    if len(scores) <= TESTED:
        return places
    return places[np.argpartition(scores, len(scores) - TESTED)[-TESTED:]]
