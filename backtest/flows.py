"""Flows: money that comes into a portfolio or is taken out of it, by the month or the year."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from backtest.errors import UsageError
from backtest.numerals import number

if TYPE_CHECKING:
    from backtest.dates import Days, Ints

HIGHEST = 10.0
"""The largest flow that can be said, in first sums."""

_WRITTEN = re.compile(
    r"([^%\s]+?)\s*(%)?\s*(?:a|per|every|/)\s*(month|year)(?:\s+on\s+(\S+))?", re.IGNORECASE
)

_MONTHS = {"month": 1, "year": 12}


class Flow(NamedTuple):
    """The same sum again and again.

    Parameters
    ----------
    part
        Of the first sum: above 0 it is paid in, below 0 taken out.
    months
        After so many months, and so many after each.
    """

    part: float
    months: int

    @property
    def written(self) -> str:
        """It as an option takes it: ``5% a month``."""
        return f"{100.0 * self.part:.12g}% a {'month' if self.months == 1 else 'year'}"

    @property
    def said(self) -> str:
        """It in a clause."""
        verb = "paid in" if self.part > 0.0 else "taken out"
        return f"{abs(self.part):.6g} of the first sum {verb} every {'month' if self.months == 1 else 'year'}"

    def bars(self, dates: Days) -> Ints:
        """Return the bars at whose close money flows, (n_flows,), of (n,) dates from the first fill on.

        It is the first bar of each calendar month that lies a multiple of ``months`` after that of the first
        fill; none at the last bar, at which nothing is traded.
        """
        month = dates.astype("datetime64[M]").astype(np.int64)
        first = np.flatnonzero(np.diff(month) > 0) + 1
        due = first[(month[first] - month[0]) % self.months == 0]
        return due[due < len(dates) - 1]


def flow_of(given: Any) -> Flow:
    """Return a flow as it is written: ``5% a month``, ``500 a month on 10000``, ``-4% a year``.

    Raises
    ------
    UsageError
        When it is written otherwise, is nothing, or is more than ten first sums.
    """
    found = _WRITTEN.fullmatch(str(given).strip())
    percent, first = (found[2], found[4]) if found else (None, None)
    if not found or (percent is None) == (first is None):
        raise UsageError(
            f"flows are written '500 a month on 10000' or '-4% a year' (of the first sum), not '{given}'"
        )
    sum_of = 100.0 if percent else number(first, "the first sum of flows", 1e-9)
    part = number(found[1], "flows") / sum_of
    if part == 0.0 or abs(part) > HIGHEST:
        raise UsageError(
            f"flows must be above 0 and at most {HIGHEST:g} first sums, in or out, not '{given}'"
        )
    return Flow(part, _MONTHS[found[3].lower()])
