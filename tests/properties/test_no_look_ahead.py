"""Nothing is known before it was published: the proof of the design, over every strategy and every market.

All that became known on or after day t is overwritten: values, dates, and the returns of bars dated t or
later. No weight filled at or before t may change, bit for bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backtest import Strategy, load_market, load_strategy
from backtest.errors import LookAheadError, RotationError
from backtest.lookahead import check, decided, other_future
from backtest.market.load import market_names
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.market.data import MarketData

TRIALS = {"monthly": 12, "daily": 4}

CHEATS = {
    "the whole sample's mean": "market.signal(market.as_of('credit_spread') > np.nanmean(market.as_of('credit_spread')))",
    "the values by their own dates": "market.signal(np.interp(days(market.fills.dates), "
    "days(market.observations['credit_spread'].dates), market.observations['credit_spread'].values) > 1.0)",
    "the return of the fill's own bar": "market.signal(market.returns['small'] > market.returns['large'])",
    "tomorrow's return": "market.signal(np.roll(market.returns['small'], -1) > np.roll(market.returns['large'], -1))",
    "events before their day": "market.signal(np.isin(market.fills.dates.astype('M8[M]'), "
    "market.policy.first_cuts(quiet=12, at_least=0.25).dates().astype('M8[M]') - 1))",
    "the day of the last observation": "market.signal(np.full(len(market.fills.dates), "
    "len(market.observations['credit_spread'].dates) % 2 == 0))",
}
"""Ways to look ahead, each of which must be caught."""

SCRIPT = '''"""A cheat."""
import numpy as np
from backtest import Market, rotate, strategy

def days(dates):
    return dates.astype("M8[D]").astype(float)

@strategy
def cheat(market: Market):
    return rotate({signal}, into="small", otherwise="large")
'''


def variants(strategy: Strategy) -> list[dict[str, Any]]:
    """Return the parameters to try: the defaults, and each word of each choice."""
    choices = [p for p in strategy.parameters if p.choices]
    return [{}] + [{p.name: word} for p in choices for word in p.choices if word != p.default]


@pytest.fixture(scope="module", params=market_names())
def market(request: pytest.FixtureRequest, real_store: Path) -> Iterator[MarketData]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROTATION_DATA", str(real_store))
        try:
            yield load_market(request.param)
        except RotationError as error:
            pytest.skip(str(error))


@pytest.mark.parametrize("name", strategy_names())
def test_no_shipped_strategy_looks_ahead(name: str, market: MarketData) -> None:
    strategy = load_strategy(name)
    tried = 0
    for given in variants(strategy):
        values = strategy.bind(given)
        try:
            decided(strategy, market, values)
        except LookAheadError:
            raise
        except RotationError as lacking:
            assert "which the strategy needs" in str(lacking)  # noqa: PT017 - it is the only one allowed here
            continue
        check(strategy, market, values, trials=TRIALS[market.frequency], seed=len(given))
        tried += 1
    if not tried:
        pytest.skip(f"{market.name} lacks what {name} needs")


@pytest.mark.parametrize("what", CHEATS)
def test_each_way_to_look_ahead_is_caught(what: str, tmp_path: Path, embedded: MarketData) -> None:
    script = tmp_path / "cheat.py"
    script.write_text(SCRIPT.format(signal=CHEATS[what]))
    with pytest.raises(LookAheadError, match="cheat looks ahead: what it holds from the fill of"):
        check(load_strategy(str(script)), embedded, {}, trials=30)


def test_an_honest_expression_of_ones_own_passes(tmp_path: Path, embedded: MarketData) -> None:
    script = tmp_path / "cheat.py"
    script.write_text(SCRIPT.format(signal="market.signal(market.as_of('credit_spread') > 1.0)"))
    check(load_strategy(str(script)), embedded, {}, trials=30)


def test_the_other_future_leaves_the_past_alone_and_changes_the_rest(embedded: MarketData) -> None:
    for seed, day in enumerate(np.array(["1983-06-15", "1999-12-31", "2016-12-14"], dtype="datetime64[D]")):
        other = other_future(embedded, day, seed)
        before = embedded.bars.dates < day
        np.testing.assert_array_equal(other.bars.returns[before], embedded.bars.returns[before])
        assert not (other.bars.returns[~before] == embedded.bars.returns[~before]).all(axis=1).any()
        for id, series in embedded.observations.items():
            known = series.known_at < day
            count = int(known.sum())
            np.testing.assert_array_equal(other.observations[id].values[:count], series.values[known])
            np.testing.assert_array_equal(other.observations[id].known_at[:count], series.known_at[known])
            assert (other.observations[id].known_at[count:] >= day).all()
