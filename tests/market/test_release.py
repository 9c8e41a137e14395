"""Release rules against days on which figures were published."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import DataError, UsageError
from backtest.folders import shipped
from backtest.market import reading
from backtest.market.catalogue import catalogue, entry, late_releases
from backtest.market.entry import SourceTable
from backtest.market.release import ANNOUNCED, PHRASES, known_at

# Days of the employment report: the bureau's schedules for 2021 and 2022, its statement of 1996-01-19, the bureau's
# statements on the closures of 2013, 2025 and 2026, and the report of February 2017, on which it explained its rule.
PUBLISHED = {
    "1995-12": "1996-01-19",
    "1996-02": "1996-03-08",
    "2011-05": "2011-06-03",
    "2011-06": "2011-07-08",
    "2013-09": "2013-10-22",
    "2013-11": "2013-12-06",
    "2017-02": "2017-03-10",
    "2018-11": "2018-12-07",
    "2020-04": "2020-05-08",
    "2021-10": "2021-11-05",
    "2021-11": "2021-12-03",
    "2021-12": "2022-01-07",
    "2022-01": "2022-02-04",
    "2022-02": "2022-03-04",
    "2022-03": "2022-04-01",
    "2022-04": "2022-05-06",
    "2022-05": "2022-06-03",
    "2022-06": "2022-07-08",
    "2022-07": "2022-08-05",
    "2022-08": "2022-09-02",
    "2022-09": "2022-10-07",
    "2022-10": "2022-11-04",
    "2022-11": "2022-12-02",
    "2025-09": "2025-11-20",
    "2025-11": "2025-12-16",
    "2025-12": "2026-01-09",
    "2026-01": "2026-02-11",
}


DATES = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31))
ONE_DAY = dt.timedelta(days=1)


def known(rule: str, *dates: dt.date) -> list[dt.date]:
    return known_at(rule, np.array(dates, dtype="datetime64[D]")).tolist()


def next_month(day: dt.date) -> dt.date:
    """Return the first day of the month after a day's."""
    return dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)


def the_first(day: dt.date, weekdays: set[int]) -> dt.date:
    """Return the first day from this one on that is one of the weekdays, 0 for Monday."""
    while day.weekday() not in weekdays:
        day += ONE_DAY
    return day


@given(DATES)
def test_a_value_of_a_day_is_known_on_it_before_it_or_on_the_business_day_after_it(day: dt.date) -> None:
    assert known("the day itself", day) == [day]
    assert known("the day before", day) == [day - ONE_DAY]
    assert known("the next business day", day) == [the_first(day + ONE_DAY, {0, 1, 2, 3, 4})]


@given(DATES)
def test_a_months_return_is_known_at_the_close_of_its_last_business_day(day: dt.date) -> None:
    last = next_month(day) - ONE_DAY
    while last.weekday() > 4:
        last -= ONE_DAY
    assert known("the last business day of the month", day) == [last]


@given(DATES, st.integers(1, 28))
def test_a_day_of_the_next_month_is_that_day(day: dt.date, which: int) -> None:
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(which, "th")
    found = known(f"the {which}{ending} of the next month", day)
    assert found == [next_month(day).replace(day=which)]


def test_the_seventeenth_of_the_next_month_from_a_calendar() -> None:
    for day, published in (
        ("2007-11-01", "2007-12-17"),
        ("2007-12-01", "2008-01-17"),
        ("2008-01-31", "2008-02-17"),
    ):
        assert known("the 17th of the next month", dt.date.fromisoformat(day)) == [
            dt.date.fromisoformat(published)
        ]


@pytest.mark.parametrize("id", ["INDPRO", "CPIAUCSL"])
def test_output_and_prices_are_known_from_the_seventeenth_but_for_what_came_later(id: str) -> None:
    months = np.arange("1947-01", "2026-07", dtype="datetime64[M]").astype("datetime64[D]")
    found = known_at(catalogue()[id].known_at, months)
    late = np.isin(months.astype("datetime64[M]").astype(str), list(late_releases()[id]))
    seventeenth = (months.astype("datetime64[M]") + 1).astype("datetime64[D]") + 16
    np.testing.assert_array_equal(found[~late], seventeenth[~late])
    assert (found[late] > seventeenth[late]).all()


# The closures of the government, holidays, and a schedule of the bureau's own; from the releases themselves.
LATE = [
    ("CPIAUCSL", "1995-12", "1996-02-01"),
    ("CPIAUCSL", "2013-09", "2013-10-30"),
    ("CPIAUCSL", "2014-09", "2014-10-22"),
    ("CPIAUCSL", "2015-01", "2015-02-26"),
    ("CPIAUCSL", "2018-12", "2019-01-17"),
    ("CPIAUCSL", "2025-09", "2025-10-24"),
    ("CPIAUCSL", "2025-11", "2025-12-18"),
    ("INDPRO", "1995-12", "1996-01-24"),
    ("INDPRO", "2013-09", "2013-10-28"),
    ("INDPRO", "2018-12", "2019-01-18"),
    ("INDPRO", "2022-12", "2023-01-18"),
    ("INDPRO", "2025-09", "2025-12-03"),
    ("INDPRO", "2025-11", "2025-12-23"),
    ("PAYEMS", "2018-12", "2019-01-04"),
    ("PAYEMS", "2025-10", "2025-12-16"),
]


@pytest.mark.parametrize(("id", "month", "day"), LATE)
def test_what_came_later_is_known_on_the_day_that_it_came(id: str, month: str, day: str) -> None:
    # Wherever in its month the source stamps it.
    for stamp in (f"{month}-01", f"{month}-28"):
        assert known_at(catalogue()[id].known_at, np.array([stamp], "datetime64[D]")).astype(str) == [day]


def test_every_late_release_is_later_than_its_rule_and_has_a_source() -> None:
    with (shipped("data") / "late_releases.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len({(row["series"], row["month"]) for row in rows}) == len(rows)
    for row in rows:
        (part,) = catalogue()[row["series"]].known_at
        month = np.array([row["month"]], dtype="datetime64[M]").astype("datetime64[D]")
        assert np.datetime64(row["published"]) > known_at(part["rule"], month)[0], row
        assert "https://" in row["source"]


PRINTS = {
    "payrolls": "PAYEMS",
    "industrial production": "INDPRO",
    "consumer prices": "CPIAUCSL",
    "unemployment rate": "UNRATE",
}


def _known(rule: str | list[dict[str, Any]], months: pd.PeriodIndex) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(known_at(rule, months.to_timestamp().to_numpy().astype("datetime64[D]")))


def _early_and_late(prints: pd.DataFrame, name: str, rule: Any) -> tuple[list[str], int]:
    """Return the months known before they were out, and of how many the rule says so later than the vintage.

    A monthly vintage holds what was published by the end of its month, whatever the day. The unemployment
    rate has one a quarter, of the middle of its second month: the month after its newest was not out then.
    """
    first = prints[prints["series"] == name]
    if name == "unemployment rate":
        newest = first.groupby("vintage")["month"].max()
        quarters = pd.PeriodIndex(newest.index.str.replace("Q", "-Q"), freq="Q")
        middle = (quarters.asfreq("M", "start") + 1).to_timestamp() + pd.Timedelta(14, "D")
        months = pd.PeriodIndex(newest, freq="M")
        early = _known(rule, months + 1) <= middle
        return (months + 1)[early].astype(str).tolist(), int((_known(rule, months) > middle).sum())
    months, vintage = (pd.PeriodIndex(first[column], freq="M") for column in ("month", "vintage"))
    known = _known(rule, months).to_period("M")
    return months[known < vintage].astype(str).tolist(), int((known > vintage).sum())


@pytest.mark.parametrize(
    ("name", "by_rule_alone"),
    [
        ("payrolls", ["2025-09", "2025-10"]),
        ("industrial production", ["2025-09", "2025-10"]),
        ("consumer prices", []),
        ("unemployment rate", ["2025-09"]),
    ],
)
def test_nothing_is_known_before_the_vintage_that_first_holds_it(
    shared_data: Path, name: str, by_rule_alone: list[str]
) -> None:
    prints = pd.read_csv(shared_data / "world" / "vintages" / "first_prints.csv", dtype=str)
    (part,) = catalogue()[PRINTS[name]].known_at
    assert _early_and_late(prints, name, [part]) == ([], 0)
    assert _early_and_late(prints, name, part["rule"]) == (by_rule_alone, 0)


def test_october_2025_has_no_consumer_prices(shared_data: Path) -> None:
    prints = pd.read_csv(shared_data / "world" / "vintages" / "first_prints.csv", dtype=str)
    prices = prints.loc[prints["series"] == "consumer prices", "month"].tolist()
    assert "2025-10" not in prices
    assert {"2025-09", "2025-11"} <= set(prices)


@given(DATES, st.sampled_from(["business day", *calendar.day_name[:5]]))
def test_the_first_weekday_of_the_next_month_is_found_by_walking(day: dt.date, which: str) -> None:
    weekdays = {0, 1, 2, 3, 4} if which == "business day" else {list(calendar.day_name).index(which)}
    assert known(f"the first {which} of the next month", day) == [the_first(next_month(day), weekdays)]


def test_employment_comes_on_the_third_friday_after_the_week_of_the_twelfth() -> None:
    for number in range(12 * 200):
        day = dt.date(1900 + number // 12, 1 + number % 12, 1 + number % 28)
        friday = the_first(day.replace(day=12), {5})
        for _ in range(3):
            friday = the_first(friday + ONE_DAY, {4})
        # One of the first three days of January is put off by a week.
        if friday.month == 1 and friday.day < 4:
            friday += 7 * ONE_DAY
        assert known("the third Friday after the week of the 12th", day) == [friday]


def test_a_rule_that_changed_holds_from_the_very_day_that_it_names() -> None:
    rules = [
        {"from": "1900-01-01", "rule": "the day itself"},
        {"from": "2000-03-05", "rule": "the day before"},
        {"from": "2001-03-05", "rule": "on 2002-02-02"},
    ]
    days = ["1899-12-31", "1900-01-01", "2000-03-04", "2000-03-05", "2001-03-04", "2001-03-05"]
    assert known_at(rules, np.array(days, dtype="datetime64[D]")).astype(str).tolist() == [
        "NaT",
        "1900-01-01",
        "2000-03-04",
        "2000-03-04",
        "2001-03-03",
        "2002-02-02",
    ]


def test_a_rule_with_a_day_that_the_calendar_has_not_is_refused() -> None:
    days = np.array(["2000-01-01"], dtype="datetime64[D]")
    with pytest.raises(UsageError, match="^a release rule's day '2001-02-29' is not a date"):
        known_at("on 2001-02-29", days)
    with pytest.raises(UsageError, match="^a release rule's 'from' '2001-02-29' is not a date"):
        known_at([{"from": "2001-02-29", "rule": "the day itself"}], days)
    with pytest.raises(UsageError, match="^the day of a late release '2001-02-29' is not a date"):
        late = {"2000-01": "2001-02-29"}
        known_at([{"from": "1999-01-01", "rule": "the day itself", "late": late}], days)


def test_what_a_table_announces_is_known_on_the_day_that_it_says() -> None:
    days, said = (np.array([day], dtype="datetime64[D]") for day in ("2007-12-01", "2008-12-01"))
    table = SourceTable.of("NBER", days, np.ones(1), "", b"", said)
    assert reading.known(replace(entry("AAA"), known_at=ANNOUNCED), table).tolist() == said.tolist()
    with pytest.raises(DataError, match="no release rule 'the announcement date'"):
        known_at(ANNOUNCED, days)


@pytest.mark.parametrize("id", ["UNRATE", "PAYEMS"])
def test_employment_is_known_on_the_day_of_its_report(id: str) -> None:
    months = np.array([f"{month}-01" for month in PUBLISHED], dtype="datetime64[D]")
    known = known_at(catalogue()[id].known_at, months)
    assert dict(zip(PUBLISHED, known.astype(str).tolist(), strict=True)) == PUBLISHED


@pytest.mark.parametrize("id", ["UNRATE", "PAYEMS", "INDPRO", "CPIAUCSL"])
def test_a_later_month_is_never_known_earlier(id: str) -> None:
    months = np.arange("1948-01", "2027-01", dtype="datetime64[M]").astype("datetime64[D]")
    known = known_at(catalogue()[id].known_at, months)
    assert (np.diff(known) >= np.timedelta64(0, "D")).all()
    assert (known >= pd.DatetimeIndex(months) + pd.offsets.MonthBegin(1)).all()


def test_employment_comes_on_the_first_friday_or_the_second() -> None:
    months = np.arange("1948-01", "2013-01", dtype="datetime64[M]").astype("datetime64[D]")
    known = pd.DatetimeIndex(known_at("the third Friday after the week of the 12th", months))
    assert (known.day_of_week == 4).all()
    first = pd.DatetimeIndex(known_at("the first Friday of the next month", months))
    assert set((known - first).days) == {0, 7}
    assert not ((known.month == 1) & (known.day < 4)).any()


def test_a_day_that_the_next_month_lacks_is_its_last() -> None:
    months = np.array(["2019-01-01", "2020-01-31", "2020-02-01", "2020-03-15"], dtype="datetime64[D]")
    known = known_at("the 31st of the next month", months).astype(str).tolist()
    assert known == ["2019-02-28", "2020-02-29", "2020-03-31", "2020-04-30"]


def test_what_came_late_came_late_only_in_its_month_and_under_its_rule() -> None:
    days = np.array(
        ["1999-12-31", "2000-01-01", "2000-01-31", "2000-02-01", "2001-01-15"], dtype="datetime64[D]"
    )
    rules = [
        {
            "from": "1990-01-01",
            "rule": "the day itself",
            "late": {"2000-01": "2000-03-03", "2001-01": "2009-09-09"},
        },
        {"from": "2000-01-31", "rule": "the day before", "late": {"1999-12": "2000-04-04"}},
    ]
    assert known_at(rules, days).astype(str).tolist() == [
        "1999-12-31",
        "2000-03-03",
        "2000-01-30",
        "2000-01-31",
        "2001-01-14",
    ]


def test_a_rule_that_is_none_is_refused() -> None:
    for rule in (
        "the fourth Friday",
        "on 2013-1-2",
        "the 1st of next month",
        "the first Sunday of the next month",
        "the first of the next month",
        "the 0th of the next month",
        "the 32nd of the next month",
        "the 99th of the next month",
    ):
        with pytest.raises(DataError, match="no release rule"):
            known_at(rule, np.array(["2020-01-01"], dtype="datetime64[D]"))


def test_where_a_rule_is_none_those_that_there_are_stand_one_by_one() -> None:
    with pytest.raises(DataError) as error:
        known_at("now and then", np.array(["2020-01-01"], dtype="datetime64[D]"))
    said = str(error.value).removeprefix("there is no release rule 'now and then'; the rules are: ")
    assert said == ", ".join(PHRASES)
    assert "the day itself, the day before, the next business day, " in said
