"""What slower trading leaves of a run on daily bars: against pandas and statsmodels, on made markets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from backtest import Market, MarketData, rotate, run, strategy
from backtest.market.data import Bars


def _rose(past: np.ndarray) -> float:
    return past[-1] / past[-2] - 1.0 if len(past) > 1 else float("nan")


@strategy
def after_a_rise(market: Market):
    """Small caps the day after the day after large caps rose."""
    return rotate(market.index("large").apply(_rose, months=1) > 0, into="small", otherwise="cash")


@strategy
def by_credit(market: Market):
    """A rule that reads no price."""
    return rotate(market.level("credit_spread") > 1, into="small", otherwise="large")


def _daily(embedded: MarketData, lag: int, first: str = "1940-01-02") -> MarketData:
    """Return a daily market in which small does what large did ``lag`` bars before, beside noise."""
    random = np.random.default_rng(11)
    days = np.arange(first, "1952-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    large = random.normal(0.0003, 0.01, len(days))
    small = 0.8 * np.r_[np.zeros(lag), large[:-lag]] + random.normal(0.0, 0.004, len(days))
    returns = np.column_stack([small, large, large, np.full(len(days), 0.00005)])
    returns[0] = np.nan
    bars = Bars(days, ("small", "large", "market", "cash"), returns)
    return replace(embedded, frequency="daily", bars=bars, factors={})


def _alpha(result: object) -> float:
    """Return alpha a year of a run, by statsmodels on its tables."""
    own, against = result.returns, result.benchmark_returns["market"]
    free = pd.Series(result.bars.column("cash")[1:], own.index)
    line = sm.OLS(own - free, sm.add_constant(against - free)).fit()
    days = (result.bars.dates[-1] - result.bars.dates[0]).astype(int)
    return float(line.params.iloc[0]) * len(own) / (days / 365.2425)


def test_each_alpha_is_that_of_a_run_that_acts_so_and_the_correlation_is_pandas(embedded: MarketData) -> None:
    assert run(after_a_rise, _daily(embedded, lag=2)).haste is None, "two days later is not the day after"
    market = _daily(embedded, lag=1)
    result = run(after_a_rise, market, same_close=True)
    found = result.haste
    frame = pd.DataFrame(result.bars.returns[1:], result.bars.dates[1:], list(result.bars.sleeves))
    assert found.follows == pytest.approx(frame["small"].corr(frame["large"].shift(1)), rel=1e-12)
    early = frame[:"1945-12-31"]
    assert found.follows_early == pytest.approx(early["small"].corr(early["large"].shift(1)), rel=1e-12)
    others = [{}, {"delay_fill": 1}, {"decide": "month-end"}, {"delay_fill": 1, "decide": "month-end"}]
    alphas = [_alpha(run(after_a_rise, market, same_close=True, **other)) for other in others]
    np.testing.assert_allclose(found[2:], alphas, rtol=1e-9)
    assert found.as_run > 0.1
    assert found.falls, "by construction all of it needs the very next close"
    assert "MOST OF IT NEEDS CLOSES AT WHICH NOBODY COULD TRADE" in result.cautions[-1]
    assert f"{found.as_run:+.2%} as run, filled a day later {found.later:+.2%}" in result.cautions[-1]


def test_nothing_is_asked_of_what_is_slow_or_reads_no_price(embedded: MarketData) -> None:
    market = _daily(embedded, lag=1, first="1947-01-02")
    assert run(after_a_rise, market, decide="month-end").haste is None
    assert run(by_credit, market).haste is None
    assert run("small_momentum", embedded).haste is None
    found = run("small_momentum", market, months=1, band=0).haste
    assert np.isnan(found.follows_early)
    assert "before 1946" not in found.said
