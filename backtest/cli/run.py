"""The ``rotation run`` command: the words first, then the page, and the ledger beside it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from backtest.arguments import Parser, named_with_parameters
from backtest.cli.options import (
    add_files,
    add_json,
    add_market,
    add_panel,
    add_parameters,
    add_terms,
    also,
    given,
    named_strategy,
    refuse_market,
    refuse_unwritten,
    require_place,
    scripts_of,
    several,
    terms,
)
from backtest.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.records.robustness import Robustness
    from backtest.reporting.blocks import Block
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation run rate_cut                       a shipped strategy on the embedded market
  rotation run rate_cut --hold 18 --json      one parameter changed, as a JSON document
  rotation run my_idea.py --start 1990-01-01  a script of your own
  rotation run rate_cut trend ideas/          several, and all scripts of a folder
  rotation run rate_cut --panel french_world  on many markets, and one alpha of them all
  rotation run --from reports/rate_cut/STAMP  what a report ran, once more, and what differs
  rotation run rate_cut --help                a strategy's own parameters"""


def _parser(prog: str, strategy: Strategy | None) -> Parser:
    about = strategy.about if strategy else "Run a strategy: simulate, measure, report."
    parser = Parser(prog=prog, description=about, epilog=EPILOG if not strategy else None)
    if strategy is None:
        parser.add_argument(
            "strategy",
            metavar="STRATEGY",
            nargs="*",
            help="a name, or the path of a script or of a folder of scripts, :NAME=VALUE,... behind it",
        )
        parser.add_argument("--from", metavar="REPORT", help="run what the report in this folder ran")
    add_market(parser)
    add_panel(parser)
    add_terms(parser)
    parser.add_argument(
        "--robustness",
        action="store_true",
        help="add a table of the result under other costs and later fills",
    )
    parser.add_argument("--out", metavar="DIR", help="folder for the report (default: in reports/)")
    add_files(parser)
    parser.add_argument("--no-report", action="store_true", help="stop after the table")
    add_json(parser)
    add_parameters(parser, strategy)
    return parser


def run(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation run``."""
    if strategy is None and any(word == "--from" or word.startswith("--from=") for word in arguments):
        return _again(prog, arguments)
    if strategy is None and several(arguments):
        return _many(prog, arguments)
    prog, strategy, arguments = named_strategy(prog, strategy, arguments, _parser)
    options = _parser(prog, strategy).parse(arguments)
    _refuse_out(options)
    if options.panel is not None:
        refuse_market(arguments)
        return _on_panel(strategy, options)
    from backtest.runs import run as run_one

    return _told(run_one(strategy, options.market, **terms(options), **given(options)), options)


def _on_panel(strategy: Strategy, options: argparse.Namespace) -> int:
    """Run a strategy on every market of a panel."""
    for option in ("robustness", "csv", "xlsx", "flows", "tax", "lots"):
        if getattr(options, option):
            raise UsageError(
                f"--{option} is of one market; leave it out, or name a market instead of --panel"
            )
    from backtest.panels.definition import load_panel
    from backtest.panels.run import PanelRunDocument, run_panel
    from backtest.records.document import to_json
    from backtest.reporting.panel_pages import panel_run_page, write_panel_run
    from backtest.reporting.terminal import show, show_place

    panel = load_panel(options.panel)
    result = run_panel(strategy, panel, terms=terms(options), parameters=given(options))
    if not options.json:
        show(panel_run_page(result).blocks)
    quiet = options.no_report or (options.json and options.out is None)
    place = None if quiet else write_panel_run(result, options.out).resolve()
    if options.json:
        print(to_json(PanelRunDocument.of(result, place)))  # noqa: T201 - this command's product
    elif place is not None:
        show_place("Report", place)
    return 0


def _refuse_out(options: argparse.Namespace) -> None:
    if options.no_report and options.out is not None:
        raise UsageError("--no-report writes nothing, so --out has no use; leave one of them out")
    if options.out is None and (options.no_report or options.json):
        refuse_unwritten(options, "--no-report" if options.no_report else "--json")
    require_place(options.out)


def _robust(result: Run, options: argparse.Namespace) -> Robustness | None:
    if not options.robustness:
        return None
    from backtest.records.robustness import robustness

    return robustness(result)


def _told(result: Run, options: argparse.Namespace, first: Sequence[Block] = ()) -> int:
    """Say what a run gave, write its page, and hear the ledger; ``first`` is said before all else."""
    from backtest.cli.witness import witness

    robust = _robust(result, options)
    if not options.json:
        from backtest.reporting.page import brief
        from backtest.reporting.terminal import show, show_place

        show([*first, *brief(result, robust)])
    with witness(result):
        place = _written(result, robust, options)
    if options.json:
        from backtest.records.document import to_json
        from backtest.records.run_document import RunDocument

        print(to_json(RunDocument.of(result, place, robust)))  # noqa: T201 - this command's product
    elif place is not None:
        show_place("Report", place)
    return 0


def _written(result: Run, robust: Robustness | None, options: argparse.Namespace) -> Path | None:
    """Write the report; None where none is asked for: a document is one, unless a folder is named."""
    if options.no_report or (options.json and options.out is None):
        return None
    from backtest.reporting.folder import write_report

    return write_report(result, options.out, robust, also=also(options)).resolve()


def _many(prog: str, arguments: Sequence[str]) -> int:
    """Run several strategies under the same terms, one after another."""
    options = _parser(prog, None).parse(arguments)
    _refuse_out(options)
    if options.panel is not None:
        raise UsageError("--panel takes one strategy at a time; name one, with --set for its parameters")
    if options.set:
        raise UsageError("--set is of one strategy; behind a name parameters are NAME:hold=12,delay=3")
    from backtest.market.load import load_market
    from backtest.records.document import to_json
    from backtest.records.run_document import RunDocument
    from backtest.runs import run as run_one
    from backtest.scripting.loading import load_strategy

    market = load_market(options.market)
    named = [named_with_parameters(name) for name in scripts_of(options.strategy)]
    outs = _outs([name for name, _ in named], options.out)
    # Every name and every value is better refused before the first run than after it.
    calls = [(load_strategy(name), parameters) for name, parameters in named]
    for each, parameters in calls:
        each.bind(parameters)
    documents = []
    for (each, parameters), out in zip(calls, outs, strict=True):
        result = run_one(each, market, **terms(options), **parameters)
        options.out = out
        if options.json:
            robust = _robust(result, options)
            place = _written(result, robust, options)
            _ = result.portfolio
            documents.append(RunDocument.of(result, place, robust))
            continue
        from backtest.reporting.blocks import Heading

        _told(result, options, [Heading(result.strategy.name, brief=True)])
        print()  # noqa: T201 - between two of them
    if options.json:
        print(to_json(documents))  # noqa: T201 - this command's product
    return 0


def _outs(names: Sequence[str], out: str | None) -> list[str | None]:
    """Return a folder for each of several reports, below the one that is named."""
    if out is None:
        return [None] * len(names)
    stems = [os.path.basename(name).removesuffix(".py") for name in names]  # noqa: PTH119 - pathlib is not loaded
    return [
        os.path.join(out, stem if stems.count(stem) == 1 else f"{stem}-{i + 1}")  # noqa: PTH118 - as above
        for i, stem in enumerate(stems)
    ]


def _again(prog: str, arguments: Sequence[str]) -> int:
    """Run what a report ran, and say what differs."""
    options = _parser(prog, None).parse(arguments)
    _refuse_out(options)
    named = [*options.strategy, *([options.panel] if options.panel else []), *terms(options), *options.set]
    if named:
        raise UsageError(f"a report has its strategy and terms, so '{named[0]}' has no use with --from")
    from backtest.records.again import differences, repeat, said_of
    from backtest.records.document import plain, to_json
    from backtest.records.run_document import RunDocument
    from backtest.reporting.blocks import Conclusion

    chosen = "--market" in arguments or any(word.startswith("--market=") for word in arguments)
    before, result = repeat(getattr(options, "from"), options.market if chosen else None)
    differ = differences(before, RunDocument.of(result))
    if not options.json:
        return _told(result, options, [Conclusion((said_of(differ),), brief=True)])
    from backtest.cli.witness import witness

    robust = _robust(result, options)
    with witness(result):
        place = _written(result, robust, options)
    said = plain(RunDocument.of(result, place, robust))
    sys.stdout.write(to_json({**said, "differs": differ}) + "\n")
    return 0
