"""Levels: every transform against a slow loop written another way; nothing is known before its history."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.dates import last_business_day
from backtest.errors import UsageError
from backtest.signals.thresholds import passed
from tests.signals.cases import DAYS, MONTHS, dense, level, values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.signals.readings import Readings
    from backtest.signals.spells import Spells

FIRSTS = np.arange("1988-06", "1995-01", dtype="datetime64[M]").astype("datetime64[D]")
ENDS = last_business_day(FIRSTS)


def above(made: Readings, enter: Any, until: Any = None, sign: float = 1.0) -> Spells:
    signal, which, refused, error = passed(made, enter, until, sign)
    if refused.any():
        raise error
    return signal.take(which)


def below(made: Readings, enter: Any, until: Any = None) -> Spells:
    return above(made, enter, until, -1.0)


def over(made: Readings, what: str, months: Any) -> Readings:
    return made.change(months) if what == "change" else made.over(months, what)


def months_between(now: pd.Period, then: pd.Period) -> int:
    return (now.year - then.year) * 12 + now.month - then.month


def head(made: NDArray[np.float64]) -> int:
    """Return how many values are missing before the first that is not: they are no history."""
    return next((i for i, value in enumerate(made) if value == value), len(made) - 1)


def windows(made: NDArray[np.float64], dates: NDArray[np.datetime64], n: int) -> list[list[float]]:
    """Return, for each value, those of its month and the n - 1 months before; empty without that history."""
    periods = [pd.Timestamp(day).to_period("M") for day in dates]
    first = head(made)
    found = []
    for i, now in enumerate(periods):
        there = i > first and months_between(now, periods[first]) >= n - 1
        found.append([made[j] for j in range(i + 1) if months_between(now, periods[j]) < n] if there else [])
    return found


def described(window: list[float], what: str) -> float:
    present = [v for v in window if v == v]
    if not window or window[-1] != window[-1]:
        return float("nan")
    plain = {"average": np.mean, "lowest": min, "highest": max}
    if what in plain:
        return float(plain[what](present))
    if what == "zscore":
        series = pd.Series(present)
        spread = series.std()
        return (present[-1] - series.mean()) / spread if len(set(present)) > 1 else float("nan")
    if len(present) < 2:
        return float("nan")
    ranks = pd.Series(present).rank(method="average")
    return 100.0 * (ranks.iloc[-1] - 1.0) / (len(present) - 1.0)


def alone(made: Readings, which: int) -> NDArray[np.float64]:
    """The values of one set of a level."""
    one = made.take(np.array([which])).apart()
    return one.values[one.which[0]]


@pytest.mark.parametrize("dates", [FIRSTS, ENDS], ids=["first days", "last business days"])
@pytest.mark.parametrize("what", ["average", "lowest", "highest", "zscore", "percentile"])
@settings(max_examples=30)
@given(data=st.data())
def test_windows_of_months_are_those_of_a_slow_loop(
    what: str, dates: NDArray[np.datetime64], data: st.DataObject
) -> None:
    made = data.draw(values(len(dates)))
    spans = np.array([1, 3, 12])
    got = level(made, dates).over(spans, what)
    assert got.n_sets == 3
    for which, n in enumerate(spans):
        expected = [described(window, what) for window in windows(made, dates, n)]
        np.testing.assert_allclose(alone(got, which), expected, atol=1e-9)


@settings(max_examples=30)
@given(made=values(len(FIRSTS)), history=st.sampled_from([2, 12, 36]))
def test_an_expanding_percentile_knows_nothing_of_the_whole_sample(made: NDArray, history: int) -> None:
    got = level(made, FIRSTS).over(history, "percentile", expanding=True).values[0]
    for i in range(len(FIRSTS)):
        there = i > head(made) and i - head(made) + 1 >= history
        expected = described(list(made[: i + 1]), "percentile") if there else float("nan")
        np.testing.assert_allclose(got[i], expected, atol=1e-9)


@pytest.mark.parametrize("dates", [FIRSTS, ENDS], ids=["first days", "last business days"])
@pytest.mark.parametrize("inner", ["average", "highest", "percentile", "change"])
@pytest.mark.parametrize("outer", ["average", "lowest", "zscore", "percentile"])
def test_what_is_made_of_what_was_made_needs_both_histories(
    outer: str, inner: str, dates: NDArray[np.datetime64]
) -> None:
    made = np.random.default_rng(len(outer) + len(inner)).uniform(-5, 5, len(dates))
    got = over(level(made, dates), inner, 12).over(np.array([6, 24]), outer)
    middle = over(level(made, dates), inner, 12).values[0]
    first = 12 if inner == "change" else 11
    assert np.flatnonzero(np.isfinite(middle))[0] == first
    for which, n in enumerate((6, 24)):
        values_of = alone(got, which)
        assert np.isnan(values_of[: first + n - 1]).all()
        expected = [described(window, outer) for window in windows(middle, dates, n)]
        np.testing.assert_allclose(values_of, expected, atol=1e-9)


@pytest.mark.parametrize("what", ["average", "lowest", "highest", "zscore", "percentile", "change"])
@settings(max_examples=20)
@given(made=values(len(FIRSTS)), enter=st.integers(20, 60))
def test_sets_that_need_other_histories_are_each_what_it_is_alone(
    what: str, made: NDArray, enter: int
) -> None:
    histories, spans = (each.ravel() for each in np.meshgrid([2, 6, 7, 12, 36], [1, 3, 24]))
    past = level(made, FIRSTS).over(histories, "percentile", expanding=True)
    assert len(past.values) == 1
    got, gap = over(past, what, spans), past - level(made, FIRSTS)
    assert what == "change" or len(got.values) == 3
    bounds = enter + np.arange(5 * len(spans)) % 40
    many = got.take(np.arange(len(bounds)) % len(spans))
    signal = above(many, bounds, until=bounds - 20.0)
    for which, (history, n) in enumerate(zip(histories, spans, strict=True)):
        one = level(made, FIRSTS).over(history, "percentile", expanding=True)
        same = over(one, what, n)
        np.testing.assert_array_equal(alone(got, which), same.values[0])
        np.testing.assert_array_equal(got.at_fills[which], same.at_fills[0])
        np.testing.assert_array_equal(alone(gap, which), alone(one - level(made, FIRSTS), 0))
        for place in range(which, len(bounds), len(spans)):
            expected = above(same, bounds[place], until=bounds[place] - 20.0)
            assert (signal.dense(place) == expected.dense()).all()
            assert signal.first[place] == expected.first[0]


def test_no_window_has_what_came_before_the_history_was_complete() -> None:
    days = np.array(["1990-01-10", "1990-02-10", "1990-03-05", "1990-03-25", "1990-04-25"], "datetime64[D]")
    past = level(np.array([1.0, 2.0, 3.0, 0.0, 0.0]), days).over(
        np.array([2, 3]), "percentile", expanding=True
    )
    assert past.since.tolist() == [0, 3]
    highest = past.over(2, "highest")
    np.testing.assert_array_equal(alone(highest, 0), [np.nan, np.nan, np.nan, 100.0, 100.0])
    np.testing.assert_array_equal(alone(highest, 1), [np.nan, np.nan, np.nan, np.nan, 12.5])


def test_all_of_the_past_begins_with_the_first_value_of_a_level_that_was_made() -> None:
    made = np.random.default_rng(8).uniform(-5, 5, len(FIRSTS))
    middle = level(made, FIRSTS).over(24, "average")
    got = middle.over(36, "percentile", expanding=True).values[0]
    assert np.flatnonzero(np.isfinite(got))[0] == 23 + 35
    past = list(middle.values[0])
    for i in range(23 + 35, len(FIRSTS)):
        np.testing.assert_allclose(got[i], described(past[23 : i + 1], "percentile"), atol=1e-9)


@pytest.mark.parametrize("dates", [FIRSTS, ENDS], ids=["first days", "last business days"])
@settings(max_examples=30)
@given(data=st.data())
def test_changes_look_back_to_the_value_that_stood_then(
    dates: NDArray[np.datetime64], data: st.DataObject
) -> None:
    made = np.abs(data.draw(values(len(dates)))) + 1.0
    change, growth = level(made, dates).change(5), level(made, dates).growth(5)
    carried = pd.Series(made).ffill()
    for i in range(len(dates)):
        before = carried[i - 5] if i >= 5 else float("nan")
        np.testing.assert_allclose(change.values[0, i], made[i] - before, atol=1e-12)
        np.testing.assert_allclose(growth.values[0, i], 100.0 * (made[i] / before - 1.0), atol=1e-9)


@settings(max_examples=30)
@given(values(len(DAYS)))
def test_daily_averages_count_days_from_date_to_date(made: NDArray[np.float64]) -> None:
    got = level(made, DAYS, daily=True).over(1, "average").values[0]
    for i, day in enumerate(pd.DatetimeIndex(DAYS)):
        begin = day - pd.DateOffset(months=1)
        if day == day + pd.offsets.BMonthEnd(0):
            begin = begin + pd.offsets.MonthEnd(0)  # from a month's end to a month's end
        inside = [made[j] for j in range(i + 1) if pd.Timestamp(DAYS[j]) > begin]
        whole = i > head(made) and begin >= pd.Timestamp(DAYS[head(made)])
        np.testing.assert_allclose(got[i], described(inside if whole else [], "average"), atol=1e-9)


@settings(max_examples=30)
@given(st.lists(st.integers(30, 60), min_size=len(ENDS), max_size=len(ENDS)))
def test_what_is_published_in_decimals_reaches_its_threshold_exactly(tenths: list[int]) -> None:
    made = np.array(tenths) / 10.0
    average = level(made, ENDS).over(3, "average")
    rise, fall = (average - average.over(12, "lowest")), (average - average.over(12, "highest"))
    rising, falling = above(rise, 0.5, until=0.2), below(fall, -0.5, until=-0.2)
    means = [Fraction(sum(tenths[i - 2 : i + 1]), 30) for i in range(2, len(tenths))]
    up = down = False
    for fill, day in enumerate(MONTHS):
        i = int(np.searchsorted(ENDS, day)) - 3  # the mean of the three months that were over before
        low, high = min(means[i - 11 : i + 1]), max(means[i - 11 : i + 1])
        up = means[i] - low >= (Fraction(1, 5) if up else Fraction(1, 2))
        down = means[i] - high <= (Fraction(-1, 5) if down else Fraction(-1, 2))
        assert (rising.dense()[fill], falling.dense()[fill]) == (up, down)


@settings(max_examples=30)
@given(
    values(len(FIRSTS)),
    st.lists(st.integers(-4, 4), min_size=2, max_size=2),
    st.integers(0, 3),
    st.sampled_from([0, 20, 45]),
)
def test_thresholds_with_hysteresis_are_those_of_a_state_machine(
    made: NDArray, enter: list[int], gap: int, lag: int
) -> None:
    source = level(made, FIRSTS, lag)
    rising = above(source, np.array(enter), until=np.array(enter) - gap)
    falling = below(source, -np.array(enter), until=gap - np.array(enter))
    known = pd.Series(made, pd.DatetimeIndex(FIRSTS + lag)).dropna()
    for which, bound in enumerate(enter):
        up = down = False
        states, turned = [], []
        for day in pd.DatetimeIndex(MONTHS):
            past = known[known.index < day]
            if len(past):
                up = past.iloc[-1] >= (bound - gap if up else bound)
                down = past.iloc[-1] <= (gap - bound if down else -bound)
            states.append(up)
            turned.append(down)
        assert rising.dense(which).tolist() == states
        assert falling.dense(which).tolist() == turned
        there = [len(known[known.index < day]) > 0 for day in pd.DatetimeIndex(MONTHS)]
        assert rising.first[which] == (there.index(True) if True in there else len(MONTHS))


@settings(max_examples=30)
@given(values(len(FIRSTS)), values(len(FIRSTS)))
def test_two_levels_cross_where_the_later_known_of_each_do(one: NDArray, two: NDArray) -> None:
    a, b = level(one, FIRSTS, 5), level(two, FIRSTS, 30)
    crossed = above(a, b)
    for fill, day in enumerate(MONTHS):
        left = [v for v, known in zip(one, a.known_at, strict=True) if known < day and v == v]
        right = [v for v, known in zip(two, b.known_at, strict=True) if known < day and v == v]
        if left and right:
            assert crossed.at(fill) == (left[-1] - right[-1] >= 0.0)
            assert crossed.first[0] <= fill
        else:
            assert crossed.first[0] > fill


def test_as_of_is_what_was_known_before_each_fill() -> None:
    made = np.arange(len(FIRSTS), dtype=float)
    got = level(made, FIRSTS, lag=31).at_fills[0]
    for fill, day in enumerate(MONTHS):
        past = made[day > FIRSTS + 31]
        assert got[fill] == past[-1]


def test_what_cannot_be_is_refused() -> None:
    made: Readings = level(np.arange(len(FIRSTS), dtype=float), FIRSTS)
    with pytest.raises(UsageError, match="turns yes at 1 cannot turn no above that, at 2"):
        above(made, 1, until=2)
    with pytest.raises(UsageError, match="rows of parameters of different lengths meet: 2, 3"):
        above(made, np.ones(2), until=np.ones(3))
    assert dense(above(made, np.array([1.0, 5.0]))).shape == (2, len(MONTHS))
