"""A panel's months, moves and directions against plain loops, and what is left out by name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.dates import last_business_day, to_days
from backtest.panels.panel import Member, Panel, adjusted, first_moves, last_moves
from backtest.series import Series

ENDS = last_business_day(to_days(np.arange("2000-01", "2010-01", dtype="datetime64[M]")))
NAN = np.full(len(ENDS), np.nan)


def rate(changes: dict[str, float], checked: str = "2009-12-31") -> Series:
    """A policy rate of 5 from 1998 on, changed on these days."""
    days = to_days(["1998-01-05", *changes])
    values = 5.0 + np.cumsum([0.0, *changes.values()])
    return Series("RATE", days, values, days, np.datetime64(checked))


def panel(*policies: Series | None) -> Panel:
    values = 0.001 * np.arange(len(ENDS))
    members = tuple(
        Member(f"M{i}", "", values, NAN, policy, "made", "US dollars") for i, policy in enumerate(policies)
    )
    return Panel("made", "Made", "", ENDS, members, {})


changes = st.dictionaries(
    st.integers(0, 3800).map(lambda d: str(np.datetime64("1999-06-01") + d)),
    st.sampled_from([-0.5, -0.1, 0.25]),
    max_size=25,
).map(lambda found: dict(sorted(found.items())))


@given(changes, st.integers(1, 4))
def test_the_last_move_is_that_of_a_plain_loop(moved: dict[str, float], delay: int) -> None:
    found = last_moves(panel(rate(moved)), delay)[:, 0]
    for month, end in enumerate(ENDS):
        way, until = 0, end.astype("datetime64[M]") - delay
        for day, change in moved.items():
            if abs(change) >= 0.25 and np.datetime64(day, "M") <= until:
                way = -1 if change < 0 else 1
        assert found[month] == way


@given(changes, st.sampled_from([-1.0, 1.0]))
def test_first_moves_have_no_other_in_the_year_before(moved: dict[str, float], direction: float) -> None:
    found, _ = first_moves(panel(rate(moved)), direction)
    days = [np.datetime64(day) for day, change in moved.items() if change * direction >= 0.25]
    first = [
        day
        for i, day in enumerate(days)
        if i == 0
        or np.datetime64(str(int(str(day)[:4]) - 1) + str(day)[4:].replace("02-29", "02-28")) >= days[i - 1]
    ]
    months = {day.astype("datetime64[M]") for day in first}
    assert {end.astype("datetime64[M]") for end in ENDS[found[:, 0]]} == {
        m for m in months if np.datetime64("2000-01", "M") <= m <= np.datetime64("2009-12", "M")
    }


def test_the_direction_is_not_known_after_the_end_of_the_rate() -> None:
    found = last_moves(panel(rate({"2003-05-06": -0.5}, checked="2005-03-04")), 2)[:, 0]
    months = ENDS[found == -1].astype("datetime64[M]")
    assert (str(months[0]), str(months[-1])) == ("2003-07", "2005-05")


def test_a_direction_ends_with_a_time_without_a_rate() -> None:
    """Also where the rate is the same again after it."""
    whole = rate({"2001-05-07": 0.5, "2003-05-06": -0.5})
    broken = dataclasses.replace(whole, anew=(np.datetime64("2002-03-04"),))
    found = last_moves(panel(whole, broken), 1)
    months = ENDS.astype("datetime64[M]")
    silent = (months >= np.datetime64("2002-04")) & (months <= np.datetime64("2003-05"))
    assert (found[silent] == [1, 0]).all()
    assert (found[~silent, 0] == found[~silent, 1]).all()


def test_what_is_left_out_is_named() -> None:
    ended = rate({"1999-02-03": -0.5, "2003-05-06": -0.5}, checked="2005-03-04")
    events, said = first_moves(panel(ended, rate({"2009-12-10": -0.25}), None), -1.0)
    assert np.argwhere(events).tolist() == [[40, 0], [119, 1]]
    assert said == [
        "Cases outside of the months of this panel, left out: M0 1 (1999-02 to 1999-02).",
        "Less than 24 months of returns after them, counted as far as they go: M1 2009-12.",
        "No policy rate, so no case; in what the other members did: M2.",
        "Policy rates end before the returns, 2005-03-04, and what came later is no case: M0.",
    ]


def test_cases_without_all_returns_after_them_are_named() -> None:
    """The returns of one member begin late, those of another end early."""
    made = panel(rate({"2003-05-06": -0.5}), rate({"2003-05-06": -0.5}), rate({"2003-05-06": -0.5}))
    values = [each.differences.copy() for each in made.members]
    values[0][: 40 + 10] = np.nan  # to ten months after the case
    values[1][40 + 24 :] = np.nan  # the 24th month after it is missing
    values[2][40 + 25 :] = np.nan  # not one is
    members = tuple(dataclasses.replace(m, differences=v) for m, v in zip(made.members, values, strict=True))
    events, said = first_moves(dataclasses.replace(made, members=members), -1.0)
    assert np.argwhere(events).tolist() == [[40, 0], [40, 1], [40, 2]]
    assert said == [
        "Less than 24 months of returns after them, counted as far as they go: M1 2003-05.",
        "Without returns in some of the 24 months after them, counted in the others: M0 2003-05.",
    ]


def test_the_beta_of_the_market_is_taken_out() -> None:
    rng = np.random.default_rng(1)
    market, own = rng.standard_normal((2, len(ENDS)))
    made = Member("A", "", 0.7 * market + own, market, None, "made", "US dollars")
    without = Member("B", "", own, NAN, None, "made", "US dollars")
    found = adjusted(Panel("made", "Made", "", ENDS, (made, without), {}))
    beta, _ = np.polyfit(market, made.differences, 1)
    assert found[:, 0] == pytest.approx(made.differences - beta * market)
    assert np.isnan(found[:, 1]).all()
