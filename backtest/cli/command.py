"""The ``rotation`` command: a thin skin over the public functions.

Nothing heavy is imported here before it is needed, so that help answers at once.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, cast

from backtest.arguments import Parser as _Parser
from backtest.arguments import shown
from backtest.cli.guard import guarded, hear_the_end, require_surroundings, say_nothing_of_fonts
from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation run rate_cut                       a shipped strategy on the embedded market
  rotation run rate_cut --hold 18 --json      one parameter changed, as a JSON document
  rotation run my_idea.py --start 1990-01-01  a script of your own
  rotation run rate_cut --help                a strategy's own parameters
  rotation list                               the shipped strategies

exit status: 0 done, 1 the work failed, 2 the call was wrong"""


COMMANDS = {
    "run": ("run.run", "run a strategy on a market: simulate, measure, report"),
    "compare": ("compare.compare", "hold strategies, or the folders of reports, side by side"),
    "gallery": ("compare.gallery", "rebuild the small pages of the shipped strategies"),
    "explore": ("explore.explore", "move a strategy's parameters by hand in a page, with every try counted"),
    "tune": ("tune.tune", "search a strategy's parameters, and say what the winner is worth"),
    "signal": ("signal.signal", "say what a strategy holds now, why, and what would change it"),
    "explain": ("scripts.explain", "say a strategy's rule in words, and what it needs"),
    "list": ("scripts.list_strategies", "list the shipped strategies"),
    "new": ("scripts.new", "write a commented script of your own that runs as it is"),
    "study": ("study.study", "hold a claim against the data, or study days of your own"),
    "replicate": ("replicate.replicate", "hold published figures of the size premium beside ours"),
    "universe": ("universe.universe", "size classes, portfolios and a market from a table of companies"),
    "data": ("data.data", "list, fetch, show, import and verify series"),
    "doctor": (
        "doctor.doctor",
        "say what is installed, stored, stale and unusable, and the command for each",
    ),
    "completion": ("completion.completion", "print what completes this command on the Tab key of a shell"),
}
"""The verbs: the function that each is, imported from ``backtest.cli`` when asked for, and what it does."""


def dispatch(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Carry out the verb that a call names; return the exit status."""
    verbs = "\n".join(f"  {name:10}  {about}" for name, (_, about) in COMMANDS.items())
    parser = _Parser(
        prog=prog,
        usage=f"{prog} COMMAND ...",
        description=(
            strategy.about if strategy else "Backtests of rotating between large and small companies."
        ),
        epilog=f"commands ({prog} COMMAND --help says more):\n{verbs}"
        + ("" if strategy else f"\n\n{EPILOG}"),
    )
    parser.add_argument(
        "--version", action="store_true", help="print the versions and where series are stored, and stop"
    )
    if not arguments:
        parser.print_help()
        return 2
    for word in arguments:
        if not word.isascii() and word != word.encode("utf-8", "ignore").decode():
            raise UsageError(f"'{word}' is not UTF-8 text; rename what it names")
    if arguments[0].startswith("-"):
        if parser.parse(arguments).version:
            print(shown(import_module("backtest.cli.doctor").versions()))  # noqa: T201 - what was asked for
        return 0
    if arguments[0] not in COMMANDS:
        raise UsageError(f"there is no command '{arguments[0]}'; {nearest(arguments[0], COMMANDS)}")
    module, _, name = COMMANDS[arguments[0]][0].rpartition(".")
    verb = getattr(import_module(f"backtest.cli.{module}"), name)
    if not {"-h", "--help"} & {*arguments}:
        require_surroundings()
        say_nothing_of_fonts()
    return cast("int", verb(f"{prog} {arguments[0]}", strategy, arguments[1:]))


def entry() -> NoReturn:
    """Be the ``rotation`` command."""
    hear_the_end()
    sys.exit(guarded("rotation", lambda: dispatch("rotation", None, sys.argv[1:])))


def main(strategy: Strategy) -> NoReturn:
    """Be the command of one strategy's script: ``python my_idea.py run --hold 18``.

    Raises
    ------
    UsageError
        When the script is loaded, not run, so that its ``if __name__ == "__main__":`` is missing.

    Examples
    --------
    >>> from backtest import load_strategy, main
    >>> if __name__ == "__main__":
    ...     main(load_strategy("rate_cut"))
    """
    if sys._getframe(1).f_globals.get("__name__") != "__main__":
        raise UsageError('main(...) must stand below: if __name__ == "__main__":')
    hear_the_end()
    prog = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib is not loaded yet
    sys.exit(guarded(prog, lambda: dispatch(prog, strategy, sys.argv[1:])))
