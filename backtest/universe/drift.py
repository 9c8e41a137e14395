"""Drift: who belongs to which class between two reconstitutions, and what the class returns meanwhile.

Compiled, one line after another, so that lines can be spread over processes or machines: all that is written
down about a class on a date is a sum over lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.dates import Bools, Floats, Ints

    Numbers = NDArray[np.int32]

OPEN_CAP, CLOSE_CAP, OPEN_EQUAL, CLOSE_EQUAL, COUNT = range(5)
"""What is summed over the members of a class at a bar: their value at the bar's beginning and at its close,
by weights of capitalisation and by equal weights, and how many they are."""

LEFT_CAP, LEFT_EQUAL, LEFT = range(5, 8)
"""The same of members that vanish: their last value, by both weights, and how many. They are not in the first
five; what they leave at is for ``series`` to say."""

STEEP_FIRST = 8
"""From here on the first five again, of those members alone that gained more than ``STEEP`` on the bar."""

SUMS = 13
"""How many sums there are."""

STEEP = 3.0
"""A gain of more than so much in one bar is counted apart: few are earned, many are faults of the data."""


@dataclass(frozen=True, eq=False)
class Calendar:
    """The bars, and the reconstitutions among them.

    Parameters
    ----------
    reconstitution
        (n_bars,) int64: the number of the reconstitution at this bar's close; -1 where there is none.
    period
        (n_bars,) int64: the number of the last reconstitution strictly before this bar; -1 before the first.
    last
        (n_reconstitutions,) int64: the last bar of the period that each one begins.
    """

    reconstitution: Ints
    period: Ints
    last: Ints

    @classmethod
    def of(cls, n_bars: int, at: Ints) -> Calendar:
        """Return the calendar of reconstitutions at the bars ``at``, (n,) increasing."""
        reconstitution = np.full(n_bars, -1, dtype=np.int64)
        reconstitution[at] = np.arange(len(at))
        period = np.searchsorted(at, np.arange(n_bars), "left").astype(np.int64) - 1
        last = np.append(at[1:], n_bars - 1).astype(np.int64)
        return cls(reconstitution, period, last)


@compiled
def drift(
    line: Numbers,
    bar: Numbers,
    cap: Floats,
    size: Floats,
    returns: Floats,
    reconstitution: Ints,
    period: Ints,
    last: Ints,
    shown: Bools,
    borders: Floats,
    band: float,
    carry: int,
    sums: Floats,
    members: Ints,
    values: Floats,
) -> int:
    """Add rows, sorted by line and bar, whole lines only, to the sums of their classes.

    Parameters
    ----------
    line, bar, cap, size, returns
        (n,) cleaned rows: ``size`` is what borders are held against, ``cap`` what weights are made of.
    reconstitution, period, last
        The ``Calendar``.
    shown
        (n_bars,) bool: bars at which members are written down although classes are not formed anew.
    borders
        (n_reconstitutions, n_borders) float64, rising along each row; NaN where they were not known yet.
    band
        How far past a border, as a fraction of it, a line must be to cross it.
    carry
        For so many bars without a row a line is held at its last value; after that it leaves the class.
    sums
        (n_bars, n_classes, SUMS) float64, added to: see ``OPEN_CAP`` and following.
    members, values
        (n, 5) int64 and (n, 4) float64, filled from the top: a row for each member at each reconstitution and
        each bar that is shown, with bar, line, class, the class it was a member of until then (-1 where of
        none) and the row it was made of; and capitalisation, size and the values that its old weights
        drifted to, by capitalisation and equal.

    Returns
    -------
    int
        How many rows of ``members`` are filled.
    """
    n, used = len(line), 0
    n_borders = borders.shape[1]
    above = np.zeros(n_borders, dtype=np.int64)
    first = 0
    while first < n:
        above[:] = -1
        member, since, before = -1, -1, -1
        value, equal = 0.0, 0.0
        i = first
        while i < n and line[i] == line[first]:
            b = bar[i]
            if member >= 0:
                stays = _gap(sums, member, value, equal, before + 1, min(b - 1, last[since]), before, carry)
                if stays and period[b] == since and returns[i] == returns[i]:
                    grown = 1.0 + returns[i]
                    _add(sums, b, member, value, equal, grown)
                    value *= grown
                    equal *= grown
                else:
                    member = -1
            q = reconstitution[b]
            if q >= 0 and borders[q, 0] == borders[q, 0]:
                fits = _class(above, size[i], borders[q], band)
                _write(members, values, used, i, b, line[i], fits, member, cap[i], size[i], value, equal)
                used += 1
                member, since, value, equal = fits, q, cap[i], 1.0
            elif q >= 0:
                member = -1
            elif shown[b] and member >= 0:
                _write(members, values, used, i, b, line[i], member, member, cap[i], size[i], value, equal)
                used += 1
            before = b
            i += 1
        if member >= 0:
            _gap(sums, member, value, equal, before + 1, last[since], before, carry)
        first = i
    return used


@compiled
def _class(above: Ints, size: float, borders: Floats, band: float) -> int:
    """Return the class that a size falls into; ``above`` remembers on which side of each border it was."""
    for k in range(len(borders)):
        if above[k] < 0:
            above[k] = 1 if size >= borders[k] else 0
        elif size >= borders[k] * (1.0 + band):
            above[k] = 1
        elif size < borders[k] * (1.0 - band):
            above[k] = 0
    return int(above.sum())


@compiled
def _write(
    members: Ints,
    values: Floats,
    at: int,
    row: int,
    bar: int,
    line: int,
    now: int,
    was: int,
    cap: float,
    size: float,
    drifted: float,
    equal: float,
) -> None:
    members[at, 0], members[at, 1], members[at, 2], members[at, 3] = bar, line, now, was
    members[at, 4] = row
    values[at, 0], values[at, 1] = cap, size
    values[at, 2], values[at, 3] = (drifted, equal) if was >= 0 else (0.0, 0.0)


@compiled
def _add(sums: Floats, bar: int, member: int, value: float, equal: float, grown: float) -> None:
    for first in (OPEN_CAP, STEEP_FIRST):
        if first == STEEP_FIRST and not grown > 1.0 + STEEP:
            continue
        sums[bar, member, first + OPEN_CAP] += value
        sums[bar, member, first + CLOSE_CAP] += value * grown
        sums[bar, member, first + OPEN_EQUAL] += equal
        sums[bar, member, first + CLOSE_EQUAL] += equal * grown
        sums[bar, member, first + COUNT] += 1.0


@compiled
def _gap(
    sums: Floats,
    member: int,
    value: float,
    equal: float,
    start: int,
    stop: int,
    before: int,
    carry: int,
) -> bool:
    """Account for the bars from ``start`` to ``stop``, at which a member has no row; False when it left."""
    for missing in range(start, stop + 1):
        if missing - before <= carry:
            _add(sums, missing, member, value, equal, 1.0)
        else:
            sums[missing, member, LEFT_CAP] += value
            sums[missing, member, LEFT_EQUAL] += equal
            sums[missing, member, LEFT] += 1.0
            return False
    return True


def series(
    sums: Floats, classes: Bools, delisting: float = float("nan"), *, steep: bool = True
) -> tuple[Floats, Floats]:
    """Return the returns of some classes taken together, by capitalisation and by equal weights.

    Parameters
    ----------
    sums
        What ``drift`` added up.
    classes
        (n_classes,) which of them.
    delisting
        The return at which members vanish; NaN: at their last value, and the rest takes their weight.
    steep
        Whether members count on bars on which they gained more than ``STEEP``.

    Returns
    -------
    tuple
        Two (n_bars,) arrays, NaN where no member has a return.
    """
    total = sums[:, classes].sum(axis=1)
    kept = total[:, : COUNT + 1].copy()
    if delisting == delisting:
        gone = total[:, [LEFT_CAP, LEFT_CAP, LEFT_EQUAL, LEFT_EQUAL, LEFT]]
        kept += gone * np.array([1.0, 1.0 + delisting, 1.0, 1.0 + delisting, 1.0])
    if not steep:
        kept -= total[:, STEEP_FIRST:]
    with np.errstate(invalid="ignore", divide="ignore"):
        return (
            np.where(kept[:, COUNT] > 0, kept[:, CLOSE_CAP] / kept[:, OPEN_CAP] - 1.0, np.nan),
            np.where(kept[:, COUNT] > 0, kept[:, CLOSE_EQUAL] / kept[:, OPEN_EQUAL] - 1.0, np.nan),
        )
