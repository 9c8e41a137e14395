"""Superior predictive ability: whether any of several strategies beats the benchmark, and which do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.analysis.bootstrap import FEWEST

if TYPE_CHECKING:
    from backtest.dates import Days, Floats, Ints


@dataclass(frozen=True, eq=False)
class Superior:
    """What the tests of Hansen and of Romano and Wolf say.

    Parameters
    ----------
    pvalue
        Hansen's consistent p-value: how likely the best would look this good, were none better than the
        benchmark; NaN where no strategy differs from it, and for fewer than 24 returns.
    lower, upper
        His bounds: with the bad strategies left out, and with all of them as good as the benchmark.
    better
        (n_better,) int64: those better than the benchmark by StepM, at ``level`` for all of them together.
    strategies, level
        How many were tested, and StepM's chance of naming even one wrongly.
    """

    pvalue: float
    lower: float
    upper: float
    better: Ints
    strategies: int
    level: float


def by_month(dates: Days, returns: Floats) -> Floats:
    """Compound (..., n) simple returns of bars within each calendar month, (..., n_months)."""
    months = dates.astype("datetime64[M]").astype(np.int64)
    begins = np.flatnonzero(np.r_[True, months[1:] != months[:-1]])
    return np.expm1(np.add.reduceat(np.log1p(returns), begins, axis=-1))


def long_run_deviations(gains: Floats, block: int) -> Floats:
    """Return the deviation of sqrt(n) times the mean of each row of (k, n) gains, (k,).

    It is the one that the stationary bootstrap has with blocks of this mean length, without drawing
    (Politis and Romano 1994, lemma 1; Hansen 2005, section 3.2).
    """
    n = gains.shape[1]
    lags = np.arange(1, n)
    stays = (1.0 - 1.0 / block) ** np.arange(n)
    kernel = (n - lags) / n * stays[1:] + lags / n * stays[:0:-1]
    spectrum = np.fft.rfft(gains - gains.mean(axis=1, keepdims=True), 2 * n, axis=1)
    covariances = np.fft.irfft(np.abs(spectrum) ** 2, 2 * n, axis=1)[:, :n] / n
    return np.sqrt(np.maximum(covariances[:, 0] + 2.0 * covariances[:, 1:] @ kernel, 0.0))


def superior(
    benchmark: Floats, strategies: Floats, *, repetitions: int = 1000, level: float = 0.05, seed: int = 0
) -> Superior:
    """Test many strategies against a benchmark by the mean of their returns.

    Parameters
    ----------
    benchmark, strategies
        (n,) and (n_strategies, n) returns.
    repetitions, seed
        Of the stationary bootstrap; its blocks are sqrt(n) long on average.
    level
        Of StepM.

    Notes
    -----
    Hansen (2005), A test for superior predictive ability, Journal of Business and Economic Statistics 23;
    Romano and Wolf (2005), Stepwise multiple testing as formalized data snooping, Econometrica 73; both from
    ``arch.bootstrap``, which compares means as they are (White 2000): Hansen's statistic divides each by its
    standard error, or whatever strays furthest from the benchmark drowns the others, so that gains go in
    divided by it. The sample itself counts as a draw, or few draws could make a p-value 0. A strategy that
    never differs from the benchmark is left out.
    """
    from arch.bootstrap import SPA, StepM

    block = max(int(math.sqrt(len(benchmark))), 1)
    gains = strategies - benchmark
    errors = long_run_deviations(gains, block)
    differs = np.flatnonzero((gains.std(axis=1) > 1e-12) & (errors > 1e-12))
    if len(differs) == 0 or len(benchmark) < FEWEST:
        return Superior(math.nan, math.nan, math.nan, differs[:0], len(strategies), level)
    options: Any = {"reps": repetitions, "block_size": block, "seed": seed}
    losses = np.zeros(len(benchmark))
    models = np.ascontiguousarray(-(gains[differs] / errors[differs, None]).T)
    test = SPA(losses, models, **options)
    test.compute()
    more = repetitions * test.pvalues
    lower, consistent, upper = (
        float((1.0 + more[name]) / (1.0 + repetitions)) for name in ("lower", "consistent", "upper")
    )
    steps = StepM(losses, models, size=level, **options)
    steps.compute()
    named = np.array(steps.superior_models, dtype=np.int64)
    better = differs[np.sort(named)]
    return Superior(consistent, lower, upper, better, len(strategies), level)
