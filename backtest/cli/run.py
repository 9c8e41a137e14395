"""The ``rotation run`` command: the words first, then the page, and the ledger beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from backtest.arguments import named_with_parameters
from backtest.cli import options as shared
from backtest.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from backtest.arguments import Parser
    from backtest.reporting.blocks import Block
    from backtest.reporting.views import View
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
    about = "Run a strategy: simulate, measure, report."
    parser = shared.strategy_parser(prog, strategy, about, EPILOG, several=True)
    if strategy is None:
        parser.add_argument("--from", metavar="REPORT", help="run what the report in this folder ran")
    shared.add_market(parser)
    shared.add_panel(parser)
    shared.add_terms(parser)
    parser.add_argument(
        "--robustness",
        action="store_true",
        help="add a table of the result under other costs and later fills",
    )
    parser.add_argument("--out", metavar="DIR", help="folder for the report (default: in reports/)")
    shared.add_files(parser)
    parser.add_argument("--no-report", action="store_true", help="stop after the table")
    shared.add_json(parser)
    shared.add_parameters(parser, strategy)
    return parser


def run(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation run``."""
    if strategy is None and any(word == "--from" or word.startswith("--from=") for word in arguments):
        return _again(prog, arguments)
    if strategy is None and shared.several(arguments):
        return _many(prog, arguments)
    prog, strategy, arguments = shared.named_strategy(prog, strategy, arguments, _parser)
    options = _parser(prog, strategy).parse(arguments)
    _refuse_out(options)
    if options.panel is not None:
        shared.refuse_market(arguments)
        return _on_panel(strategy, options)
    from backtest.runs import run as run_one

    result = run_one(strategy, options.market, **shared.terms(options), **shared.given(options))
    return _told(result, _view(result, options), options)


def _on_panel(strategy: Strategy, options: argparse.Namespace) -> int:
    """Run a strategy on every market of a panel."""
    from backtest.terms import OF_INVESTOR

    why = "; leave it out, or name a market instead of --panel"
    shared.refuse_of_one(options, ("robustness", "csv", "xlsx", *OF_INVESTOR), why)
    from backtest.panels.definition import load_panel
    from backtest.panels.run import run_panel
    from backtest.reporting.views import view

    panel = load_panel(options.panel)
    return shared.tell(
        view(run_panel(strategy, panel, terms=shared.terms(options), parameters=shared.given(options))),
        options,
    )


def _refuse_out(options: argparse.Namespace) -> None:
    if options.no_report and options.out is not None:
        raise UsageError("--no-report writes nothing, so --out has no use; leave one of them out")
    if options.out is None and (options.no_report or options.json):
        shared.refuse_unwritten(options, "--no-report" if options.no_report else "--json")
    shared.require_place(options.out)


def _view(result: Run, options: argparse.Namespace) -> View:
    """Return what a run shows, with its trials where they are asked for."""
    from backtest.records.robustness import robustness
    from backtest.reporting.views import run_view

    return run_view(result, robustness(result) if options.robustness else None)


def _told(result: Run, view: View, options: argparse.Namespace, first: Sequence[Block] = ()) -> int:
    """Say what a run gave, write its page, and hear the ledger; ``first`` is said before all else."""
    from backtest.cli.witness import witness

    return shared.tell(view, options, first=first, meanwhile=witness(result))


def _many(prog: str, arguments: Sequence[str]) -> int:
    """Run several strategies under the same terms, one after another."""
    options = _parser(prog, None).parse(arguments)
    _refuse_out(options)
    if options.panel is not None:
        raise UsageError("--panel takes one strategy at a time; name one, with --set for its parameters")
    shared.refuse_set(options)
    from backtest.market.load import load_market
    from backtest.reporting.blocks import Heading
    from backtest.runs import run as run_one
    from backtest.scripting.loading import load_strategy

    market = load_market(options.market)
    named = [named_with_parameters(name) for name in shared.scripts_of(options.strategy)]
    outs = _outs([name for name, _ in named], options.out)
    # Every name and every value is better refused before the first run than after it.
    calls = [(load_strategy(name), parameters) for name, parameters in named]
    for each, parameters in calls:
        each.bind(parameters)
    documents = []
    for (each, parameters), options.out in zip(calls, outs, strict=True):
        result = run_one(each, market, **shared.terms(options), **parameters)
        view = _view(result, options)
        if options.json:
            place = shared.written(view, options)
            _ = result.portfolio
            documents.append(view.document(place))
            continue
        _told(result, view, options, [Heading(each.name, brief=True)])
        shared.say("")  # between two of them
    if options.json:
        shared.say_json(documents)
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
    named = [
        *options.strategy,
        *([options.panel] if options.panel else []),
        *shared.terms(options),
        *options.set,
    ]
    if named:
        raise UsageError(f"a report has its strategy and terms, so '{named[0]}' has no use with --from")
    from dataclasses import replace

    from backtest.records.again import RepeatedDocument, differences, repeat, said_of
    from backtest.records.run_document import RunDocument
    from backtest.reporting.blocks import Conclusion

    chosen = "--market" in arguments or any(word.startswith("--market=") for word in arguments)
    before, result = repeat(getattr(options, "from"), options.market if chosen else None)
    differ, view = differences(before, RunDocument.of(result)), _view(result, options)
    told = replace(
        view, document=lambda place: RepeatedDocument.with_differences(view.document(place), differ)
    )
    return _told(result, told, options, [Conclusion((said_of(differ),), brief=True)])
