"""Every shipped strategy: how its script reads, that it runs wherever it can, and alike alone and in a sweep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backtest import Strategy, load_market, load_strategy, run
from backtest.decisions import filled
from backtest.errors import RotationError
from backtest.folders import shipped
from backtest.scripting.loading import strategy_names
from backtest.terms import Terms
from backtest.tuning.grid import Axis, Grid
from backtest.tuning.trials import Trials
from tests.strategies import parity
from tests.strategies import sentences as said

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backtest.market.data import MarketData

NEEDS_MORE = {"concentration": "concentration", "recovery": "unemployment", "volatility": "vix"}
"""What the embedded market lacks, by strategy."""


def a_few(strategy: Strategy, n: int = 12) -> dict[str, Any]:
    """Return rows of parameters near the defaults, within their ranges."""
    random = np.random.default_rng(1)
    rows: dict[str, Any] = {}
    for p in strategy.parameters:
        if p.choices:
            rows[p.name] = np.resize(np.array(p.choices), n)
        elif p.unit.whole:
            low, high = max(p.low, p.default * 0.7), min(p.high, p.default * 1.3 + 1)
            rows[p.name] = random.integers(int(np.ceil(low)), int(high) + 1, size=n)
        else:
            # Thresholds stay in order when all of them move together.
            rows[p.name] = np.clip(p.default * np.linspace(0.8, 1.2, n), p.low, p.high)
    return rows


@pytest.fixture(scope="module", params=["embedded", "french_monthly", "french_daily"])
def market(request: pytest.FixtureRequest, real_store: Path) -> Iterator[MarketData]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROTATION_DATA", str(real_store))
        if request.param != "embedded" and not real_store.is_dir():
            pytest.skip("the original files are not there")
        yield load_market(request.param)


@pytest.mark.parametrize("name", strategy_names())
def test_a_script_is_short_and_says_what_would_refute_it(name: str) -> None:
    text = (shipped("strategies") / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    strategy = load_strategy(name)
    assert strategy.name == name
    for part in ("\n\nFrom: ", "\nNeeds: ", "\nRefuted by: "):
        assert part in strategy.about
    assert strategy.thesis in " ".join(strategy.about.split())
    assert "\n" not in strategy.thesis


@pytest.mark.parametrize("name", strategy_names())
def test_every_strategy_runs_where_its_inputs_are(name: str, market: MarketData) -> None:
    if market.name == "embedded" and name in NEEDS_MORE:
        with pytest.raises(RotationError) as error:
            run(name, market)
        assert error.value.exit_status == 1
        assert str(error.value).startswith(
            f"the market 'embedded' has no {NEEDS_MORE[name]}, which the strategy needs; french_monthly"
        )
        return
    result = run(name, market)
    assert np.isfinite(result.metrics["cagr"])
    assert result.equity.index[-1] == result.returns.index[-1]
    # Every thesis but the baselines holds small for a while and something else for a while.
    if name not in ("buy_and_hold", "growth_to_value"):
        assert 0.0 < result.metrics["time_in_small"] < 1.0
        assert result.metrics["switches"] > 0 or name == "balanced"


@pytest.mark.parametrize("name", strategy_names())
def test_a_sweep_decides_what_each_set_alone_decides(name: str, market: MarketData) -> None:
    strategy = load_strategy(name)
    n = 12 if market.frequency == "monthly" else 4
    rows = a_few(strategy, n)
    missing = ("discount_rate", "funds_rate")
    if name == "easing":
        words = ["target"] if market.name == "embedded" else ["target", "bill_rate"]
        rows["measure"] = np.resize(np.array(words), n)
        assert set(missing) | set(words) <= set(strategy.parameters[0].choices)
    if name == "buy_and_hold":  # kept and peers are sleeves of a screen's market
        held = [word for word in strategy.parameters[0].choices if word in market.bars.sleeves]
        rows["sleeve"] = np.resize(np.array(held), n)
    grid = Grid(tuple(Axis(p, tuple(dict.fromkeys(rows[p.name].tolist()))) for p in strategy.parameters))
    numbers = np.unique(
        np.ravel_multi_index(
            [[a.values.index(v) for v in rows[a.name].tolist()] for a in grid.axes], grid.shape
        )
        if grid.axes
        else [0]
    )
    sleeves = market.bars.sleeves
    try:
        trials = Trials(strategy, market, grid, (), Terms(benchmark=market.benchmark)).completed()
        decided = trials.decide(numbers)
    except RotationError as error:
        assert "which the strategy needs" in str(error)  # noqa: PT017 - nothing else may be missing
        pytest.skip(f"{market.name} lacks what {name} needs")
    seen = []
    for group in decided.groups:
        for place, which in zip(group.places, group.of, strict=True):
            alone = strategy.ruling(market, grid.values(int(numbers[place]))).decision
            assert group.decision.first[which] == alone.first[0]
            np.testing.assert_array_equal(filled(group.decision, sleeves, which), filled(alone, sleeves))
            seen.append(int(place))
    assert sorted(seen) == list(range(len(numbers)))


def test_what_was_decided_before_is_decided_still_to_the_last_bit(market: MarketData) -> None:
    kept = json.loads(parity.FILE.read_text(encoding="utf-8"))
    for name in strategy_names():
        before, now = kept[f"{name} on {market.name}"], parity.answers(name, market)
        # What a market did not name was lacking then; now the store may have it.
        pairs = [(was, is_now) for was, is_now in zip(before, now, strict=True) if was != "lacking"]
        assert [was for was, _ in pairs] == [is_now for _, is_now in pairs], name
    assert sum(entry not in ("lacking", "refused") for each in kept.values() for entry in each) > 1500


def test_what_is_said_of_each_is_what_was_said(embedded: MarketData) -> None:
    before = json.loads(said.FILE.read_text(encoding="utf-8"))
    now = said.sentences(embedded)
    assert sorted(now) == sorted(before)
    for name, sentences in now.items():
        assert json.loads(json.dumps(sentences)) == before[name], name
