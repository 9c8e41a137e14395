"""The ``rotation compare`` and ``rotation gallery`` commands: runs side by side, and the shipped ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from backtest.arguments import Parser
from backtest.cli.options import add_json, add_market, add_terms, named_with_parameters, require_place, terms
from backtest.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from backtest.market.data import MarketData
    from backtest.records.record import RunRecord
    from backtest.runs import Run
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
    add_market(parser)
    add_terms(parser)
    parser.set_defaults(market=None)  # to tell what was asked for
    parser.add_argument("--out", metavar="DIR", help="folder for the page (default: in reports/compare/)")
    add_json(parser)
    return parser


def _is_report(name: str) -> bool:
    """Return whether a run is named by its folder; a shipped strategy's name always means the strategy."""
    from backtest.scripting.loading import strategy_names

    return name not in strategy_names() and os.path.isdir(name)  # noqa: PTH112 - as cheap as the question


def _refuse_no_run(name: str) -> None:
    """Say what is meant to be written, where a name is nearly that of a run."""
    own, colon, rest = name.rpartition(":")
    from backtest.scripting.loading import strategy_names

    if colon and (own in strategy_names() or os.path.isfile(own)):  # noqa: PTH113 - as above
        raise UsageError(f"'{rest}' is no parameter with a value; write {own}:NAME=VALUE, or {own} alone")
    if "/" in name and not name.endswith(".py") and not os.path.exists(name):  # noqa: PTH110 - as above
        raise UsageError(f"there is neither a report's folder nor a script '{name}'")


def _refuse_unused(named: Sequence[Strategy | str], options: argparse.Namespace) -> None:
    """Refuse terms of a run where nothing is run: a report keeps its own."""
    named_terms = [*(["market"] if options.market is not None else []), *terms(options)]
    asked = [f"--{name.replace('_', '-')}" for name in named_terms]
    if asked and all(isinstance(name, str) and _is_report(name) for name in named):
        raise UsageError(
            f"reports keep the terms that they were run under, so {asked[0]} changes nothing; leave it out, "
            "or name a strategy to be run"
        )


def _runs(named: Sequence[Strategy | str], options: argparse.Namespace) -> list[Run | RunRecord]:
    """Return each run: of a report what stands in its folder, of a strategy what it does here."""
    from backtest.market.load import load_market
    from backtest.records.record import read_record
    from backtest.runs import run

    market: MarketData | None = None
    runs: list[Run | RunRecord] = []
    for name in named:
        own, parameters = named_with_parameters(name) if isinstance(name, str) else (name, {})
        if isinstance(own, str) and "=" in own and not os.path.exists(own):  # noqa: PTH110 - as above
            raise UsageError(f"a parameter stands behind the run that it is of: RUN:{own}")
        if isinstance(own, str) and _is_report(own):
            if parameters:
                raise UsageError(
                    f"{own} is a folder, and a report keeps its parameters; name its strategy instead"
                )
            runs.append(read_record(own))
            continue
        if isinstance(own, str):
            _refuse_no_run(own)
        market = market or load_market(options.market or "embedded")
        runs.append(run(own, market, **terms(options), **parameters))
    return runs


def compare(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation compare``; a script's own command compares its strategy with the others named."""
    options = _parser(prog).parse(arguments)
    named: list[Strategy | str] = [*([strategy] if strategy else []), *options.runs]
    if not 2 <= len(named) <= 20:
        raise UsageError(
            f"name two to twenty runs: {prog} RUN RUN ...; a run is a strategy or a report's folder"
        )
    _refuse_unused(named, options)
    require_place(options.out)
    from backtest.records.comparison import as_document
    from backtest.records.comparison import compare as side_by_side
    from backtest.reporting import comparison_page

    comparison = side_by_side(*_runs(named, options))
    if not options.json:
        from backtest.reporting.terminal import show, show_place

        show(comparison_page.page(comparison).blocks)
    place = None
    if options.out is not None or not options.json:
        place = comparison_page.write_comparison(comparison, options.out).resolve()
    if options.json:
        from backtest.records.document import to_json

        print(to_json(as_document(comparison, place)))  # noqa: T201 - standard output is this command's product
    else:
        show_place("Report", place)
    return 0


def gallery(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001
    """Be ``rotation gallery``."""
    parser = Parser(prog=prog, description="Rebuild the gallery: a small page and a picture a strategy.")
    add_market(parser)
    parser.add_argument("--out", metavar="DIR", default="reports/gallery", help="default: %(default)s")
    options = parser.parse(arguments)
    from backtest.reporting.gallery import write_gallery

    left_out: Any = write_gallery(options.market, options.out)
    for name, why in left_out.items():
        print(f"{name} is left out: {why}")  # noqa: T201 - what was done
    print(f"Gallery: {options.out}")  # noqa: T201 - what was done
    return 0
