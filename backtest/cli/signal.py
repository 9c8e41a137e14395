"""The ``rotation signal`` command: what a strategy holds now, since when, and what would change it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backtest.arguments import Parser
from backtest.cli.options import add_json, add_market, add_parameters, add_terms, given, named_strategy, terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.scripting.strategy import Strategy
    from backtest.standing import Standing

EPILOG = """\
examples:
  rotation signal rate_cut                      on the embedded market, with the news up to today
  rotation signal credit --market french_monthly --json
  rotation signal easing --as-of 2019-08-15     as it was then"""


def _parser(prog: str, strategy: Strategy | None) -> Parser:
    about = strategy.about if strategy else "Say what to hold now, since when, and what would change it."
    parser = Parser(prog=prog, description=about, epilog=None if strategy else EPILOG)
    if strategy is None:
        parser.add_argument("strategy", metavar="STRATEGY", help="a name, or the path of a script")
    add_market(parser)
    parser.add_argument("--as-of", metavar="D", help="the last day whose news counts (default: today)")
    add_terms(parser, "decide")
    add_parameters(parser, strategy)
    add_json(parser)
    return parser


def _held(weights: dict[str, float]) -> str:
    return ", ".join(name if weight == 1.0 else f"{name} {weight:.0%}" for name, weight in weights.items())


def document(standing: Standing) -> dict[str, Any]:
    """Return what ``signal --json`` prints."""
    change = standing.next_change
    return {
        "strategy": standing.strategy.name,
        "parameters": standing.parameters,
        "market": standing.market.name,
        "proxy": standing.market.proxy or None,
        "as_of": str(standing.as_of),
        "decide": standing.decide,
        "fill": str(standing.fill),
        "hold": standing.hold,
        "since": str(standing.since),
        "because": [
            {
                "fact": fact.fact,
                "value": fact.value,
                "unit": fact.unit,
                "known_at": str(fact.known_at),
                "series": list(fact.series),
            }
            for fact in standing.because
        ],
        "flips_if": standing.flips_if,
        "without_news": None if change is None else {"date": str(change), "hold": standing.next_hold},
        "checked_up_to": None if standing.checked is None else str(standing.checked),
        "next_news": [{"series": r.series, "date": str(r.due)} for r in standing.releases],
        "out_of_date": standing.stale,
    }


def lines(standing: Standing) -> list[tuple[str, str]]:
    """Return the same for people: pairs of a heading and a sentence; what is out of date comes first."""
    coming = "from the fill of" if standing.since > standing.as_of else "since"
    said = [("out of date", sentence) for sentence in standing.stale]
    said += [
        ("strategy", f"{standing.strategy.name} on {standing.market.name}, as of {standing.as_of}"),
        ("hold", f"{_held(standing.hold)}, {coming} {standing.since} (next fill {standing.fill})"),
    ]
    said += [("because", f"{f.text(': ')} (known on {f.known_at})") for f in standing.because]
    said += [("flips if", sentence) for sentence in standing.flips_if]
    if standing.next_change is not None:
        said.append(
            ("without news", f"{_held(standing.next_hold)} from the fill of {standing.next_change} on")
        )
    if standing.checked is not None:
        said.append(("checked", f"every input up to {standing.checked}"))
    said += [("next news", f"{release.series} on {release.due}") for release in standing.releases[:1]]
    if standing.market.proxy:
        said.append(("proxy", standing.market.proxy))
    return said


def signal(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation signal``."""
    prog, strategy, arguments = named_strategy(prog, strategy, arguments, _parser)
    options = _parser(prog, strategy).parse(arguments)
    from backtest.standing import stand

    standing = stand(strategy, options.market, as_of=options.as_of, **terms(options), **given(options))
    if options.json:
        print(json.dumps(document(standing), indent=2, allow_nan=False))  # noqa: T201 - what was asked for
        return 0
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table.grid(padding=(0, 2))
    before = ""
    for heading, sentence in lines(standing):
        shown.add_row(Text(heading if heading != before else "", style="dim"), Text(sentence))
        before = heading
    Console(highlight=False).print(shown)
    return 0
