"""The ``rotation compare`` and ``rotation gallery`` commands: runs side by side, and the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.arguments import Parser
from backtest.cli import options as shared
from backtest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation compare rate_cut buy_and_hold
  rotation compare rate_cut rate_cut:hold=12 rate_cut:hold=12,delay=3
  rotation compare reports/rate_cut/A reports/rate_cut/B

Strategies are run here, under the options above, with the parameters behind a colon; a report keeps the terms
it was run under. The folder of the page has its figures and numbers beside it."""


def _parser(prog: str) -> Parser:
    parser = Parser(prog=prog, description="Hold two to twenty runs side by side.", epilog=EPILOG)
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="*",
        help="a strategy's name or script, with :NAME=VALUE,... behind it, or the folder of a report",
    )
    shared.add_market(parser)
    from backtest.terms import OF_RETURNS

    shared.add_terms(parser, *OF_RETURNS)
    parser.set_defaults(market=None)  # to tell what was asked for
    parser.add_argument("--out", metavar="DIR", help="folder for the page (default: in reports/compare/)")
    shared.add_files(parser)
    shared.add_json(parser)
    return parser


def compare(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation compare``; a script's own command compares its strategy with the others named."""
    options = _parser(prog).parse(arguments)
    named: list[Strategy | str] = [*([strategy] if strategy else []), *options.runs]
    if not 2 <= len(named) <= 20:
        raise UsageError(
            f"name two to twenty runs: {prog} RUN RUN ...; a run is a strategy or a report's folder"
        )
    from backtest.records.named import refuse_unused

    named_terms = [*(["market"] if options.market is not None else []), *shared.terms(options)]
    refuse_unused(named, [f"--{name.replace('_', '-')}" for name in named_terms])
    if options.out is None and options.json:
        shared.refuse_unwritten(options)
    shared.require_place(options.out)
    from backtest.records.comparison import compare as side_by_side
    from backtest.reporting.views import view

    return shared.tell(view(side_by_side(named, market=options.market, **shared.terms(options))), options)


def gallery(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001
    """Be ``rotation gallery``."""
    parser = Parser(prog=prog, description="Rebuild the gallery: a small page and a picture a strategy.")
    shared.add_market(parser)
    parser.add_argument("--out", metavar="DIR", default="reports/gallery", help="default: %(default)s")
    options = parser.parse(arguments)
    from backtest.reporting.gallery import write_gallery

    for name, why in write_gallery(options.market, options.out).items():
        shared.say(f"{name} is left out: {why}")
    shared.say(f"Gallery: {options.out}")
    return 0
