"""The ``rotation universe`` command: classify, build, screen, schemes."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.arguments import Parser, shown
from backtest.cli.options import add_json
from backtest.errors import UsageError, nearest
from backtest.files import whole_file, whole_folder
from backtest.wording import amount

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    import pandas as pd

    from backtest.scripting.strategy import Strategy
    from backtest.universe.build import Rules
    from backtest.universe.intake import SetAside
    from backtest.universe.schemes import Scheme
    from backtest.universe.universe import Inputs, Universe

EPILOG = """\
examples:
  rotation universe schemes
  rotation universe schemes us_six --exchange-rate 31 --purchasing-power 1.615 --currency THB
  rotation universe classify companies.parquet --scheme us
  rotation universe build companies.parquet --fundamentals accounts.parquet --scheme us --out markets/my_us
  rotation run valuation_discount --market markets/my_us
  rotation universe screen companies.parquet --fundamentals accounts.parquet --date 2024-06-28"""


def _print(text: str) -> None:
    print(text)  # noqa: T201 - standard output is this command's product


def _parser(prog: str, about: str) -> Parser:
    parser = Parser(prog=prog, description=about)
    add_json(parser)
    return parser


def _table_parser(prog: str, about: str) -> Parser:
    parser = _parser(prog, about)
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


def _table_place(text: str | None) -> Path | None:
    """Return where a table is to be written; a file that is there already, the input perhaps, is kept."""
    out = _path(text)
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise UsageError(f"--out takes a .csv or a .parquet file, not '{out}'")
    if out is not None and out.exists():
        raise UsageError(f"{out} exists already; name a new file with --out")
    return out


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def _asked(options: argparse.Namespace) -> tuple[Inputs, Rules]:
    from backtest.universe.build import Rules
    from backtest.universe.universe import Inputs

    inputs = Inputs(
        companies=Path(options.companies).expanduser(),
        scheme=options.scheme,
        mapping=tuple(options.mapping),
        fundamentals=tuple(Path(name).expanduser() for name in options.fundamentals),
        about=tuple(Path(name).expanduser() for name in options.about),
        rates=_path(options.rates),
        index=_path(options.index),
        losses=getattr(options, "losses", "report"),
        country=options.country,
        memory=options.memory,
    )
    delisting = float("nan") if options.delisting is None else options.delisting
    return inputs, Rules(options.reconstitute, options.band, options.carry, delisting)


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns, the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _tell_set_aside(aside: Sequence[SetAside]) -> None:
    lines = ["\nset aside or corrected, by rule:"] if aside else []
    for each in aside:
        lines.append(f"  {each.rows:>9,}  {each.reason}")
        lines += [f"{'':13}{example[:110]}" for example in each.examples[:2]]
    if lines:
        _print("\n".join(lines))


def _say(sentence: str) -> None:
    if sentence:
        _print(textwrap.fill(sentence, max(shutil.get_terminal_size().columns, 40)))


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
    _print("")
    _print(_columns(rows))
    _say(
        "-30%, -100%: where every company that vanishes leaves at that return. Many of them were bought or "
        "renamed, so the truth lies between."
    )
    for sentence in too_good(universe.hangs):
        _say(sentence)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(table.to_json(orient="records", date_format="iso"))


def _aside(aside: Sequence[SetAside]) -> list[dict[str, Any]]:
    return [{"reason": a.reason, "rows": a.rows, "examples": list(a.examples)} for a in aside]


def _class_rows(universe: Universe, date: Any) -> list[list[str]]:
    shown = universe.classes[universe.classes["date"] == date]
    rows = [["class", "companies", "capitalisation", "share", "top 10", "Herfindahl"]]
    for row in shown.to_dict("records"):
        cells = [row["class"], f"{row['companies']:,}", amount(row["capitalisation"]), f"{row['share']:.2%}"]
        rows.append([*cells, f"{row['top_share']:.1%}", f"{row['herfindahl']:.4f}"])
    return rows


def _classify(prog: str, arguments: Sequence[str]) -> int:
    parser = _table_parser(prog, "Count the companies of each size class, date by date.")
    parser.add_argument("--date", metavar="D", help="the date to show (default: the last)")
    parser.add_argument("--out", metavar="FILE", help="write every company's class to this .csv or .parquet")
    options = parser.parse(arguments)
    out = _table_place(options.out)
    import pandas as pd

    from backtest.dates import parse_day
    from backtest.universe.universe import foreign, make_universe

    inputs, rules = _asked(options)
    universe = make_universe(inputs, rules, members=out is not None)
    dates = universe.classes["date"]
    date = dates.max() if options.date is None else pd.Timestamp(parse_day(options.date, "--date"))
    if not (dates == date).any():
        near = dates.iloc[(dates - date).abs().argmin()]
        raise UsageError(
            f"there are no classes on {date:%Y-%m-%d}; the nearest date with classes is {near:%Y-%m-%d}"
        )
    if out is not None and universe.members is not None:
        _write(universe.members, out)
    if options.json:
        shown = universe.classes[dates == date]
        _print(
            json.dumps(
                {
                    "scheme": universe.scheme.name,
                    "currency": universe.table.currency,
                    "date": f"{date:%Y-%m-%d}",
                    "dates": int(dates.nunique()),
                    "classes": _plain(shown.drop(columns="date")),
                    "set_aside": _aside(universe.set_aside),
                    "out": None if out is None else str(out.resolve()),
                },
                indent=2,
            )
        )
        return 0
    _print(f"{universe.scheme.title}; {date:%Y-%m-%d}, {universe.table.currency}")
    _print(_columns(_class_rows(universe, date)))
    _say(foreign(universe))
    _print(
        f"\n{universe.table.rows:,} rows read, {universe.table.used:,} used before the checks along each line"
    )
    _tell_set_aside(universe.set_aside)
    if out is not None:
        _print(f"\nClasses: {out.resolve()}")
    return 0


def _write(table: pd.DataFrame, out: Path) -> None:
    """Write a table as its place's name says."""
    from backtest.spreadsheets import csv_of

    with whole_file(out, "the table", "name another place with --out") as file:
        file.write(csv_of(table)) if out.suffix == ".csv" else table.to_parquet(file, index=False)


def _build(prog: str, arguments: Sequence[str]) -> int:
    parser = _table_parser(prog, "Make size portfolios, and a market of them that every command takes.")
    parser.add_argument("--out", metavar="DIR", required=True, help="the market's folder, new or empty")
    parser.add_argument("--weights", metavar="W", default="capitalisation", help="capitalisation or equal")
    parser.add_argument(
        "--losses",
        metavar="L",
        default="report",
        help="in valuations: keep, drop or report (default: report)",
    )
    parser.add_argument("--cash", metavar="ID", default="", help="series of the rate that cash earns: TB3MS")
    parser.add_argument("--policy", metavar="ID", default="", help="series of the policy rate: FED_TARGET")
    parser.add_data_dir()
    options = parser.parse(arguments)
    from backtest.market.catalogue import entry
    from backtest.reporting.html import render
    from backtest.reporting.universe import universe_page
    from backtest.universe.folder import write_market
    from backtest.universe.universe import foreign, make_universe

    for id in filter(None, (options.cash, options.policy)):
        entry(id)  # a wrong name is better said before the work than after it
    inputs, rules = _asked(options)
    place = Path(options.out).expanduser()
    with whole_folder(place, "the market", sealed=True) as draft:
        universe = make_universe(inputs, rules, members=True)
        record = write_market(
            draft, universe, place.name, cash=options.cash, policy=options.policy, weights=options.weights
        )
        page = render(universe_page(universe, place.name))
        (draft / "index.html").write_text(page, encoding="utf-8")
    if options.json:
        _print(
            json.dumps(
                {**record, "out": str(place.resolve()), "report": str(place.resolve() / "index.html")},
                indent=2,
            )
        )
        return 0
    last = universe.classes["date"].max()
    _print(f"{universe.scheme.title}; {last:%Y-%m-%d}, {universe.table.currency}")
    _print(_columns(_class_rows(universe, last)))
    _say(foreign(universe))
    _tell_hangs(universe)
    _tell_set_aside(universe.set_aside)
    _print(f"\nMarket: {place.resolve()}; try: rotation run trend --market {options.out}")
    _print(f"Page: {place.resolve() / 'index.html'}")
    return 0


def _screen(prog: str, arguments: Sequence[str]) -> int:
    parser = _table_parser(prog, "Hold each company against the median of its industry and class.")
    parser.add_argument("--date", metavar="D", help="default: the last date with classes")
    parser.add_argument("--out", metavar="FILE", help="write the whole table to this .csv or .parquet")
    parser.add_number(
        "--rows", 0, 10**9, whole=True, metavar="N", default=30, help="rows to print (default: 30)"
    )
    options = parser.parse(arguments)
    out = _table_place(options.out)
    from backtest.universe.universe import make_screen

    table, date = make_screen(*_asked(options), options.date)
    if out is not None:
        _write(table, out)
    if options.json:
        _print(json.dumps({"date": str(date), "companies": _plain(table)}, indent=2))
        return 0
    rows = [["company", "class", "P/E", "P/S", "P/B", "earnings", "price", "flags"]]
    for row in table.head(options.rows).to_dict("records"):
        ratios = ["-" if row[r] != row[r] else f"{row[r]:.1f}" for r in ("pe", "ps", "pb")]
        growth = [
            "-" if row[g] != row[g] else f"{row[g]:+.0%}"
            for g in ("earnings_growth", "capitalisation_growth")
        ]
        rows.append([row["company"], row["class"], *ratios, *growth, row["flags"]])
    flagged = int((table["flags"] != "").sum())
    _print(f"{len(table):,} companies on {date}, {flagged:,} of them flagged; the most flagged first")
    _print(_columns(rows))
    if out is not None:
        _print(f"Table: {out.resolve()}")
    return 0


def _schemes(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(prog, "Show the size schemes, or one of them, and scale one to another country.")
    parser.add_argument("scheme", metavar="SCHEME", nargs="?", help="a name or a .toml file (default: all)")
    parser.add_number("--exchange-rate", 1e-9, 1e9, help="units of the other currency for one")
    parser.add_number("--purchasing-power", 1e-9, 1e9, help="how much more a unit buys there (default: 1)")
    parser.add_argument("--currency", metavar="C", default="", help="the other currency's name")
    options = parser.parse(arguments)
    from backtest.universe.schemes import load_scheme, shipped_names

    schemes = [
        load_scheme(name) for name in ([options.scheme] if options.scheme else shipped_names("scheme"))
    ]
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
        _print(json.dumps([_scheme_document(scheme) for scheme in schemes], indent=2))
        return 0
    _print(shown("\n\n".join(_scheme_text(scheme) for scheme in schemes)))
    return 0


def _scheme_document(scheme: Scheme) -> dict[str, Any]:
    said: dict[str, Any] = {
        "scheme": scheme.name,
        "title": scheme.title,
        "source": scheme.source,
        "by": scheme.by,
    }
    said |= {"classes": list(scheme.classes), "borders": list(scheme.borders), "unit": scheme.unit}
    return {
        **said,
        "currency": scheme.currency,
        "index": scheme.index or None,
        "exchange": scheme.exchange or None,
    }


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
}


def universe(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any strategy
    """Be ``rotation universe``."""
    verbs = "\n".join(f"  {name:10}{about}" for name, (_, about) in VERBS.items())
    parser = Parser(
        prog=prog,
        usage=f"{prog} VERB ...",
        description="From a table of companies to size classes, their portfolios and a market of your own.",
        epilog=f"verbs ({prog} VERB --help says more):\n{verbs}\n\n{EPILOG}",
    )
    if not arguments or arguments[0].startswith("-"):
        parser.parse(arguments)
        parser.print_help()
        return 2
    if arguments[0] not in VERBS:
        raise UsageError(f"there is no verb '{arguments[0]}' of universe; {nearest(arguments[0], VERBS)}")
    verb, _ = VERBS[arguments[0]]
    return verb(f"{prog} {arguments[0]}", arguments[1:])
