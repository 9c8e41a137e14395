"""Calendar arithmetic on days, and which fill may use what was known on a day."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Days: TypeAlias = NDArray[np.datetime64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    Ints: TypeAlias = NDArray[np.int64]


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def to_days(values: Any) -> Days:
    """Return ``values`` (dates, ISO strings, datetime64 of any unit) as datetime64[D]."""
    return np.asarray(values, dtype="datetime64[D]")


def parse_day(text: str | dt.date | np.datetime64, what: str) -> np.datetime64:
    """Return one day from a user's ``YYYY-MM-DD``; ``what`` names it in the error.

    Raises
    ------
    UsageError
        When the text is not a date of the calendar.
    """
    if isinstance(text, np.datetime64) and not np.isnat(text):
        return text.astype("datetime64[D]")
    if isinstance(text, str):
        try:
            # Python takes weeks (2020-W01-1) and digits of other scripts too, which nobody means.
            text = dt.date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            raise UsageError(f"{what} '{text}' is not a date; write it as 2007-09-18") from None
    # Not a time (NaT of pandas, too) is a date by its type alone: it is not equal to itself.
    if not isinstance(text, dt.date) or text != text:
        raise UsageError(f"{what} must be a date or text such as '2007-09-18', not {text!r}")
    return np.datetime64(dt.date(text.year, text.month, text.day), "D")


def add_months(days: Days | np.datetime64, months: Any) -> Days:
    """Return ``days`` moved by calendar months; a day past the end of a month becomes its last.

    ``days`` and ``months`` (whole numbers, negative too) broadcast against each other. The same rule
    as ``pandas.DateOffset(months=n)``: 31 January plus one month is 28 (or 29) February.
    """
    days = to_days(days)
    month = days.astype("datetime64[M]")
    target: NDArray[np.datetime64] = month + np.asarray(months).astype("timedelta64[M]")
    last = month_start(target, 1) - np.timedelta64(1, "D")
    moved = _first_days(target) + (days - _first_days(month))
    return np.minimum(moved, last)


def _first_days(months: NDArray[np.datetime64]) -> Days:
    """Return the first day of each month; of many days in few months by a table, which is faster."""
    if months.size > 1_000:
        low, high = months.min(), months.max()
        span = int((high - low).astype(np.int64))  # of NaT below 0
        if 0 <= span < months.size:
            table = np.arange(low, high + 1).astype("datetime64[D]")
            return table[(months - low).astype(np.int64)]
    return to_days(months)


def today() -> np.datetime64:
    """Return the day that it is here."""
    return np.datetime64(dt.datetime.now(dt.UTC).astimezone().date(), "D")


def month_start(days: Days | np.datetime64, months: int = 0) -> Days:
    """Return the first day of each day's month, moved by whole months."""
    month = to_days(days).astype("datetime64[M]") + np.asarray(months).astype("timedelta64[M]")
    return _first_days(month)


def last_business_day(days: Days | np.datetime64) -> Days:
    """Return the last business day (Monday to Friday) of each day's month."""
    return to_days(np.busday_offset(month_start(days, 1), -1, roll="forward"))


def at_month_ends(days: Days) -> bool:
    """Return whether all days are the last of their months, holidays and weekends left aside."""
    return bool((days >= last_business_day(days) - np.timedelta64(4, "D")).all())


DAYS_A_YEAR = 365.2425
"""Of the calendar, leap years told."""

EVERY_FILL = "every-fill"

CALENDARS = (EVERY_FILL, "week-end", "month-end", "quarter-end")
"""At which fills a strategy may decide: at each, or at the last of each week, month or quarter."""


def calendar_of(decide: str | None) -> str:
    """Return a decision calendar by its name, every fill by default; UsageError names the nearest one."""
    if decide is None:
        return EVERY_FILL
    if decide not in CALENDARS:
        raise UsageError(f"there is no decision calendar '{decide}'; {nearest(str(decide), CALENDARS)}")
    return decide


def _period(days: Days, decide: str) -> Ints:
    """Return the number of each day's week (from Monday), month or quarter."""
    if decide == "week-end":
        return (days.astype(np.int64) + 3) // 7
    return days.astype("datetime64[M]").astype(np.int64) // (3 if decide == "quarter-end" else 1)


@dataclass(frozen=True, eq=False)
class Fills:
    """The dates at whose close a strategy may trade, and what each of them may use.

    Parameters
    ----------
    dates
        (n_fills,) datetime64[D], strictly increasing: the dates of the bars.
    same_close
        False: a fill at f uses what was known strictly before f. True: also what became known on f,
        which nobody could have traded on; only to reproduce papers.
    decide
        At which fills a strategy decides, one of ``CALENDARS``; at the others it keeps to what it decided.
    """

    dates: Days
    same_close: bool = False
    decide: str = EVERY_FILL

    def deciding(self) -> Ints:
        """Return the first fill at or after each one at which a strategy decides, (n_fills + 1,).

        It is ``n_fills`` where none is left. Holidays are known in advance, so that everybody knows which
        fill is the last of its week, month or quarter; of the last bar the calendar of weekdays tells.
        """
        n = len(self.dates)
        if self.decide == EVERY_FILL:
            return np.arange(n + 1)
        following = np.r_[self.dates[1:], np.busday_offset(self.dates[-1:] + 1, 0, roll="forward")]
        ends = np.flatnonzero(_period(self.dates, self.decide) != _period(following, self.decide))
        return np.append(ends, n)[np.searchsorted(ends, np.arange(n + 1))]

    def first_after(self, known_at: Days | np.datetime64) -> Ints:
        """Return the index of the first fill that may use what was known on each day.

        The index is ``n_fills`` where no fill may.
        """
        side: Literal["left", "right"] = "left" if self.same_close else "right"
        return np.searchsorted(self.dates, to_days(known_at), side)

    def knows(self, fill: int, known_at: Days) -> Bools:
        """Return of each day whether one fill may use what was known on it; as ``first_after`` says."""
        return known_at <= self.dates[fill] if self.same_close else known_at < self.dates[fill]

    def months_on(self, months: int) -> Ints:
        """Return the first fill that lies so many months after each fill, (n_fills + 1,), last ``n_fills``.

        From one month's last business day to another's is a whole number of months, although one may be the
        28th and the other the 31st; with 0 months every fill is its own.
        """
        return _months_on(self, months)

    def first_past(self, days: Days | np.datetime64) -> Ints:
        """Return the index of the first fill that lies strictly after each day."""
        return np.searchsorted(self.dates, to_days(days), "right")


@lru_cache(maxsize=64)  # a hand that moves something else asks for the same again
def _months_on(fills: Fills, months: int) -> Ints:
    dates = fills.dates
    due = add_months(dates, months)
    due = np.minimum(due, last_business_day(due))
    found = np.maximum(np.searchsorted(dates, due), np.arange(len(dates)))
    return np.r_[found, len(dates)]
