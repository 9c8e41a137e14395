"""Release rules: from the date a value is stamped with to the day the public could first know it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import last_business_day, month_start, parse_day
from backtest.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Days

ANNOUNCED = "the announcement date"
AFTER_THE_FACT = "after the fact"

_NEVER = np.datetime64("NaT", "D")

_WEEKDAYS = {
    "Monday": "Mon",
    "Tuesday": "Tue",
    "Wednesday": "Wed",
    "Thursday": "Thu",
    "Friday": "Fri",
}
_NEXT_MONTH = re.compile(r"the (?:first (?P<first>[\w ]+)|(?P<day>\d+)(?:st|nd|rd|th)) of the next month")


_BEFORE = re.compile(r"the (\d+)(?:st|nd|rd|th) day before")


def _days_before(phrase: str) -> Callable[[Days], Days] | None:
    match = _BEFORE.fullmatch(phrase)
    return (lambda dates: dates - np.timedelta64(int(match[1]), "D")) if match else None


_DAY = re.compile(r"on (\d{4}-\d{2}-\d{2})")


def _on_a_day(phrase: str) -> Callable[[Days], Days] | None:
    match = _DAY.fullmatch(phrase)
    if match is None:
        return None
    day = parse_day(match[1], "a release rule's day")
    return lambda dates: np.full(len(dates), day)


def _employment(dates: Days) -> Days:
    """Return when the Bureau of Labor Statistics publishes the employment of the months of these days.

    The surveys are about the week, from Sunday to Saturday, that has the 12th; the release is on the third
    Friday after it. That is the first Friday of the next month or, after shorter months, now and then the
    second. Where it would fall on the first days of January it comes a week later.
    """
    middle = month_start(dates) + np.timedelta64(11, "D")
    saturday = np.busday_offset(middle, 0, roll="forward", weekmask="Sat").astype("datetime64[D]")
    friday = saturday + np.timedelta64(20, "D")
    in_year = friday - friday.astype("datetime64[Y]").astype("datetime64[D]")
    return np.where(in_year < np.timedelta64(3, "D"), friday + np.timedelta64(7, "D"), friday)


def _next_month(phrase: str) -> Callable[[Days], Days] | None:
    match = _NEXT_MONTH.fullmatch(phrase)
    if match is None:
        return None
    if match["day"]:
        day = int(match["day"])
        if not 1 <= day <= 31:
            return None
        # The 31st of a shorter month is its last day.
        return lambda dates: np.minimum(
            month_start(dates, 1) + np.timedelta64(day - 1, "D"),
            month_start(dates, 2) - np.timedelta64(1, "D"),
        )
    if match["first"] != "business day" and match["first"] not in _WEEKDAYS:
        return None
    mask = _WEEKDAYS.get(match["first"], "Mon Tue Wed Thu Fri")
    return lambda dates: np.busday_offset(month_start(dates, 1), 0, roll="forward", weekmask=mask).astype(
        "datetime64[D]"
    )


_RULES: dict[str, Callable[[Days], Days]] = {
    "the day itself": lambda dates: dates,
    "the day before": lambda dates: dates - np.timedelta64(1, "D"),
    "the next business day": lambda dates: np.busday_offset(
        dates + np.timedelta64(1, "D"), 0, roll="forward"
    ).astype("datetime64[D]"),
    "the last business day of the month": last_business_day,
    "the third Friday after the week of the 12th": _employment,
}

PHRASES = (
    *_RULES,
    "the first business day of the next month",
    "the first Friday of the next month (or another weekday)",
    "the 17th of the next month (or another day, 1st to 31st)",
    "the 5th day before (or another number of days)",
    "on 2024-01-31 (or another date)",
)
"""The rules as a user may write them, with what may stand in them."""


def known_at(rule: str | list[dict[str, Any]], dates: Days, announced: Days | None = None) -> Days:
    """Return the day on which the public could first know each value.

    Parameters
    ----------
    rule
        A phrase of the catalogue, or a list of ``{from, rule}`` where the rule changed over time. A part may
        have ``late``: months (``2013-09``) with the days on which they came, later than by its rule.
    dates
        (n,) datetime64[D]: the dates that the source stamps the values with.
    announced
        (n,) datetime64[D]: the dates of announcement where the source has them.

    Raises
    ------
    DataError
        When the phrase is none of the rules; the sentence lists them.
    """
    if isinstance(rule, list):
        result = np.full(len(dates), _NEVER)
        for part in rule:
            applies = dates >= parse_day(part["from"], "a release rule's 'from'")
            result[applies] = known_at(part["rule"], dates[applies])
            for month, day in part.get("late", {}).items():
                late = applies & (dates.astype("datetime64[M]") == np.datetime64(month))
                result[late] = parse_day(day, "the day of a late release")
        return result
    if rule == ANNOUNCED and announced is not None:
        return announced
    convert = _RULES.get(rule) or _next_month(rule) or _days_before(rule) or _on_a_day(rule)
    if convert is None:
        raise DataError(f"there is no release rule '{rule}'; the rules are: {', '.join(PHRASES)}")
    return convert(dates)
