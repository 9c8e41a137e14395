"""Regimes: which bars a time of cuts, a recession, a decade takes in."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.analysis.regimes import breakdown, decades, halves, policy_regimes, within, yes_or_no
from backtest.dates import to_days

MONTHS = to_days(["2000-01-31", "2000-02-29", "2000-03-31", "2000-04-28", "2000-05-31", "2000-06-30"])


def test_a_bar_belongs_to_the_days_after_the_close_before_it() -> None:
    def touched(begin: str, end: str) -> list[int]:
        return within(MONTHS, [(np.datetime64(begin), np.datetime64(end))]).tolist()

    assert touched("2000-02-10", "2000-04-03") == [1, 1, 1, 0, 0]
    assert touched("2000-03-31", "2000-03-31") == [0, 1, 0, 0, 0]
    assert touched("2000-04-01", "2000-04-01") == [0, 0, 1, 0, 0]
    assert touched("1999-01-01", "2000-01-31") == [0, 0, 0, 0, 0]
    assert touched("2000-06-30", "2010-01-01") == [0, 0, 0, 0, 1]


def test_cutting_rising_and_on_hold() -> None:
    known = to_days(["2000-02-15", "2000-03-10", "2000-03-20", "2000-06-01"])
    labels = policy_regimes(MONTHS, known, np.array([5.0, 4.5, 4.0, 4.25]))
    # Before the first known target there is no label; two cuts in March; a rise in June.
    assert labels.tolist() == [2, 0, 2, 2, 1]
    # The bar that closes on the day of the first known target has one.
    on_a_close = to_days(["2000-02-29", "2000-06-01"])
    assert policy_regimes(MONTHS, on_a_close, np.array([5.0, 4.0])).tolist() == [2, 2, 2, 2, 0]
    assert policy_regimes(MONTHS, known + 60, np.array([5.0, 4.5, 4.0, 4.25])).tolist()[:2] == [-1, -1]


def test_yes_or_no_holds_from_its_day_on() -> None:
    turns = to_days(["2000-03-01", "2000-05-01"])
    assert yes_or_no(MONTHS, turns, np.array([1.0, 0.0])).tolist() == [-1, 0, 0, 1, 1]
    # A value that holds from the day of a close on is what its bar says.
    assert yes_or_no(MONTHS, MONTHS[[2, 4]], np.array([1.0, 0.0])).tolist() == [-1, 0, 0, 1, 1]


def test_halves_lie_on_both_sides_of_the_median() -> None:
    assert halves(np.array([0.1, np.nan, 0.5, 0.3])).tolist() == [1, -1, 0, 1]
    assert halves(np.array([np.nan, np.nan])).tolist() == [-1, -1]


def test_decades_are_named_by_their_first_year() -> None:
    labels, names = decades(to_days(["1969-12-31", "1970-01-30", "1979-12-31", "1980-01-31", "2020-01-31"]))
    assert names == ["1970s", "1980s", "2020s"]
    assert labels.tolist() == [0, 0, 1, 2]
    assert labels.dtype == within(MONTHS, []).dtype == np.int64


def test_the_breakdown_is_of_means_a_year() -> None:
    columns = np.array([[0.02, 0.01], [0.04, 0.01], [-0.01, 0.01], [0.00, 0.03]])
    rows = breakdown(np.array([0, 0, 2, -1]), ["a", "b", "c"], columns, 12.0)
    assert [(row.name, row.bars) for row in rows] == [("a", 2), ("c", 1)]
    assert rows[0].means == pytest.approx((0.36, 0.12))
    assert rows[0].difference == pytest.approx(0.24)
    assert rows[1].difference == pytest.approx(-0.24)
    assert np.isnan(rows[1].tstat)
