"""The ``rotation replicate`` command: printed figures of the size premium beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.arguments import Parser
from backtest.cli.options import add_json, require_place, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.scripting.strategy import Strategy

EPILOG = """\
tables and papers stand in data/replications.toml; without a name all are reproduced

examples:
  rotation replicate
  rotation replicate alquist-2018 --json
  rotation replicate blitz-2020 --out pages/blitz"""


def replicate(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any
    """Be ``rotation replicate``; a difference is an answer, not a failure."""
    about = "Hold published figures of the size premium beside what the stored series give."
    parser = Parser(prog=prog, description=about, epilog=EPILOG)
    parser.add_argument("names", metavar="NAME", nargs="*", help="a table, or a paper for all of its tables")
    parser.add_argument("--out", metavar="DIR", help="folder for the page (default: in reports/)")
    parser.add_data_dir()
    add_json(parser)
    options = parser.parse(arguments)
    require_place(options.out)
    from backtest.replications.replicate import replicate as replicated
    from backtest.reporting.views import view

    return tell(view(replicated(options.names)), options)
