"""Whether a coefficient holds in both halves of its sample, and without the case that speaks most for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.long_run import Error
from backtest.analysis.regression import least_squares
from backtest.studies.findings import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from backtest.dates import Bools, Days, Floats


def spells(ends: Days, yes: Bools) -> NDArray[np.str_]:
    """Return for each month the first month of the spell that it lies in, ``1990-08 on``, (n,)."""
    begins = np.r_[True, yes[1:] != yes[:-1]]
    first = ends.astype("datetime64[M]")[begins].astype(str)
    return np.char.add(first, " on")[np.cumsum(begins) - 1]


def coefficient(
    label: str,
    y: Floats,
    design: Floats,
    column: int,
    cases: NDArray[np.str_],
    n: int,
    write: Callable[[float], str],
    scale: float = 1.0,
) -> Evidence:
    """Return one coefficient of a regression as evidence.

    Parameters
    ----------
    label, n, write
        As ``Evidence`` has them.
    y, design, column
        (n,) and (n, k); the coefficient is that of ``column``.
    cases
        (n,) the name of the case that each row belongs to.
    scale
        What the coefficient is multiplied by, such as 12 for a year's.
    """

    def fitted(rows: NDArray[np.int64] | Bools) -> tuple[float, Error]:
        found = least_squares(y[rows], design[rows])
        error = found.tested[column]
        # What comes in few spells has few degrees of freedom, however many months they have: two for each
        # spell, where it begins and where it ends.
        return float(found.coefficients[column]), Error(error.size, min(error.freedom, 2.0 * n))

    def half(rows: slice) -> float:
        part = design[rows]
        if np.linalg.matrix_rank(part) < part.shape[1]:
            return float("nan")
        return scale * float(np.linalg.lstsq(part, y[rows], rcond=None)[0][column])

    every = np.arange(len(y))
    estimate, error = fitted(every)
    pvalue, reach = error.pvalue(estimate), error.reach()
    carrying, without = "", float("nan")
    if np.isfinite(pvalue):
        bread = np.linalg.inv(design.T @ design)
        left = y - design @ (bread @ (design.T @ y))
        moved = (design @ bread[column]) * left * np.sign(estimate)
        names, row_of = np.unique(cases, return_inverse=True)
        carrying = str(names[np.bincount(row_of, moved).argmax()])
        left_over, its_error = fitted(cases != carrying)
        without = its_error.pvalue(left_over)
    return Evidence(
        label,
        scale * estimate,
        write,
        pvalue,
        n,
        low=scale * (estimate - reach),
        high=scale * (estimate + reach),
        halves=(half(slice(len(y) // 2)), half(slice(len(y) // 2, None))),
        carrying=carrying,
        without=without,
    )
