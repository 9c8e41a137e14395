"""Measures over a window that moves through the bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Floats


class Rolling(NamedTuple):
    """What each window of bars gives, (n_bars - window + 1,) float64 each; annualised, decimal."""

    cagr: Floats
    volatility: Floats
    alpha: Floats
    beta: Floats


def _sums(values: Floats, window: int) -> Floats:
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[window:] - total[:-window]


def rolling(returns: Floats, benchmark: Floats, risk_free: Floats, window: int, ppy: float) -> Rolling:
    """Return compound growth, volatility, alpha and beta of every window of ``window`` bars.

    Each as in ``measures`` and ``regression``, over that window alone. ``alpha`` and ``beta`` are NaN where
    the benchmark never moves; all are empty where there are fewer bars than the window has.
    """
    if len(returns) < window:
        empty = np.empty(0)
        return Rolling(empty, empty, empty, empty)
    log_growth = _sums(np.log1p(returns), window)
    # Sums of squares lose digits; around the mean of all bars they lose few.
    moved = returns - returns.mean()
    squares = _sums(moved**2, window) - _sums(moved, window) ** 2 / window
    y, x = returns - risk_free, benchmark - risk_free
    y_centre, x_centre = y.mean(), x.mean()
    y, x = y - y_centre, x - x_centre
    y_sum, x_sum = _sums(y, window), _sums(x, window)
    xx, xy = _sums(x * x, window) - x_sum**2 / window, _sums(x * y, window) - x_sum * y_sum / window
    moves = xx > 1e-14 * _sums(x * x, window)
    beta = np.divide(xy, xx, out=np.full(len(xx), np.nan), where=moves)
    alpha = (y_sum / window + y_centre) - beta * (x_sum / window + x_centre)
    return Rolling(
        np.expm1(log_growth * ppy / window),
        np.sqrt(np.maximum(squares, 0.0) / (window - 1) * ppy),
        alpha * ppy,
        beta,
    )
