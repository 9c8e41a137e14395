"""The ``rotation completion`` command: what completes the command line on the Tab key of a shell."""

from __future__ import annotations

import contextlib
import io
import re
from typing import TYPE_CHECKING

from backtest.arguments import Parser
from backtest.cli.command import COMMANDS, dispatch
from backtest.cli.options import say
from backtest.errors import RotationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backtest.scripting.strategy import Strategy

SHELLS = {
    "bash": """\
# in ~/.bashrc: eval "$(rotation completion bash)"
_rotation() {
    local words
    words="$(rotation completion words -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)"
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _rotation rotation""",
    "zsh": """\
# in ~/.zshrc, after compinit: eval "$(rotation completion zsh)"
_rotation() {
    compadd -- ${(f)"$(rotation completion words -- "${(@)words[2,CURRENT-1]}" 2>/dev/null)"}
    _files
}
compdef _rotation rotation""",
    "fish": """\
# rotation completion fish > ~/.config/fish/completions/rotation.fish
complete -c rotation -a "(rotation completion words -- (commandline -opc)[2..] 2>/dev/null)\"""",
}
"""What each shell is told: it asks ``rotation completion words`` for what may stand next."""

_OF_STRATEGIES = ("run", "compare", "tune", "signal", "explain", "explore")


def _helped(words: Sequence[str]) -> list[str]:
    """Return the verbs and options that the help of a call names; its own parameters are among them."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(RotationError, SystemExit):
        dispatch("rotation", None, [*words, "--help"])
    _, _, verbs = said.getvalue().partition("\nverbs (")
    verbs, _, _ = verbs.partition("\n\n")
    options = re.findall(r"^ {2,}(?:-h, )?(--[\w-]+)", said.getvalue(), flags=re.MULTILINE)
    return [*re.findall(r"^ {2}(\w[\w-]*) ", verbs, flags=re.MULTILINE), *options]


def _names(verb: str) -> Iterable[str]:
    """Return what may stand behind a verb."""
    if verb in _OF_STRATEGIES:
        from backtest.scripting.loading import strategy_names

        return strategy_names()
    if verb == "study":
        from backtest.studies.register import CLAIMS

        return ("list", "claims", "events", "margin", "capacity", *(claim.id for claim in CLAIMS))
    if verb == "replicate":
        from backtest.replications.definition import printed

        known = printed()
        return (*dict.fromkeys((*known.papers, *known.all)),)
    return ()


def words(before: Sequence[str]) -> list[str]:
    """Return what may stand behind the words of a call, without the one that is being written."""
    if not before:
        return [*COMMANDS, "--help", "--version"]
    if before[-1] == "--market":
        from backtest.market.toml import names_of

        return names_of("market")
    if before[0] == "completion":
        return list(SHELLS)
    named = [word for word in before[:2] if not word.startswith("-")]
    return [*(_names(before[0]) if len(named) == 1 or before[0] == "compare" else ()), *_helped(named)]


def completion(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any
    """Be ``rotation completion``."""
    if list(arguments[:2]) == ["words", "--"]:
        say("\n".join(words(arguments[2:])))
        return 0
    parser = Parser(prog=prog, description="Print what completes this command on the Tab key of a shell.")
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))
    shell = parser.parse(arguments).shell
    if shell not in SHELLS:
        raise UsageError(f"{prog} takes one of {', '.join(SHELLS)}, not '{shell}'")
    say(SHELLS[shell])
    return 0
