"""What studies read of a market: returns by month, levels as they were known, and changes within a month.

A study looks back: it may use what a month's figures are about (``change_within``, ``recession_months``)
where no strategy could have. Where it asks what could have been known, it reads ``known_level``, as a
strategy does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import Fills, last_business_day
from backtest.errors import DataError, joined
from backtest.market.catalogue import entry
from backtest.market.definition import markets_with
from backtest.market.reading import read
from backtest.studies.claim import MissingInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Bools, Days, Floats, Ints
    from backtest.market.data import MarketData
    from backtest.series import Series


@dataclass(frozen=True, eq=False)
class Monthly:
    """Returns by month.

    Parameters
    ----------
    ends
        (n,) datetime64[D]: the last business day of each month, no month left out.
    returns
        (n,) simple returns of each sleeve, without missing values.
    """

    ends: Days
    returns: Mapping[str, Floats]

    def index_of(self, days: Days) -> Ints:
        """Return each day's month as an index; it may lie before 0 or after the last."""
        return (days.astype("datetime64[M]") - self.ends[0].astype("datetime64[M]")).astype(np.int64)


def span(ends: Days) -> str:
    """Return in words which months lie from the first to the last of some days."""
    return f"{str(ends[0])[:7]} to {str(ends[-1])[:7]}"


def missing(market: MarketData, what: str, name: str) -> MissingInputError:
    """Return the error that says that a market lacks a series or a sleeve, and which one has it."""
    having = markets_with(name, market.frequency, "sleeves", "series")
    others = sorted(other for other in having if other != market.name)
    where = f"{joined(others)} {'have' if len(others) > 1 else 'has'} it" if others else "no market has it"
    called = what if name == what else f"{what} ({name})"
    return MissingInputError(f"the market '{market.name}' has no {called}; {where}")


def own_bars(market: MarketData, *sleeves: str) -> tuple[Days, Floats]:
    """Return the dates at which all of some sleeves have returns, (n,), and those returns, (n, n_sleeves).

    Raises
    ------
    MissingInputError
        When the market has no such sleeve.
    DataError
        When a return is missing between others.
    """
    for sleeve in sleeves:
        if sleeve not in market.bars.sleeves:
            raise missing(market, "sleeve", sleeve)
    table = np.column_stack([market.bars.column(sleeve) for sleeve in sleeves])
    present = np.flatnonzero(np.isfinite(table).all(axis=1))
    if len(present) == 0 or np.isnan(table[present[0] : present[-1] + 1]).any():
        raise DataError(f"the market '{market.name}' has no returns without gaps of {', '.join(sleeves)}")
    whole = slice(present[0], present[-1] + 1)
    return market.bars.dates[whole], table[whole]


def monthly(market: MarketData, *sleeves: str) -> Monthly:
    """Return the returns of some sleeves by month; those of daily bars are compounded.

    Months from the first to the last in which all of them have returns; of daily bars a last month that has
    not reached its last business days is left out. Errors as ``own_bars``, and a DataError where a month has
    no bar.
    """
    dates, table = own_bars(market, *sleeves)
    months = dates.astype("datetime64[M]")
    begins = np.flatnonzero(np.r_[True, months[1:] != months[:-1]])
    growth = np.expm1(np.add.reduceat(np.log1p(table), begins, axis=0))
    ends = last_business_day(dates[begins])
    if dates[-1] < ends[-1] - np.timedelta64(4, "D"):
        ends, growth = ends[:-1], growth[:-1]
    if (np.diff(ends.astype("datetime64[M]")).astype(int) != 1).any():
        raise DataError(f"the market '{market.name}' has months without a bar")
    return Monthly(ends, {sleeve: growth[:, column] for column, sleeve in enumerate(sleeves)})


def size_premium(market: MarketData) -> tuple[Days, Floats]:
    """Return the last business day of each month, and what small earned more than large in it; both (n,)."""
    bars = monthly(market, "small", "large")
    return bars.ends, bars.returns["small"] - bars.returns["large"]


def observed(market: MarketData, role: str, what: str) -> Series:
    """Return the series that has a role; MissingInputError where the market has none."""
    id = market.policy if role == "policy" else market.roles.get(role)
    if id is None or id not in market.observations:
        raise missing(market, what, role)
    return market.observations[id]


def known_level(market: MarketData, role: str, what: str, ends: Days) -> Floats:
    """Return a series as it was known before the last business day of each month, (n,), NaN before it was."""
    return observed(market, role, what).as_of(Fills(ends))


def change_within(series: Series, ends: Days, *, carried: bool = False) -> Floats:
    """Return the change of a series within each month, by the dates its values are about; NaN where unknown.

    The last value of the month less the last of the month before. ``carried``: the series has an entry only
    where it changes, so that a month without one is a month without change; it ends with the last entry
    otherwise.
    """
    months = ends.astype("datetime64[M]")
    at = np.searchsorted(series.dates.astype("datetime64[M]"), months, "right") - 1
    level = np.where(at >= 0, series.values[np.maximum(at, 0)], np.nan)
    if not carried:
        stale = months - series.dates[np.maximum(at, 0)].astype("datetime64[M]") > np.timedelta64(0, "M")
        level = np.where(stale, np.nan, level)
    return np.r_[np.nan, np.diff(level)]


def turning_points() -> tuple[Days, Bools]:
    """Return the months of the NBER's turning points and whether each is a peak."""
    table = read(entry("USREC"))
    return table.dates, table.values == 1.0


def recession_months(ends: Days) -> Bools:
    """Return for each month whether it lies in a recession: after a peak, up to and with the trough.

    As the NBER dated it afterwards; nobody knew it at the time.
    """
    dates, peaks = turning_points()
    before = np.searchsorted(dates.astype("datetime64[M]"), ends.astype("datetime64[M]"), "left") - 1
    return (before >= 0) & peaks[np.maximum(before, 0)]
