"""The ``rotation universe`` command: classify, build, screen, changes, schemes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.arguments import Parser, shown
from backtest.cli.changes import changes
from backtest.cli.companies import (
    inputs_of,
    parser_of,
    say_sentence,
    table_parser,
    table_place,
    tell_set_aside,
    write_table,
)
from backtest.cli.options import carried_out, in_columns, say, say_json
from backtest.errors import UsageError
from backtest.files import whole_folder
from backtest.wording import amount, number, signed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from backtest.scripting.strategy import Strategy
    from backtest.universe.kept import Selection
    from backtest.universe.schemes import Scheme
    from backtest.universe.universe import Universe

EPILOG = """\
examples:
  rotation universe schemes
  rotation universe schemes us_six --exchange-rate 31 --purchasing-power 1.615 --currency THB
  rotation universe classify companies.parquet --scheme us
  rotation universe build companies.parquet --fundamentals accounts.parquet --scheme us --out markets/my_us
  rotation run valuation_discount --market markets/my_us
  rotation universe screen companies.parquet --fundamentals accounts.parquet --date 2024-06-28
  rotation universe changes companies.parquet --scheme us"""


def _tell_hangs(universe: Universe) -> None:
    """Print what the classes' returns hang on; a warning where equal weights gain more than anybody could."""
    from backtest.universe.drift import STEEP
    from backtest.universe.hangs import too_good

    rows = [["a year", "weights", "built", "-30%", "-100%", f"no gain > {STEEP:.0%}", "vanish"]]
    for row in universe.hangs.to_dict("records"):
        ways = ("built", "at_30", "at_100", "without_steep", "vanished")
        rows.append([row["class"], row["weights"], *(f"{row[way]:.1%}" for way in ways)])
    if len(rows) == 1:
        return
    say("")
    say(in_columns(rows))
    say_sentence(
        "-30%, -100%: where every company that vanishes leaves at that return. Many of them were bought or "
        "renamed, so the truth lies between."
    )
    for sentence in too_good(universe.hangs):
        say_sentence(sentence)


def _class_rows(universe: Universe, date: Any) -> list[list[str]]:
    shown = universe.classes[universe.classes["date"] == date]
    rows = [["class", "companies", "capitalisation", "share", "top 10", "Herfindahl"]]
    for row in shown.to_dict("records"):
        cells = [row["class"], f"{row['companies']:,}", amount(row["capitalisation"]), f"{row['share']:.2%}"]
        rows.append([*cells, f"{row['top_share']:.1%}", f"{row['herfindahl']:.4f}"])
    return rows


def _valuation_rows(universe: Universe, date: Any) -> list[list[str]]:
    """Return what each class costs by the accounts known on a date; nothing without accounts."""
    if universe.valuation is None:
        return []
    from backtest.universe.valuation import RATIOS

    shown = universe.valuation[universe.valuation["date"] == date]
    rows = [["class", *(ratio.name for ratio in RATIOS.values()), "with accounts", "lose money"]]
    for row in shown.to_dict("records"):
        ratios = [number(row[key], 1) for key in RATIOS]
        told = f"{row['pe_losses']:,} of {row['pe_companies']:,}"
        rows.append([row["class"], *ratios, f"{row['covered']:.0%}", told])
    return rows


def _classify(prog: str, arguments: Sequence[str]) -> int:
    parser = table_parser(prog, "Count the companies of each size class, date by date.")
    parser.add_argument("--date", metavar="D", help="the date to show (default: the last)")
    parser.add_argument("--out", metavar="FILE", help="write every company's class to this .csv or .parquet")
    options = parser.parse(arguments)
    out = table_place(options.out)
    import pandas as pd

    from backtest.dates import parse_day
    from backtest.universe.universe import foreign, make_universe

    inputs, rules = inputs_of(options)
    universe = make_universe(inputs, rules, members=out is not None)
    dates = universe.classes["date"]
    date = dates.max() if options.date is None else pd.Timestamp(parse_day(options.date, "--date"))
    if not (dates == date).any():
        near = dates.iloc[(dates - date).abs().argmin()]
        raise UsageError(
            f"there are no classes on {date:%Y-%m-%d}; the nearest date with classes is {near:%Y-%m-%d}"
        )
    if out is not None and universe.members is not None:
        write_table(universe.members, out)
    if options.json:
        from backtest.universe.document import ClassesDocument

        say_json(ClassesDocument.of(universe, date, out))
        return 0
    say(f"{universe.scheme.title}; {date:%Y-%m-%d}, {universe.table.currency}")
    say(in_columns(_class_rows(universe, date)))
    say_sentence(foreign(universe))
    valued = _valuation_rows(universe, date)
    if valued:
        say("\n" + in_columns(valued))
    say(
        f"\n{universe.table.rows:,} rows read, {universe.table.used:,} used before the checks along each line"
    )
    tell_set_aside(universe.set_aside)
    if out is not None:
        say(f"\nClasses: {out.resolve()}")
    return 0


def _selection(options: argparse.Namespace) -> Selection | None:
    from backtest.universe.kept import Selection

    if options.keep is None:
        if options.least:
            raise UsageError("--least goes with --keep, which is not given")
        return None
    keep = tuple(flag.strip() for flag in options.keep.split(","))
    return Selection(keep, options.least, options.cost_bps)


def _build_parser(prog: str) -> Parser:
    parser = table_parser(prog, "Make size portfolios, and a market of them that every command takes.")
    parser.add_argument("--out", metavar="DIR", required=True, help="the market's folder, new or empty")
    parser.add_argument("--weights", metavar="W", default="capitalisation", help="capitalisation or equal")
    parser.add_argument(
        "--losses",
        metavar="L",
        default="report",
        help="in valuations: keep, drop or report (default: report)",
    )
    parser.add_argument(
        "--keep",
        metavar="FLAGS",
        help="hold what the screen keeps as the sleeve 'kept': of pe, ps, pb, growth, such as pe,growth",
    )
    parser.add_number(
        "--least", whole=True, metavar="N", default=0, help="so many of these flags will do (default: all)"
    )
    parser.add_number(
        "--cost-bps", metavar="B", default=10.0, help="what trading in 'kept' costs a side (default: 10)"
    )
    parser.add_argument("--cash", metavar="ID", default="", help="series of the rate that cash earns: TB3MS")
    parser.add_argument("--policy", metavar="ID", default="", help="series of the policy rate: FED_TARGET")
    parser.add_data_dir()
    return parser


def _build(prog: str, arguments: Sequence[str]) -> int:
    options = _build_parser(prog).parse(arguments)
    from msgspec.structs import replace

    from backtest.market.catalogue import entry
    from backtest.reporting.html import render
    from backtest.reporting.universe import universe_page
    from backtest.universe.folder import write_market
    from backtest.universe.kept import in_words
    from backtest.universe.universe import foreign, make_universe

    for id in filter(None, (options.cash, options.policy)):
        entry(id)  # a wrong name is better said before the work than after it
    inputs, rules = inputs_of(options)
    selection = _selection(options)
    place = Path(options.out).expanduser()
    with whole_folder(place, "the market", sealed=True) as draft:
        universe = make_universe(inputs, rules, members=True, selection=selection)
        record = write_market(
            draft, universe, place.name, cash=options.cash, policy=options.policy, weights=options.weights
        )
        page = render(universe_page(universe, place.name))
        (draft / "index.html").write_text(page, encoding="utf-8")
    if options.json:
        say_json(replace(record, out=place.resolve(), report=place.resolve() / "index.html"))
        return 0
    last = universe.classes["date"].max()
    say(f"{universe.scheme.title}; {last:%Y-%m-%d}, {universe.table.currency}")
    say(in_columns(_class_rows(universe, last)))
    say_sentence(foreign(universe))
    _tell_hangs(universe)
    if universe.kept is not None:
        say("")
        say_sentence(in_words(universe.kept, universe.portfolios))
    tell_set_aside(universe.set_aside)
    trial = "trend" if universe.kept is None else "buy_and_hold --sleeve kept --benchmark peers"
    say(f"\nMarket: {place.resolve()}; try: rotation run {trial} --market {options.out}")
    say(f"Page: {place.resolve() / 'index.html'}")
    return 0


def _screen(prog: str, arguments: Sequence[str]) -> int:
    parser = table_parser(prog, "Hold each company against the median of its industry and class.")
    parser.add_argument("--date", metavar="D", help="default: the last date with classes")
    parser.add_argument("--out", metavar="FILE", help="write the whole table to this .csv or .parquet")
    parser.add_number(
        "--rows", 0, 10**9, whole=True, metavar="N", default=30, help="rows to print (default: 30)"
    )
    options = parser.parse(arguments)
    out = table_place(options.out)
    from backtest.universe.universe import make_screen
    from backtest.universe.valuation import RATIOS

    table, date = make_screen(*inputs_of(options), options.date)
    if out is not None:
        write_table(table, out)
    if options.json:
        from backtest.universe.document import ScreenDocument

        say_json(ScreenDocument.of(table, date))
        return 0
    names = [ratio.name for ratio in RATIOS.values()]
    rows = [["company", "class", *names, "earnings", "price", "flags"]]
    for row in table.head(options.rows).to_dict("records"):
        ratios = [number(row[key], 1) for key in RATIOS]
        growth = [signed(row[key], 0) for key in ("earnings_growth", "capitalisation_growth")]
        rows.append([row["company"], row["class"], *ratios, *growth, row["flags"]])
    flagged = int((table["flags"] != "").sum())
    say(f"{len(table):,} companies on {date}, {flagged:,} of them flagged; the most flagged first")
    say(in_columns(rows))
    if out is not None:
        say(f"Table: {out.resolve()}")
    return 0


def _schemes(prog: str, arguments: Sequence[str]) -> int:
    parser = parser_of(prog, "Show the size schemes, or one of them, and scale one to another country.")
    parser.add_argument("scheme", metavar="SCHEME", nargs="?", help="a name or a .toml file (default: all)")
    parser.add_number("--exchange-rate", 1e-9, 1e9, help="units of the other currency for one")
    parser.add_number("--purchasing-power", 1e-9, 1e9, help="how much more a unit buys there (default: 1)")
    parser.add_argument("--currency", metavar="C", default="", help="the other currency's name")
    options = parser.parse(arguments)
    from backtest.market.toml import names_of
    from backtest.universe.schemes import load_scheme

    schemes = [load_scheme(name) for name in ([options.scheme] if options.scheme else names_of("scheme"))]
    rate, power = options.exchange_rate, options.purchasing_power
    if rate is not None:
        if not options.scheme:
            raise UsageError("name the scheme that is to be scaled, such as us_six")
        schemes = [
            schemes[0].scaled(rate, 1.0 if power is None else power, options.currency or "other currency")
        ]
    elif power is not None or options.currency:
        raise UsageError("--purchasing-power and --currency go with --exchange-rate, which is not given")
    if options.json:
        from backtest.universe.document import SchemeDocument

        say_json([SchemeDocument.of(scheme) for scheme in schemes])
        return 0
    say(shown("\n\n".join(_scheme_text(scheme) for scheme in schemes)))
    return 0


def _scheme_text(scheme: Scheme) -> str:
    words: dict[str, Callable[[float], str]] = {
        "capitalisation": lambda b: f"{amount(b * scheme.unit)} {scheme.currency}",
        "rank": lambda b: f"rank {b:,.0f}",
        "cumulative": lambda b: f"{b:g}% of total capitalisation",
        "percentile": lambda b: f"percentile {b:g} of {scheme.exchange or 'all companies'}",
    }
    borders = [words[scheme.by](border) for border in scheme.borders]
    above = "from" if scheme.by in ("capitalisation", "percentile") else "down to"
    rows = [f"  {scheme.classes[0]:8} below that"]
    rows += [f"  {name:8} {above} {border}" for name, border in zip(scheme.classes[1:], borders, strict=True)]
    moves = f"; borders move with {scheme.index}" if scheme.index else ""
    return "\n".join([f"{scheme.name}: {scheme.title}{moves}", *reversed(rows), f"  source: {scheme.source}"])


VERBS: dict[str, tuple[Callable[[str, Sequence[str]], int], str]] = {
    "schemes": (_schemes, "the size schemes, and one scaled to another country"),
    "classify": (_classify, "companies of each size class, date by date"),
    "build": (_build, "size portfolios, their valuations, and a market of them"),
    "screen": (_screen, "each company against its industry and class"),
    "changes": (changes, "what companies earn around a change of their class"),
}


def universe(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any strategy
    """Be ``rotation universe``."""
    about = "From a table of companies to size classes, their portfolios and a market of your own."
    return carried_out(prog, arguments, VERBS, about, EPILOG)
