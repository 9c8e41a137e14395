"""Formulas: seams, spreads and relative returns, against what they should be by another way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.market.formulas import (
    Discount,
    Formula,
    Reference,
    Relative,
    Share,
    Splice,
    Sum,
    changes,
)
from backtest.market.load import load_market
from backtest.market.release import known_at
from backtest.series import Series

MONTHS = np.arange(np.datetime64("1950-01"), np.datetime64("1990-01")).astype("datetime64[D]")
LEVELS = st.lists(st.integers(0, 40).map(lambda n: n / 4), min_size=2, max_size=60)


def _dated(values: list[float], begin: int) -> Series:
    dates = MONTHS[begin : begin + len(values)]
    return Series("X", dates, np.array(values), dates + np.timedelta64(31, "D"), dates[-1])


@given(first=LEVELS, second=LEVELS, begin=st.integers(1, 59))
def test_a_shifted_seam_is_never_a_move_and_moves_nothing_else(
    first: list[float], second: list[float], begin: int
) -> None:
    a, b = _dated(first, 0), _dated(second, begin)
    series = {"A": a, "B": b}
    splice = Splice(("A", "B"), frozenset({"A"}))
    whole = splice.evaluate(lambda reference: series[reference.id])
    before = a.known_at < b.known_at[0]
    assert (np.diff(whole.known_at).astype(int) > 0).all()
    np.testing.assert_array_equal(whole.values[before.sum() :], b.values)
    np.testing.assert_allclose(np.diff(whole.values[: before.sum()]), np.diff(a.values[before]), atol=1e-12)
    assert whole.values[before.sum() - 1] == b.values[0]


@given(first=LEVELS, second=LEVELS, begin=st.integers(1, 59))
def test_a_seam_that_is_not_shifted_is_a_move_like_any_other(
    first: list[float], second: list[float], begin: int
) -> None:
    a, b = _dated(first, 0), _dated(second, begin)
    series = {"A": a, "B": b}
    whole = Splice(("A", "B")).evaluate(lambda r: series[r.id])
    before = a.known_at < b.known_at[0]
    np.testing.assert_array_equal(whole.values, np.r_[a.values[before], b.values])


def test_a_time_without_a_rate_is_kept_where_it_lies_in_the_splice() -> None:
    """One of a part that the next has replaced by then is none."""
    a = replace(_dated([1.0] * 30, 0), anew=(MONTHS[5], MONTHS[25]))
    b = replace(_dated([2.0] * 30, 20), anew=(MONTHS[40],))
    whole = Splice(("A", "B")).evaluate(lambda r: {"A": a, "B": b}[r.id])
    assert [str(day) for day in whole.anew] == [str(MONTHS[5]), str(MONTHS[40])]
    assert changes(whole).anew == whole.anew


@pytest.mark.parametrize(("months", "silent"), [(20, False), (18, True)])
def test_a_part_that_ends_long_before_the_next_leaves_a_time_without_a_rate(
    months: int, silent: bool
) -> None:
    a, b = _dated([1.0] * months, 0), _dated([2.0] * 30, 20)
    a = replace(a, checked=a.known_at[-1])
    whole = Splice(("A", "B"), frozenset({"A"})).evaluate(lambda r: {"A": a, "B": b}[r.id])
    assert whole.anew == ((b.known_at[0],) if silent else ())


def test_changes_keep_the_first_value_and_every_move() -> None:
    dates = MONTHS[:6]
    kept = changes(Series("X", dates, np.array([1.0, 1.0, 2.0, 2.0, 1.0, 1.0]), dates, dates[-1]))
    assert kept.values.tolist() == [1.0, 2.0, 1.0]
    assert kept.known_at.tolist() == dates[[0, 2, 4]].tolist()
    assert kept.checked == dates[-1]


@pytest.mark.parametrize(
    ("formula", "checked"),
    [
        (Sum(((Reference("A"), 1.0), (Reference("B"), -1.0))), 19),
        (Splice(("A", "B")), 39),
        (Splice(("B", "A")), 19),
        (Relative(("A", "B"), 3), 19),
        (Discount("A", ("B",), ("",), ("",)), 19),
        (Share(("BIG LoBM",), ("6_Portfolios_2x3.firms", "6_Portfolios_2x3.size")), 19),
    ],
)
def test_what_is_made_of_several_series_is_checked_as_far_as_the_one_that_is_least_so(
    formula: Formula, checked: int
) -> None:
    # A has twenty months, B thirty from the tenth month on; the earlier parts of a splice have ended by nature.
    series = {"A": _dated([1.0] * 20, 0), "B": _dated([2.0] * 30, 10)}
    series |= {"6_Portfolios_2x3.firms": series["B"], "6_Portfolios_2x3.size": series["A"]}
    if isinstance(formula, Splice) and formula.splice[-1] == "A":
        series["B"] = replace(series["B"], known_at=series["B"].known_at - np.timedelta64(4000, "D"))
    assert formula.evaluate(lambda reference: series[reference.id]).checked == MONTHS[checked]


def test_the_relative_return_of_the_embedded_market_is_pandas_own() -> None:
    data = load_market("embedded")
    frame = pd.DataFrame(data.bars.returns, pd.DatetimeIndex(data.bars.dates), list(data.bars.sleeves))
    growth = (1.0 + frame[["small", "large"]]).rolling(60).apply(np.prod, raw=True).dropna()
    expected = 1.0 - growth["small"] / growth["large"]
    found = data.observations["discount"]
    np.testing.assert_allclose(found.values, expected.to_numpy(), rtol=1e-9, atol=1e-12)
    assert [str(day) for day in found.known_at] == [str(day.date()) for day in expected.index]
    assert data.roles["discount"] == "discount"


def test_a_daily_relative_return_looks_back_calendar_months() -> None:
    days = np.arange(np.datetime64("2000-01-03"), np.datetime64("2004-01-01"))
    days = days[np.is_busday(days)]
    random = np.random.default_rng(3)
    series = {
        name: Series(name, days, random.normal(0, 0.01, len(days)), days, days[-1]) for name in ("a", "b")
    }
    found = Relative(("a", "b"), 12).evaluate(lambda reference: series[reference.id])
    day = np.datetime64("2002-05-15")
    window = (days > np.datetime64("2001-05-15")) & (days <= day)
    growth = [np.prod(1.0 + series[name].values[window]) for name in ("a", "b")]
    assert found.values[list(found.dates).index(day)] == pytest.approx(1.0 - growth[0] / growth[1])
    assert found.dates[0] == np.datetime64("2001-01-03")


@pytest.mark.parametrize(
    ("stamp", "known"),
    [("2024-01-04", "2024-01-05"), ("2024-01-05", "2024-01-08"), ("2024-01-06", "2024-01-08")],
)
def test_the_next_business_day(stamp: str, known: str) -> None:
    dates = np.array([stamp], dtype="datetime64[D]")
    assert str(known_at("the next business day", dates)[0]) == known
