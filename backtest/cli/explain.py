"""The ``rotation explain`` command: a strategy's rule in words, read off its expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtest.arguments import shown
from backtest.cli.options import (
    add_json,
    add_market,
    add_parameters,
    given,
    named_strategy,
    say,
    strategy_parser,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.arguments import Parser
    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation explain rate_cut_and_discount
  rotation explain credit --measure change --json"""


def _parser(prog: str, strategy: Strategy | None) -> Parser:
    parser = strategy_parser(
        prog, strategy, "Say in words what a strategy's rule is, and what it needs.", EPILOG
    )
    add_market(parser)
    add_parameters(parser, strategy)
    add_json(parser)
    return parser


def _document(strategy: Strategy, market: str, parameters: dict[str, Any]) -> dict[str, Any]:
    from backtest.market.load import load_market
    from backtest.rules.reading import explained, reads
    from backtest.rules.ruling import made_of

    values = strategy.bind(parameters)
    ruling = strategy.ruling(load_market(market), values)
    rule, data = ruling.rule, ruling.market
    first, dates = ruling.decision.first_fill, data.bars.dates
    needed = reads(rule, ruling.known.names, sleeves=False)
    sleeves = {*reads(rule, ruling.known.names)} - {*needed}
    return {
        "strategy": strategy.name,
        "market": data.name,
        "parameters": values,
        "rule": explained(rule, values),
        "needs": [*needed, *sorted(sleeves)],
        "made_of": made_of(ruling),
        "known_from": str(dates[first]) if first < len(dates) else None,
        "not_used": [p.name for p in strategy.parameters if not p.choices and p.name not in rule.parameters],
    }


def explain(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation explain``."""
    prog, strategy, arguments = named_strategy(prog, strategy, arguments, _parser)
    options = _parser(prog, strategy).parse(arguments)
    said = _document(strategy, options.market, given(options))
    if options.json:
        from backtest.records.document import to_json

        say(to_json(said))
        return 0
    lines = [
        *said["rule"],
        "",
        f"needs       {', '.join(said['needs']) or 'nothing'}",
        *(f"made of     {name}: {what}" for name, what in said["made_of"].items()),
        f"known from  {said['known_from'] or 'never'}, on {said['market']}",
    ]
    if said["not_used"]:
        lines.append(f"not used    {', '.join(said['not_used'])}, under these words")
    say(shown("\n".join(lines)))
    return 0
