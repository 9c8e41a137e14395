"""Drift: who belongs to which class between two reconstitutions, and what the class returns meanwhile.

Compiled, one line after another, so that lines can be spread over processes or machines: all that is written
down about a class on a date is a sum over lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from backtest.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.dates import Bools, Floats, Ints

    Numbers = NDArray[np.int32]
    Table = NDArray[np.void]

_HELD = [(name, np.float64) for name in ("open", "close", "open_equal", "close_equal", "count")]
_LEFT = [(name, np.float64) for name in ("value", "equal", "count")]

SUMS = np.dtype([("held", _HELD), ("steep", _HELD), ("left", _LEFT)])
"""What is summed over the members of a class at a bar. ``held``: their value at the bar's beginning and at
its close, by weights of capitalisation and by equal weights, and how many they are; ``steep``: the same of
those alone that gained more than ``STEEP`` on the bar. ``left``: the last value of members that vanish, and
how many; they are not among those held, and what they leave at is for ``series`` to say."""

MEMBER = np.dtype(
    [("bar", np.int32), ("id", np.int32), ("class", np.int8), ("was", np.int8)]
    + [(name, np.float64) for name in ("cap", "size", "drifted", "drifted_equal")]
    + [("lead", np.bool_)]
)
"""A member at a bar at which it is written down: its class and the one it was a member of until then (-1
where of none); capitalisation, size, and what its old weights drifted to, by capitalisation and equal."""

STEEP = 3.0
"""A gain of more than so much in one bar is counted apart: few are earned, many are faults of the data."""


class Rows(NamedTuple):
    """Cleaned rows of whole lines, sorted by line and bar; arrays of one length.

    Parameters
    ----------
    line, bar
        int32: numbers of the listed line and of the date.
    cap, size
        float64: what weights are made of, and what borders are held against.
    returns
        float64, simple, decimal, since the line's row before; NaN where there is none.
    lead, reference
        bool: whether the line stands for its company, and whether it counts for the scheme's percentiles.
    """

    line: Any
    bar: Any
    cap: Floats
    size: Floats
    returns: Floats
    lead: Bools
    reference: Bools


class Calendar(NamedTuple):
    """The bars, and the reconstitutions among them.

    Parameters
    ----------
    reconstitution
        (n_bars,) int64: the number of the reconstitution at this bar's close; -1 where there is none.
    period
        (n_bars,) int64: the number of the last reconstitution strictly before this bar; -1 before the first.
    last
        (n_reconstitutions,) int64: the last bar of the period that each one begins.
    borders
        (n_reconstitutions, n_borders) float64, rising along each row; NaN where they were not known yet.
    shown
        (n_bars,) bool: bars at which members are written down although classes are not formed anew.
    """

    reconstitution: Ints
    period: Ints
    last: Ints
    borders: Floats
    shown: Bools

    @classmethod
    def of(cls, at: Ints, borders: Floats, shown: Bools) -> Calendar:
        """Return the calendar of reconstitutions at the bars ``at``, (n,) increasing."""
        n_bars = len(shown)
        reconstitution = np.full(n_bars, -1, dtype=np.int64)
        reconstitution[at] = np.arange(len(at))
        period = np.searchsorted(at, np.arange(n_bars), "left").astype(np.int64) - 1
        last = np.append(at[1:], n_bars - 1).astype(np.int64)
        return cls(reconstitution, period, last, borders, shown)


@compiled
def drift(rows: Rows, calendar: Calendar, band: float, carry: int, sums: Table, members: Table) -> int:
    """Add rows to the sums of their classes; returns how many members were written down.

    Parameters
    ----------
    band
        How far past a border, as a fraction of it, a line must be to cross it.
    carry
        For so many bars without a row a line is held at its last value; after that it leaves the class.
    sums
        (n_bars, n_classes) of ``SUMS``, added to.
    members
        (n_rows,) of ``MEMBER``, filled from the top: one for each member at each reconstitution and each bar
        that is shown.
    """
    n, used = len(rows.line), 0
    above = np.zeros(calendar.borders.shape[1], dtype=np.int64)
    first = 0
    while first < n:
        above[:] = -1
        member, since, before = -1, -1, -1
        value, equal = 0.0, 0.0
        i = first
        while i < n and rows.line[i] == rows.line[first]:
            b, returned = rows.bar[i], rows.returns[i]
            if member >= 0:
                until = min(b - 1, calendar.last[since])
                stays = _gap(sums, member, value, equal, until, before, carry)
                if stays and calendar.period[b] == since and returned == returned:
                    _add(sums, b, member, value, equal, 1.0 + returned)
                    value *= 1.0 + returned
                    equal *= 1.0 + returned
                else:
                    member = -1
            q, was = calendar.reconstitution[b], member
            if q >= 0:
                known = calendar.borders[q, 0] == calendar.borders[q, 0]
                member = _class(above, rows.size[i], calendar.borders[q], band) if known else -1
            if member >= 0 and (q >= 0 or calendar.shown[b]):
                written = members[used]
                written.bar, written.id, written["class"], written.was = b, rows.line[i], member, was
                written.cap, written.size, written.lead = rows.cap[i], rows.size[i], rows.lead[i]
                written.drifted, written.drifted_equal = (value, equal) if was >= 0 else (0.0, 0.0)
                used += 1
            if member >= 0 and q >= 0:
                since, value, equal = q, rows.cap[i], 1.0
            before = b
            i += 1
        if member >= 0:
            _gap(sums, member, value, equal, calendar.last[since], before, carry)
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
def _add(sums: Table, bar: int, member: int, value: float, equal: float, grown: float) -> None:
    at = sums[bar, member]
    _grow(at.held, value, equal, grown)
    if grown > 1.0 + STEEP:
        _grow(at.steep, value, equal, grown)


@compiled
def _grow(held: Any, value: float, equal: float, grown: float) -> None:
    held.open += value
    held.close += value * grown
    held.open_equal += equal
    held.close_equal += equal * grown
    held.count += 1.0


@compiled
def _gap(sums: Table, member: int, value: float, equal: float, until: int, before: int, carry: int) -> bool:
    """Account for the bars after ``before`` at which a member has no row; False when it left."""
    for missing in range(before + 1, until + 1):
        if missing - before <= carry:
            _add(sums, missing, member, value, equal, 1.0)
        else:
            left = sums[missing, member].left
            left.value += value
            left.equal += equal
            left.count += 1.0
            return False
    return True


def together(sums: Table, classes: Any) -> Table:
    """Return the sums of some classes taken together, (n_bars,) of ``SUMS``."""
    plain = sums.view(np.float64).reshape(*sums.shape, -1)
    return plain[:, classes].sum(axis=1).view(SUMS)[:, 0]


def series(
    sums: Table, classes: Any, delisting: float = float("nan"), *, steep: bool = True
) -> tuple[Floats, Floats]:
    """Return the returns of some classes taken together, by capitalisation and by equal weights.

    Parameters
    ----------
    sums
        What ``drift`` added up.
    classes
        Which of them: a mask, a list or a slice.
    delisting
        The return at which members vanish; NaN: at their last value, and the rest takes their weight.
    steep
        Whether members count on bars on which they gained more than ``STEEP``.

    Returns
    -------
    tuple
        Two (n_bars,) arrays, NaN where no member has a return.
    """
    total = together(sums, classes)
    held, left, apart = total["held"], total["left"], total["steep"]
    if delisting == delisting:
        for kept, gone, share in (
            ("open", "value", 1.0),
            ("close", "value", 1.0 + delisting),
            ("open_equal", "equal", 1.0),
            ("close_equal", "equal", 1.0 + delisting),
            ("count", "count", 1.0),
        ):
            held[kept] += left[gone] * share
    if not steep:
        for name in held.dtype.names or ():
            held[name] -= apart[name]
    there = held["count"] > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return (
            np.where(there, held["close"] / held["open"] - 1.0, np.nan),
            np.where(there, held["close_equal"] / held["open_equal"] - 1.0, np.nan),
        )
