"""The calendar: which fills earn which months."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.dates import Fills
from backtest.signals.calendar import months_of_year
from tests.signals.cases import DAYS, MONTHS


@pytest.mark.parametrize("dates", [MONTHS, DAYS], ids=["monthly", "daily"])
def test_a_fill_earns_the_month_of_the_next_bar(dates: np.ndarray) -> None:
    for month in range(1, 13):
        yes = months_of_year(Fills(dates), [month]).dense()
        earned = dates[1:].astype("datetime64[M]").astype(int) % 12 + 1
        np.testing.assert_array_equal(yes[:-1], earned == month)


def test_the_last_fill_earns_what_follows_its_day() -> None:
    assert months_of_year(Fills(MONTHS), [1]).dense()[-1]  # 30 December 1994 closes its month
    assert not months_of_year(Fills(DAYS), [5]).dense()[-2]
    assert months_of_year(Fills(DAYS), [5]).dense()[-1]  # 28 April 2000 is a Friday
