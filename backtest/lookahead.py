"""No look-ahead, shown on the strategy itself: the future is overwritten, and what was decided must stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.decisions import filled
from backtest.errors import LookAheadError
from backtest.market.data import Bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Floats
    from backtest.market.data import MarketData
    from backtest.observations import Observations
    from backtest.scripting.strategy import Strategy

TRIALS = 3
"""How many days a run tries; the test suite tries many more."""


def _other_future(series: Observations, day: np.datetime64, random: np.random.Generator) -> Observations:
    """Return a series of which all that became known on or after ``day`` has other values and other dates."""
    known = int(np.searchsorted(series.known_at, day))
    n = max(len(series.dates) - known + int(random.integers(-2, 3)), int(known == 0))
    if n <= 0:
        return replace(
            series,
            dates=series.dates[:known],
            values=series.values[:known],
            known_at=series.known_at[:known],
        )
    span = max(int((series.dates[-1] - day).astype(int)), 4 * n)
    begin = max(day, series.dates[known - 1] + 1) if known else day
    steps = np.sort(random.choice(span, size=n, replace=False)).astype("timedelta64[D]")
    dates = begin + steps
    # A walk of the series' own size, with its own jumps: noise that thresholds and events respond to.
    # What was always positive stays so: a script may take its logarithm.
    positive = bool((series.values > 0.0).all())
    past = np.log(series.values) if positive else series.values
    jumps = np.diff(past) if len(past) > 1 else np.ones(1)
    walk = np.cumsum(random.choice(np.r_[jumps, -jumps], size=n) * random.uniform(0.5, 3.0))
    values = past[max(known - 1, 0)] + walk
    if positive:
        values = np.exp(np.clip(values, past.min() - 1.0, past.max() + 1.0))
    return replace(
        series,
        dates=np.r_[series.dates[:known], dates],
        values=np.r_[series.values[:known], values],
        known_at=np.r_[series.known_at[:known], dates + random.integers(0, 3)],
    )


def other_future(market: MarketData, day: np.datetime64, seed: int) -> MarketData:
    """Return a market that is the same before ``day`` and another one from it on.

    The returns of all bars on or after ``day`` are noise, and every observation that became known on or
    after it has another value, another date, or is gone; new ones are there. The dates of the bars stay:
    they are the calendar.
    """
    random = np.random.default_rng(seed)
    returns = market.bars.returns.copy()
    later = market.bars.dates >= day
    present = np.isfinite(returns[later])
    noise = random.normal(0.0, 0.1, size=returns[later].shape)
    returns[later] = np.where(present, np.clip(noise, -0.5, 1.0), np.nan)
    return replace(
        market,
        bars=Bars(market.bars.dates, market.bars.sleeves, returns),
        observations={id: _other_future(series, day, random) for id, series in market.observations.items()},
    )


def decided(
    strategy: Strategy, market: MarketData, values: Mapping[str, Any], *, same_close: bool = False
) -> Floats:
    """Return the target weights that a strategy decides at every fill, (n_fills, n_sleeves)."""
    decision = strategy.decide(market.known(same_close=same_close), values)
    return filled(decision, market.bars.sleeves)


def check(
    strategy: Strategy,
    market: MarketData,
    values: Mapping[str, Any],
    trials: int = TRIALS,
    seed: int = 0,
) -> None:
    """Overwrite the future from several days on; no weight filled up to each of them may change.

    A fill on day t uses what was known before t, so all that became known on t or later is overwritten. The
    comparison is bit for bit. It shows that a strategy looks ahead, never that no strategy of its kind
    could: more trials find more.

    Every other day is that of a change of the weights.

    Raises
    ------
    LookAheadError
        When a weight changes; the sentence names the day of the fill.
    """
    weights = decided(strategy, market, values)
    random = np.random.default_rng(seed)
    usable = np.flatnonzero(np.isfinite(weights).all(axis=1))
    first = int(usable[0]) if len(usable) else len(weights)
    if first >= len(weights) - 1:
        return
    # A change is where foresight shows: the news that brought it may not have been out yet.
    changes = first + 1 + np.flatnonzero((weights[first + 1 :] != weights[first:-1]).any(axis=1))
    for trial in range(trials):
        anywhere = trial % 2 == 1 or len(changes) == 0
        fill = int(random.integers(first, len(weights)) if anywhere else random.choice(changes))
        day = market.bars.dates[fill]
        changed = decided(strategy, other_future(market, day, seed + trial), values)
        same = (changed[: fill + 1] == weights[: fill + 1]) | (
            np.isnan(changed[: fill + 1]) & np.isnan(weights[: fill + 1])
        )
        if not same.all():
            at = market.bars.dates[(~same.all(axis=1)).argmax()]
            raise LookAheadError(
                f"{strategy.name} looks ahead: what it holds from the fill of {at} on changes with what only "
                f"became known on or after {day}; use the values as of each fill, never a whole series"
            )
