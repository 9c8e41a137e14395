"""A series: values, the day on which the public could first know each, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import DataError

if TYPE_CHECKING:
    from backtest.dates import Days, Fills, Floats


@dataclass(frozen=True, eq=False)
class Series:
    """One series, point in time.

    Parameters
    ----------
    id
        Its name in the catalogue, or what a market calls it.
    dates
        (n,) datetime64[D], strictly increasing: the period each value is about, as its source stamps it.
    values
        (n,) float64 in ``unit``. A missing value is not an observation: leave it out.
    known_at
        (n,) datetime64[D], never decreasing: the day the public could first know each value; NaT where nobody
        knew it in its time.
    checked
        The last day for which everything that went into it has been looked up, which may be much later than
        its last value where only changes are kept; None where nobody says, so that only its values tell.
    unit
        What it counts (``backtest.market.units``); empty where nothing says.
    anew
        The days on which it begins anew after a time in which nobody knows it, by when that was known; what
        it was before says nothing of what comes then.
    origin, sha256
        Where its values come from, for people, and the checksum of what they were read from; empty for what
        is made of several series.

    Raises
    ------
    DataError
        When dates, values and known_at do not fit together; the sentence names the series and the first bad
        date.
    """

    id: str
    dates: Days
    values: Floats
    known_at: Days
    checked: np.datetime64 | None = None
    unit: str = ""
    origin: str = ""
    sha256: str = ""
    anew: tuple[np.datetime64, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.dates) == len(self.values) == len(self.known_at):
            raise DataError(f"{self.id}: dates, values and known_at differ in length")
        if len(self.dates) == 0:
            raise DataError(f"{self.id} has no observation")
        self._refuse(~np.isfinite(self.values), "is not a number")
        self._refuse(np.r_[False, np.diff(self.dates).astype(int) <= 0], "is out of order or twice")
        # A NaT is neither before nor after a day.
        self._refuse(np.r_[False, self.known_at[1:] < self.known_at[:-1]], "was known before its predecessor")

    def _refuse(self, bad: np.ndarray, why: str) -> None:
        if bad.any():
            raise DataError(f"{self.id}: the value of {self.dates[bad.argmax()]} {why}")

    @property
    def last(self) -> np.datetime64:
        """The last day that it speaks for: of its last value, or to which it has been looked up since."""
        return self.dates[-1] if self.checked is None else max(self.dates[-1], self.checked)

    def only(self, kept: Any) -> Series:
        """Return it with some of its observations: a mask of them, their numbers, or a slice."""
        dates, values, known_at = self.dates[kept], self.values[kept], self.known_at[kept]
        return replace(self, dates=dates, values=values, known_at=known_at)

    def in_months(self, months: np.ndarray) -> Floats:
        """Return its values in some months, of any shape, by the dates they are about; NaN where it has none.

        Of several in a month the first one.
        """
        own = self.dates.astype("datetime64[M]")
        at = np.minimum(np.searchsorted(own, months), len(own) - 1)
        return np.where(own[at] == months, self.values[at], np.nan)

    def as_of(self, fills: Fills) -> Floats:
        """Return the latest value that each fill may use, (n_fills,) float64, NaN before the first.

        Of several values that became known on one day, the one about the latest period counts.
        """
        usable = np.searchsorted(fills.first_after(self.known_at), np.arange(len(fills.dates)), "right")
        return np.where(usable > 0, self.values[np.maximum(usable - 1, 0)], np.nan)
