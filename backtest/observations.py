"""Observations: values together with the day on which the public could first know each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError

if TYPE_CHECKING:
    from backtest.dates import Days, Fills, Floats


@dataclass(frozen=True, eq=False)
class Observations:
    """One series, point in time.

    Parameters
    ----------
    id
        The series' name in the catalogue.
    dates
        (n,) datetime64[D], strictly increasing: the period each value is about.
    values
        (n,) float64 in the catalogue's unit. A missing value is not an observation: leave it out.
    known_at
        (n,) datetime64[D], never decreasing: the day the public could first know each value.
    checked
        The last day for which everything that went into it has been looked up, which may be much later than
        its last value where only changes are kept; None where nobody says, so that only its values tell.

    Raises
    ------
    DataError
        When the three do not fit together; the sentence names the series and the first bad date.
    """

    id: str
    dates: Days
    values: Floats
    known_at: Days
    checked: np.datetime64 | None = None

    def __post_init__(self) -> None:
        if not len(self.dates) == len(self.values) == len(self.known_at):
            raise DataError(f"{self.id}: dates, values and known_at differ in length")
        if len(self.dates) == 0:
            raise DataError(f"{self.id} has no observation")
        self._refuse(~np.isfinite(self.values), "is not a number")
        self._refuse(np.r_[False, np.diff(self.dates).astype(int) <= 0], "is out of order or twice")
        self._refuse(np.r_[False, np.diff(self.known_at).astype(int) < 0], "was known before its predecessor")

    def _refuse(self, bad: np.ndarray, why: str) -> None:
        if bad.any():
            raise DataError(f"{self.id}: the value of {self.dates[bad.argmax()]} {why}")

    def as_of(self, fills: Fills) -> Floats:
        """Return the latest value that each fill may use, (n_fills,) float64, NaN before the first.

        Of several values that became known on one day, the one about the latest period counts.
        """
        usable = np.searchsorted(fills.first_after(self.known_at), np.arange(len(fills.dates)), "right")
        return np.where(usable > 0, self.values[np.maximum(usable - 1, 0)], np.nan)
