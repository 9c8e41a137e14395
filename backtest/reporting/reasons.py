"""Why each trade was made, in words: the news of the policy rate since the bar before, if any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from backtest.reporting.record import Record
    from backtest.runs import Result


def reasons(result: Result, record: Record) -> list[str]:
    """Return one clause a trade."""
    said = []
    policy = result.market.policy
    for trade, fill in enumerate(record.fills):
        day = record.dates[fill]
        if trade == 0:
            said.append("first purchase")
            continue
        clause = "no news of the policy rate: a window ended, or another fact moved"
        if policy is not None:
            target = result.market.observations[policy]
            side: Literal["left", "right"] = "right" if result.same_close else "left"
            place = int(np.searchsorted(target.known_at, day, side)) - 1
            if place > 0 and target.known_at[place] >= record.dates[fill - 1]:
                move = target.values[place] - target.values[place - 1]
                verb = "cut" if move < 0 else "raised"
                clause = f"target {verb} to {target.values[place]:g}% on {target.known_at[place]}"
        said.append(clause)
    return said
