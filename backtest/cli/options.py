"""What the commands about a strategy share: naming it, and its parameters as options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from backtest.arguments import Parser
    from backtest.scripting.strategy import Strategy


def named_strategy(
    prog: str,
    strategy: Strategy | None,
    arguments: Sequence[str],
    parser: Callable[[str, Strategy | None], Parser],
) -> tuple[str, Strategy, Sequence[str]]:
    """Return what the command is called, the strategy that its first argument names, and the other arguments.

    ``strategy`` is the script's own where a script is the command; ``parser`` makes the command's parser.
    """
    if strategy is not None:
        return prog, strategy, arguments
    if not arguments or arguments[0].startswith("-"):
        if {"-h", "--help"} & set(arguments):
            parser(prog, None).parse(["--help"])
        raise UsageError(f"name the strategy first: {prog} STRATEGY [options]")
    from backtest.scripting.loading import load_strategy

    return f"{prog} {arguments[0]}", load_strategy(arguments[0]), arguments[1:]


def add_parameters(parser: Parser, strategy: Strategy | None) -> None:
    """Add ``--set`` and, where the strategy is known, an option for each of its parameters."""
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set a parameter of the strategy; may be repeated",
    )
    if strategy is None or not strategy.parameters:
        return
    own = parser.add_argument_group("parameters of this strategy")
    for parameter in strategy.parameters:
        default = parameter.text(parameter.default)
        own.add_argument(
            *dict.fromkeys((parameter.option, "--" + parameter.name)),
            dest="own_" + parameter.name,
            metavar="X",
            help=f"{parameter.help} ({parameter.range}, default {default})".replace("%", "%%"),
        )


def given(options: argparse.Namespace) -> dict[str, str]:
    """Return the parameters that the call sets, by ``--set`` or by their own options."""
    pairs = [
        (name.removeprefix("own_"), value)
        for name, value in vars(options).items()
        if name.startswith("own_") and value is not None
    ]
    for text in options.set:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes NAME=VALUE, such as hold=18, not '{text}'")
        pairs.append((name.strip().replace("-", "_"), value.strip()))
    for name, _ in pairs:
        if sum(name == other for other, _ in pairs) > 1:
            raise UsageError(f"{name} is given more than once")
    return dict(pairs)
