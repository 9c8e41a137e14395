"""What the commands share: naming a strategy, its parameters, and the terms of a run as options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def add_market(parser: Parser) -> None:
    """Add ``--market`` and where its series are stored."""
    parser.add_argument(
        "--market", metavar="M", default="embedded", help="a name, or a market file (default: embedded)"
    )
    parser.add_data_dir()


def add_terms(parser: Parser) -> None:
    """Add the market, the window, the costs and the benchmark of a run."""
    add_market(parser)
    parser.add_argument("--start", metavar="D", help="first fill on or after this date, 1990-01-31")
    parser.add_argument("--end", metavar="D", help="last bar on or before this date")
    parser.add_argument(
        "--cost-bps",
        metavar="X",
        type=float,
        default=10.0,
        help="basis points of the notional traded, a side (default: 10)",
    )
    parser.add_argument("--benchmark", metavar="B", help="a sleeve (default: the market's own)")
    add_decide(parser)


def add_decide(parser: Parser) -> None:
    """Add ``--decide``."""
    parser.add_argument(
        "--decide",
        metavar="WHEN",
        default="every-fill",
        help="every-fill, week-end, month-end or quarter-end: when it decides (default: every-fill)",
    )


def terms(options: argparse.Namespace) -> dict[str, Any]:
    """Return the window, the costs, the benchmark and the calendar as the public functions take them."""
    return {name: getattr(options, name) for name in ("start", "end", "cost_bps", "benchmark", "decide")}


def add_json(parser: Parser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")


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


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters that the call sets, by ``--set`` or by their own options."""
    own = [
        (name.removeprefix("own_"), value)
        for name, value in vars(options).items()
        if name.startswith("own_") and value is not None
    ]
    return _once([*own, *(_pair("--set", text) for text in options.set)])


def named_with_parameters(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of ``NAME:hold=12,delay=3``; a colon without ``=`` is a path's."""
    name, _, rest = text.rpartition(":")
    if not name or "=" not in rest:
        return text, {}
    return name, _once([_pair("a run", each) for each in rest.split(",")])


def _pair(taker: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{taker} takes NAME=VALUE, such as hold=18, not '{text}'")
    return name.strip().replace("-", "_"), value.strip()


def _once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name} is given more than once")
    return dict(pairs)
