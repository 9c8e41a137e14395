"""Made signals and levels, and the plain-Python twins of the compiled loops, written another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from backtest.dates import Fills, last_business_day
from backtest.signals.readings import Readings, level_of
from backtest.signals.spells import Spells, from_dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

MONTHS = last_business_day(np.arange("1990-01", "1995-01", dtype="datetime64[M]").astype("datetime64[D]"))
"""Sixty monthly bars."""

DAYS = np.arange("1999-11-01", "2000-04-30", dtype="datetime64[D]")
DAYS = DAYS[np.is_busday(DAYS)]
"""Half a year of business days."""


def fills(daily: bool = False) -> Fills:
    return Fills(DAYS if daily else MONTHS)


def answers(n_sets: int, n_fills: int) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Rows of yes and no that stay for a while, as signals do; a seed draws them, for speed."""

    def made(seed: int) -> NDArray[np.bool_]:
        random = np.random.default_rng(seed)
        lengths = random.integers(1, 10, size=(n_sets, n_fills))
        rows = random.random((n_sets, n_fills)) < random.random()
        return np.array([np.repeat(*pair)[:n_fills] for pair in zip(rows, lengths, strict=True)])

    return st.integers(0, 2**32 - 1).map(made)


def values(n: int) -> st.SearchStrategy[NDArray[np.float64]]:
    """Numbers with ties and with missing ones among them; a seed draws them, for speed."""

    def made(seed: int) -> NDArray[np.float64]:
        random = np.random.default_rng(seed)
        numbers = np.round(random.uniform(-5, 5, size=n), int(random.integers(0, 3)))
        return np.where(random.random(n) < random.choice([0.0, 0.1, 0.5]), np.nan, numbers)

    return st.integers(0, 2**32 - 1).map(made)


@st.composite
def signals(draw: st.DrawFn, n_sets: int, daily: bool = False) -> tuple[Spells, NDArray[np.bool_]]:
    """A signal of one set or of ``n_sets``, and its dense rows; it is known from some fill on."""
    where = fills(daily)
    rows = draw(answers(draw(st.sampled_from([1, n_sets])), len(where.dates)))
    first = np.array(draw(st.lists(st.integers(0, 5), min_size=len(rows), max_size=len(rows))))
    return from_dense(where, rows, first), rows


def dense(signal: Spells) -> NDArray[np.bool_]:
    return np.array([signal.dense(which) for which in range(signal.n_sets)])


def level(
    values: NDArray[np.float64], dates: NDArray[np.datetime64], lag: int = 0, daily: bool = False
) -> Readings:
    """A level of these values, each known ``lag`` days after its date."""
    return level_of(fills(daily), "made", "percent", dates, dates + lag, values)


def due(since: np.datetime64, months: int, now: np.datetime64) -> bool:
    """Return whether so many months are over; of a month's last business day when its month is."""
    import pandas as pd

    end = pd.Timestamp(since) + pd.DateOffset(months=months)
    closing = end + pd.offsets.BMonthEnd(0)
    # A month's last business day may come before the calendar day that is due.
    last = closing if closing.month == end.month else end - pd.offsets.BMonthEnd(1)
    return bool(pd.Timestamp(now) >= min(end, last))


def rest(answers_: list[bool], dates: NDArray[np.datetime64], months: int) -> list[bool]:
    """Follow a signal one fill after another, but never within so many months of the last change."""
    said: list[bool] = []
    changed = None
    for yes, day in zip(answers_, dates, strict=True):
        free = not said or changed is None or due(changed, months, day)
        now = yes if not said or free else said[-1]
        if said and now != said[-1]:
            changed = day
        said.append(now)
    return said


def walk(
    answers_: list[bool], dates: NDArray[np.datetime64], least: int, most: int, pause: int
) -> list[bool]:
    """Hold one day after another: the state machine that the compiled loop over runs must agree with."""

    held: list[bool] = []
    since = left = None
    spent = False
    for yes, day in zip(answers_, dates, strict=True):
        if since is not None:
            over = most > 0 and due(since, most, day)
            if over or (not yes and due(since, least, day)):
                spent, left, since = yes and over, day, None
        elif yes and not spent and (left is None or due(left, pause, day)):
            since = day
        if not yes:
            spent = False
        held.append(since is not None)
    return held
