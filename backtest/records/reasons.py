"""Why each trade was made, in words: the facts that were new to the strategy's signals at that fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.rules.why import facts

if TYPE_CHECKING:
    from backtest.records.record import RunRecord
    from backtest.rules.ruling import Ruling
    from backtest.rules.why import Fact
    from backtest.runs import Run


def _clause(fact: Fact) -> str:
    """Return a fact as a clause: ``the last cut of FED_TARGET, to 4.75%, known on 2007-09-18``."""
    return f"{fact.text(' ')}, known on {fact.known_at}"


def _because(ruling: Ruling, fill: int) -> str:
    now = facts(ruling, ruling.rule, fill)
    before = set(facts(ruling, ruling.rule, fill - 1)) if fill > 0 else set()
    new = [fact for fact in now if fact not in before]
    if new:
        return "; ".join(map(_clause, new))
    if now:
        return "no news, time passed: " + "; ".join(map(_clause, now))
    return "time passed"


def reasons(result: Run, record: RunRecord) -> list[str]:
    """Return one clause a trade."""
    first = int(np.searchsorted(result.market.bars.dates, record.dates[0]))
    said = []
    for trade, (fill, switch) in enumerate(zip(record.fills, record.trades["switch"], strict=True)):
        if trade == 0:
            said.append("first purchase")
        elif not switch:
            said.append("back to the target")
        else:
            said.append(_because(result.ruling, first + int(fill) - result.terms.delay_fill))
    return said
