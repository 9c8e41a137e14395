"""Real money and composed sleeves: against loops of a few lines, and in every engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from arch.data import core_cpi

from backtest import Market, MarketData, RotationError, UsageError, mix, rotate, run, strategy, tune
from backtest.composed import composition
from backtest.engine.path import simulate as path
from backtest.engine.reference import simulate as reference
from backtest.market.data import Bars
from backtest.market.load import with_sleeves
from backtest.placement import simulated
from backtest.reporting.sentences import opening, terms
from backtest.terms import Terms

MIX, SPREAD = "60% large, 40% small", "small - large"


@strategy
def size_bet(market: Market):
    """The size bet alone, while the central bank eases."""
    return rotate(market.policy.easing(at_least=0.25), into=SPREAD, otherwise="cash")


@strategy
def half(market: Market):
    """Half in a spread, half in the market."""
    return mix(market, {SPREAD: 0.5, "market": 0.4}, every_months=6)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (MIX, {"large": 0.6, "small": 0.4}),
        ("60%large,40%small", {"large": 0.6, "small": 0.4}),
        ("50% small + 25% large", {"small": 0.5, "large": 0.25, "cash": 0.25}),
        (SPREAD, {"small": 1.0, "large": -1.0, "cash": 1.0}),
        ("130% small - 30% cash", {"small": 1.3, "cash": -0.3}),
        ("33.3% small, 33.3% large, 33.4% cash", {"small": 0.333, "large": 0.333, "cash": 0.334}),
        ("100% small", {"small": 1.0}),
    ],
)
def test_a_name_says_what_a_sleeve_is_composed_of(name: str, parts: dict[str, float]) -> None:
    assert composition(name, ("small", "large", "cash")) == pytest.approx(parts, rel=1e-12)


@pytest.mark.parametrize(
    "name", ["small", "", "60%", "60 large", "smal - large", "60% large; 40% small", "-", "DGS2"]
)
def test_what_is_written_otherwise_is_no_composition(name: str) -> None:
    assert composition(name, ("small", "large", "cash")) == {}


def test_a_composed_sleeve_is_brought_back_to_its_parts_at_every_bar(embedded: MarketData) -> None:
    result = run("rate_cut", embedded, benchmark=MIX)
    bars = embedded.bars
    first = int(np.searchsorted(bars.dates, np.datetime64(result.start)))
    slow = [
        0.6 * bars.column("large")[bar] + 0.4 * bars.column("small")[bar]
        for bar in range(first + 1, len(bars.dates))
    ]
    np.testing.assert_allclose(result.benchmark_returns[MIX], slow, rtol=1e-13)
    assert result.metrics["alpha"] != run("rate_cut", embedded).metrics["alpha"]
    assert result.weights[MIX].eq(0.0).all()


@pytest.mark.parametrize("mine", [size_bet, half], ids=lambda s: s.name)
@pytest.mark.parametrize("real", [False, True])
def test_a_spread_is_the_same_in_every_engine(embedded: MarketData, mine, real: bool) -> None:
    result = run(mine, embedded, cost_bps={"small": 25.0, "large": 5.0}, real=real)
    first = int(np.searchsorted(embedded.bars.dates, np.datetime64(result.start)))
    last = len(embedded.bars.dates) - 1
    costs = result.terms.costs(result.market.bars.sleeves)
    assert costs[result.market.bars.sleeves.index(SPREAD)] == pytest.approx(0.003)
    paths = [
        simulated(result.ruling.decision, result.market, (first, last), costs, Terms(), engine)
        for engine in (reference, path)
    ]
    np.testing.assert_allclose(paths[1].equity, paths[0].equity, rtol=1e-10)
    assert result.portfolio is not None  # it agrees at every bar, or cannot be had
    assert "LEVERAGE: 2.0" in dict(terms(result))["composed"]


def test_a_sweep_in_real_money_against_a_mix_measures_what_its_runs_do(
    embedded: MarketData, tmp_path
) -> None:
    sweep = tune(
        "rate_cut",
        embedded,
        grid={"hold": "12:36:12"},
        benchmark=MIX,
        real=True,
        placebo=0,
        out=tmp_path / "sweep",
    )
    alone = run("rate_cut", embedded, benchmark=MIX, real=True, **sweep.best.result.parameters)
    assert sweep.best.result.metrics == pytest.approx(alone.metrics, rel=1e-10, nan_ok=True)
    table = sweep.to_frame()
    row = table[table["hold"] == sweep.best.result.parameters["hold"]].iloc[0]
    for key in ("cagr", "sharpe", "alpha", "max_drawdown"):
        assert row[key] == pytest.approx(alone.metrics[key], rel=1e-10), key


def test_real_money_is_what_was_paid_over_the_prices_known_by_then(embedded: MarketData) -> None:
    paid, real = run("rate_cut", embedded), run("rate_cut", embedded, real=True)
    prices = core_cpi.load()["CPILFESL"]
    months = paid.equity.index.to_period("M")
    # What is known at a month's end is the month before; seven of these 423 came later than that.
    level = prices.set_axis(prices.index.to_period("M")).reindex(months - 1).to_numpy()
    slow = paid.equity.to_numpy() * level[0] / level
    off = np.abs(real.equity.to_numpy() / slow - 1.0) > 1e-12
    assert off.sum() <= 7
    assert real.equity.iloc[-1] == pytest.approx(slow[-1], rel=1e-12)
    pd.testing.assert_frame_equal(real.weights, paid.weights, rtol=1e-12)
    pd.testing.assert_series_equal(real.trades["cost"], paid.trades["cost"], rtol=1e-9)
    assert (real.start, real.end) == (paid.start, paid.end)
    assert real.metrics["max_drawdown"] < paid.metrics["max_drawdown"]
    factors = real.market.factors["SMB"][-1] / paid.market.factors["SMB"][-1]
    assert factors == pytest.approx(level[-2] / level[-1], rel=1e-12)
    assert real.portfolio is not None  # it agrees at every bar, or cannot be had


def test_real_money_says_so_first_and_signals_see_what_was_paid(embedded: MarketData) -> None:
    real = run("trend", embedded, real=True)
    assert list(real.trades["hold"]) == list(run("trend", embedded, start=real.start).trades["hold"])
    assert f"in money of {real.end}" in opening(real)
    said = dict(terms(real))
    assert "CORE_CPI" in said["money"]
    assert said["window"].endswith("it starts when cash begins")  # core prices are there from 1957 on
    assert real.start == "1957-02-28"


def test_prices_that_end_too_early_are_not_used(embedded: MarketData, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path))
    later = replace(embedded.bars, dates=embedded.bars.dates + np.timedelta64(90, "D"))
    with pytest.raises(RotationError, match="get them with: rotation data fetch CPIAUCNS"):
        run("buy_and_hold", replace(embedded, bars=later), real=True)


def test_a_sleeve_that_begins_late_moves_the_start_and_says_so(embedded: MarketData) -> None:
    bars = embedded.bars
    late = bars.returns.copy()
    late[: np.searchsorted(bars.dates, np.datetime64("1990-01-01")), bars.sleeves.index("cash")] = np.nan
    result = run("rate_cut", replace(embedded, bars=Bars(bars.dates, bars.sleeves, late)))
    assert result.start == "1989-12-29"
    assert dict(terms(result))["window"].endswith("it starts when cash begins")
    same = run("rate_cut", embedded, start=result.start)
    assert result.metrics == same.metrics


def test_a_series_is_a_benchmark_and_what_is_none_is_refused(embedded: MarketData) -> None:
    result = run("rate_cut", embedded, benchmark="RF")
    np.testing.assert_array_equal(result.benchmark_returns["RF"], result.market.bars.column("cash")[-422:])
    with pytest.raises(UsageError, match="CORE_CPI counts index, which is no return"):
        run("rate_cut", embedded, benchmark="CORE_CPI")
    with pytest.raises(UsageError, match="there is no benchmark '60% large, 40% smal'"):
        run("rate_cut", embedded, benchmark="60% large, 40% smal")


def test_a_benchmark_without_dividends_is_not_held_against_returns_with_them(
    embedded: MarketData, tmp_path, monkeypatch
) -> None:
    from backtest.market.importing import Description, import_file

    monkeypatch.setenv("ROTATION_DATA", str(tmp_path))
    rows = "\n".join(f"{day},{100 + n}" for n, day in enumerate(embedded.bars.dates))
    file = tmp_path / "mine.csv"
    file.write_text("date,MINE\n" + rows + "\n")
    import_file(file, Description("MINE", "price", "level"))
    with pytest.raises(UsageError, match="MINE lacks dividends"):
        run("rate_cut", embedded, benchmark="MINE")
    import_file(file, Description("MINE_TR", "total-return", "level"))
    result = run("rate_cut", embedded, benchmark="MINE_TR")
    place = np.searchsorted(embedded.bars.dates, np.datetime64(result.start)) + 1
    assert result.benchmark_returns["MINE_TR"].iloc[0] == pytest.approx((100 + place) / (99 + place) - 1.0)
    assert result.market.sources["MINE_TR"].sha256


def test_names_twice_are_one_sleeve(embedded: MarketData) -> None:
    market = with_sleeves(embedded, [MIX, MIX, "small"])
    assert market.bars.sleeves == (*embedded.bars.sleeves, MIX)
    assert with_sleeves(market, [MIX]) is market
    assert Terms(cost_bps=10.0).costs(market.bars.sleeves)[-1] == pytest.approx(0.001)


def test_what_adds_up_to_more_than_the_whole_is_said_first(embedded: MarketData) -> None:
    from backtest.reporting.page import first
    from backtest.reporting.terminal import words_of

    said = [
        words_of(text.said) for text in first(run("rate_cut", embedded, benchmark="60% large, 60% small"))
    ]
    assert said == ["'60% large, 60% small' adds up to 120%: 20% of its value is borrowed."]
    for benchmark in ("60% large, 40% small", "60% large", "small - large", "market"):
        assert not first(run("rate_cut", embedded, benchmark=benchmark))
