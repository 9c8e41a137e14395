"""Why each trade was made, in words: the facts that were new to the strategy's signals at that fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.signals.reasons import unique

if TYPE_CHECKING:
    from backtest.decisions import Decision
    from backtest.reporting.record import Record
    from backtest.runs import Result
    from backtest.signals.reasons import Fact

_UNITS = {"percent": "%", "fraction": "", "ratio": "", "": ""}


def fact_text(fact: Fact) -> str:
    """Return a fact as a clause: ``the last cut of FED_TARGET, to 4.75%, known on 2007-09-18``."""
    unit = _UNITS.get(fact.unit, f" {fact.unit}")
    return f"{fact.fact} {fact.value:.4g}{unit}, known on {fact.known_at}"


def _facts(decision: Decision, fill: int) -> list[Fact]:
    known = [s.reason.facts(fill) for s in decision.signals if s.reason is not None]
    return unique([fact for facts in known for fact in facts])


def _because(decision: Decision, fill: int) -> str:
    now = _facts(decision, fill)
    before = set(_facts(decision, fill - 1)) if fill > 0 else set()
    new = [fact for fact in now if fact not in before]
    if new:
        return "; ".join(map(fact_text, new))
    if now:
        return "no news, time passed: " + "; ".join(map(fact_text, now))
    return "time passed"


def reasons(result: Result, record: Record) -> list[str]:
    """Return one clause a trade."""
    decision = result.ruling.decision
    first = int(np.searchsorted(result.market.bars.dates, record.dates[0]))
    said = []
    for trade, (fill, switch) in enumerate(zip(record.fills, record.trades["switch"], strict=True)):
        if trade == 0:
            said.append("first purchase")
        elif not switch:
            said.append("back to the target")
        else:
            said.append(_because(decision, first + int(fill) - result.delay_fill))
    return said
