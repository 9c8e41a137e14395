"""The ``rotation compare`` and ``rotation gallery`` commands: runs side by side, and the shipped ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from backtest.arguments import Parser
from backtest.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from backtest.market.data import MarketData
    from backtest.reporting.record import Record
    from backtest.runs import Result
    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation compare rate_cut buy_and_hold
  rotation compare reports/rate_cut/A reports/rate_cut/B

Strategies are run here, under the options above; a report keeps the terms it was run under. The folder of the
page has its figures and numbers beside it."""


def _parser(prog: str) -> Parser:
    parser = Parser(prog=prog, description="Hold two to twenty runs side by side.", epilog=EPILOG)
    parser.add_argument(
        "runs", metavar="RUN", nargs="*", help="a strategy's name or script, or the folder of a report"
    )
    parser.add_argument(
        "--market", metavar="M", default="embedded", help="a name, or a market file (default: %(default)s)"
    )
    parser.add_data_dir()
    parser.add_argument("--start", metavar="D", help="first fill on or after this date, 1990-01-31")
    parser.add_argument("--end", metavar="D", help="last bar on or before this date")
    parser.add_argument(
        "--cost-bps", metavar="X", type=float, default=10.0, help="basis points a side (default: 10)"
    )
    parser.add_argument("--benchmark", metavar="B", help="a sleeve (default: the market's own)")
    parser.add_argument("--out", metavar="DIR", help="folder for the page (default: in reports/compare/)")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    return parser


def _is_report(name: str) -> bool:
    """Return whether a run is named by its folder; a shipped strategy's name always means the strategy."""
    from backtest.scripting.loading import strategy_names

    return name not in strategy_names() and os.path.isdir(name)  # noqa: PTH112 - as cheap as the question


def _run(strategy: Strategy | str, market: MarketData, options: argparse.Namespace) -> Result:
    from backtest.runs import run

    return run(
        strategy,
        market,
        start=options.start,
        end=options.end,
        cost_bps=options.cost_bps,
        benchmark=options.benchmark,
    )


def compare(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation compare``; a script's own command compares its strategy with the others named."""
    options = _parser(prog).parse(arguments)
    named: list[Strategy | str] = [*([strategy] if strategy else []), *options.runs]
    if not 2 <= len(named) <= 20:
        raise UsageError(
            f"name two to twenty runs: {prog} RUN RUN ...; a run is a strategy or a report's folder"
        )
    from backtest.market.load import load_market
    from backtest.reporting import comparison_page
    from backtest.reporting.comparison import as_document
    from backtest.reporting.comparison import compare as side_by_side
    from backtest.reporting.record import read_record

    market: MarketData | None = None
    runs: list[Result | Record] = []
    for name in named:
        if isinstance(name, str) and _is_report(name):
            runs.append(read_record(name))
            continue
        market = market or load_market(options.market)
        runs.append(_run(name, market, options))
    comparison = side_by_side(*runs)
    place = comparison_page.write_comparison(comparison, options.out).resolve()
    if options.json:
        from backtest.reporting.document import to_json

        print(to_json(as_document(comparison, place)))  # noqa: T201 - standard output is this command's product
    else:
        comparison_page.show(comparison, place)
    return 0


def gallery(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001
    """Be ``rotation gallery``."""
    parser = Parser(prog=prog, description="Rebuild the gallery: a small page and a picture a strategy.")
    parser.add_argument(
        "--market", metavar="M", default="embedded", help="a name, or a market file (default: %(default)s)"
    )
    parser.add_data_dir()
    parser.add_argument("--out", metavar="DIR", default="reports/gallery", help="default: %(default)s")
    options = parser.parse(arguments)
    from backtest.reporting.gallery import write_gallery

    left_out: Any = write_gallery(options.market, options.out)
    for name, why in left_out.items():
        print(f"{name} is left out: {why}")  # noqa: T201 - what was done
    print(f"Gallery: {options.out}")  # noqa: T201 - what was done
    return 0
