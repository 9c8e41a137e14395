"""Which of two series moves more, and which moves first.

``first``, ``second`` and ``whole`` are (n,) float64 of simple, decimal returns over the same bars, without
missing values; ``whole`` is the market whose downturns are counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.event_study import Chance, block_rows
from backtest.analysis.long_run import long_run_variance
from backtest.analysis.measures import drawdowns
from backtest.analysis.regression import newey_west_lags

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints


@dataclass(frozen=True)
class VolatilityRatio:
    """The first series' standard deviation over the second's, its 95% interval and p against 1."""

    ratio: float
    low: float
    high: float
    pvalue: float


def volatility_ratio(first: Floats, second: Floats, chance: Chance | None = None) -> VolatilityRatio:
    """Compare two standard deviations; interval and p-value from circular blocks drawn from both at once."""
    chance = chance or Chance()
    observed = math.log(float(np.std(first, ddof=1)) / float(np.std(second, ddof=1)))
    rng = np.random.default_rng([chance.seed, 3])
    drawn = []
    for part in np.array_split(np.arange(chance.draws), max(1, chance.draws * len(first) // 400_000)):
        rows = block_rows(rng, len(first), chance.block, len(part))
        drawn.append(np.log(first[rows].std(axis=1) / second[rows].std(axis=1)))
    off = np.concatenate(drawn) - observed
    return VolatilityRatio(
        math.exp(observed),
        math.exp(observed - float(np.quantile(off, 0.975))),
        math.exp(observed - float(np.quantile(off, 0.025))),
        float((1 + np.count_nonzero(np.abs(off) >= abs(observed))) / (1 + len(off))),
    )


@dataclass(frozen=True)
class Lead:
    """How much better one series foretells the other's next bar than the other way round.

    ``first_leads`` is the correlation of the first with the second one bar later, ``second_leads`` the
    reverse; ``tstat`` and ``pvalue`` (two-sided, Newey-West) are those of their difference.
    """

    first_leads: float
    second_leads: float
    tstat: float
    pvalue: float

    @property
    def difference(self) -> float:
        """The first's lead over the second's; positive where the first moves first."""
        return self.first_leads - self.second_leads


def lead(first: Floats, second: Floats) -> Lead:
    """Compare the two correlations one bar apart (Lo and MacKinlay 1990)."""
    a, b = ((x - x.mean()) / x.std() for x in (first, second))
    forward, backward = a[:-1] * b[1:], b[:-1] * a[1:]
    gap = forward - backward
    variance = long_run_variance(gap - gap.mean(), newey_west_lags(len(gap)))
    tstat = float(gap.mean()) / math.sqrt(variance / len(gap)) if variance > 0 else float("nan")
    return Lead(float(forward.mean()), float(backward.mean()), tstat, math.erfc(abs(tstat) / math.sqrt(2.0)))


@dataclass(frozen=True, eq=False)
class Turns:
    """The bars at which two series turned around each downturn of the market.

    Each is (n_downturns,) int64, counting values: 0 is the starting value, i the close of bar ``i - 1``.
    ``market_peak`` and ``market_trough`` are the market's own.
    """

    market_peak: Ints
    market_trough: Ints
    first_peak: Ints
    second_peak: Ints
    first_trough: Ints
    second_trough: Ints


def turns(whole: Floats, first: Floats, second: Floats, depth: float, margin: int) -> Turns:
    """Return the peaks and troughs of two series around each fall of the market by at least ``depth``.

    A downturn runs from a highest value to the next time it is reached again (or the end of the data). A
    series' peak is its highest value from ``margin`` bars before the market's peak to the market's trough;
    its trough is its lowest from that peak to ``margin`` bars after the market's trough.
    """
    falls = drawdowns(whole)
    at_top = np.flatnonzero(falls == 0.0)
    stops = np.append(at_top[1:], len(falls))
    rows = []
    values = [np.concatenate([[1.0], np.cumprod(1.0 + x)]) for x in (first, second)]
    for peak, stop in zip(at_top.tolist(), stops.tolist(), strict=True):
        trough = peak + int(falls[peak:stop].argmin())
        if falls[trough] > -depth:
            continue
        low, high = max(0, peak - margin), min(len(falls) - 1, trough + margin)
        peaks = [low + int(np.argmax(v[low : trough + 1])) for v in values]
        troughs = [p + int(np.argmin(v[p : high + 1])) for p, v in zip(peaks, values, strict=True)]
        rows.append([peak, trough, *peaks, *troughs])
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    return Turns(*table.T)


def sign_test(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of so many wins and losses when both are as likely."""
    n, most = wins + losses, max(wins, losses)
    if n == 0:
        return float("nan")
    tail = sum(math.comb(n, k) for k in range(most, n + 1)) / 2**n
    return min(1.0, 2.0 * tail)
