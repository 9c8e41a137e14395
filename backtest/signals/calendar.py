"""The calendar: what month of the year a bar earns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import last_business_day, month_start
from backtest.signals.spells import from_dense

if TYPE_CHECKING:
    from collections.abc import Collection

    from backtest.dates import Fills
    from backtest.signals.spells import Spells

NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def months_of_year(fills: Fills, months: Collection[int]) -> Spells:
    """Return yes at the fills whose bar after them lies in one of the months, 1 for January.

    Holidays are known in advance, so the date of the next bar is no news. The calendar needs no history:
    it is known at every fill.
    """
    # The bar after the last one has no date yet: a new month if that one closed its own.
    last = fills.dates[-1:]
    following = np.where(last < last_business_day(last), last, month_start(last, 1))
    earned = np.r_[fills.dates[1:], following].astype("datetime64[M]").astype(int)
    yes = np.isin(earned % 12 + 1, list(months))
    return from_dense(fills, yes[None, :], np.zeros(1, dtype=np.int64))
