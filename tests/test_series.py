"""Series are refused when they cannot be true, and answer only with the past."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.dates import Fills, to_days
from backtest.errors import DataError
from backtest.series import Series


def observations(dates: list[str], values: list[float], known_at: list[str] | None = None) -> Series:
    return Series("X", to_days(dates), np.array(values), to_days(known_at or dates))


@pytest.mark.parametrize(
    ("dates", "values", "known_at", "sentence"),
    [
        (
            ["2000-01-01", "2000-01-01"],
            [1.0, 2.0],
            None,
            "X: the value of 2000-01-01 is out of order or twice",
        ),
        (
            ["2000-02-01", "2000-01-01"],
            [1.0, 2.0],
            None,
            "X: the value of 2000-01-01 is out of order or twice",
        ),
        (["2000-01-01", "2000-02-01"], [1.0, np.nan], None, "X: the value of 2000-02-01 is not a number"),
        (
            ["2000-01-01", "2000-02-01"],
            [1.0, 2.0],
            ["2000-03-01", "2000-02-01"],
            "X: the value of 2000-02-01 was known before its predecessor",
        ),
        (["2000-01-01"], [1.0, 2.0], None, "X: dates, values and known_at differ in length"),
        ([], [], None, "X has no observation"),
    ],
)
def test_what_cannot_be_true_is_refused(
    dates: list[str], values: list[float], known_at: list[str] | None, sentence: str
) -> None:
    with pytest.raises(DataError) as error:
        observations(dates, values, known_at)
    assert str(error.value) == sentence


DAY = st.dates(dt.date(2000, 1, 1), dt.date(2000, 3, 31))


@given(
    st.lists(DAY, min_size=1, max_size=20, unique=True),
    st.lists(DAY, min_size=1, max_size=20, unique=True),
    st.integers(0, 10),
    st.booleans(),
)
def test_as_of_is_the_last_value_known_in_time(
    stamped: list[dt.date], fills: list[dt.date], lag: int, same_close: bool
) -> None:
    dates = to_days(sorted(stamped))
    known_at = dates + np.timedelta64(lag, "D")
    values = np.arange(len(dates), dtype=float)
    answer = Series("X", dates, values, known_at).as_of(Fills(to_days(sorted(fills)), same_close))
    for fill, got in zip(sorted(fills), answer, strict=True):
        limit = np.datetime64(fill)
        usable = [
            v for v, k in zip(values, known_at, strict=True) if (k <= limit if same_close else k < limit)
        ]
        assert got == usable[-1] if usable else np.isnan(got)
