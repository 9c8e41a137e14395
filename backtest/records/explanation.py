"""An explanation: a strategy's rule in words, read off its expression, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from backtest.market.load import load_market
from backtest.parameters import Value
from backtest.records.document import Day
from backtest.rules.reading import explained, reads
from backtest.rules.ruling import made_of

if TYPE_CHECKING:
    from backtest.market.data import MarketData
    from backtest.scripting.strategy import Strategy


class ListedParameter(msgspec.Struct, frozen=True):
    """A parameter's default, and its range with its unit."""

    default: Value
    range: str


class ListedStrategy(msgspec.Struct, frozen=True):
    """A strategy, as ``list --json`` prints it."""

    strategy: str
    thesis: str
    parameters: dict[str, ListedParameter]

    @classmethod
    def of(cls, strategy: Strategy) -> ListedStrategy:
        """Return what a strategy is listed with."""
        parameters = {p.name: ListedParameter(p.default, p.range) for p in strategy.parameters}
        return cls(strategy.name, strategy.thesis, parameters)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What ``explain --json`` prints.

    Parameters
    ----------
    strategy, market, parameters
        What is explained, on which market and at which values.
    rule
        The rule, a line for each of its parts.
    needs, made_of
        The series and then the sleeves that it reads, and what each that has a name of its own is made of.
    known_from
        The first fill at which all of it is known; None where it never is.
    not_used
        The parameters that nothing hangs on under the words that are chosen.
    """

    strategy: str
    market: str
    parameters: dict[str, Value]
    rule: list[str]
    needs: list[str]
    made_of: dict[str, str]
    known_from: Day | None
    not_used: list[str]


def explanation(strategy: Strategy, market: MarketData | str, parameters: dict[str, Any]) -> Explanation:
    """Explain a strategy at some values; errors as ``runs.run``."""
    values = strategy.bind(parameters)
    ruling = strategy.ruling(load_market(market), values)
    rule, names, dates = ruling.rule, ruling.known.names, ruling.market.bars.dates
    first, series = ruling.decision.first_fill, reads(rule, names, sleeves=False)
    return Explanation(
        strategy=strategy.name,
        market=ruling.market.name,
        parameters=values,
        rule=explained(rule, values),
        needs=[*series, *sorted({*reads(rule, names)} - {*series})],
        made_of=made_of(ruling),
        known_from=str(dates[first]) if first < len(dates) else None,
        not_used=[p.name for p in strategy.parameters if not p.choices and p.name not in rule.parameters],
    )
