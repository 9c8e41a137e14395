"""What `rotation signal` and the reasons of trades say, kept as text: of every shipped strategy, and of one that has all.

python -m tests.strategies.sentences            says which sentences of this code are others
python -m tests.strategies.sentences --write    writes the file anew
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest import load_market, load_strategy, run
from backtest.errors import RotationError
from backtest.records.document import plain
from backtest.records.record import record_of
from backtest.records.sheet import reasons
from backtest.records.standing import signal as ask
from backtest.reporting.standing import standing_lines
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from backtest import MarketData, Strategy

FILE = Path(__file__).with_suffix(".json")

DAYS = ("1992-11-15", "2003-05-30", "2010-06-30", "2020-02-14")

WORDS = {
    "credit": {"measure": "level"},
    "easing": {"delay": 12},
    "rate_cut": {"delay": 6},
    "rate_cut_and_discount": {"when": "either"},
    "valuation_discount": {"measure": "level"},
}
"""Parameters that are asked about on the last day besides the defaults."""

EVERY = '''"""A rule with an operation of every kind."""

import numpy as np

from backtest import Market, Months, choose, param, rotate, strategy, vote, where


@strategy
def every(market: Market, rest: Months = param(2, low=0, high=12, help="rest")):
    spread, small = market.level("credit_spread"), market.index("small")
    fast = np.log(spread / spread.average(6)) - 0.1 * small.growth(3) / 100
    own = market.apply(lambda a, b: a[-1] - b[-1], spread, small.change(1), months=12)
    switched = where(market.months_of_year(1, 2, 3), spread.lowest(3), spread.highest(3)) - spread
    a = (fast > 0) | (own.zscore(history=24) >= 0.5) | (switched < 0) | (rest > 6)
    b = market.policy.first_cuts(quiet=12, at_least=0.25).within(0, 12) & ~(spread.percentile(24) > 80)
    c = market.policy.easing(at_least=0.25).at_least(3).paused(rest).at_most(24)
    c = c | (spread > 1.2).cooldown(rest)
    d = market.level("discount").in_percent().above(0, until=-5) & market.months_of_year(1, 2, 3)
    e = market.relative("small", "large", months=6).below(spread) | market.events(["1990-10-01"]).within(3, 6)
    return choose((vote(a, b, c, needed=2), "small"), (d, "value"), (e, "market"), otherwise="large")
'''


def standings(strategy: Strategy, market: MarketData) -> dict[str, Any]:
    """Return what is said of a strategy on each day: the text, and on the last day the document as well."""
    asked: list[tuple[str, dict[str, Any], str]] = [(day, {}, "every-fill") for day in DAYS]
    asked += [(DAYS[-1], {}, "quarter-end")]
    asked += [(DAYS[-1], WORDS[strategy.name], "every-fill")] if strategy.name in WORDS else []
    said: dict[str, Any] = {}
    for day, values, decide in asked:
        standing = ask(strategy, market, as_of=day, decide=decide, **values)
        text = [": ".join(pair) for pair in standing_lines(standing) if pair[0] not in ("proxy", "strategy")]
        said[" ".join([day, decide, *map(str, values.values())])] = text
    said["document"] = _rounded(plain(standing))
    return said


def _rounded(value: Any) -> Any:
    """Return a document whose figures have nine digits: the last ones are the machine's."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def trades(strategy: Strategy, market: MarketData) -> list[str]:
    """Return the reasons of up to six trades of a run, spread evenly."""
    result = run(strategy, market)
    said = reasons(result, record_of(result))
    return said[:: len(said) // 6 + 1]


def sentences(market: MarketData) -> dict[str, Any]:
    """Return all that is said, by strategy; of those that the market cannot run nothing."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "every.py"
        script.write_text(EVERY)
        made = {}
        for name in [*strategy_names(), str(script)]:
            strategy = load_strategy(name)
            try:
                made[strategy.name] = {
                    "signal": standings(strategy, market),
                    "trades": trades(strategy, market),
                }
            except RotationError as lacking:
                assert "which the strategy needs" in str(lacking)  # noqa: PT017 - nothing else may be missing
        return made


def main() -> None:
    """Compare with the file, or write it."""
    now = sentences(load_market("embedded"))
    if "--write" in sys.argv:
        FILE.write_text(json.dumps(now, indent=0) + "\n", encoding="utf-8")
        return
    before = json.loads(FILE.read_text(encoding="utf-8"))
    print([name for name in before if before[name] != now.get(name)])  # noqa: T201 - what was asked for


if __name__ == "__main__":
    main()
