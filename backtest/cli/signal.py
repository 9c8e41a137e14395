"""The ``rotation signal`` command: what a strategy holds now, since when, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.arguments import named_with_parameters
from backtest.cli import options as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from backtest.arguments import Parser
    from backtest.records.standing import Standing
    from backtest.scripting.strategy import Strategy

EPILOG = """\
examples:
  rotation signal rate_cut                      on the embedded market, with the news up to today
  rotation signal credit --market french_monthly --json
  rotation signal easing --as-of 2019-08-15     as it was then
  rotation signal rate_cut trend ideas/         several, and all scripts of a folder
  rotation signal ideas/ --changed              for a scheduled job: a line each

exit status with --changed: 3 when any holds another than when it was last asked, else 0"""

CHANGED = 3
"""The exit status that tells a scheduled job to look."""


def _parser(prog: str, strategy: Strategy | None) -> Parser:
    about = "Say what to hold now, since when, and what would change it."
    parser = shared.strategy_parser(prog, strategy, about, EPILOG, several=True)
    shared.add_market(parser)
    parser.instead = {"--end": "--as-of", "--until": "--as-of", "--date": "--as-of"}
    parser.add_argument("--as-of", metavar="D", help="the last day whose news counts (default: today)")
    shared.add_terms(parser, "decide")
    parser.add_argument(
        "--changed",
        action="store_true",
        help="say in a line each whether what is held is another than when --changed was last asked",
    )
    shared.add_parameters(parser, strategy)
    shared.add_json(parser)
    return parser


def _stands(
    prog: str, strategy: Strategy | None, arguments: Sequence[str]
) -> tuple[argparse.Namespace, list[tuple[Strategy, Standing]]]:
    """Return the options, and each strategy that is asked for with what it holds."""
    from backtest.market.load import load_market
    from backtest.records.standing import signal as ask
    from backtest.scripting.loading import load_strategy

    if strategy is None and shared.several(arguments):
        options = _parser(prog, None).parse(arguments)
        shared.refuse_set(options)
        calls = [named_with_parameters(name) for name in shared.scripts_of(options.strategy)]
        market = load_market(options.market)
        asked = [(load_strategy(name), parameters) for name, parameters in calls]
    else:
        prog, strategy, arguments = shared.named_strategy(prog, strategy, arguments, _parser)
        options = _parser(prog, strategy).parse(arguments)
        market, asked = load_market(options.market), [(strategy, shared.given(options))]
    return options, [
        (own, ask(own, market, as_of=options.as_of, **shared.terms(options), **parameters))
        for own, parameters in asked
    ]


def signal(prog: str, strategy: Strategy | None, arguments: Sequence[str]) -> int:
    """Be ``rotation signal``."""
    options, found = _stands(prog, strategy, arguments)
    if options.changed:
        return _told_changes(found, options)
    from backtest.reporting.terminal import show
    from backtest.reporting.views import view

    standings = [standing for _, standing in found]
    if options.json:
        shared.say_json(standings[0] if len(standings) == 1 else standings)
    else:
        show(block for standing in standings for block in view(standing).brief())
    return 0


def _told_changes(found: list[tuple[Strategy, Standing]], options: argparse.Namespace) -> int:
    """Say of each strategy whether it holds another than when that was last asked, and keep what it holds."""
    from backtest.records.standing import StandingSince, since_last_asked
    from backtest.wording import held

    told = [
        (standing, before, before not in (None, standing.hold))
        for (_, standing), before in zip(found, since_last_asked(found), strict=True)
    ]
    status = CHANGED if any(changed for _, _, changed in told) else 0
    if options.json:
        shared.say_json([StandingSince.of(*each) for each in told])
        return status
    for standing, before, changed in told:
        word = "first asked" if before is None else "unchanged"
        said = f"changed, was {held(before)}" if changed and before else word
        name = f"{standing.strategy} on {standing.market}"
        shared.say(f"{name}: {held(standing.hold)} since {standing.since}; {said}")
    return status
