"""Long-run variance of a series whose terms hang together over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest.dates import Floats


def long_run_variance(scores: Floats, lags: int) -> Any:
    """Return the long-run variance of (n,) or (n, k) scores with Bartlett weights (Newey and West 1987).

    A float, or (k, k). The scores are not demeaned.
    """
    n = len(scores)
    total = scores.T @ scores
    for lag in range(1, min(lags, n - 1) + 1):
        cross = scores[lag:].T @ scores[:-lag]
        total = total + (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    return total / n
