"""Skill: alpha over the whole window and in its parts, and what a sample of this length could have shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.analysis.regression import Alpha, alpha
from backtest.measures import years

if TYPE_CHECKING:
    from backtest.dates import Days, Floats

WORTH = 0.01
"""An alpha of a year that is worth having: as much as is commonly paid for a fund that promises one."""

RECENT = 15
"""Years that count as lately; told apart only in windows of twice as many."""


class Part(NamedTuple):
    """Alpha over a part of the window: its name, the days of its first and last close, and the regression."""

    name: str
    first: np.datetime64
    last: np.datetime64
    fit: Alpha


@dataclass(frozen=True)
class Skill:
    """Alpha over the whole window, its interval, and over both halves and the last years of it.

    Parameters
    ----------
    whole
        The regression over all bars.
    parts
        First half, second half, and, where the window has 30 years, the last 15.
    """

    whole: Alpha
    parts: tuple[Part, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the 95% interval of alpha; NaN where there is none."""
        reach = self.whole.error.reach()
        return self.whole.alpha - reach, self.whole.alpha + reach

    @property
    def visible(self) -> float:
        """The smallest alpha that this sample would have told from none four times in five."""
        return self.whole.error.visible()

    @property
    def worth_excluded(self) -> bool:
        """Whether the interval excludes an alpha of ``WORTH`` or more."""
        return self.ends[1] < WORTH

    @property
    def contrary(self) -> tuple[Part, ...]:
        """The parts whose alpha has the opposite sign."""
        return tuple(part for part in self.parts if part.fit.alpha * self.whole.alpha < 0.0)


def skill(dates: Days, returns: Floats, benchmark: Floats, risk_free: Floats, frequency: str) -> Skill:
    """Regress excess returns on the benchmark's, over the window and over its parts.

    Parameters
    ----------
    dates
        (n + 1,) the closes from the first fill on.
    returns, benchmark, risk_free
        (n,) simple returns of the bars between them.
    frequency
        ``monthly`` or ``daily``.
    """
    n = len(returns)

    def fit(first: int, last: int) -> Alpha:
        part = slice(first, last)
        ppy = (last - first) / years(dates[first : last + 1], frequency)
        return alpha(returns[part], benchmark[part], risk_free[part], ppy)

    spans = {"the first half": (0, n // 2), "the second half": (n // 2, n)}
    # By months, whatever day each of them ends on: the last close of the month so many years before.
    months = dates.astype("datetime64[M]")
    recent = int(np.searchsorted(months, months[-1] - 12 * RECENT, "right")) - 1
    if months[0] <= months[-1] - 24 * RECENT:
        spans[f"the last {RECENT} years"] = (recent, n)
    parts = (Part(name, dates[a], dates[b], fit(a, b)) for name, (a, b) in spans.items() if b - a > 2)
    return Skill(fit(0, n), tuple(parts))
