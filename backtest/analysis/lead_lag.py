"""Which of two series moves more, and which moves first.

``first``, ``second`` and ``whole`` are (n,) float64 of simple, decimal returns over the same bars, without
missing values; ``whole`` is the market whose downturns are counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaincinv

from backtest.analysis.long_run import cosine_covariance, critical, two_sided
from backtest.measures import drawdowns, growth_of

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints

NAN = float("nan")


@dataclass(frozen=True)
class VolatilityRatio:
    """The first series' standard deviation over the second's, its 95% interval and p against 1."""

    ratio: float
    low: float
    high: float
    pvalue: float


def volatility_ratio(first: Floats, second: Floats) -> VolatilityRatio:
    """Compare two standard deviations over the same bars.

    A ratio is held to be true where the first's squares, less the second's scaled by it, have a mean of zero
    (Pitman 1939, Morgan 1939): what both do together falls out of that difference. Its error is that of
    cosine-weighted sums, and the interval holds the ratios that are not rejected (Fieller 1954).

    All NaN where one of the series never moves or there are fewer than three bars; a bound is 0 or infinite
    where no ratio on its side is rejected.
    """
    if len(first) < 3 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return VolatilityRatio(NAN, NAN, NAN, NAN)
    squares = np.column_stack([(x - x.mean()) ** 2 for x in (first, second)])
    one, two = squares.mean(axis=0).tolist()
    covariance, freedom = cosine_covariance(squares - squares.mean(axis=0))
    (a, b), (_, c) = (covariance / len(first)).tolist()
    reach = critical(freedom) ** 2
    # (one - q two)^2 <= reach (a - 2 q b + q^2 c): a quadratic in q, the square of the ratio.
    square, middle, rest = two**2 - reach * c, one * two - reach * b, one**2 - reach * a
    root = math.sqrt(max(0.0, middle**2 - square * rest))
    error = math.sqrt(max(0.0, a - 2.0 * b + c))
    return VolatilityRatio(
        math.sqrt(one / two),
        math.sqrt(max(0.0, rest / (middle + root))) if middle + root > 0.0 else 0.0,
        math.sqrt((middle + root) / square) if square > 0.0 else math.inf,
        two_sided((one - two) / error, freedom) if error > 0.0 else NAN,
    )


@dataclass(frozen=True)
class Lead:
    """How much better one series foretells the other's next bar than the other way round.

    ``first_leads`` is the correlation of the first with the second one bar later, ``second_leads`` the
    reverse; ``tstat`` and ``pvalue`` (two-sided, cosine-weighted sums) are those of their difference.
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
    """Compare the two correlations one bar apart (Lo and MacKinlay 1990); NaN for fewer than three bars."""
    if len(first) < 3 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return Lead(NAN, NAN, NAN, NAN)
    a, b = ((x - x.mean()) / x.std() for x in (first, second))
    forward, backward = a[:-1] * b[1:], b[:-1] * a[1:]
    gap = forward - backward
    covariance, freedom = cosine_covariance((gap - gap.mean())[:, None])
    variance = float(covariance[0, 0])
    tstat = float(gap.mean()) / math.sqrt(variance / len(gap)) if variance > 0 else NAN
    return Lead(float(forward.mean()), float(backward.mean()), tstat, two_sided(tstat, freedom))


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
    values = [growth_of(x) for x in (first, second)]
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


def share_interval(wins: int, losses: int) -> tuple[float, float]:
    """Return the 95% interval of the share of wins (Clopper and Pearson 1934); it covers 95% at least."""
    low = float(betaincinv(wins, losses + 1, 0.025)) if wins else 0.0
    return low, float(betaincinv(wins + 1, losses, 0.975)) if losses else 1.0


def sign_test(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of so many wins and losses when both are as likely."""
    n, most = wins + losses, max(wins, losses)
    if n == 0:
        return NAN
    tail = sum(math.comb(n, k) for k in range(most, n + 1)) / 2**n
    return min(1.0, 2.0 * tail)
