"""The ``rotation tune`` command: search a strategy's parameters, and say what the winner is worth."""

from __future__ import annotations

from argparse import SUPPRESS
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backtest.arguments import Parser
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
    refuse_of_one,
    require_place,
    say_json,
    tell,
    terms,
)
from backtest.errors import RotationError, UsageError
from backtest.numerals import count

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from backtest.scripting.strategy import Strategy
    from backtest.tuning.search import Search
    from backtest.tuning.tune import Sweep

EPILOG = """\
examples:
  rotation tune rate_cut --grid delay=0:12:1 --grid hold=6:48:1 --grid min_cut=0.25,0.5
  rotation tune valuation_discount --objective sharpe --constraint "turnover<1" --out sweeps/vd
  rotation tune valuation_discount --out sweeps/vd --resume
  rotation tune rate_cut --search optuna --trials 2000
  rotation tune rate_cut --panel french_world --grid hold=6:48:1
  rotation tune rate_cut --walk-forward train=20y,test=5y

a grid is low:high:step, low:high:logN (N values by logarithm), a,b,c, or the parameter's name for all of it;
without any --grid all parameters vary over their declared ranges"""


def _drawn(name: str, low: int = 0, high: int = 2**32 - 1) -> Callable[[str], int]:
    return partial(count, what=name, low=low, high=high)


def _add_search(parser: Parser) -> None:
    add = parser.add_argument
    add("--grid", metavar="NAME=VALUES", action="append", help="values of a parameter; may be repeated")
    said = "what to make as good as can be, or two with a comma (default: sharpe)"
    add("--objective", metavar="MEASURE", help=said)
    said = "'turnover<1' or 'closed<=wide': what breaks it is not chosen; may be repeated"
    add("--constraint", metavar="RULE", action="append", help=said)
    add("--search", metavar="KIND", help="grid, random, sobol or optuna (default: grid)")
    said = "how many trials a search other than grid makes"
    add("--trials", metavar="N", type=_drawn("--trials", 2), help=said)
    add("--seed", metavar="N", type=_drawn("--seed"), help="of everything that is drawn (default: 0)")
    said = "choose on the past only: train=20y,test=5y[,rolling][,purge=6m]"
    add("--walk-forward", metavar="PLAN", help=said)
    said = "searches at shifted dates (default: 200)"
    add("--placebo", metavar="N", type=_drawn("--placebo", 0, 100_000), help=said)
    said = "threads, loky, dask://HOST:PORT or ray (default: %(default)s)"
    add("--executor", metavar="WHO", default="threads", help=said)
    add("--out", metavar="DIR", help="folder for the results (default: in reports/)")
    said = "go on with the sweep in --out; what is left out here is as it was asked for then"
    add("--resume", action="store_true", help=said)


def _parser(prog: str, strategy: Strategy | None) -> Parser:
    about = "Measure every combination of parameters, and say what the best of them is worth."
    parser = Parser(prog=prog, description=about, epilog=EPILOG)
    if strategy is None:
        parser.add_argument("strategy", metavar="STRATEGY", help="a name, or the path of a script")
    _add_search(parser)
    add_market(parser)
    add_panel(parser)
    from backtest.terms import NAMES, OF_SWEEP

    add_terms(parser, *OF_SWEEP)
    for name in set(NAMES) - set(
        OF_SWEEP
    ):  # refused in a sentence that says why, which no option's absence does
        parser.add_argument(f"--{name.replace('_', '-')}", help=SUPPRESS)
    parser.set_defaults(market=None)  # what is left out is as the resumed sweep has it
    add_files(parser)
    add_json(parser)
    add_parameters(parser, strategy)
    return parser


def _grid(texts: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not name or (equals and not values.strip()):
            raise UsageError(f"--grid takes NAME=VALUES, such as hold=6:48:6, not '{text}'")
        if name in found:
            raise UsageError(f"the grid of {name} is given more than once")
        found[name] = values if equals else None
    return found


def _search(options: argparse.Namespace) -> Search | None:
    """Return the search that is asked for; None where nothing is said of it."""
    from backtest.tuning.search import Search

    if options.search is None and options.trials is None and options.seed is None:
        return None
    return Search(options.search or "grid", options.trials, options.seed or 0)


def _tuned(prog: str, strategy: Strategy, options: argparse.Namespace, folder: Path) -> tuple[Sweep, Path]:
    """Search, say what was found, and write the page; return the sweep and the page's place."""
    from backtest.reporting.sweep_page import sweep_page, write_sweep
    from backtest.reporting.terminal import show, show_place
    from backtest.tuning.tune import tune as search_all

    try:
        sweep = search_all(
            strategy,
            options.market,
            grid=None if options.grid is None else _grid(options.grid),
            fixed=given(options) or None,
            objective=options.objective,
            constraints=options.constraint,
            search=_search(options),
            walk=options.walk_forward,
            placebo=options.placebo,
            out=folder,
            resume=options.resume,
            executor=options.executor,
            **terms(options),
        )
        page = sweep_page(sweep)
        if not options.json:
            show(page.blocks)
            show_place("results", sweep.results.trials)
        return sweep, write_sweep(sweep, page, also=also(options))
    except KeyboardInterrupt:
        if not (folder / "manifest.json").is_file():
            raise
        raise RotationError(
            f"interrupted; what was measured is kept in {folder}: go on with '{prog} --out {folder} --resume'"
        ) from None


_OF_ONE = ("search", "trials", "seed", "walk_forward", "placebo", "resume", "csv", "xlsx")
"""Options of a search on one market that a panel has no use for: its judge is the market left out."""


def _on_panel(strategy: Strategy, options: argparse.Namespace) -> int:
    """Search on every market of a panel, and judge on each what the others would have chosen."""
    refuse_of_one(options, _OF_ONE, ": a panel is judged by the market left out; leave it away")
    require_place(options.out)
    from backtest.panels.definition import load_panel
    from backtest.panels.tune import tune_panel
    from backtest.reporting.views import view

    sweep = tune_panel(
        strategy,
        load_panel(options.panel),
        grid=None if options.grid is None else _grid(options.grid),
        fixed=given(options) or None,
        objective=options.objective or "sharpe",
        constraints=options.constraint or (),
        terms=terms(options),
    )
    return tell(view(sweep), options)


def tune(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation tune``."""
    prog, strategy, arguments = named_strategy(prog, strategy, arguments, _parser)
    options = _parser(prog, strategy).parse(arguments)
    if options.panel is not None:
        refuse_market(arguments)
        return _on_panel(strategy, options)
    if options.resume and options.out is None:
        raise UsageError("say which sweep to resume: --out DIR --resume")
    from backtest.tuning.tune import default_folder

    folder = Path(options.out).expanduser() if options.out is not None else default_folder(strategy.name)
    sweep, place = _tuned(prog, strategy, options, folder)
    if options.json:
        from backtest.tuning.document import SweepDocument

        say_json(SweepDocument.of(sweep, place.resolve()))
    else:
        from backtest.reporting.terminal import show_place

        show_place("report", place)
    return 0
