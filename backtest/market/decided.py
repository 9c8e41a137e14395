"""Policy rates as decisions: what a bank set, when it said so, and nothing that only looks like a change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import to_days

if TYPE_CHECKING:
    from backtest.dates import Days
    from backtest.market.entry import PolicyFacts
    from backtest.series import Series

SILENCE = np.timedelta64(31, "D")
"""A longer time without a value is one in which nobody knows the rate."""


def announced(dates: Days, by_rule: Days, told: PolicyFacts) -> Days:
    """Return when the rate of each day became known, (n,): by the rule, or earlier where that is known."""
    known_at = by_rule.copy()
    for day, earlier in told.announced.items():
        known_at[dates == np.datetime64(day)] = np.datetime64(earlier)
    # Whoever knows from when another rate holds knows the one that holds until then.
    return np.minimum.accumulate(known_at[::-1])[::-1]


def decisions(rate: Series, told: PolicyFacts) -> Series:
    """Return what of a rate was decided.

    Parameters
    ----------
    rate
        In percent, by the days on which it was in effect; a day without a value is left out.
    told
        What is known of its series.

    Returns
    -------
    Series
        Of the days on which it was decided. Before a seam it is moved by a constant, so that the change
        there is what was decided: its changes are true, its level only after the last seam. After a time
        in which nobody knows the rate it begins anew.
    """
    # The source leaves out what nobody decided; what was stored by an older table of facts may have it.
    kept = rate.dates >= np.datetime64(told.since)
    if told.until is not None:
        kept &= rate.dates <= np.datetime64(told.until)
    dates, values, known_at = rate.dates[kept], rate.values[kept], rate.known_at[kept]
    if told.decimals is not None:
        values = np.round(values, told.decimals)
    silences = np.flatnonzero(np.diff(dates) > SILENCE) + 1
    for day, move in told.seams.items():
        at = int(np.searchsorted(dates, np.datetime64(day)))
        if 0 < at < len(values):
            values[:at] += values[at] - values[at - 1] - move
    return replace(
        rate, dates=dates, values=values, known_at=known_at, anew=tuple(to_days(known_at[silences]))
    )
