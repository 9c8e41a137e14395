"""The ``rotation explore`` command: a run under the hand, in a page served on this machine alone."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from backtest.arguments import Parser, named_with_parameters
from backtest.cli.options import add_market, add_terms, say, terms
from backtest.errors import UsageError
from backtest.wording import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from backtest.explore.sitting import Sitting
    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation explore rate_cut                       opens a page with a slider for each parameter
  rotation explore rate_cut:hold=18 --cost-bps 25 begins there
  rotation explore rate_cut valuation_discount    two on the same axes
  rotation explore my_idea.py --blind 2000-12-29  what comes after that day is shown once, when you say so

Every position whose numbers were shown is counted as a try, and the verdict is held against that count.
Ctrl-C ends it; so does closing the page, after a minute."""

_MINUTE = 60.0
_MOST = 4  # strategies side by side


def _parser(prog: str) -> Parser:
    parser = Parser(
        prog=prog, description="Move the parameters of a strategy by hand, and see a century.", epilog=EPILOG
    )
    parser.add_argument(
        "strategies",
        metavar="STRATEGY",
        nargs="*",
        help="a name, or the path of a script, with :NAME=VALUE,... behind it; up to four",
    )
    add_market(parser)
    from backtest.terms import BY_HAND

    add_terms(parser, *BY_HAND)
    parser.add_argument("--blind", metavar="D", help="hide everything after this day until you show it, once")
    parser.add_argument("--port", metavar="N", default="8787", help="the first port to try (default: 8787)")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    parser.add_argument("--stay", action="store_true", help="go on when the page is closed")
    return parser


def explore(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation explore``; a script's own command explores its strategy, beside the others named."""
    options = _parser(prog).parse(arguments)
    named = [*([strategy.file] if strategy else []), *options.strategies]
    if not 1 <= len(named) <= _MOST:
        raise UsageError(f"name one to four strategies: {prog} STRATEGY [STRATEGY ...]")
    from backtest.explore.server import Explorer
    from backtest.numerals import count

    port = count(options.port, "--port", 1, 65535, "")
    make = _sittings(named, options)
    make().require_start()  # what is wrong is said before anything is served
    with Explorer(make, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        print(f"{server.address}\nCtrl-C ends it.", flush=True)  # noqa: T201 - this command's product
        if not options.no_browser:
            _open(server.address)
        try:
            while options.stay or server.idle < _MINUTE:
                time.sleep(0.25)
        except KeyboardInterrupt:
            print(file=sys.stderr)  # noqa: T201 - after the ^C of the terminal
        finally:
            server.shutdown()
        tried = server.tried
    say(f"Ended; {counted(tried, 'position')} tried.")
    return 0


def _sittings(named: Sequence[str], options: argparse.Namespace) -> Callable[[], Sitting]:
    """Return what begins a sitting; the market is loaded once, the scripts each time."""
    from backtest.dates import parse_day
    from backtest.explore.sitting import Sitting
    from backtest.market.load import load_market
    from backtest.scripting.loading import load_strategy
    from backtest.terms import read_terms

    market, under = load_market(options.market), read_terms(terms(options))
    calls = [named_with_parameters(name) for name in named]
    hidden = None if options.blind is None else str(parse_day(options.blind, "--blind"))
    first, last = market.bars.dates[0], market.last
    if hidden is not None and not str(first) < hidden < str(last):
        raise UsageError(
            f"--blind {hidden} lies outside the data, which run from {first} to {last}; name a day inside"
        )

    made: list[Sitting] = []

    def make() -> Sitting:
        strategies = [load_strategy(name) for name, _ in calls]
        for each, (_, own) in zip(strategies, calls, strict=True):
            each.bind(dict(own))
        names, given = zip(*calls, strict=True)
        seen = next((each.revealed for each in made if each.revealed), None)
        made.append(Sitting(names, strategies, market, under, given, hidden, seen))
        return made[-1]

    return make


def _open(address: str) -> None:
    """Open a browser where there is a screen; a browser of the terminal would take it over."""
    if sys.platform.startswith("linux") and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        return
    import webbrowser

    webbrowser.open(address)
