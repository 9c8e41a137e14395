"""Release rules against days on which figures were published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from backtest.errors import DataError
from backtest.market.catalogue import catalogue
from backtest.market.release import known_at

# Days of the employment report: the bureau's schedules for 2021 and 2022, its statement of 1996-01-19, the bureau's
# statements on the closures of 2013, 2025 and 2026, and the report of February 2017, on which it explained its rule.
PUBLISHED = {
    "1995-12": "1996-01-19",
    "1996-02": "1996-03-08",
    "2011-05": "2011-06-03",
    "2011-06": "2011-07-08",
    "2013-09": "2013-10-22",
    "2013-11": "2013-12-06",
    "2017-02": "2017-03-10",
    "2018-11": "2018-12-07",
    "2020-04": "2020-05-08",
    "2021-10": "2021-11-05",
    "2021-11": "2021-12-03",
    "2021-12": "2022-01-07",
    "2022-01": "2022-02-04",
    "2022-02": "2022-03-04",
    "2022-03": "2022-04-01",
    "2022-04": "2022-05-06",
    "2022-05": "2022-06-03",
    "2022-06": "2022-07-08",
    "2022-07": "2022-08-05",
    "2022-08": "2022-09-02",
    "2022-09": "2022-10-07",
    "2022-10": "2022-11-04",
    "2022-11": "2022-12-02",
    "2025-09": "2025-11-20",
    "2025-11": "2025-12-16",
    "2025-12": "2026-01-09",
    "2026-01": "2026-02-11",
}


@pytest.mark.parametrize("id", ["UNRATE", "PAYEMS"])
def test_employment_is_known_on_the_day_of_its_report(id: str) -> None:
    months = np.array([f"{month}-01" for month in PUBLISHED], dtype="datetime64[D]")
    known = known_at(catalogue()[id].known_at, months)
    assert dict(zip(PUBLISHED, known.astype(str).tolist(), strict=True)) == PUBLISHED


@pytest.mark.parametrize("id", ["UNRATE", "PAYEMS", "INDPRO", "CPIAUCSL"])
def test_a_later_month_is_never_known_earlier(id: str) -> None:
    months = np.arange("1948-01", "2027-01", dtype="datetime64[M]").astype("datetime64[D]")
    known = known_at(catalogue()[id].known_at, months)
    assert (np.diff(known) >= np.timedelta64(0, "D")).all()
    assert (known >= pd.DatetimeIndex(months) + pd.offsets.MonthBegin(1)).all()


def test_employment_comes_on_the_first_friday_or_the_second() -> None:
    months = np.arange("1948-01", "2013-01", dtype="datetime64[M]").astype("datetime64[D]")
    known = pd.DatetimeIndex(known_at("the third Friday after the week of the 12th", months))
    assert (known.day_of_week == 4).all()
    first = pd.DatetimeIndex(known_at("the first Friday of the next month", months))
    assert set((known - first).days) == {0, 7}
    assert not ((known.month == 1) & (known.day < 4)).any()


def test_a_rule_that_is_none_is_refused() -> None:
    for rule in ("the fourth Friday", "on 2013-1-2", "the 1st of next month"):
        with pytest.raises(DataError, match="no release rule"):
            known_at(rule, np.array(["2020-01-01"], dtype="datetime64[D]"))
