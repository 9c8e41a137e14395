"""The calendar: what month of the year a bar earns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import last_business_day, month_start
from backtest.errors import UsageError
from backtest.signals.signal import Signal, from_dense

if TYPE_CHECKING:
    from collections.abc import Collection

    from backtest.dates import Fills
    from backtest.signals.reasons import Fact

NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, eq=False)
class Calendar:
    """Yes in some months of the year: nothing but time changes it."""

    months: tuple[int, ...]
    answers: Signal

    def facts(self, fill: int) -> list[Fact]:  # noqa: ARG002 - the calendar is the same at every fill
        """Return no fact: the calendar was always known."""
        return []

    def flips(self, fill: int, *, now: bool) -> list[str]:
        """Return the date at which the months begin or end."""
        names = ", ".join(NAMES[month - 1] for month in self.months)
        edges = np.r_[self.answers.runs()]
        later = edges[(edges > fill) & (edges < len(self.answers.fills.dates))]
        when = f", with the fill of {self.answers.fills.dates[later.min()]}" if len(later) else ""
        return [f"the {'end' if now else 'beginning'} of {names}{when}"]

    def series(self) -> set[str]:
        """Return no series."""
        return set()


def months_of_year(fills: Fills, months: Collection[int]) -> Signal:
    """Return yes at the fills whose bar after them lies in one of the months, 1 for January.

    Holidays are known in advance, so the date of the next bar is no news. The calendar needs no history:
    it is known at every fill.

    Raises
    ------
    UsageError
        When a month is not a whole number from 1 to 12.
    """
    chosen = tuple(sorted(set(months)))
    if not chosen or not all(month in range(1, 13) for month in chosen):
        raise UsageError(f"months of the year are numbers from 1 to 12, not {list(months)}")
    # The bar after the last one has no date yet: a new month if that one closed its own.
    last = fills.dates[-1:]
    following = np.where(last < last_business_day(last), last, month_start(last, 1))
    earned = np.r_[fills.dates[1:], following].astype("datetime64[M]").astype(int)
    yes = np.isin(earned % 12 + 1, chosen)
    signal = from_dense(fills, yes[None, :], np.zeros(1, dtype=np.int64))
    return Signal(fills, signal.offsets, signal.starts, signal.stops, signal.first, Calendar(chosen, signal))
