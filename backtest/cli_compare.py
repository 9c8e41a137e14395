"""The ``compare`` command: strategies, or the folders of reports, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from backtest.reporting.record import Record
    from backtest.runs import Result

EPILOG = """\
examples:
  rotation compare rate_cut buy_and_hold
  rotation compare reports/rate_cut/A reports/rate_cut/B

Strategies are run here, under the options below; a report keeps the terms it was run under."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="a strategy's name or script, or a report's folder"
    )
    parser.add_argument("--market", metavar="M", default="embedded", help="default: %(default)s")
    parser.add_argument("--start", metavar="D", help="first fill on or after this date, 1990-01-31")
    parser.add_argument("--end", metavar="D", help="last bar on or before this date")
    parser.add_argument(
        "--cost-bps", metavar="X", type=float, default=10.0, help="basis points a side (default: 10)"
    )
    parser.add_argument("--benchmark", metavar="B", help="a sleeve (default: the market's own)")
    parser.add_argument("--out", metavar="DIR", help="folder for the page (default: in reports/compare/)")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")


def _run(name: str, options: argparse.Namespace, market: list[Any]) -> Result | Record:
    """Return the report in a folder of that name, or else the run of the strategy of that name."""
    from backtest.scripting.loading import strategy_names

    if name not in strategy_names() and Path(name).is_dir():
        from backtest.reporting.record import read_record

        return read_record(Path(name))
    from backtest.market.load import load_market
    from backtest.runs import run

    if not market:
        market.append(load_market(options.market))
    return run(
        name,
        market[0],
        start=options.start,
        end=options.end,
        cost_bps=options.cost_bps,
        benchmark=options.benchmark,
    )


def compare(parser: Any, arguments: Sequence[str]) -> int:
    """Run the command."""
    add_arguments(parser)
    options = parser.parse(arguments)
    if len(options.runs) < 2:
        raise UsageError("compare takes two runs or more: strategies, or folders of reports")
    from backtest.reporting import comparison_page
    from backtest.reporting.comparison import as_document
    from backtest.reporting.comparison import compare as side_by_side

    market: list[Any] = []
    comparison = side_by_side(*(_run(name, options, market) for name in options.runs))
    place = comparison_page.write_comparison(comparison, options.out).resolve()
    if options.json:
        from backtest.reporting.document import to_json

        print(to_json(as_document(comparison, place)))  # noqa: T201 - standard output is this command's product
    else:
        comparison_page.show(comparison, place)
    return 0
