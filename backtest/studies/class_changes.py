"""Do index funds move prices? What companies earn in the months around a change of their size class.

The cases are cohorts: all companies that crossed a border at one reconstitution, less those that stopped
short of it (``backtest.universe.changes``). Companies of one cohort share their months, so a cohort is one
case; cohorts whose months overlap are taken to be correlated by the part that they share.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from backtest.analysis.event_study import mean_error
from backtest.analysis.long_run import Error

if TYPE_CHECKING:
    import pandas as pd

HORIZONS = (-6, 1, 3, 6, 12)
"""Months after a change of class; -6: the six up to and with that of the change, in which they came apart."""

LEVEL = 0.05

ENOUGH = 10
"""Fewer cohorts decide nothing, whatever their spread: three that lie close together by chance look sure."""

NAN = float("nan")


class Around(msgspec.Struct, frozen=True):
    """What those that crossed earned more than those that did not, over some months.

    Parameters
    ----------
    way
        ``up``, ``down``, or one border such as ``small to mid``.
    months
        After the change; below zero: up to and with its month.
    cohorts, companies
        Cases that are whole, and the companies that crossed in them.
    crossed, stayed
        What they and the others earned, sums of monthly means, averaged over the cases.
    mean, error, freedom
        Of the sum of monthly differences, decimal; NaN and 0 where there are fewer than two cases.
    low, high, pvalue
        The 95% interval of the mean, and two-sided against 0.
    """

    way: str
    months: int
    cohorts: int = 0
    companies: int = 0
    crossed: float = NAN
    stayed: float = NAN
    mean: float = NAN
    error: float = NAN
    freedom: float = 0.0
    low: float = NAN
    high: float = NAN
    pvalue: float = NAN


class ChangesDocument(msgspec.Struct, frozen=True):
    """What ``universe changes --json`` prints; ``out`` is the file of every cohort, if one was written."""

    scheme: str
    near: float
    around: list[Around]
    verdict: str
    out: Path | None


def class_changes(table: pd.DataFrame) -> list[Around]:
    """Return what crossing a border came to: up, down, then each border each way, at each of ``HORIZONS``.

    ``table`` is what ``cohorts`` returns. Where a month has several borders, their differences are averaged
    first: cohorts of one month are one case.
    """
    rows = table.assign(
        month_of=table["date"].to_numpy().astype("datetime64[M]").astype(np.int64),
        pair=table["was"] + " to " + table["class"],
    )
    steps = {str(pair): part for pair, part in rows.groupby("pair", sort=False)}
    upward = set(rows["pair"][rows["up"]])
    found = []
    for way, pairs in (
        ("up", [pair for pair in steps if pair in upward]),
        ("down", [pair for pair in steps if pair not in upward]),
        *((pair, [pair]) for pair in steps),
    ):
        parts = [steps[pair] for pair in pairs]
        found += [_around(way, months, parts) for months in HORIZONS if parts]
    return found


def _around(way: str, months: int, parts: list[pd.DataFrame]) -> Around:
    wanted = range(1, months + 1) if months > 0 else range(months + 1, 1)
    cases: dict[int, list[tuple[float, float]]] = {}
    companies = 0
    for part in parts:
        kept = part[part["month"].isin(wanted) & part["crossed"].gt(0) & part["stayed"].gt(0)]
        for when, rows in kept.groupby("month_of"):
            if len(rows) == len(wanted):
                sums = float(rows["crossed_return"].sum()), float(rows["stayed_return"].sum())
                cases.setdefault(int(str(when)), []).append(sums)
                companies += int(rows["crossed"].max())
    at = np.array(sorted(cases), dtype=np.int64)
    if len(at) == 0:
        return Around(way, months)
    both = np.array([np.mean(cases[when], axis=0) for when in at.tolist()])
    values = both[:, 0] - both[:, 1]
    tested, mean = Error(*mean_error(values, at, months)), float(values.mean())
    low, high = mean - tested.reach(), mean + tested.reach()
    crossed, stayed = both.mean(axis=0).tolist()
    found = (len(at), companies, crossed, stayed, mean)
    return Around(way, months, *found, *tested, low, high, tested.pvalue(mean))


def verdict(found: list[Around], *, followed: bool) -> str:
    """Return in sentences whether prices move with a change of class.

    ``followed`` says whether the borders are ones that funds track. All questions that were asked after the
    change, up and down, count: the smallest p is multiplied by their number (Bonferroni).
    """
    asked = [a for a in found if a.way in ("up", "down") and a.months > 0 and a.pvalue == a.pvalue]
    most = max((a.cohorts for a in found), default=0)
    enough = [a for a in asked if a.cohorts >= ENOUGH]
    if not enough:
        return (
            f"Cannot be told: there are {most} cohorts at most, and fewer than {ENOUGH} decide nothing, "
            "however close together they lie."
        )
    asked = enough
    best = min(asked, key=lambda a: a.pvalue)
    whole = min(best.pvalue * len(asked), 1.0)
    what = f"{best.mean:+.1%} in {best.months} month{'s' if best.months > 1 else ''} after going {best.way}"
    counted = (
        f"the strongest of {len(asked)} questions, {what}, has p {best.pvalue:.3f}, times {len(asked)} that "
        f"is {whole:.2f}"
    )
    if whole > LEVEL:
        three = [a for a in asked if a.months == 3]
        seen = max((Error(a.error, a.freedom).visible() for a in three), default=float("nan"))
        said = f"Cannot be told apart from nothing: {counted}."
        if seen == seen:
            said += f" What would have been seen in three months is {seen:.1%} or more."
    else:
        said = f"Prices moved: {counted}."
    if not followed:
        said += " No index is known to follow these borders, so whatever moved here was not index funds."
    return said
