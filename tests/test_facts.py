"""The tables of public facts, held row for row against FRED's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

# FRED stamps the upper bound on the day after the announcement, but these three on the day itself: the
# FOMC announced them on the days of these stamps (statements of 2008-12-16, 2015-12-16 and 2016-12-14).
STAMPED_ON_THE_DAY = ["2008-12-16", "2015-12-16", "2016-12-14"]


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(REPOSITORY / "data" / name, comment="#")


def changes(file: Path) -> pd.Series:
    daily = pd.read_csv(file, index_col=0, parse_dates=True).iloc[:, 0].dropna()
    return daily[daily.ne(daily.shift())]


def test_every_change_of_the_fed_target_is_freds(shared_data: Path) -> None:
    target = changes(shared_data / "fred" / "DFEDTAR.csv")
    upper = changes(shared_data / "fred" / "DFEDTARU.csv")
    moved = [d if str(d.date()) in STAMPED_ON_THE_DAY else d - pd.Timedelta(days=1) for d in upper.index]
    expected = pd.concat([target, pd.Series(upper.to_numpy(), index=moved)])

    facts = table("fed_target.csv")
    last = pd.read_csv(shared_data / "fred" / "DFEDTARU.csv").iloc[-1, 0]
    covered = facts[facts["announced"] <= last]
    assert covered["announced"].tolist() == [str(day.date()) for day in expected.index]
    assert covered["target"].tolist() == expected.tolist()


def test_a_move_is_a_move_and_its_schedule_is_told() -> None:
    facts = table("fed_target.csv")
    assert (facts["target"].diff().iloc[1:] != 0.0).all()
    assert facts["announced"].is_monotonic_increasing
    assert facts["announced"].is_unique
    assert facts["scheduled"].iloc[1:].isin(["yes", "no"]).all()
    since_1994 = facts[(facts["announced"] >= "1994-02-04") & (facts["scheduled"] == "no")]
    # The Board's list of open market operations: moves outside the eight meetings a year.
    assert since_1994["announced"].tolist() == [
        "1994-04-18",
        "1998-10-15",
        "2001-01-03",
        "2001-04-18",
        "2001-09-17",
        "2008-01-22",
        "2008-10-08",
        "2020-03-03",
        "2020-03-15",
    ]


def test_the_turning_points_are_usrec(shared_data: Path) -> None:
    recession = pd.read_csv(shared_data / "fred" / "USREC.csv", index_col=0, parse_dates=True).iloc[:, 0]
    facts = table("nber_turning_points.csv")
    rebuilt = pd.Series(np.nan, index=recession.index.to_period("M"))
    for month, kind in zip(pd.PeriodIndex(facts["month"], freq="M"), facts["kind"], strict=True):
        rebuilt.loc[rebuilt.index > month] = float(kind == "peak")
        if kind == "trough" and month in rebuilt.index:
            rebuilt.loc[month] = 1.0
    assert rebuilt.to_numpy().tolist() == recession.to_numpy().tolist()


def test_announcements_follow_their_turning_points() -> None:
    facts = table("nber_turning_points.csv").dropna()
    months = pd.PeriodIndex(facts["month"], freq="M")
    announced = pd.to_datetime(facts["announced"])
    # The committee has taken between 4 and 21 months.
    lag = [(day.to_period("M") - month).n for day, month in zip(announced, months, strict=True)]
    assert min(lag) >= 4
    assert max(lag) <= 21
    assert len(facts) == 12
