"""Tries: every position whose numbers were shown is counted, and what is found is held against that count."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backtest.dates import Days, Floats, Ints

MOST_KEPT = 500
"""Tries whose returns are kept, drawn evenly from all; the others are counted."""

_DRAWS = 4_000


class Luck(NamedTuple):
    """What so many tries come to.

    Parameters
    ----------
    tried, independent
        Distinct tries, and how many strangers would give as large a chance find.
    pvalue
        The chance that the best of so many worthless ones has a p as small as that of the try at hand.
    expected
        How many standard errors above zero the best of so many worthless ones is to be expected.
    """

    tried: int
    independent: float
    pvalue: float
    expected: float


@dataclass(frozen=True, eq=False)
class BestByLuck:
    """What the best of so many worthless tries shows, in standard errors.

    Parameters
    ----------
    tried
        Distinct tries.
    most, highest
        (n_draws,) of each draw the largest size, and the largest value; empty for a single try.
    """

    tried: int
    most: Floats
    highest: Floats

    def luck(self, pvalue: float) -> Luck:
        """Return what the tries mean for one of them, with this p of its own."""
        if len(self.most) == 0:
            return Luck(self.tried, float(self.tried), pvalue, 0.0)
        middle = float(np.median(self.most))
        # Where no try ever left its benchmark there is nothing to find, by luck or otherwise.
        strangers = math.log(0.5) / math.log(1.0 - 2.0 * float(ndtr(-middle))) if middle > 0.0 else 1.0
        independent = min(max(strangers, 1.0), float(self.tried))
        adjusted = float((self.most >= -ndtri(pvalue / 2.0)).mean()) if pvalue == pvalue else math.nan
        expected = max(float(self.highest.mean()), 0.0)
        return Luck(self.tried, independent, max(adjusted, min(pvalue, 1.0)), expected)


def by_month(dates: Days, active: Floats) -> tuple[Ints, Floats]:
    """Return the months of (n + 1,) dates, counted from 1970, and the sum of (n,) returns in each."""
    months = dates[1:].astype("datetime64[M]").astype(np.int64)
    begins = np.flatnonzero(np.r_[True, np.diff(months) > 0])
    return months[begins], np.add.reduceat(active, begins)


@dataclass(eq=False)
class Tries:
    """The tries of a sitting, which only grow.

    Of ``MOST_KEPT`` at most the returns over the benchmark by month are kept, of many that are counted at
    once a sample: they tell how many independent tries all of them are worth.
    """

    _keys: set[bytes] = field(default_factory=set)
    _kept: list[tuple[Ints, Floats]] = field(default_factory=list)
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __len__(self) -> int:
        """How many distinct ones there were."""
        return len(self._keys)

    def add(self, key: bytes, months: Ints, active: Floats) -> bool:
        """Count a try, if it is a new one; return whether it is.

        ``active`` (n_months,) are its returns over its benchmark in ``months``.
        """
        if key in self._keys:
            return False
        self._keys.add(key)
        self._keep(months, active)
        return True

    def add_all(self, keys: Iterable[bytes], months: Ints, sample: Floats) -> None:
        """Count many at once; ``sample`` (n, n_months) has the returns over the benchmark of some of them."""
        before = len(self._keys)
        self._keys.update(keys)
        if len(self._keys) > before:
            for active in sample:
                self._keep(months, active)

    def _keep(self, months: Ints, active: Floats) -> None:
        if len(self._kept) < MOST_KEPT:
            self._kept.append((months, active))
            return
        place = int(self._random.integers(len(self._keys)))
        if place < MOST_KEPT:
            self._kept[place] = (months, active)

    def so_far(self) -> Tries:
        """Return the tries as they are now, which no further one changes."""
        return Tries(set(self._keys), list(self._kept))

    def best_by_luck(self) -> BestByLuck:
        """Return how large the best of so many worthless tries shows itself.

        Estimates of worthless tries are drawn together, as correlated as the returns that are kept: the
        largest of each draw is what the best of them shows by luck (the single-step method of Westfall and
        Young 1993, Resampling-based multiple testing, with normal draws). Tries over different windows are as
        alike as the months that they share make them, so another start is another try.
        """
        if len(self._keys) < 2:
            return BestByLuck(len(self._keys), np.empty(0), np.empty(0))
        return BestByLuck(len(self._keys), *_largest(self._together()))

    def _together(self) -> Floats:
        """Return the tries that are kept, (n, n_months), each of mean 0 and length 1 over its own months.

        Outside of its months a try is 0, so that the product of two is the correlation of their estimates.
        """
        first = min(int(months[0]) for months, _ in self._kept)
        last = max(int(months[-1]) for months, _ in self._kept)
        rows = np.zeros((len(self._kept), last - first + 1))
        for row, (months, active) in zip(rows, self._kept, strict=True):
            centred = active - active.mean()
            length = math.sqrt(float(centred @ centred))
            # What never varies, as a strategy that is its benchmark, shows nothing by luck.
            row[months - first] = centred / length if length > 1e-12 else 0.0
        return rows


def _largest(rows: Floats) -> tuple[Floats, Floats]:
    """Return of each draw of correlated normals, one a row, the largest size and the largest value."""
    draws = np.random.default_rng(0).standard_normal((rows.shape[1], _DRAWS), dtype=np.float32)
    together = rows.astype(np.float32) @ draws
    highest = together.max(axis=0).astype(np.float64)
    most: Floats = np.maximum(highest, -together.min(axis=0))
    return most, highest
