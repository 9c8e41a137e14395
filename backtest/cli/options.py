"""What the commands share: naming a strategy, its parameters, and the terms of a run as options."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, TypeAlias

from backtest.arguments import Parser, named_with_parameters, once, pair
from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from backtest.reporting.blocks import Block
    from backtest.reporting.views import View
    from backtest.scripting.strategy import Strategy


def strategy_parser(
    prog: str, strategy: Strategy | None, about: str, epilog: str, *, several: bool = False
) -> Parser:
    """Return the parser of a command about the strategy that is named first, or about a script's own."""
    if strategy is not None:
        return Parser(prog=prog, description=strategy.about)
    parser = Parser(prog=prog, description=about, epilog=epilog)
    if several:
        what = "a name, or the path of a script or of a folder of scripts, :NAME=VALUE,... behind it"
        parser.add_argument("strategy", metavar="STRATEGY", nargs="*", help=what)
    else:
        parser.add_argument("strategy", metavar="STRATEGY", help="a name, or the path of a script")
    return parser


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


def several(arguments: Sequence[str]) -> bool:
    """Return whether a call names several strategies, a folder of them, or parameters behind a name."""
    names = []
    for word in arguments:
        if word.startswith("-"):
            break
        names.append(word)
    first = names[0] if names else ""
    return len(names) > 1 or os.path.isdir(first) or bool(named_with_parameters(first)[1])  # noqa: PTH112 - pathlib is not loaded


Verb: TypeAlias = "Callable[[str, Sequence[str]], int]"


def carried_out(
    prog: str, arguments: Sequence[str], verbs: Mapping[str, tuple[Verb, str]], about: str, epilog: str
) -> int:
    """Carry out the verb that the first argument names, of a command that has several; return the status.

    Raises
    ------
    UsageError
        When there is no such verb; the nearest one is named.
    """
    width = max(map(len, verbs)) + 2
    lines = "\n".join(f"  {name:{width}}{said}" for name, (_, said) in verbs.items())
    more = f"verbs ({prog} VERB --help says more):\n{lines}\n\n{epilog}"
    parser = Parser(prog=prog, usage=f"{prog} VERB ...", description=about, epilog=more)
    if not arguments or arguments[0].startswith("-"):
        parser.parse(arguments)
        parser.print_help()
        return 2
    if arguments[0] not in verbs:
        raise UsageError(f"there is no verb '{arguments[0]}' of {prog}; {nearest(arguments[0], verbs)}")
    return verbs[arguments[0]][0](f"{prog} {arguments[0]}", arguments[1:])


def scripts_of(names: Sequence[str]) -> list[str]:
    """Return the names with each folder replaced by its scripts, in the order of their names.

    Raises
    ------
    UsageError
        When a folder has no script.
    """
    found: list[str] = []
    for name in names:
        if not os.path.isdir(name):  # noqa: PTH112 - pathlib is not loaded
            found.append(name)
            continue
        scripts = sorted(file for file in os.listdir(name) if file.endswith(".py"))  # noqa: PTH208 - as above
        if not scripts:
            raise UsageError(f"there is no script in the folder {name}")
        found += [os.path.join(name, script) for script in scripts]  # noqa: PTH118 - as above
    return found


def _market(given: str) -> str:
    """Return the market that is named, where it is one of a panel's members."""
    if given == "embedded" or not given.strip() or os.path.exists(given):  # noqa: PTH110 - pathlib is not loaded
        return given
    from backtest.panels.definition import market_of

    return market_of(given)


def add_market(parser: Parser) -> None:
    """Add ``--market`` and where its series are stored."""
    parser.add_argument(
        "--market",
        metavar="M",
        type=_market,
        default="embedded",
        help="a name, a market file, or PANEL:MEMBER (default: embedded)",
    )
    parser.add_data_dir()


def add_panel(parser: Parser) -> None:
    """Add ``--panel``."""
    parser.add_argument("--panel", metavar="P", help="a name, or a panel file: many markets asked together")


def refuse_market(arguments: Sequence[str]) -> None:
    """Refuse a market beside a panel."""
    if any(word == "--market" or word.startswith("--market=") for word in arguments):
        raise UsageError("--panel has markets of its own; leave out --market")


def refuse_of_one(options: argparse.Namespace, names: Iterable[str], why: str) -> None:
    """Refuse each of these options beside a panel; ``why`` ends the sentence."""
    for name in names:
        if getattr(options, name):
            raise UsageError(f"--{name.replace('_', '-')} is of one market{why}")


def add_terms(parser: Parser, *names: str) -> None:
    """Add these terms of a run, or all of them, as options; what a call leaves out is None."""
    from backtest.terms import NAMES, described

    known = described()
    for name in names or NAMES:
        of = known[name]
        if of.get("type") == "boolean":
            extra: dict[str, Any] = {"action": "store_true", "default": None}
        else:
            extra = {"metavar": of["title"]}
        default = "" if of["default"] in (None, False) else f" (default: {_shown(of['default'])})"
        parser.add_argument(f"--{name.replace('_', '-')}", help=of["description"] + default, **extra)


def _shown(default: Any) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def terms(options: argparse.Namespace) -> dict[str, Any]:
    """Return the terms that a call names, as the public functions take them."""
    from backtest.terms import NAMES

    return {name: value for name in NAMES if (value := getattr(options, name, None)) is not None}


def require_place(out: str | None) -> None:
    """Refuse a folder that cannot be written, before any work is done for it."""
    if out is not None:
        from backtest.files import require_free
        from backtest.folders import expanded

        require_free(expanded(out))


def add_files(parser: Parser) -> None:
    """Add what the folder of a page may have beside it and Parquet."""
    parser.add_argument("--csv", action="store_true", help="write CSV beside Parquet as well")
    parser.add_argument("--xlsx", action="store_true", help="write one Excel workbook as well")
    parser.add_argument(
        "--png", action="store_true", help="write the figures of the page as pictures as well"
    )


def also(options: argparse.Namespace) -> tuple[str, ...]:
    """Return which of them a call asks for."""
    return tuple(name for name in ("csv", "xlsx", "png") if getattr(options, name, False))


def refuse_unwritten(options: argparse.Namespace, option: str = "--json") -> None:
    """Refuse files beside a page where the call writes no page: ``option`` says so."""
    for name in also(options):
        raise UsageError(f"{option} writes no page, so --{name} has no use; leave one of them out")


def written(view: View, options: argparse.Namespace) -> Path | None:
    """Write a result's page; None where none is asked for: a document is one, unless a folder is named."""
    if getattr(options, "no_report", False) or (options.json and options.out is None) or view.write is None:
        return None
    return view.write(options.out, also(options)).resolve()


def tell(
    view: View,
    options: argparse.Namespace,
    *,
    first: Iterable[Block] = (),
    meanwhile: contextlib.AbstractContextManager[None] | None = None,
) -> int:
    """Show what was found, write its page and say where; with ``--json`` print its document instead.

    ``first`` is shown before all else; ``meanwhile`` goes on while the page is written.
    """
    from backtest.reporting.terminal import show, show_place

    if not options.json:
        show([*first, *view.brief()])
    with meanwhile or contextlib.nullcontext():
        place = written(view, options)
    if options.json:
        say_json(view.document(place))
    elif place is not None:
        show_place("Report", place)
    return 0


def say(text: str) -> None:
    """Print to standard output, which is the command's product."""
    print(text)  # noqa: T201 - as above


def in_columns(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return rows in columns, the first ``left`` of them to the left and the others to the right.

    No cell is cut or wrapped, so that a file keeps them as they are.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    form = "  ".join(f"{{:{'<' if place < left else '>'}{width}}}" for place, width in enumerate(widths))
    return "\n".join(form.format(*row).rstrip() for row in rows)


def say_json(content: Any) -> None:
    """Print what ``--json`` asks for."""
    from backtest.records.document import to_json

    say(to_json(content))


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


def refuse_set(options: argparse.Namespace) -> None:
    """Raise UsageError where ``--set`` stands beside several strategies."""
    if options.set:
        raise UsageError("--set is of one strategy; behind a name parameters are NAME:hold=12,delay=3")


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters that the call sets, by ``--set`` or by their own options."""
    own = [
        (name.removeprefix("own_"), value)
        for name, value in vars(options).items()
        if name.startswith("own_") and value is not None
    ]
    return once([*own, *(pair("--set", text) for text in options.set)])
