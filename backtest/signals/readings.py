"""Readings: the values of levels as they became known, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from backtest.dates import add_months, last_business_day, month_start
from backtest.errors import UsageError
from backtest.signals.rows import combinations, distinct, sets_of, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Days, Fills, Floats, Ints


FRACTIONS = ("fraction", "ratio")
"""The units of which 1 is 100 percent."""


class PastFigure(NamedTuple):
    """What sums up a level's last months: the compiled figure, its label, a unit of its own, its words."""

    figure: str
    label: str
    unit: str
    words: str


STATISTICS = {
    "average": PastFigure("MEAN", "{n}-month average of {label}", "", "average over {n} months"),
    "lowest": PastFigure("LOWEST", "{n}-month low of {label}", "", "lowest of {n} months"),
    "highest": PastFigure("HIGHEST", "{n}-month high of {label}", "", "highest of {n} months"),
    "percentile": PastFigure(
        "PERCENTILE", "percentile of {label} in its past", "percent", "percentile in {past}"
    ),
    "zscore": PastFigure(
        "ZSCORE",
        "z-score of {label} in its past",
        "standard deviations",
        "distance from the mean, in deviations, in {past}",
    ),
}
"""Each by the name of its operation; ``n`` are the months, ``past`` the past that counts.

The percentile is the share, in percent, of the earlier values that lie below the present one, ties counted
half; the z-score the distance from the mean in sample standard deviations, missing where they are 0.
"""


@dataclass(frozen=True, eq=False)
class Readings:
    """The values of a ``rules.expressions.Level``, point in time, for one parameter set or many.

    Parameters
    ----------
    fills
        The fills at which a strategy may act.
    label, unit
        What it is and what it counts in, for people.
    dates
        (n,) datetime64[D], never decreasing: the period each value is about.
    known_at
        (n,) datetime64[D], never decreasing: the day each value became known.
    values
        (n_rows, n) float64; NaN where a value is missing.
    which
        (n_sets,) int64: which row each parameter set uses.
    since
        (n_sets,) int64: the place of the first value that a set uses; what is before it is missing. Sets
        that need more or less history differ in nothing else, and share a row.
    """

    fills: Fills
    label: str
    unit: str
    dates: Days
    known_at: Days
    values: Floats
    which: Ints
    since: Ints

    @property
    def n_sets(self) -> int:
        """The number of parameter sets."""
        return len(self.which)

    def _following(self) -> Ints:
        """Return the place of the first value there is at or after each, (n_rows, n + 1); n where none is."""
        n = len(self.dates)
        there = np.where(np.isfinite(self.values), np.arange(n), n)
        following = np.minimum.accumulate(there[:, ::-1], axis=1)[:, ::-1]
        return np.c_[following, np.full(len(there), n)]

    def apart(self) -> Readings:
        """Return the level with a row of its own for each row and ``since`` that a set uses."""
        if not self.since.any():
            return self
        n = len(self.dates)
        (rows, since), which = combinations(self.which, self.since)
        values = np.where(np.arange(n) < since[:, None], np.nan, self.values[rows])
        return replace(self, values=values, which=which, since=np.zeros_like(which))

    def at_decisions(self) -> tuple[Ints, Floats, Ints]:
        """Return the fills after something became known, (n_decisions,), and each row's values then.

        The values, (n_rows, n_decisions), are the latest that are not missing; NaN before the first. Also
        the place of the first decision at which each set knows one, (n_sets,).
        """
        decisions, last = self._decisions
        begin = np.searchsorted(last, self._following()[self.which, self.since])
        return decisions, self._carried()[:, last], begin

    @cached_property
    def _decisions(self) -> tuple[Ints, Ints]:
        """The fills after something became known, and the place of the latest date that each may use."""
        usable = self.fills.first_after(self.known_at)
        last = np.flatnonzero(np.r_[usable[1:] != usable[:-1], True] & (usable < len(self.fills.dates)))
        return usable[last], last

    def _carried(self) -> Floats:
        """Return the values with the latest that is not missing in place of every missing one."""
        present = np.where(np.isfinite(self.values), np.arange(len(self.dates)), -1)
        latest = np.maximum.accumulate(present, axis=1)
        return np.where(latest >= 0, np.take_along_axis(self.values, np.maximum(latest, 0), axis=1), np.nan)

    @cached_property
    def at_fills(self) -> Floats:
        """The latest value known at each fill, (n_sets, n_fills); NaN before the first."""
        decision, values, begin = self.at_decisions()
        made = np.zeros(len(self.fills.dates), dtype=np.int64)
        made[decision] = 1
        index = np.cumsum(made) - 1  # of the latest decision at each fill
        padded = np.c_[np.full(len(values), np.nan), values]
        return np.where(index < begin[:, None], np.nan, padded[:, index + 1][self.which])

    def take(self, which: Ints) -> Readings:
        """Return the level of so many of the sets, in this order."""
        if len(which) == self.n_sets and (which == np.arange(self.n_sets)).all():
            return self
        return replace(self, which=self.which[which], since=self.since[which])

    # What is made of a level: each states the history that it needs.

    def change(self, months: Any) -> Readings:
        """Return the change over so many months, in the level's unit; it needs those months."""
        (now, then), which, n = self._before(months)
        return self._made(f"change of {self.label} over {n} months", now - then, which)

    def growth(self, months: Any) -> Readings:
        """Return the relative change over so many months, in percent; it needs those months.

        It is missing where the earlier value is not positive.
        """
        (now, then), which, n = self._before(months)
        base = np.where(then > 0.0, then, np.nan)
        made = self._made(f"growth of {self.label} over {n} months", 100.0 * (now / base - 1.0), which)
        return replace(made, unit="percent")

    def over(self, months: Any, statistic: str, *, expanding: bool = False) -> Readings:
        """Return one of ``STATISTICS`` of the last so many months, the present value included.

        It needs those months. With ``expanding`` it is that of all of the past, never of the whole sample.
        """
        from backtest.signals import compiled  # numba takes its time

        about = STATISTICS[statistic]
        wanted = whole(months, "months")
        n, n_sets = len(self.dates), sets_of(self.n_sets, len(wanted))
        rows, since = np.broadcast_to(self.which, n_sets), np.broadcast_to(self.since, n_sets)
        spans, at = distinct(np.broadcast_to(wanted, n_sets))
        begin, complete = windows(self.dates, spans)
        following = self._following()
        first = following[rows, since]
        ready = complete[at, first]
        if expanding:
            # All of the past is the same past, however much of it is needed.
            firsts, at = np.unique(first, return_inverse=True)
            begin = np.repeat(firsts[:, None], n, axis=1)
        elif (following[rows, begin[at, ready]] < first).any():
            return self.apart().over(months, statistic)  # a window has what a set may not use
        (rows, at), which = combinations(rows, at)
        earliest = np.full(len(rows), n)
        np.minimum.at(earliest, which, ready)
        result = np.empty((len(rows), n))
        compiled.windowed(self.values, rows, begin, at, earliest, result, getattr(compiled, about.figure))
        since = np.where(ready > earliest[which], ready, 0)
        label = about.label.format(n=wanted[0], label=self.label)
        return replace(
            self, label=label, unit=about.unit or self.unit, values=result, which=which, since=since
        )

    def in_percent(self) -> Readings:
        """Return a fraction as percent; what is in percent stays as it is.

        Raises
        ------
        UsageError
            When the level is neither.
        """
        if self.unit == "percent":
            return self
        if self.unit not in FRACTIONS:
            raise UsageError(
                f"{self.label} counts in {self.unit or 'no unit'}, which is no share or percentage"
            )
        return replace(self, values=100.0 * self.values, unit="percent")

    def combined(self, other: Any, combine: Any, label: str, unit: str) -> Readings:
        """Return what a function of two arrays makes of this level and a number, a row or another level.

        Each is taken as known on the day, and what is not finite is missing. ``label`` has two places.
        """
        if not isinstance(other, Readings):
            numbers = np.atleast_1d(other).astype(np.float64)
            found, what = np.unique(numbers, return_inverse=True)
            (rows, number), which = combinations(self.which, what)
            values = _finite(combine, self.values[rows], found[number][:, None])
            made = label.format(self.label, f"{numbers[0]:g}")
            since = np.broadcast_to(self.since, len(which))
            return replace(self, label=made, values=values, which=which, since=since, unit=unit)
        both = self.apart(), other.apart()
        (mine_of, theirs_of), which = combinations(*(each.which for each in both))
        days, (mine, theirs), dates = news_of(both)
        return Readings(
            self.fills,
            label.format(self.label, other.label),
            unit,
            dates,
            days,
            _finite(combine, mine[mine_of], theirs[theirs_of]),
            which,
            np.zeros_like(which),
        )

    def transformed(self, function: Any, label: str, unit: str) -> Readings:
        """Return what a function of one array makes of each value; what is not finite is missing."""
        return replace(self, label=label.format(self.label), values=_finite(function, self.values), unit=unit)

    def __sub__(self, other: Readings | float) -> Readings:
        """Return the difference from a number or from another level."""
        return self.combined(other, np.subtract, "{} less {}", self.unit)

    def __truediv__(self, other: Readings | float) -> Readings:
        """Return the ratio to a number or to another level."""
        return self.combined(other, np.true_divide, "{} over {}", "ratio")

    # The machinery.

    def _made(self, label: str, values: Floats, which: Ints) -> Readings:
        return replace(self, label=label, values=values, which=which, since=np.zeros_like(which))

    def _before(self, months: Any) -> tuple[tuple[Floats, Floats], Ints, int]:
        """Return the values, those of so many months before, which of them each set uses, and the months."""
        months, level = whole(months, "months"), self.apart()
        (rows, spans), which = combinations(level.which, months)
        index = np.searchsorted(self.dates, months_back(self.dates, spans[:, None]), "right") - 1
        earlier = np.take_along_axis(level._carried()[rows], np.maximum(index, 0), axis=1)
        return (level.values[rows], np.where(index >= 0, earlier, np.nan)), which, int(months[0])

    def news(self) -> Days:
        """Return the days on which any row had a value that is not missing."""
        return self.known_at[np.isfinite(self.values).any(axis=0)]

    def on(self, days: Days) -> tuple[Floats, Days]:
        """Return the latest values known on each day, (n_rows, n_days), and the dates that these are about.

        Before the first value, which is missing, the date is that of the first.
        """
        index = np.searchsorted(self.known_at, days, "right") - 1
        values = np.where(index >= 0, self._carried()[:, np.maximum(index, 0)], np.nan)
        return values, self.dates[np.maximum(index, 0)]


def months_back(days: Days, months: Any) -> Days:
    """Return the day so many months before each day, from the end of a month to the end of a month.

    The days after it are whole months, whether values are stamped on a month's first day or its last
    business day. ``days`` and ``months`` broadcast.
    """
    back = add_months(days, -np.asarray(months))
    return np.where(days >= last_business_day(days), month_start(back, 1) - 1, back)


def windows(dates: Days, months: Ints) -> tuple[Ints, Ints]:
    """Return where the windows of so many months begin, and from where on they are complete.

    The window of n months is that of the days after ``months_back``. It is complete where the first value
    lies at or before its beginning; where values come by the month, in its first month.

    Returns
    -------
    begin
        (n_spans, n + 1) int64: the place at which the window of each date begins; at last n.
    complete
        (n_spans, n + 1) int64: the place from which on the windows are complete where the first value is at
        each place; n where none is.
    """
    n, day = len(dates), months_back(dates, months[:, None])
    # Nothing that came later may tell how often values come: the first two do.
    by_month = n > 1 and bool(dates[1] - dates[0] > np.timedelta64(20, "D"))
    latest = add_months(day + 1, 1) - 1 if by_month else day
    complete = np.maximum([np.searchsorted(each, dates) for each in latest], np.arange(1, n + 1))
    never = np.full((len(months), 1), n)
    return np.c_[np.searchsorted(dates, day, "right"), never], np.c_[complete, never]


def news_of(levels: Sequence[Readings]) -> tuple[Days, list[Floats], Days]:
    """Return the days on which any level had news, the rows of each as known then, and what they are about.

    The latter is the date of the latest period among them, (n_days,).
    """
    days = np.sort(np.concatenate([level.news() for level in levels]), kind="stable")
    days = days[np.r_[True, days[1:] != days[:-1]][: len(days)]]  # many times faster than a union of sets
    values, dates = zip(*(level.on(days) for level in levels), strict=True)
    return days, list(values), np.max(dates, axis=0)


def _finite(function: Any, *values: Any) -> Floats:
    with np.errstate(all="ignore"):
        made = np.asarray(function(*values), dtype=np.float64)
    made[~np.isfinite(made)] = np.nan
    return made


def level_of(fills: Fills, label: str, unit: str, dates: Days, known_at: Days, values: Floats) -> Readings:
    """Return the level of one series: ``values`` (n,) as they became known, NaN where one is missing."""
    one = np.zeros(1, np.int64)
    return Readings(fills, label, unit, dates, known_at, values[None, :], one, one)
