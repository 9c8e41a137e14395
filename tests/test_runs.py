"""Runs of rate_cut on the embedded market, against an independent computation and by their terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest import MarketData, UsageError, compare, load_strategy, run
from backtest.cli import command
from backtest.errors import RotationError
from backtest.market.data import Bars
from backtest.measures import BY_KEY, Sums, values_of, years
from backtest.records.again import differences, said_of
from backtest.records.run_document import RunDocument
from tests.oracle import rate_cut_embedded

RATE_CUT = load_strategy("rate_cut")

if TYPE_CHECKING:
    from backtest.runs import Run


def assert_same(ours: dict[str, float], theirs: dict[str, float], where: str) -> None:
    assert set(theirs) == set(BY_KEY) <= set(ours)
    for key in BY_KEY:
        assert ours[key] == pytest.approx(theirs[key], rel=1e-9, abs=1e-9, nan_ok=True), f"{where}: {key}"


@settings(max_examples=250)
@given(
    delay=st.integers(0, 24),
    hold=st.integers(1, 60),
    quiet=st.integers(0, 60),
    min_cut=st.sampled_from([0.0, 0.0625, 0.1, 0.25, 0.3, 0.5, 0.75, 1.0]) | st.floats(0.0, 1.0),
    # Not between 0 and 1: a millionth of a basis point as the only difference between a portfolio and its
    # benchmark leaves a residual in the last digits of the returns, and its t-statistic to chance.
    cost_bps=st.sampled_from([0.0, 10.0]) | st.floats(1.0, 500.0),
    benchmark=st.sampled_from(["market", "large", "small", "cash"]),
    same_close=st.booleans(),
)
def test_every_measure_is_that_of_the_independent_computation(
    embedded: MarketData, cost_bps: float, benchmark: str, same_close: bool, **parameters: float
) -> None:
    terms = {"cost_bps": cost_bps, "benchmark": benchmark, "same_close": same_close}
    ours = run(RATE_CUT, embedded, **terms, **parameters)
    theirs = rate_cut_embedded.rate_cut(**terms, **parameters)
    assert (ours.start, ours.end, len(ours.returns)) == (theirs["start"], theirs["end"], theirs["bars"])
    np.testing.assert_allclose(ours.equity, theirs["equity"], rtol=1e-9)
    assert_same(ours.metrics, theirs["metrics"], "strategy")
    for name, metrics in theirs["benchmarks"].items():
        assert_same(ours.benchmarks[name], metrics, name)


@given(
    st.dates(dt.date(1926, 8, 1), dt.date(2018, 10, 1)),
    st.dates(dt.date(1984, 6, 1), dt.date(2018, 11, 30)),
)
@settings(max_examples=30)
def test_any_window_is_that_of_the_independent_computation(
    embedded: MarketData, start: dt.date, end: dt.date
) -> None:
    if (end - max(start, dt.date(1983, 9, 30))).days < 100:
        return
    ours = run(RATE_CUT, embedded, start=start, end=end)
    theirs = rate_cut_embedded.rate_cut(start=start, end=end)
    assert (ours.start, ours.end, len(ours.returns)) == (theirs["start"], theirs["end"], theirs["bars"])
    assert_same(ours.metrics, theirs["metrics"], "strategy")


def test_the_first_cuts_are_the_published_ones(embedded: MarketData) -> None:
    first_cuts = embedded.known().policy.first_cuts(quiet=12, at_least=0.25)
    assert first_cuts.dates().astype(str).tolist() == [
        "1984-09-20",
        "1987-11-04",
        "1989-06-06",
        "1995-07-06",
        "1998-09-29",
        "2001-01-03",
        "2007-09-18",
        "2019-07-31",
        "2024-09-18",
    ]


def test_the_window_of_a_cut_is_the_months_of_the_design(embedded: MarketData) -> None:
    result = run(RATE_CUT, embedded)
    small = result.weights["small"]
    after_2007 = small["2007-06":"2009-12"]
    held = after_2007[after_2007 == 1.0].index.to_period("M")
    assert (str(held[0]), str(held[-1]), len(held)) == ("2007-10", "2009-09", 24)


def test_a_result_is_consistent_with_itself(embedded: MarketData) -> None:
    result = run(RATE_CUT, embedded)
    assert result.start == "1983-09-30"
    assert result.end == "2018-11-30"
    assert len(result.returns) == 422 == len(result.weights)
    assert result.equity.iloc[0] == 1.0
    np.testing.assert_allclose(result.equity.pct_change().iloc[1:], result.returns, rtol=1e-12, atol=1e-15)
    assert (result.weights.sum(axis=1) - 1.0).abs().max() < 1e-12
    assert len(result.trades) == result.metrics["switches"] + 1
    assert result.trades["hold"].tolist()[:3] == ["large", "small", "large"]
    assert result.trades["turnover"].tolist() == [1.0] * len(result.trades)
    value = result.portfolio.value()
    np.testing.assert_allclose(value.iloc[1:], result.equity.iloc[1:], rtol=1e-9)
    assert result.portfolio.orders.count() == 2 * len(result.trades) - 1


@pytest.fixture(scope="module")
def made_daily(embedded: MarketData) -> MarketData:
    """Ten years of trading days of made returns, with the news of the embedded market."""
    days = np.arange("2001-01-01", "2011-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    days = days[np.random.default_rng(0).random(len(days)) > 0.035]  # exchanges keep holidays
    returns = np.random.default_rng(1).normal(0.0004, 0.012, (len(days), len(embedded.bars.sleeves)))
    return replace(
        embedded,
        name="made_daily",
        frequency="daily",
        bars=Bars(days, embedded.bars.sleeves, returns),
        factors={},
    )


def assert_the_ledger_says_the_same(result: Run) -> None:
    returns = result.returns.to_numpy()
    nothing = np.zeros(len(returns))
    bars = np.r_[np.datetime64(result.start), result.returns.index.to_numpy().astype("datetime64[D]")]
    n_years = years(bars, result.market.frequency)
    gross = values_of(Sums.of(returns, nothing, nothing, n_years), returns)
    ledger = result.portfolio
    assert ledger.annualized_return() == pytest.approx(result.metrics["cagr"], rel=1e-9)
    assert ledger.calmar_ratio() == pytest.approx(result.metrics["calmar"], rel=1e-9)
    assert ledger.max_drawdown() == pytest.approx(result.metrics["max_drawdown"], rel=1e-9)
    assert ledger.annualized_volatility() == pytest.approx(result.metrics["volatility"], rel=1e-4)
    assert ledger.sharpe_ratio() == pytest.approx(gross["sharpe"], rel=1e-4)
    assert ledger.sortino_ratio() == pytest.approx(gross["sortino"], rel=1e-4)
    assert ledger.stats()["Sharpe Ratio"] == ledger.sharpe_ratio()


def test_the_statistics_of_vectorbt_are_ours(embedded: MarketData, made_daily: MarketData) -> None:
    for market in (embedded, made_daily):
        for name in ("rate_cut", "buy_and_hold"):
            assert_the_ledger_says_the_same(run(name, market))


def test_the_statistics_of_vectorbt_are_ours_on_real_bars(
    real_store: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shared_data.is_dir()
    monkeypatch.setenv("ROTATION_DATA", str(real_store))
    for market in ("french_monthly", "french_daily"):
        assert_the_ledger_says_the_same(run("rate_cut", market))


def test_the_ledger_is_made_when_it_is_asked_for_and_by_every_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def wrong(*_: object) -> None:
        raise RotationError("the ledger disagrees with the engine")

    monkeypatch.setattr("backtest.runs.replay", wrong)
    result = run(RATE_CUT)
    with pytest.raises(RotationError, match="disagrees"):
        _ = result.portfolio
    monkeypatch.setattr("sys.argv", ["rotation", "run", "rate_cut", "--out", str(tmp_path / "report")])
    with pytest.raises(SystemExit) as ended:
        command.entry()
    assert ended.value.code == 1
    assert capfd.readouterr().err == "rotation: the ledger disagrees with the engine\n"


def test_costs_by_sleeve(embedded: MarketData) -> None:
    dear = run(RATE_CUT, embedded, cost_bps={"small": 50.0, "large": 0.0})
    # 1983-09-30: the first purchase is of large, free; the first switch, into small, pays one side.
    assert dear.trades["cost"].iloc[0] == 0.0
    assert dear.trades["cost"].iloc[1] == pytest.approx(1.0 - 1.0 / 1.005)
    assert dear.trades["cost"].iloc[2] == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"start": "1900-01-01"}, "the start 1900-01-01 lies outside the data, which run from 1926-07-30"),
        ({"start": "2030-01-01"}, "the start 2030-01-01 lies outside the data"),
        ({"end": "2026-01-01"}, "the end 2026-01-01 lies outside the data"),
        ({"start": "2001-01-01", "end": "2000-01-01"}, "the start 2001-01-01 must lie before the end 2000"),
        ({"start": "2000-01-03", "end": "2000-01-05"}, "there is no bar between 2000-01-03 and 2000-01-05"),
        ({"end": "1980-01-31"}, "rate_cut cannot run: its inputs are known from 1983-09-30 on"),
        ({"start": "2018-11-30"}, "the start 2018-11-30 must lie before the end 2018-11-30"),
        ({"cost_bps": "x"}, "cost_bps must be a number from 0 to 1000 basis points, not 'x'"),
        ({"cost_bps": {"small": None}}, "cost_bps must be a number from 0 to 1000 basis points, not 'None'"),
        ({"benchmark": ["large"]}, "there is no benchmark '['large']'"),
        ({"cost_bps": -1.0}, "cost_bps must lie in 0 to 1000 basis points, not -1"),
        ({"cost_bps": {"smal": 1.0}}, "a cost names the sleeve 'smal'; did you mean 'small'?"),
        ({"benchmark": "smal"}, "there is no benchmark 'smal'; did you mean 'small'?"),
        ({"hold": 61}, "hold must lie in 1 to 60 months, not 61"),
        ({"hodl": 6}, "rate_cut has no parameter 'hodl'; did you mean 'hold'?"),
    ],
)
def test_a_wrong_call_gets_a_sentence(embedded: MarketData, terms: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        run(RATE_CUT, embedded, **terms)  # type: ignore[arg-type]
    assert str(error.value).startswith(sentence)


def test_two_bars_are_enough(embedded: MarketData) -> None:
    result = run(RATE_CUT, embedded, start="2018-10-31")
    assert len(result.returns) == 1
    assert result.metrics["total_return"] == pytest.approx(
        (1.0 + embedded.bars.column("large")[-1]) / 1.001 - 1.0
    )
    assert np.isnan(result.metrics["volatility"])


def test_a_market_by_another_name_is_not_there() -> None:
    with pytest.raises(UsageError, match="there is no market 'embeded'; did you mean 'embedded'?"):
        run(RATE_CUT, "embeded")


def test_the_equity_is_indexed_by_the_bars(embedded: MarketData) -> None:
    result = run(RATE_CUT, embedded, start="1990-01-15", end="1991-12-15")
    assert isinstance(result.equity.index, pd.DatetimeIndex)
    assert (result.start, result.end) == ("1990-01-31", "1991-11-29")


def test_the_time_in_every_sleeve_is_its_mean_weight(embedded: MarketData) -> None:
    result = run("trend", embedded)
    found = {key: value for key, value in result.metrics.items() if key.startswith("time_in_")}
    means = result.weights.mean()
    assert found == pytest.approx({f"time_in_{name}": means[name] for name in ("small", "large", "cash")})
    assert sum(found.values()) == pytest.approx(1.0)
    for name, metrics in result.benchmarks.items():
        own = {key: value for key, value in metrics.items() if key.startswith("time_in_")}
        assert own == {key: float(key == f"time_in_{name}") for key in found}
    # Side by side, one that never held cash held it none of the time.
    frame = compare("rate_cut", result, market=embedded).to_frame()
    assert list(frame.index[-3:]) == ["time_in_small", "time_in_large", "time_in_cash"]
    assert frame.loc["time_in_cash", "rate_cut"] == 0.0 < frame.loc["time_in_cash", "trend"]
    assert frame.iloc[-3:].sum().tolist() == pytest.approx([1.0, 1.0])


def test_a_report_from_before_there_was_a_time_in_every_sleeve_has_the_same_numbers(
    embedded: MarketData,
) -> None:
    now = RunDocument.of(run("trend", embedded))
    early = msgspec.structs.replace(now, metrics={key: now.metrics[key] for key in BY_KEY})
    assert differences(early, now).metrics == {}
    other = msgspec.structs.replace(now, metrics={**now.metrics, "time_in_cash": 0.5})
    differ = differences(other, now)
    assert differ.metrics == {"time_in_cash": (0.5, now.metrics["time_in_cash"])}
    assert f"time in cash 50.00%, now {now.metrics['time_in_cash']:.2%}" in said_of(differ)
