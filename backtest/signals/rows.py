"""Rows of parameter values: one value for a single run, one a parameter set in a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.dates import Ints

_TABLE = 32  # numbers a set up to which the distinct ones are found by a table, not by sorting


def whole(values: Any, what: str) -> Ints:
    """Return one number or a row as (n_sets,) whole numbers, 0 or more; UsageError where one is not."""
    found = np.atleast_1d(values)
    if not (np.isfinite(found) & (found >= 0) & (found == np.floor(found))).all():
        wrong = found[~(np.isfinite(found) & (found >= 0) & (found == np.floor(found)))]
        raise UsageError(f"{what} must be a whole number, 0 or more, not {wrong[0]:g}")
    return found.astype(np.int64)


def sets_of(*sizes: int) -> int:
    """Return the number of parameter sets that rows of these sizes broadcast to.

    Raises
    ------
    UsageError
        When two of them are neither 1 nor equal.
    """
    n_sets = max(sizes)
    if any(size not in (1, n_sets) for size in sizes):
        raise UsageError(
            f"rows of parameters of different lengths meet: {', '.join(map(str, sorted(set(sizes) - {1})))}"
        )
    return n_sets


def parts(offsets: Ints, which: Ints) -> tuple[Ints, Ints]:
    """Return the offsets and the places of the parts of some sets: set s has those from ``offsets[s]`` on."""
    lengths = np.diff(offsets)[which]
    made = np.r_[0, np.cumsum(lengths)]
    return made, np.arange(made[-1]) + np.repeat(offsets[which] - made[:-1], lengths)


def distinct(values: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """Return the distinct values of a row, sorted, and for each of the row's which one it is.

    The same as ``np.unique``, but quick for a grid, where a value stands in a long row of its like.
    """
    begins = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    found, which = np.unique(values[begins], return_inverse=True)
    return found, np.repeat(which, np.diff(np.r_[begins, len(values)]))


def combinations(*columns: Ints) -> tuple[list[Ints], Ints]:
    """Return the distinct combinations of several rows of numbers, and which of them each set has.

    Parameters
    ----------
    columns
        (n_sets,) int64 each, or (1,) for all sets: numbers from 0 on.

    Returns
    -------
    distinct
        (n_distinct,) int64 for each column.
    which
        (n_sets,) int64: the combination of each set.
    """
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    key, span = np.zeros(sets_of(*map(len, columns)), dtype=np.int64), 1
    for column, size in zip(columns, sizes, strict=True):
        key, span = key * size + column, span * size
    if (key[1:] > key[:-1]).all():
        found, which = key, np.arange(len(key))
    elif span <= _TABLE * len(key):
        there = np.zeros(span, dtype=np.bool_)
        there[key] = True
        found = np.flatnonzero(there)
        place = np.empty(span, dtype=np.int64)
        place[found] = np.arange(len(found))
        which = place[key]
    else:
        found, which = distinct(key)
    made = []
    for size in reversed(sizes):
        made.append(found % size)
        found = found // size
    return made[::-1], which
