"""The ``rotation new`` and ``rotation list`` commands: begin a strategy, and see those there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backtest.arguments import Parser

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
    print(f"{path} is written; run it with: rotation run {path}")  # noqa: T201 - what was asked for
    return 0


def shipped_strategies() -> list[dict[str, Any]]:
    """Return every shipped strategy: its name, its thesis and its parameters."""
    from backtest.scripting.loading import load_strategy, strategy_names

    loaded = [load_strategy(name) for name in strategy_names()]
    return [
        {
            "strategy": each.name,
            "thesis": each.thesis,
            "parameters": {p.name: {"default": p.default, "range": p.range} for p in each.parameters},
        }
        for each in loaded
    ]


def list_strategies(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001
    """Be ``rotation list``."""
    parser = Parser(prog=prog, description="List the shipped strategies; rotation run NAME --help says more.")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    options = parser.parse(arguments)
    found = shipped_strategies()
    if options.json:
        print(json.dumps(found, indent=2))  # noqa: T201 - what was asked for
        return 0
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table.grid(padding=(0, 2))
    for each in found:
        shown.add_row(Text(each["strategy"]), Text(each["thesis"]))
    Console(highlight=False).print(shown)
    return 0
