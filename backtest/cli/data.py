"""The ``rotation data`` command: list, search, fetch, show, import and verify series."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from backtest.arguments import Parser, shown
from backtest.cli.options import add_json, carried_out, in_columns, say, say_json
from backtest.errors import DataError, RotationError, UsageError, nearest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from backtest.cli.options import Verb
    from backtest.market.entry import Entry
    from backtest.market.fetch import Outcome
    from backtest.market.store import Vintage
    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation data list                              every series; what each market has for strategies
  rotation data search high yield                 series with these words in name, title or source
  rotation data fetch                             what the shipped markets need, as far as it is stale
  rotation data fetch FEDFUNDS 6_Portfolios_2x3   these
  rotation data show DFEDTAR --tail 5
  rotation data import my.csv --id SET_SMALL --kind total-return --unit level
  rotation data verify                            every stored file against its checksum and its checks"""


_NAMED = 6  # series that failed, by name in one sentence


def _parser(prog: str, about: str) -> Parser:
    parser = Parser(prog=prog, description=about)
    parser.add_data_dir()
    add_json(parser)
    return parser


def _series(rows: list[list[str]]) -> str:
    """Return the series as a table; where a terminal is too narrow for it, each below its name."""
    table = in_columns(rows, left=len(rows[0]))
    if shown(table) == table:
        return table
    lines = []
    for id, first, last, seen, *about in rows[1:]:
        span = f"{first} to {last}, " if first else ""
        lines += [id, f"    {span}{seen}", f"    {', '.join(about[:-1])}; known: {about[-1]}"]
    return shown("\n".join(lines))


def _age(record: Vintage) -> str:
    days = record.age / 86400.0
    return "today" if days < 1.0 else f"{days:.0f} days ago"


def _list(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(prog, "Every series and what is stored of it; and what each market has for strategies.")
    parser.add_argument("--markets", action="store_true", help="only what each market has for strategies")
    options = parser.parse(arguments)
    if options.markets:
        return _list_markets(as_json=options.json)
    from backtest.market.catalogue import catalogue, imported
    from backtest.market.showing import listed
    from backtest.market.store import Store

    store = Store()
    entries = [*catalogue().values(), *imported().values()]
    records: dict[str, Vintage | None] = {}
    damaged: dict[str, str] = {}
    for id in store.ids():
        try:
            records[id] = store.current(id)
        except DataError as error:
            damaged[id] = str(error)
    lines = [listed(about, records.get(about.id)) for about in entries]
    if options.json:
        say_json(lines)
        return _told(damaged)
    rows = [["series", "from", "to", "seen", "source", "unit", "frequency", "known at"]]
    for about, line in zip(entries, lines, strict=True):
        record = records.get(about.id)
        seen = _age(record) + (", stale" if line.stale else "") if record else ""
        if not record:
            seen = "damaged" if about.id in damaged else "installed" if line.stored else "not stored"
        rule = (
            about.rule
            if isinstance(about.known_at, str)
            else f"{about.known_at[-1]['rule']}, with exceptions"
        )
        cells = [about.id, line.first or "", line.last or "", seen, about.source, about.unit]
        rows.append([*cells, about.frequency, rule])
    say(_series(rows) + "\n")
    _list_markets(as_json=False)
    say(f"\nstored in {store.folder}")
    return _told(damaged)


def _search(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(prog, "Series whose name, title or source has all of some words.")
    parser.add_argument("words", metavar="WORD", nargs="+", help='part of a word counts: "high yield"')
    options = parser.parse(arguments)
    from backtest.market.catalogue import search
    from backtest.market.definition import roles_like
    from backtest.market.showing import FoundRole, FoundSeries
    from backtest.market.sources.fred import titled

    words = " ".join(options.words).split()
    if not words:
        raise UsageError("say which words to look for; all series: rotation data list")
    found, more, fault, made = search(words), [], None, roles_like(words)
    try:
        known = {about.download for about in found}
        more = [each for each in titled(words) if each.id not in known]
    except DataError as error:
        fault = error  # what the catalogue has is shown first
    if options.json:
        series = [FoundSeries(each.id, each.title, each.source) for each in (*found, *more)]
        say_json([*series, *(FoundRole(role, list(by)) for role, by in made.items())])
    elif not found and not more and not fault and not made:
        titles = [word.strip("(),;:") for about in search([]) for word in about.title.split()]
        near = nearest(options.words[0], titles)
        cure = near if near.startswith("did you mean") else "all of them: rotation data list"
        raise UsageError(
            f"no series has '{' '.join(options.words)}' in its name, title or source; {cure}; "
            "a file of your own comes in with: rotation data import FILE"
        )
    else:
        _print_titles(found)
    if made and not options.json:
        say(("\n" if found else "") + "What markets make of series, for market.level:")
        _print_roles(made)
    if more and not options.json:
        say(
            "\nAt FRED, and not in the catalogue; say what one is when it is fetched the first time "
            "(rotation data fetch ID --kind KIND --unit UNIT --known-at RULE):"
        )
        _print_titles(more)
    if fault:
        raise fault
    return 0


def _print_roles(made: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Print what each role is made of; of several ways each, and the markets that go it."""
    pairs = {}
    for role, ways in sorted(made.items()):
        each = [words if len(ways) == 1 else f"{words} ({', '.join(by)})" for words, by in ways.items()]
        pairs[role] = "; ".join(each)
    _print_beside(pairs)


def _print_titles(found: Sequence[Entry]) -> None:
    _print_beside({each.id: f"{each.title} ({each.source}, {each.frequency})" for each in found})


def _print_beside(texts: Mapping[str, str]) -> None:
    """Print texts beside their names, wrapped where a terminal is too narrow."""
    width = max(map(len, texts), default=0) + 2
    room = max(shutil.get_terminal_size().columns - width, 30)
    for name, text in texts.items():
        lines = textwrap.wrap(text, room, break_on_hyphens=False)
        say(f"{name:{width}}" + f"\n{'':{width}}".join(lines))


def _told(damaged: dict[str, str]) -> int:
    """Say last what stands in none of the lines: what is stored and damaged; the others are listed."""
    if damaged:
        names = ", ".join(damaged)
        raise RotationError(f"what is stored of {names} is damaged: {next(iter(damaged.values()))}")
    return 0


def _list_markets(*, as_json: bool) -> int:
    from backtest.market.definition import roles_like, shipped_markets

    markets = [market.offer for market in shipped_markets()]
    if as_json:
        say_json(markets)
        return 0
    say(shown('what a strategy may ask a market for, such as market.level("discount"):'))
    width = max(shutil.get_terminal_size().columns, 40)
    for market in markets:
        say(f"\n{market['name']}, {market['frequency']}")
        for what, names in (("sleeves", market["sleeves"]), ("series", market["roles"])):
            start = f"  {what:9}"
            text = ", ".join(names) or "none"
            say(textwrap.fill(text, width, initial_indent=start, subsequent_indent=" " * len(start)))
    say("\nwhat each of these series is made of:\n")
    _print_roles(roles_like(()))
    return 0


def _tell(outcome: Outcome) -> str:
    end = f" to {outcome.last}" if outcome.last else ""
    said = f": {outcome.said}" if outcome.said else ""
    return f"{outcome.id}{end} ({outcome.status}){said}"


def _describing(parser: Parser) -> None:
    """Add what a user says of a series that the catalogue does not have."""
    parser.add_argument("--kind", default="", help="total-return, price, rate or other")
    parser.add_argument("--unit", default="", help="level, percent, decimal, 'percent a month', ...")
    parser.add_argument("--frequency", help="daily, monthly or irregular (default: told from the dates)")
    parser.add_argument(
        "--known-at",
        metavar="RULE",
        help="when a value becomes known, such as 'the 17th of the next month'; needed for a rate and for "
        "whatever is no price and no return (those: by default their day, of months the last business day)",
    )
    parser.add_argument("--title", default="", help="one line on what it is")


def _fetch(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(
        prog,
        "Download what is stale, check it, store it. Any series of FRED comes by its name there; the first "
        "time say what it is.",
    )
    parser.add_argument(
        "ids", metavar="ID", nargs="*", help="series, files or markets (default: all markets)"
    )
    parser.add_argument("--force", action="store_true", help="download what is fresh as well")
    _describing(parser)
    options = parser.parse(arguments)
    from backtest.market.fetch import fetch, to_fetch
    from backtest.market.sources import bringing

    said = {name: getattr(options, name) for name in ("kind", "unit", "frequency", "known_at", "title")}
    if any(said.values()):
        return _fetch_described(options, said)
    entries = to_fetch(options.ids)
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("fetching", total=len({(e.source, e.download) for e in entries}))
        outcomes = fetch(
            entries,
            force=options.force,
            progress=lambda file, number, _: bar.update(task, description=file, completed=number),
        )
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    if options.json:
        say_json(outcomes)
    else:
        for outcome in outcomes:
            say(_tell(outcome))
    if failed:
        # Why each of them failed stands above, in its own line.
        names = ", ".join(outcome.id for outcome in failed[:_NAMED])
        more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        rest = ", the others are stored" if len(outcomes) > len(failed) else ""
        ids = {outcome.id for outcome in failed}
        to_bring = all(bringing(each) for each in entries if each.id in ids)
        what = "bring a file of each" if to_bring else "fetch again later"
        raise RotationError(
            f"{len(failed)} of {len(outcomes)} series failed ({names}{more}){rest}; what is stored stays "
            f"usable, and the embedded market needs no network; {what}"
        )
    return 0


def _fetch_described(options: argparse.Namespace, said: dict[str, Any]) -> int:
    """Fetch a series of FRED of which the catalogue says nothing."""
    from backtest.market.importing import Description, from_fred

    if len(options.ids) != 1:
        raise UsageError(
            "--kind, --unit, --frequency, --known-at and --title describe one series; name one ID"
        )
    outcome = from_fred(Description(options.ids[0], **said))
    say_json([outcome]) if options.json else say(_tell(outcome))
    return 0


def _show(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(prog, "A series: what it is, and its last values with the days they became known.")
    parser.add_argument("id", metavar="ID")
    parser.add_number(
        "--tail", 0, 10**9, whole=True, metavar="N", default=10, help="how many rows (default: 10; 0: all)"
    )
    parser.add_argument("--vintage", metavar="V", help="an older vintage, by the first letters of its name")
    options = parser.parse(arguments)
    from backtest.market.showing import DescribedSeries, show_series

    shown = show_series(options.id, options.tail, options.vintage)
    if options.json:
        say_json(shown)
        return 0
    for name in DescribedSeries.__struct_fields__:
        if value := getattr(shown, name):
            say(f"{name:10} {'; '.join(value) if isinstance(value, list) else value}")
    for vintage in shown.vintages:
        say(f"{'vintage':10} {vintage['vintage']}, seen {vintage['downloaded'][:10]}, to {vintage['last']}")
    cells = [[f"{c:g}" if isinstance(c, float) else c or "" for c in row.values()] for row in shown.rows]
    heads = list(shown.rows[0])
    say(in_columns([heads, *cells], left=2))
    return 0


def _import(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(
        prog,
        "Bring a CSV or Parquet file of your own, a column of dates and one of numbers; or the workbook of a "
        "series of the catalogue that is not downloaded, of which --id says all.",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--id", required=True, metavar="ID", help="what to call the series")
    _describing(parser)
    parser.add_argument("--column", metavar="NAME", help="which column, where there are several")
    options = parser.parse(arguments)
    from pathlib import Path

    from backtest.market.importing import Description, import_file

    described = Description(**{one.name: getattr(options, one.name) for one in fields(Description)})
    outcome = import_file(Path(options.file).expanduser(), described)
    say_json(outcome) if options.json else say(_taken(outcome))
    return 0


def _taken(outcome: Outcome) -> str:
    """Return what was understood of a file that was brought."""
    from backtest.market.catalogue import entry
    from backtest.market.store import Store

    record, about = Store().current(outcome.id), entry(outcome.id)
    if record is None:
        return _tell(outcome)
    what = f"{about.frequency}, {about.unit}; known at: {about.rule}"
    return f"{_tell(outcome)}\n{record.rows:,} rows, {record.first} to {record.last}, {what}"


def _verify(prog: str, arguments: Sequence[str]) -> int:
    options = _parser(prog, "Every stored file against its checksum and its checks.").parse(arguments)
    from backtest.market.fetch import verify
    from backtest.market.store import Store

    found = verify()
    wrong = [each.wrong for each in found if each.wrong]
    if options.json:
        say_json(found)
    else:
        for said in wrong:
            say(said)
        series = len({each.id for each in found})
        whole = f"{len(found) - len(wrong)} of {len(found)} vintages of {series} series"
        say(f"{whole} in {Store().folder} are whole")
    if wrong:
        damaged = "1 stored vintage is" if len(wrong) == 1 else f"{len(wrong)} stored vintages are"
        raise RotationError(f"{damaged} damaged, the first: {wrong[0]}")
    return 0


_VERBS: dict[str, tuple[Verb, str]] = {
    "list": (_list, "every series and what is stored of it; what each market has for strategies"),
    "search": (_search, "series whose name, title or source has some words"),
    "fetch": (_fetch, "download what is stale"),
    "show": (_show, "a series' last values"),
    "import": (_import, "bring a file of your own"),
    "verify": (_verify, "check every stored file"),
}


def data(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any
    """Carry out one verb; return the exit status."""
    about = "The series that markets are made of, and the store they are kept in."
    return carried_out(prog, arguments, _VERBS, about, EPILOG)
