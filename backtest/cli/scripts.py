"""The commands about a script itself: ``rotation list``, ``rotation new`` and ``rotation explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.arguments import Parser, shown
from backtest.cli import options as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation explain rate_cut_and_discount
  rotation explain credit --measure change --json"""


def new(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any strategy
    """Be ``rotation new``."""
    parser = Parser(prog=prog, description="Write a commented script that runs as it is.")
    parser.add_argument("name", metavar="NAME", help="of the strategy; my_idea is written to my_idea.py")
    options = parser.parse(arguments)
    from backtest.scripting.template import write_script

    path = write_script(options.name)
    shared.say(f"{path} is written; run it with: rotation run {path}")
    return 0


def list_strategies(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001
    """Be ``rotation list``."""
    parser = Parser(prog=prog, description="List the shipped strategies; rotation run NAME --help says more.")
    shared.add_json(parser)
    options = parser.parse(arguments)
    from backtest.reporting.blocks import Definitions
    from backtest.reporting.terminal import show
    from backtest.scripting.loading import load_strategy, strategy_names

    loaded = [load_strategy(name) for name in strategy_names()]
    if options.json:
        from backtest.records.explanation import ListedStrategy

        shared.say_json([ListedStrategy.of(each) for each in loaded])
    else:
        show([Definitions(tuple((each.name, each.thesis) for each in loaded), brief=True)])
    return 0


def _parser(prog: str, strategy: Strategy | None) -> Parser:
    parser = shared.strategy_parser(
        prog, strategy, "Say in words what a strategy's rule is, and what it needs.", EPILOG
    )
    shared.add_market(parser)
    shared.add_parameters(parser, strategy)
    shared.add_json(parser)
    return parser


def explain(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation explain``."""
    prog, strategy, arguments = shared.named_strategy(prog, strategy, arguments, _parser)
    options = _parser(prog, strategy).parse(arguments)
    from backtest.records.explanation import explanation

    said = explanation(strategy, options.market, shared.given(options))
    if options.json:
        shared.say_json(said)
        return 0
    lines = [
        *said.rule,
        "",
        f"needs       {', '.join(said.needs) or 'nothing'}",
        *(f"made of     {name}: {what}" for name, what in said.made_of.items()),
        f"known from  {said.known_from or 'never'}, on {said.market}",
    ]
    if said.not_used:
        lines.append(f"not used    {', '.join(said.not_used)}, under these words")
    shared.say(shown("\n".join(lines)))
    return 0
