"""How much a lead depends on the start, against loops over dates that share no code with the package."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import MarketData, run
from backtest.analysis.rolling import HORIZONS, Starts, month_ends, starts, year_leads


def by_date(dates: np.ndarray, returns: np.ndarray) -> pd.Series:
    """The value of 1 at each date."""
    return pd.Series(np.r_[1.0, 1.0 + returns], pd.DatetimeIndex(dates)).cumprod()


def closes(dates: pd.DatetimeIndex, *, daily: bool) -> list[pd.Timestamp]:
    """The last day of every month that is over, by walking along."""
    found = [day for day, after in itertools.pairwise(dates) if day.month != after.month]
    over = not daily or (dates[-1] + pd.offsets.BDay(1)).month != dates[-1].month
    return [*found, dates[-1]] if over else found


def lead(own: pd.Series, other: pd.Series, begin: pd.Timestamp, end: pd.Timestamp, years: float) -> float:
    """Of two values by date."""
    ours, theirs = ((each.loc[end] / each.loc[begin]) ** (1.0 / years) for each in (own, other))
    return float(ours - theirs)


def check_windows(found: Starts, own: pd.Series, other: pd.Series, *, daily: bool) -> None:
    ends = closes(own.index, daily=daily)
    by_month = {day.to_period("M"): day for day in ends}
    for row, years in zip(found.windows, HORIZONS, strict=True):
        leads = {
            month + 1: lead(own, other, day, by_month[month + 12 * years], years)
            for month, day in by_month.items()
            if month + 12 * years in by_month
        }
        assert (row.years, row.windows) == (years, len(leads))
        assert row.apart == (len(ends) - 1) // (12 * years)
        if not leads:
            assert np.isnan([row.led, row.worst, row.median, row.best]).all()
            assert row.worst_from is row.best_from is None
            continue
        table = pd.Series(leads)
        assert row.led == pytest.approx((table > 0.0).mean(), abs=1e-15)
        assert row.worst == pytest.approx(table.min(), abs=1e-12)
        assert row.median == pytest.approx(table.median(), abs=1e-12)
        assert row.best == pytest.approx(table.max(), abs=1e-12)
        assert (str(row.worst_from), str(row.best_from)) == (str(table.idxmin()), str(table.idxmax()))


@pytest.mark.parametrize(("name", "window"), [("rate_cut", {}), ("january", {"start": "1950-01-31"})])
def test_windows_and_years_are_those_of_a_loop_over_dates(
    name: str, window: dict[str, str], embedded: MarketData
) -> None:
    result = run(name, embedded, **window)
    own, other = result.equity, (1.0 + result.benchmark_returns["market"]).cumprod()
    other = pd.concat([pd.Series([1.0], own.index[:1]), other])
    check_windows(result.starts, own, other, daily=False)
    begin, end, n = own.index[0], own.index[-1], (len(own) - 1) / 12
    assert result.starts.whole == pytest.approx(lead(own, other, begin, end, n), abs=1e-12)
    assert result.starts.whole == pytest.approx(
        result.metrics["cagr"] - result.benchmarks["market"]["cagr"], abs=1e-12
    )
    assert result.starts.modern == pytest.approx(
        lead(own, other, pd.Timestamp("2008-12-31"), end, 119 / 12), abs=1e-12
    )
    earned = result.returns, result.benchmark_returns["market"]
    found = year_leads(result.bars.dates, result.returns.to_numpy(), earned[1].to_numpy(), "monthly")
    whole = [year for year, count in earned[0].groupby(earned[0].index.year).count().items() if count == 12]
    assert (found.first, len(found.leads)) == (whole[0], len(whole))
    for i, since in enumerate(whole):
        for j, until in enumerate(whole):
            part = (earned[0].index.year >= since) & (earned[0].index.year <= until)
            due = np.nan
            if since <= until:
                growth = [(1.0 + each[part]).prod() ** (1.0 / (until - since + 1)) for each in earned]
                due = growth[0] - growth[1]
            assert found.leads[i, j] == pytest.approx(due, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("1999-11-15", "2012-02-10"),
        ("1999-11-30", "2012-02-29"),
        ("2005-01-03", "2011-12-30"),
        ("2006-05-02", "2006-12-29"),
    ],
)
def test_a_daily_market_goes_from_month_end_to_month_end(begin: str, end: str) -> None:
    days = pd.bdate_range(begin, end)
    dates, random = days.to_numpy().astype("datetime64[D]"), np.random.default_rng(len(days))
    own, other = random.normal(0.0004, 0.01, (2, len(days) - 1))
    found = starts(dates, own, other, "daily")
    check_windows(found, by_date(dates, own), by_date(dates, other), daily=True)
    ends = pd.DatetimeIndex(closes(days, daily=True))
    assert days[month_ends(dates, "daily")].equals(ends)
    by_year = year_leads(dates, own, other, "daily")
    turns = [day for day in ends if day.month == 12]
    assert len(by_year.leads) == max(len(turns) - 1, 0)
    for i, since in enumerate(turns[:-1]):
        for j, until in enumerate(turns[1:]):
            span = until.year - since.year
            due = lead(by_date(dates, own), by_date(dates, other), since, until, span) if span > 0 else np.nan
            assert by_year.leads[i, j] == pytest.approx(due, abs=1e-12, nan_ok=True)
    if len(turns) > 1:
        assert by_year.first == turns[0].year + 1


def months(first: str, n: int) -> np.ndarray:
    return pd.bdate_range(first, periods=n + 1, freq="BME").to_numpy().astype("datetime64[D]")


lengths = st.integers(1, 400)


@given(lengths, st.integers(0, 2**32 - 1))
def test_a_strategy_that_is_its_benchmark_leads_in_none(n: int, seed: int) -> None:
    returns = np.random.default_rng(seed).normal(0.01, 0.05, n)
    # What an engine gives has other last bits than what it was given.
    found = starts(months("1960-01-29", n), np.expm1(np.log1p(returns)), returns, "monthly")
    assert (found.whole, found.turned) == (0.0, False)
    for row in found.windows:
        assert row.windows == max(n - 12 * row.years + 1, 0)
        if row.windows:
            assert (row.led, row.worst, row.median, row.best) == (0.0, 0.0, 0.0, 0.0)


@given(lengths, st.integers(0, 2**32 - 1), st.sampled_from([-0.02, -1e-6, 1e-6, 0.02]))
def test_a_constant_lead_leads_in_all_and_a_constant_lag_in_none(n: int, seed: int, each: float) -> None:
    other = np.random.default_rng(seed).normal(0.01, 0.05, n)
    found = starts(months("1960-01-29", n), (1.0 + other) * (1.0 + each) - 1.0, other, "monthly")
    assert (found.whole > 0.0) == (each > 0.0)
    for row in found.windows:
        if row.windows:
            assert row.led == float(each > 0.0)
            assert row.worst <= row.median <= row.best
    by_year = year_leads(months("1960-01-29", n), (1.0 + other) * (1.0 + each) - 1.0, other, "monthly").leads
    assert (np.sign(by_year[np.isfinite(by_year)]) == np.sign(each)).all()


def test_windows_that_overlap_are_counted_apart() -> None:
    dates = months("1990-01-31", 121)
    found = starts(dates, np.full(121, 0.01), np.zeros(121), "monthly").windows
    assert [(row.windows, row.apart) for row in found] == [(110, 10), (86, 3), (62, 2), (2, 1), (0, 0)]


def test_after_a_total_loss_nothing_can_be_led() -> None:
    dates, other = months("1990-01-31", 40), np.full(40, 0.01)
    own = np.where(np.arange(40) == 20, -1.0, 0.02)
    one, three, *_ = starts(dates, own, other, "monthly").windows
    # From the close of the 21st month on there is no value to begin with.
    assert (one.windows, three.windows) == (21, 5)
    assert one.worst == pytest.approx(-(1.01**12))
    assert (three.led, three.worst) == (0.0, pytest.approx(-(1.01**12)))


def test_the_lead_since_2009_is_of_a_run_that_began_before_and_lasts_three_years() -> None:
    def found(first: str, n: int) -> Starts:
        dates = months(first, n)
        ahead = dates[1:] < np.datetime64("2009-01-01")
        return starts(dates, np.where(ahead, 0.02, 0.0), np.full(n, 0.01), "monthly")

    assert np.isnan(found("2008-12-31", 60).modern)  # begins there, and has no other part
    assert found("2008-11-28", 60).modern == pytest.approx(1.0 - 1.01**12)
    assert found("2008-11-28", 37).modern == pytest.approx(1.0 - 1.01**12)
    assert np.isnan(found("2008-11-28", 36).modern)
    assert np.isnan(found("1990-01-31", 60).modern)
    assert [found("2004-12-31", n).turned for n in (84, 300)] == [True, False]


def test_a_sign_that_is_not_written_has_not_turned() -> None:
    assert Starts((), 0.0001, -0.0001).turned
    assert not Starts((), 0.0001, -0.00004).turned
    assert not Starts((), 0.00004, -0.0001).turned
    assert not Starts((), 0.01, float("nan")).turned
    assert not Starts((), -0.01, -0.02).turned
