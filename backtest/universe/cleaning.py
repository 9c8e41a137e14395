"""Cleaning: one line's rows in order of date, from what was delivered to capitalisations and returns.

Compiled, for a full history has a hundred million rows. It looks back only, with one exception that is
stated: a split whose share count is delivered a bar late is recognised by that bar.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from backtest.compiling import compiled

if TYPE_CHECKING:
    from collections.abc import Container

    from numpy.typing import NDArray

    from backtest.dates import Bools, Floats

    Codes = NDArray[np.uint8]

GOOD, SAME, CONFLICT, JUMP, NO_RETURN, IMPLAUSIBLE, SPLIT, LATE = range(8)
"""What was found of a row. ``SAME`` to ``JUMP``: the row is set aside. ``NO_RETURN`` and ``IMPLAUSIBLE``: its
capitalisation counts, its return does not. ``SPLIT`` and ``LATE``: the return was corrected for a split."""

WORDS = {
    SAME: "the same row twice: one is kept",
    CONFLICT: "two different rows for one company and date: none is kept",
    JUMP: "a capitalisation that jumped and that the price does not explain",
    NO_RETURN: "no return given: the row's capitalisation is kept, its return is not",
    IMPLAUSIBLE: "an implausible return: the row's capitalisation is kept, its return is not",
    SPLIT: "a split found by price against capitalisation: kept, the return corrected for it",
    LATE: "a split whose share count came a bar late: kept, the return corrected for it",
}

NONE, GIVEN, ADJUSTED, RAW = range(4)
"""Where returns come from: nowhere; total returns; prices with splits and dividends; raw prices alone."""

ROSE, MERGED = 2.0, 0.5
"""A raw price that rises by more than the one while the share count falls below the other tells of shares put
together, at a ratio that cannot be told: others were issued meanwhile. Its return is not believed."""

RATIOS = np.array([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 16, 18, 20, 25, 30, 35, 40, 50, 60, 75, 80, 100])


class Limits(NamedTuple):
    """What is not believed.

    Parameters
    ----------
    times
        A capitalisation that is this many times its predecessor's, or one over it, is set aside.
    jump
        The same where capitalisation and share count both change by this factor the same way, so that the
        price does not explain it.
    confirm
        So many rows in a row on a new level, and it is believed after all.
    move
        A value that grows, or shrinks, by more than this factor from one row to the next without a split.
    """

    times: float = 1000.0
    jump: float = 10.0
    confirm: int = 3
    move: float = 20.0


class Delivered(NamedTuple):
    """Rows as they were delivered, sorted by line and bar; whole lines only, arrays of one length.

    Parameters
    ----------
    line, bar
        int32: numbers of the listed line and of the date.
    price, cap, total_return, split, dividend, fx
        float64: price in one currency; capitalisation; total return; new shares for one old; dividend a
        share; units of the one currency for one of the row's. NaN where there is none.
    reference
        bool: whether it counts for the scheme's percentiles.
    """

    line: Any
    bar: Any
    price: Floats
    cap: Floats
    total_return: Floats
    split: Floats
    dividend: Floats
    fx: Floats
    reference: Bools


def way_to_returns(columns: Container[str]) -> int:
    """Return where the returns of a table with these columns come from, the first that it has."""
    if "total_return" in columns:
        return GIVEN
    if "price" not in columns:
        return NONE
    return ADJUSTED if "split" in columns or "dividend" in columns else RAW


def cleaned(rows: Delivered, way: int, limits: Limits) -> tuple[Codes, Floats, Bools]:
    """Return what was found of each row, its return, and whether it is kept; ``way`` is ``NONE`` to ``RAW``.

    Returns are simple, decimal, since the line's row before; NaN for its first row and where there is none.
    """
    code = np.zeros(len(rows.line), dtype=np.uint8)
    returns = np.full(len(rows.line), np.nan)
    _clean(rows, way, limits, code, returns)
    return code, returns, (code < SAME) | (code > JUMP)


@compiled
def _clean(rows: Delivered, way: int, limits: Limits, code: Codes, returns: Floats) -> None:
    n, line = len(rows.line), rows.line
    first = 0
    while first < n:
        end = first
        while end < n and line[end] == line[first]:
            end += 1
        _doubles(rows, code, first, end)
        _jumps(rows.price, rows.cap, code, first, end, limits)
        if way != NONE:
            _returns(rows, way, limits.move, code, returns, first, end)
        first = end


@compiled
def _doubles(rows: Delivered, code: Codes, first: int, end: int) -> None:
    """Of rows for one date keep the first where all say the same, else none."""
    bar, price, cap, given = rows.bar, rows.price, rows.cap, rows.total_return
    i = first
    while i < end:
        last = i + 1
        same = True
        while last < end and bar[last] == bar[i]:
            alike = cap[last] == cap[i] and _same(price[last], price[i]) and _same(given[last], given[i])
            same = same and alike
            last += 1
        for k in range(i, last):
            code[k] = GOOD if k == i and same else SAME if same else CONFLICT
        i = last


@compiled
def _same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


@compiled
def _jumps(price: Floats, cap: Floats, code: Codes, first: int, end: int, limits: Limits) -> None:
    """Set aside capitalisations far from the last one believed, until a new level has been confirmed."""
    times, jump = math.log(limits.times) * (1.0 - 1e-12), math.log(limits.jump)
    believed, candidate, streak = -1, -1, 0
    for i in range(first, end):
        if code[i] != GOOD:
            continue
        if believed < 0 or not _far(price, cap, believed, i, times, jump):
            believed, candidate, streak = i, -1, 0
            continue
        if candidate >= 0 and not _far(price, cap, candidate, i, times, jump):
            streak += 1
        else:
            streak = 1
        candidate = i
        if streak >= limits.confirm:
            believed, candidate, streak = i, -1, 0
        else:
            code[i] = JUMP


@compiled
def _far(price: Floats, cap: Floats, a: int, b: int, times: float, jump: float) -> bool:
    """Return whether two capitalisations are too far apart; ``times`` and ``jump`` are logarithms."""
    total = math.log(cap[b] / cap[a])
    if abs(total) >= times:
        return True
    if not (price[a] > 0.0 and price[b] > 0.0):
        return False
    shares = math.log(cap[b] / cap[a] * price[a] / price[b])
    return total * shares > 0.0 and min(abs(total), abs(shares)) >= jump


@compiled
def _returns(
    rows: Delivered, way: int, move: float, code: Codes, returns: Floats, first: int, end: int
) -> None:
    """Find the returns of a line's rows, each since the last one that is not set aside."""
    price, cap, fx, split, dividend = rows.price, rows.cap, rows.fx, rows.split, rows.dividend
    # Given returns know a total loss; a price, which is above zero, does not.
    low = 0.0 if way == GIVEN else 1.0 / move
    before = -1
    for i in range(first, end):
        if code[i] != GOOD:
            continue
        a, before = before, i
        if a < 0:
            continue
        if way == GIVEN:
            returns[i] = (1.0 + rows.total_return[i]) * fx[i] / fx[a] - 1.0
            code[i] = GOOD if returns[i] == returns[i] else NO_RETURN
        elif way == ADJUSTED:
            shares = split[i] if split[i] > 0.0 else 1.0
            paid = dividend[i] * fx[i] if dividend[i] == dividend[i] else 0.0
            returns[i] = (price[i] * shares + paid) / price[a] - 1.0
        else:
            after = i + 1
            # The row after a late share count may be held back as a jump, and still tells of it.
            while after < end and code[after] != GOOD and code[after] != JUMP:
                after += 1
            moved = price[i] / price[a]
            later = cap[after] / cap[i] * price[i] / price[after] if after < end else np.nan
            code[i], returns[i] = _of_prices(moved, cap[i] / cap[a] / moved, later)
        if returns[i] == returns[i] and not low <= 1.0 + returns[i] <= move:
            code[i], returns[i] = IMPLAUSIBLE, np.nan


@compiled
def _of_prices(moved: float, shares: float, later: float) -> tuple[int, float]:
    """Return what is found of a raw price that moved so, and its return.

    ``shares`` is by what the number of shares moved with it, ``later`` from there to the row after; NaN
    where there is none. A raw price halves at a split of two for one, while shares double.
    """
    found = _split(moved, shares)
    if found > 0.0:
        return SPLIT, moved * found - 1.0
    if later == later and abs(math.log(shares)) < 0.05 and abs(math.log(moved)) > math.log(1.8):
        shares = later
        found = _split(moved, shares)
        if found > 0.0:
            return LATE, moved * found - 1.0
    return (IMPLAUSIBLE, np.nan) if moved >= ROSE and shares <= MERGED else (GOOD, moved - 1.0)


@compiled
def _split(moved: float, shares: float) -> float:
    """Return the new shares for one old, if share count and price tell of a split; else 0.

    The change in shares must be near a usual ratio (2% below four for one, 10% from there on, for other
    shares may have been issued meanwhile), and the price, corrected by it, must move at most half as far.
    """
    up = shares if shares >= 1.0 else 1.0 / shares
    nearest = RATIOS[0]
    for ratio in RATIOS:
        if abs(math.log(up / ratio)) < abs(math.log(up / nearest)):
            nearest = ratio
    if abs(math.log(up / nearest)) > (0.02 if nearest < 4.0 else 0.10):
        return 0.0
    factor = nearest if shares >= 1.0 else 1.0 / nearest
    return factor if abs(math.log(moved * factor)) <= abs(math.log(moved)) / 2.0 else 0.0
