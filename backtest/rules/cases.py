"""A level by cases: one thing while a signal says yes, another while it says no."""

from __future__ import annotations

from typing import Any

from backtest.rules.expressions import Level, Signal, numeric, signals


def where(signal: Signal, yes: Any, no: Any) -> Level:
    """Return the level that is ``yes`` while a signal says yes and ``no`` while it says no.

    Both are levels or numbers. It has a value at each fill at which the signal is known, known before it.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy, where
    >>> @strategy
    ... def mine(market: Market):
    ...     wide = market.level("credit_spread")
    ...     limit = where(market.months_of_year(1), 1.0, 1.5)
    ...     return rotate(wide > limit, into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    64
    """
    return Level("where", (*signals(signal), numeric(yes), numeric(no)))
