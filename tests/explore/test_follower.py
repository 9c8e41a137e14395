"""A follower gives at every position what a run of its own gives, to the last bit, whatever it did before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest import MarketData, load_strategy
from backtest.engine import path
from backtest.errors import RotationError
from backtest.explore.follower import Engine, Follower
from backtest.runs import follow
from backtest.scripting.loading import strategy_names
from backtest.terms import Terms, read_terms

ELSEWHERE = {"concentration", "recovery", "volatility"}
"""What they need this market has not, as every step has then said."""

LATER = ("alpha_tstat", "alpha_pvalue")


def somewhere(random: np.random.Generator, name: str) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for p in load_strategy(name).parameters:
        if p.choices:
            found[p.name] = str(random.choice(p.choices))
        elif random.random() < 0.5:
            found[p.name] = p.default
        else:
            low, high = max(p.low, -100.0), min(p.high, 100.0)
            value = random.uniform(low, high)
            found[p.name] = round(value) if p.unit.whole else float(np.round(value, 2))
    return found


@pytest.mark.parametrize("name", strategy_names())
def test_a_walk_over_positions_gives_what_each_run_gives(name: str, embedded: MarketData) -> None:
    strategy, random = load_strategy(name), np.random.default_rng(11)
    follower = Follower(strategy, embedded, Engine())
    follower._engine._simulate = path.simulate
    met = 0
    for step in range(8):
        terms = read_terms({"cost_bps": float(random.integers(0, 50)), "real": bool(step % 4 == 3)})
        try:
            values = strategy.bind(somewhere(random, name))
            expected = follow(strategy, embedded, terms, values)
        except RotationError as error:
            with pytest.raises(type(error)):
                follower.glimpse(terms, values)
            continue
        glimpse = follower.glimpse(terms, values)
        assert np.array_equal(glimpse.path.returns, expected.path.returns)
        assert np.array_equal(glimpse.path.weights, expected.path.weights)
        now = {key: value for key, value in glimpse.metrics.items() if key not in LATER}
        assert now == pytest.approx({k: expected.metrics[k] for k in now}, rel=1e-12, nan_ok=True)
        assert follower.run(terms, values).metrics == pytest.approx(expected.metrics, rel=1e-12, nan_ok=True)
        met += 1
    assert met >= 2 or name in ELSEWHERE


@settings(max_examples=15)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=5))
def test_going_back_gives_what_was_there(holds: list[int]) -> None:
    from backtest import load_market

    strategy, market = load_strategy("rate_cut"), load_market("embedded")
    follower = Follower(strategy, market, Engine())
    first = follower.glimpse(Terms(), strategy.bind({"hold": holds[0]}))
    for hold in holds[1:]:
        follower.glimpse(Terms(), strategy.bind({"hold": hold}))
    again = follower.glimpse(Terms(), strategy.bind({"hold": holds[0]}))
    assert np.array_equal(first.path.equity, again.path.equity)


def test_what_a_move_does_not_touch_is_not_worked_out_again(embedded: MarketData) -> None:
    strategy = load_strategy("valuation_discount")
    follower, values = Follower(strategy, embedded, Engine()), strategy.bind({})
    follower.glimpse(Terms(), values)
    kept = dict(follower.ruling(Terms(), values)._evaluation._kept)
    moved = follower.ruling(Terms(), {**values, "wide": 90.0})._evaluation._kept
    same = [node for at, (node, _) in kept.items() if "wide" not in node.parameters and at in moved]
    assert len(same) >= 2
    assert all("wide" not in node.parameters for node, _ in moved.values())


def test_both_engines_draw_the_same(embedded: MarketData) -> None:
    strategy = load_strategy("rate_cut")
    follower, values = Follower(strategy, embedded, Engine()), strategy.bind({})
    before = follower.glimpse(Terms(), values)
    follower._engine._simulate = path.simulate
    after = follower.glimpse(Terms(), values)
    assert np.array_equal(before.path.equity, after.path.equity)
