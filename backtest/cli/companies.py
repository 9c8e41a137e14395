"""What the verbs of ``rotation universe`` share: options of a table of companies, and how to print tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backtest.arguments import Parser, shown
from backtest.cli.options import add_json, say
from backtest.errors import UsageError
from backtest.files import whole_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import pandas as pd

    from backtest.universe.build import Rules
    from backtest.universe.intake import SetAside
    from backtest.universe.universe import Inputs


def parser_of(prog: str, about: str) -> Parser:
    """Return the parser of a verb."""
    parser = Parser(prog=prog, description=about)
    add_json(parser)
    return parser


def table_parser(prog: str, about: str) -> Parser:
    """Return the parser of a verb that takes a table of companies."""
    parser = parser_of(prog, about)
    parser.add_argument(
        "companies", metavar="COMPANIES", help="a CSV, Parquet or zip file, or a folder of them"
    )
    parser.add_argument("--scheme", metavar="S", default="us", help="a name or a .toml file (default: us)")
    parser.add_argument(
        "--mapping",
        metavar="M",
        action="append",
        default=[],
        help="which column is which: a name or a .toml file; may be repeated",
    )
    parser.add_argument(
        "--fundamentals",
        metavar="FILE",
        action="append",
        default=[],
        help="accounts, or facts as the SEC has them; may be repeated",
    )
    parser.add_argument(
        "--about",
        metavar="FILE",
        action="append",
        default=[],
        help="a list of companies with their industries and numbers; may be repeated",
    )
    parser.add_argument(
        "--country",
        metavar="C",
        help="whose companies, as the table writes it, or 'all' (default: the scheme's country)",
    )
    parser.add_argument("--rates", metavar="FILE", help="exchange rates: columns date, currency, rate")
    parser.add_argument("--index", metavar="FILE", help="the series that the borders of the scheme move with")
    parser.add_argument(
        "--reconstitute",
        metavar="WHEN",
        default="monthly",
        help="monthly, quarterly, june or daily (default: monthly)",
    )
    parser.add_number("--band", default=0.0, help="a company must pass a border by this part of it")
    parser.add_number(
        "--carry",
        whole=True,
        metavar="N",
        default=0,
        help="bars that a company without a row is still held",
    )
    parser.add_number(
        "--delisting",
        metavar="R",
        help="return at which it leaves (default: at its last value)",
    )
    parser.add_argument("--memory", metavar="SIZE", default="2GB", help="for the queries (default: 2GB)")
    return parser


def table_place(text: str | None) -> Path | None:
    """Return where a table is to be written; a file that is there already, the input perhaps, is kept."""
    out = path_of(text)
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise UsageError(f"--out takes a .csv or a .parquet file, not '{out}'")
    if out is not None and out.exists():
        raise UsageError(f"{out} exists already; name a new file with --out")
    return out


def path_of(text: str | None) -> Path | None:
    """Return the path that a text names."""
    return None if text is None else Path(text).expanduser()


def inputs_of(options: argparse.Namespace) -> tuple[Inputs, Rules]:
    """Return what a universe is made of, and how, as the options say."""
    from backtest.universe.build import Rules
    from backtest.universe.universe import Inputs

    inputs = Inputs(
        companies=Path(options.companies).expanduser(),
        scheme=options.scheme,
        mapping=tuple(options.mapping),
        fundamentals=tuple(Path(name).expanduser() for name in options.fundamentals),
        about=tuple(Path(name).expanduser() for name in options.about),
        rates=path_of(options.rates),
        index=path_of(options.index),
        losses=getattr(options, "losses", "report"),
        country=options.country,
        memory=options.memory,
    )
    delisting = float("nan") if options.delisting is None else options.delisting
    return inputs, Rules(options.reconstitute, options.band, options.carry, delisting)


def tell_set_aside(aside: Sequence[SetAside]) -> None:
    """Print what was set aside or corrected, by rule."""
    lines = ["\nset aside or corrected, by rule:"] if aside else []
    for each in aside:
        lines.append(f"  {each.rows:>9,}  {each.reason}")
        lines += [f"{'':13}{example[:110]}" for example in each.examples[:2]]
    if lines:
        say("\n".join(lines))


def say_sentence(sentence: str) -> None:
    """Print a sentence as the terminal has room for it; nothing where it is empty."""
    if sentence:
        say(shown(sentence))


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write a table as its place's name says."""
    from backtest.spreadsheets import csv_of

    with whole_file(out, "the table", "name another place with --out") as file:
        file.write(csv_of(table)) if out.suffix == ".csv" else table.to_parquet(file, index=False)
