"""Regimes after the fact: which bars fell into a time of cuts, a recession, a decade, and what they returned.

Every label is known only afterwards; they are for breakdowns, never for decisions. Labels count the groups of
a breakdown from 0; -1 is a bar without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.analysis.regression import group_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Days, Floats, Ints


class Breakdown(NamedTuple):
    """One group of bars: how many, the mean a year of each column, and of the difference of the first two.

    ``means`` are decimal, arithmetic, a year; ``tstat`` is the difference's, after Newey and West.
    """

    name: str
    bars: int
    means: tuple[float, ...]
    difference: float
    tstat: float


def within(dates: Days, spans: Sequence[tuple[np.datetime64, np.datetime64]]) -> Ints:
    """Return 1 for the bars that touch a span of days, else 0.

    ``dates`` (n + 1,) are the closes from the one before the first bar; a bar is the days after one close up
    to and including the next. Both ends of a span belong to it.
    """
    touched = np.zeros(len(dates) - 1, dtype=np.int64)
    for begin, end in spans:
        touched[(dates[1:] >= begin) & (dates[:-1] < end)] = 1
    return touched


def cutting_cycles(known_at: Days, target: Floats) -> list[tuple[np.datetime64, np.datetime64]]:
    """Return the first and the last cut of every row of cuts without a rise in between.

    ``known_at`` (n,) datetime64[D] and ``target`` (n,) are the target's first level and its changes;
    repeated levels are passed over. Where a cycle ends is only known once the target has risen.
    """
    direction = np.sign(np.diff(target))
    moved = direction != 0.0
    days, falls = known_at[1:][moved], direction[moved] == -1.0
    first = falls & ~np.r_[False, falls[:-1]]
    last = falls & ~np.r_[falls[1:], False]
    return [(begin, end) for begin, end in np.column_stack([days[first], days[last]])]


def policy_regimes(dates: Days, known_at: Days, target: Floats) -> Ints:
    """Return 0 while the central bank cuts, 1 while it raises, 2 while it is on hold, (n,) for n + 1 closes.

    Cutting lasts from the first to the last cut of a row without a rise in between, raising likewise. A bar
    with both counts as cutting; one before the first known target has no label.
    """
    cutting = within(dates, cutting_cycles(known_at, target))
    rising = within(dates, cutting_cycles(known_at, -target))
    labels = np.where(cutting == 1, 0, np.where(rising == 1, 1, 2))
    return np.where(dates[1:] < known_at[0], -1, labels)


def yes_or_no(dates: Days, stamped: Days, values: Floats) -> Ints:
    """Return 0 for the bars at whose close a yes-or-no series said yes, 1 for no; -1 before its first value.

    ``stamped`` (m,) are the days from which each value holds.
    """
    place = np.searchsorted(stamped, dates[1:], "right") - 1
    return np.where(place < 0, -1, np.where(values[np.maximum(place, 0)] > 0.5, 0, 1))


def halves(known: Floats) -> Ints:
    """Return 0 for the bars whose value lies above the median of all, 1 for the rest; -1 where it is NaN."""
    if np.isnan(known).all():
        return np.full(len(known), -1)
    return np.where(np.isnan(known), -1, np.where(known > np.nanmedian(known), 0, 1))


def decades(dates: Days) -> tuple[Ints, list[str]]:
    """Return each bar's decade as a label, (n,) for n + 1 closes, and the decades' names."""
    starts = (dates[1:].astype("datetime64[Y]").astype(int) + 1970) // 10 * 10
    found, labels = np.unique(starts, return_inverse=True)
    return labels.astype(np.int64), [f"{decade}s" for decade in found]


def breakdown(labels: Ints, names: Sequence[str], columns: Floats, ppy: float) -> list[Breakdown]:
    """Return the groups that hold a bar, in the order of ``names``.

    ``columns`` (n, k) are returns; the difference is the first column less the second.
    """
    active = columns[:, 0] - columns[:, 1]
    fit = group_means(active, labels, len(names))
    rows = []
    for group, name in enumerate(names):
        inside = labels == group
        if inside.any():
            means = tuple((columns[inside].mean(axis=0) * ppy).tolist())
            difference = float(fit.coefficients[group]) * ppy
            rows.append(Breakdown(name, int(inside.sum()), means, difference, float(fit.tstats[group])))
    return rows
