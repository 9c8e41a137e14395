"""Alpha in the parts of the window, against statsmodels on the slices, and what a sample can show."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from backtest.analysis.skill import WORTH, skill
from backtest.dates import last_business_day, to_days

MONTHS = np.arange(np.datetime64("1960-01"), np.datetime64("2001-01"))
DATES = last_business_day(to_days(MONTHS))


def sample(early: float, late: float, noise: float = 0.01) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    n = len(DATES) - 1
    benchmark, free = random.normal(0.008, 0.045, n), np.full(n, 0.003)
    edge = np.where(np.arange(n) < n // 2, early, late) / 12.0
    return free + 0.9 * (benchmark - free) + edge + random.normal(0.0, noise, n), benchmark, free


def test_each_part_is_the_regression_over_its_own_bars() -> None:
    returns, benchmark, free = sample(0.06, -0.03)
    found = skill(DATES, returns, benchmark, free, "monthly")
    n = len(returns)
    slices = {
        "the first half": slice(0, n // 2),
        "the second half": slice(n // 2, n),
        "the last 15 years": slice(n - 180, n),
    }
    assert [part.name for part in found.parts] == list(slices)
    for part in found.parts:
        own = slices[part.name]
        fit = sm.OLS((returns - free)[own], sm.add_constant((benchmark - free)[own])).fit()
        assert part.fit.alpha == pytest.approx(12.0 * fit.params[0])
        assert (part.first, part.last) == (DATES[own.start], DATES[own.stop])
    assert [part.name for part in found.contrary] == ["the second half", "the last 15 years"]
    assert found.whole.alpha > 0.0
    everything = sm.OLS(returns - free, sm.add_constant(benchmark - free)).fit()
    assert found.whole.alpha == pytest.approx(12.0 * everything.params[0])


def test_the_last_years_are_told_apart_only_in_long_windows() -> None:
    returns, benchmark, free = sample(0.02, 0.02)
    found = skill(DATES[-300:], returns[-299:], benchmark[-299:], free[-299:], "monthly")
    assert [part.name for part in found.parts] == ["the first half", "the second half"]


def test_what_is_excluded_and_what_could_be_seen_follow_from_the_error() -> None:
    precise = skill(DATES, *sample(0.0, 0.0, noise=0.0005), "monthly")
    vague = skill(DATES, *sample(0.03, 0.03, noise=0.03), "monthly")
    assert precise.worth_excluded
    assert not vague.worth_excluded
    low, high = vague.ends
    assert (low + high) / 2.0 == pytest.approx(vague.whole.alpha)
    assert high > WORTH
    # Half the interval, and 0.84 standard errors more, for a power of four fifths.
    assert vague.visible / ((high - low) / 2.0) == pytest.approx((1.96 + 0.84) / 1.96, rel=0.01)


def test_a_run_that_is_its_benchmark_has_nothing_to_show() -> None:
    _, benchmark, free = sample(0.0, 0.0)
    found = skill(DATES, benchmark, benchmark, free, "monthly")
    assert np.isnan(found.ends).all()
    assert np.isnan(found.visible)
    assert found.contrary == ()


def test_thirty_years_to_the_day_have_a_part_of_fifteen_and_a_month_less_has_none() -> None:
    dates = to_days(MONTHS) + 14
    returns, benchmark, free = (x[:360] for x in sample(0.02, 0.02))
    found = skill(dates[:361], returns, benchmark, free, "monthly")
    last = found.parts[-1]
    assert (last.name, last.first, last.last) == ("the last 15 years", dates[180], dates[360])
    short = skill(dates[1:361], returns[1:], benchmark[1:], free[1:], "monthly")
    assert [part.name for part in short.parts] == ["the first half", "the second half"]


@pytest.mark.parametrize(
    ("n", "parts"), [(4, []), (5, ["the second half"]), (6, ["the first half", "the second half"])]
)
def test_a_part_has_three_bars_or_more(n: int, parts: list[str]) -> None:
    returns, benchmark, free = (x[:n] for x in sample(0.02, 0.02))
    found = skill(DATES[: n + 1], returns, benchmark, free, "monthly")
    assert [part.name for part in found.parts] == parts


def test_the_last_years_are_as_many_months_whatever_day_each_of_them_ends_on() -> None:
    returns, benchmark, free = sample(0.02, 0.02)
    for last in range(420, 440):
        found = skill(
            DATES[last - 360 : last + 1],
            *(x[last - 360 : last] for x in (returns, benchmark, free)),
            "monthly",
        )
        assert found.parts[-1].name == "the last 15 years"
        assert found.parts[-1].first == DATES[last - 180]
