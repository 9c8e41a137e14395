"""The ``rotation study`` command: event studies, and the claims of the great rotation held against data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backtest.arguments import Parser
from backtest.cli import options as shared
from backtest.errors import UsageError, nearest
from backtest.files import content_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from backtest.dates import Days
    from backtest.market.data import MarketData, Sourced
    from backtest.scripting.strategy import Strategy
    from backtest.studies.register import Claims, Study

EPILOG = """\
studies:
  list        the claims by name
  claims      all of them on one page
  NAME        one of them, such as first-cut
  events      days of your own, or the days on which a strategy goes into small caps
  margin      with --gain-bps: what a gain of margin does to earnings

of a panel, many markets asked the same: first-cut, before-first-cut, first-rise, last-move, claims

examples:
  rotation study first-cut --market french_monthly
  rotation study last-move --panel countries
  rotation study claims --market french_monthly --json
  rotation study events --dates 1984-09,1987-10,1989-06
  rotation study events --strategy rate_cut --set min_cut=0.5
  rotation study margin --gain-bps 200 --margin 0.06
  rotation study capacity --impact 0.5 --orders 4"""


def _parser(prog: str, about: str, *, page: bool = True) -> Parser:
    parser = Parser(prog=prog, description=about)
    if page:
        shared.add_market(parser)
        parser.add_argument("--out", metavar="DIR", help="folder for the page (default: in reports/)")
    shared.add_json(parser)
    return parser


def _market(options: argparse.Namespace) -> MarketData:
    from backtest.market.load import load_market

    shared.require_place(options.out)
    return load_market(options.market)


def _data(options: argparse.Namespace, arguments: Sequence[str]) -> Sourced:
    """Return the panel where one is named, the market otherwise; UsageError where both are."""
    if options.panel is None:
        return _market(options)
    shared.refuse_market(arguments)
    from backtest.panels.definition import load_panel

    shared.require_place(options.out)
    return load_panel(options.panel)


def _report(study: Study | Claims, options: argparse.Namespace) -> int:
    """Write a study's page and print it."""
    from backtest.reporting.views import view

    return shared.tell(view(study), options)


def _list(prog: str, arguments: Sequence[str]) -> int:
    options = _parser(prog, "The claims by name.", page=False).parse(arguments)
    from backtest.reporting.blocks import Definitions
    from backtest.reporting.terminal import show
    from backtest.studies.register import CLAIMS

    if options.json:
        from backtest.studies.document import ClaimDocument

        shared.say_json([ClaimDocument(c.id, c.statement, c.origin, c.rule.text) for c in CLAIMS])
    else:
        show([Definitions(tuple((claim.id, claim.statement) for claim in CLAIMS), brief=True)])
    return 0


def _claims(prog: str, arguments: Sequence[str]) -> int:
    about = "All claims held against one market, or all about many against a panel, on one page."
    parser = _parser(prog, about)
    shared.add_panel(parser)
    options = parser.parse(arguments)
    from backtest.panels.claims import PANEL_CLAIMS
    from backtest.studies.register import CLAIMS, Claims, hold_against

    held = _data(options, arguments)
    asked = CLAIMS if options.panel is None else PANEL_CLAIMS
    return _report(Claims(hold_against(each, held) for each in asked), options)


def parse_days(text: str) -> Days:
    """Return the days of ``1984-09-20,1987-10`` or of a file with one a line; a month is its first day.

    Raises
    ------
    UsageError
        When there is none, or one is not a date.
    """
    from backtest.dates import parse_day, to_days

    try:
        is_file = Path(text).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):  # a long list is no possible name of a file
        is_file = False
    try:
        listed = content_of(Path(text).expanduser()).decode() if is_file else text
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{text} cannot be read as a list of dates") from None
    lines = [line.partition("#")[0] for line in listed.replace(",", "\n").splitlines()]
    words = [line.strip() for line in lines if line.strip()]
    if not words:
        raise UsageError("--dates takes days such as 1984-09-20,1987-10-19, or a file with one on each line")
    if not is_file and not any(letter.isdigit() for letter in listed):
        raise UsageError(f"there is no file {text}, and it is no list of days such as 1984-09-20,1987-10-19")
    return to_days(sorted(parse_day(word + "-01" if len(word) == 7 else word, "the day") for word in words))


def _events(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(prog, "What small and large caps earned around days of your own.")
    parser.add_argument("--dates", metavar="LIST", help="days or months with commas, or a file of them")
    parser.add_argument("--strategy", metavar="S", help="the days on which this strategy goes into small")
    shared.add_parameters(parser, None)
    options = parser.parse(arguments)
    if (options.dates is None) == (options.strategy is None):
        raise UsageError(f"give either --dates or --strategy; see {prog} --help")
    if options.set and options.strategy is None:
        raise UsageError("--set sets a parameter of a strategy; name it with --strategy")
    market = _market(options)
    from backtest.studies.register import first_days, study_days

    if options.dates is not None:
        return _report(study_days(parse_days(options.dates), market, "the given days"), options)
    days = first_days(options.strategy, market, shared.given(options))
    return _report(study_days(days, market, f"the days on which {options.strategy} buys small"), options)


def _margin(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(prog, "What a gain of net margin does to earnings; without options, the claim about it.")
    parser.add_number("--gain-bps", -10_000.0, 10_000.0, help="the gain of net margin, basis points")
    parser.add_number("--margin", 1e-4, 1.0, metavar="M", action="append", help="the margin before, 0.06")
    parser.add_number("--change", -1.0, 1e6, metavar="C", help="the change of earnings instead, 0.33")
    options = parser.parse(arguments)
    if options.gain_bps is None and options.margin is None and options.change is None:
        return _study("margin", options)
    if options.gain_bps is None or (options.margin is None) == (options.change is None):
        raise UsageError("give --gain-bps with either --margin or --change")
    from backtest.analysis.margins import earnings_change, implied_margin

    gain = options.gain_bps / 1e4
    if options.change is not None:
        pairs = [(implied_margin(gain, options.change), options.change)]
    else:
        pairs = [(margin, earnings_change(margin, gain)) for margin in options.margin]
    if options.json:
        from backtest.studies.document import Gain, GainDocument

        rows = [Gain(margin, margin + gain, change) for margin, change in pairs]
        shared.say_json(GainDocument("margin", options.gain_bps, rows))
        return 0
    for margin, change in pairs:
        shared.say(f"{options.gain_bps:g} basis points on a margin of {margin:.1%}: earnings {change:+.1%}")
    return 0


def _capacity(prog: str, arguments: Sequence[str]) -> int:
    parser = _parser(prog, "What price impact leaves of the return as the sum grows.")
    parser.add_number("--impact", 1e-6, 10.0, metavar="Y", help="factor of the square-root law (default: 1)")
    parser.add_number("--orders", 0.01, 252.0, metavar="N", help="orders a year (default: 1)")
    parser.add_number("--traded", 1e-6, 1.0, metavar="F", help="part of the sum an order moves (default: 1)")
    options = parser.parse(arguments)
    from dataclasses import replace

    from backtest.studies.register import study_capacity
    from backtest.studies.size_claims import Assumptions

    assumed = Assumptions()
    if options.impact is not None:
        assumed = replace(
            assumed,
            small=replace(assumed.small, impact=options.impact),
            large=replace(assumed.large, impact=options.impact),
        )
    given = {n: getattr(options, n) for n in ("orders", "traded") if getattr(options, n) is not None}
    return _report(study_capacity(_market(options), replace(assumed, **given)), options)


def _study(name: str, options: argparse.Namespace) -> int:
    from backtest.studies.register import claim, hold_against

    return _report(hold_against(claim(name), _market(options)), options)


_OWN = {"list": _list, "claims": _claims, "events": _events, "margin": _margin, "capacity": _capacity}


def study(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:  # noqa: ARG001 - any
    """Carry out one study; return the exit status."""
    if not arguments or arguments[0].startswith("-"):
        about = "What the data say about the claims of the great rotation, and about days of your own."
        parser = Parser(prog=prog, usage=f"{prog} STUDY ...", description=about, epilog=EPILOG)
        if arguments:
            parser.parse(arguments)
        parser.print_help()
        return 2
    name, rest = arguments[0], arguments[1:]
    if name in _OWN:
        return _OWN[name](f"{prog} {name}", rest)
    from backtest.panels.claims import PANEL_CLAIMS, panel_claim
    from backtest.studies.register import CLAIMS, hold_against

    of_panel = {claim.id: claim for claim in PANEL_CLAIMS}
    by_id = of_panel | {claim.id: claim for claim in CLAIMS}
    if name not in by_id:
        raise UsageError(f"there is no study '{name}'; {nearest(name, [*by_id, *_OWN])}")
    parser = _parser(f"{prog} {name}", by_id[name].statement)
    shared.add_panel(parser)
    options = parser.parse(rest)
    if options.panel is not None:
        return _report(hold_against(panel_claim(name), _data(options, rest)), options)
    if by_id[name] is of_panel.get(name):
        raise UsageError(f"'{name}' is asked of many markets together; name them with --panel countries")
    return _study(name, options)
