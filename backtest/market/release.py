"""Release rules: from the date a value is stamped with to the day the public could first know it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from backtest.dates import last_business_day, month_start, parse_day
from backtest.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Days

    Rule: TypeAlias = Callable[[Days], Days]

ANNOUNCED = "the announcement date"
AFTER_THE_FACT = "after the fact"

_NEVER = np.datetime64("NaT", "D")

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def _days_before(match: re.Match[str]) -> Rule:
    return lambda dates: dates - np.timedelta64(int(match[1]), "D")


def _on_a_day(match: re.Match[str]) -> Rule:
    day = parse_day(match[1], "a release rule's day")
    return lambda dates: np.full(len(dates), day)


def _first_of_next_month(match: re.Match[str]) -> Rule:
    mask = match[1][:3] if match[1] in _WEEKDAYS else "Mon Tue Wed Thu Fri"
    return lambda dates: np.busday_offset(month_start(dates, 1), 0, roll="forward", weekmask=mask).astype(
        "datetime64[D]"
    )


def _day_of_next_month(match: re.Match[str]) -> Rule:
    # The 31st of a shorter month is its last day.
    return lambda dates: np.minimum(
        month_start(dates, 1) + np.timedelta64(int(match[1]) - 1, "D"),
        month_start(dates, 2) - np.timedelta64(1, "D"),
    )


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


_RULES: dict[str, Rule] = {
    "the day itself": lambda dates: dates,
    "the day before": lambda dates: dates - np.timedelta64(1, "D"),
    "the next business day": lambda dates: np.busday_offset(
        dates + np.timedelta64(1, "D"), 0, roll="forward"
    ).astype("datetime64[D]"),
    "the last business day of the month": last_business_day,
    "the third Friday after the week of the 12th": _employment,
}

_PATTERNS: dict[str, Callable[[re.Match[str]], Rule]] = {
    rf"the first (business day|{'|'.join(_WEEKDAYS)}) of the next month": _first_of_next_month,
    r"the 0*([1-9]|[12]\d|3[01])(?:st|nd|rd|th) of the next month": _day_of_next_month,
    r"the (\d+)(?:st|nd|rd|th) day before": _days_before,
    r"on (\d{4}-\d{2}-\d{2})": _on_a_day,
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


def known_at(rule: str | list[dict[str, Any]], dates: Days) -> Days:
    """Return the day on which the public could first know each value.

    Parameters
    ----------
    rule
        A phrase of the catalogue, or a list of ``{from, rule}`` where the rule changed over time. A part may
        have ``late``: months (``2013-09``) with the days on which they came, later than by its rule.
    dates
        (n,) datetime64[D]: the dates that the source stamps the values with.

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
    if rule in _RULES:
        return _RULES[rule](dates)
    for pattern, made in _PATTERNS.items():
        if match := re.fullmatch(pattern, rule):
            return made(match)(dates)
    raise DataError(f"there is no release rule '{rule}'; the rules are: {', '.join(PHRASES)}")
