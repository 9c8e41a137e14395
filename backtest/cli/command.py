"""The ``rotation`` command: a thin skin over the public functions.

Nothing heavy is imported here before it is needed, so that help answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from backtest.arguments import Parser as _Parser
from backtest.arguments import shown
from backtest.cli.compare import compare, gallery
from backtest.cli.explain import explain
from backtest.cli.guard import guarded, hear_the_end, require_surroundings, say_nothing_of_fonts
from backtest.cli.scripts import list_strategies, new
from backtest.cli.signal import signal
from backtest.cli.tune import tune
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


def _run(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.run import run

    return run(prog, strategy, arguments)


def _explore(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.explore import explore

    return explore(prog, strategy, arguments)


def _data(prog: str, _: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.data import data

    return data(prog, arguments)


def _study(prog: str, _: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.study import study

    return study(prog, arguments)


def _replicate(prog: str, _: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.replicate import replicate

    return replicate(prog, arguments)


def _doctor(prog: str, _: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.doctor import doctor

    return doctor(prog, arguments)


def _completion(prog: str, _: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.completion import completion

    def told(words: Sequence[str]) -> int:
        return _dispatch("rotation", None, words)

    return completion(prog, arguments, tuple(COMMANDS), told)


def _universe(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    from backtest.cli.universe import universe

    return universe(prog, strategy, arguments)


COMMANDS = {
    "run": (_run, "run a strategy on a market: simulate, measure, report"),
    "compare": (compare, "hold strategies, or the folders of reports, side by side"),
    "gallery": (gallery, "rebuild the small pages of the shipped strategies"),
    "explore": (_explore, "move a strategy's parameters by hand in a page, with every try counted"),
    "tune": (tune, "search a strategy's parameters, and say what the winner is worth"),
    "signal": (signal, "say what a strategy holds now, why, and what would change it"),
    "explain": (explain, "say a strategy's rule in words, and what it needs"),
    "list": (list_strategies, "list the shipped strategies"),
    "new": (new, "write a commented script of your own that runs as it is"),
    "study": (_study, "hold a claim against the data, or study days of your own"),
    "replicate": (_replicate, "hold published figures of the size premium beside ours"),
    "universe": (_universe, "size classes, portfolios and a market from a table of companies"),
    "data": (_data, "list, fetch, show, import and verify series"),
    "doctor": (_doctor, "say what is installed, stored, stale and unusable, and the command for each"),
    "completion": (_completion, "print what completes this command on the Tab key of a shell"),
}


def _dispatch(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
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
            from backtest.cli.doctor import versions

            print(shown(versions()))  # noqa: T201 - what was asked for
        return 0
    if arguments[0] not in COMMANDS:
        raise UsageError(f"there is no command '{arguments[0]}'; {nearest(arguments[0], COMMANDS)}")
    command, _ = COMMANDS[arguments[0]]
    if not {"-h", "--help"} & {*arguments}:
        require_surroundings()
        say_nothing_of_fonts()
    return command(f"{prog} {arguments[0]}", strategy, arguments[1:])


def entry() -> NoReturn:
    """Be the ``rotation`` command."""
    hear_the_end()
    sys.exit(guarded("rotation", lambda: _dispatch("rotation", None, sys.argv[1:])))


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
    sys.exit(guarded(prog, lambda: _dispatch(prog, strategy, sys.argv[1:])))
