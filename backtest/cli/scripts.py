"""The ``rotation new`` and ``rotation list`` commands: begin a strategy, and see those there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.arguments import Parser
from backtest.cli.options import add_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.scripting.strategy import Strategy


def new(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any strategy
    """Be ``rotation new``."""
    parser = Parser(prog=prog, description="Write a commented script that runs as it is.")
    parser.add_argument("name", metavar="NAME", help="of the strategy; my_idea is written to my_idea.py")
    options = parser.parse(arguments)
    from backtest.scripting.template import write_script

    path = write_script(options.name)
    say(f"{path} is written; run it with: rotation run {path}")
    return 0


def list_strategies(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001
    """Be ``rotation list``."""
    parser = Parser(prog=prog, description="List the shipped strategies; rotation run NAME --help says more.")
    add_json(parser)
    options = parser.parse(arguments)
    from backtest.records.document import to_json
    from backtest.reporting.blocks import Definitions
    from backtest.reporting.terminal import show
    from backtest.scripting.loading import load_strategy, strategy_names

    loaded = [load_strategy(name) for name in strategy_names()]
    if options.json:
        rows = [
            {
                "strategy": each.name,
                "thesis": each.thesis,
                "parameters": {p.name: {"default": p.default, "range": p.range} for p in each.parameters},
            }
            for each in loaded
        ]
        say(to_json(rows))
    else:
        show([Definitions(tuple((each.name, each.thesis) for each in loaded), brief=True)])
    return 0
