"""Rows of parameter values: one value for a single run, one a parameter set in a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError

if TYPE_CHECKING:
    from backtest.dates import Ints


def row(values: Any, what: str) -> Any:
    """Return a parameter as (n_sets,) values: of one number, a row (n_sets,) or a column (n_sets, 1).

    Raises
    ------
    UsageError
        When it has another shape; ``what`` names it in the sentence.
    """
    array = np.asarray(values)
    if array.ndim > 2 or (array.ndim == 2 and array.shape[1] != 1):
        raise UsageError(
            f"{what} must be one value, or one for each parameter set, not an array of {array.shape}"
        )
    return array.reshape(-1)


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


def combinations(*rows: Ints) -> tuple[Ints, Ints]:
    """Return the distinct combinations of several rows of whole numbers, and which one each set uses.

    A sweep of 10,000 sets may ask for 12 different averages: each is computed once.

    Returns
    -------
    distinct
        (n_distinct, n_rows) int64.
    which
        (n_sets,) int64: the row of ``distinct`` for each set.
    """
    table = np.column_stack(np.broadcast_arrays(*rows)).astype(np.int64)
    if len(table) == 1:
        return table, np.zeros(1, dtype=np.int64)
    distinct, which = np.unique(table, axis=0, return_inverse=True)
    return distinct, which.reshape(-1).astype(np.int64)
