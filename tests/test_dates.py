"""Calendar arithmetic against pandas, and which fill may use what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.dates import Fills, add_months, last_business_day, month_start, parse_day, to_days
from backtest.errors import UsageError

DAYS = st.dates(dt.date(1850, 1, 1), dt.date(2150, 12, 31))


@given(DAYS, st.integers(-600, 600))
def test_add_months_is_the_date_offset_of_pandas(day: dt.date, months: int) -> None:
    expected = pd.Timestamp(day) + pd.DateOffset(months=months)
    assert add_months(to_days(day), months) == np.datetime64(expected.date())


def test_add_months_broadcasts_days_against_months() -> None:
    days = to_days(["2024-01-31", "2023-03-15"])
    moved = add_months(days, np.array([[0], [1], [-1]]))
    assert moved.tolist() == [
        [dt.date(2024, 1, 31), dt.date(2023, 3, 15)],
        [dt.date(2024, 2, 29), dt.date(2023, 4, 15)],
        [dt.date(2023, 12, 31), dt.date(2023, 2, 15)],
    ]


@given(DAYS)
def test_last_business_day_is_the_business_month_end_of_pandas(day: dt.date) -> None:
    expected = pd.Timestamp(day).to_period("M").to_timestamp() + pd.offsets.BMonthEnd()
    assert last_business_day(to_days(day)) == np.datetime64(expected.date())
    assert month_start(to_days(day)) == np.datetime64(day.replace(day=1))


def test_a_fill_uses_only_what_was_known_strictly_before_it() -> None:
    dates = to_days(["2019-06-28", "2019-07-31", "2019-08-30"])
    known = to_days(["2019-06-27", "2019-06-28", "2019-07-31", "2019-08-31"])
    assert Fills(dates).first_after(known).tolist() == [0, 1, 2, 3]
    assert Fills(dates, same_close=True).first_after(known).tolist() == [0, 0, 1, 3]
    for fills in (Fills(dates), Fills(dates, same_close=True)):
        for fill in range(len(dates)):
            assert fills.knows(fill, known).tolist() == (fills.first_after(known) <= fill).tolist()


@given(st.sets(DAYS, min_size=1, max_size=12), DAYS)
def test_the_first_fill_past_a_day_is_found_by_walking(dates: set[dt.date], day: dt.date) -> None:
    fills = sorted(dates)
    later = [i for i, fill in enumerate(fills) if fill > day]
    for same_close in (False, True):
        found = Fills(to_days(fills), same_close).first_past(to_days(day))
        assert found == (later[0] if later else len(fills))
    on_a_fill = Fills(to_days(fills)).first_past(np.array(fills, dtype="datetime64[s]"))
    assert on_a_fill.tolist() == list(range(1, len(fills) + 1))


@pytest.mark.parametrize("given_day", ["2007-09-18", dt.date(2007, 9, 18), np.datetime64("2007-09-18T12")])
def test_a_day_is_read_from_whatever_a_user_has(given_day: object) -> None:
    assert parse_day(given_day, "the start") == np.datetime64("2007-09-18")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["2007-13-01", "yesterday", "", "18.9.2007", "2007-09-31"])
def test_what_is_not_a_date_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match=f"the start '{text}' is not a date"):
        parse_day(text, "the start")


@pytest.mark.parametrize("wrong", [1990, 1990.5, np.datetime64("NaT"), pd.NaT, ["1990-01-01"]])
def test_what_is_no_date_is_a_wrong_call(wrong: Any) -> None:
    with pytest.raises(UsageError, match="the start must be a date or text such as '2007-09-18', not"):
        parse_day(wrong, "the start")
