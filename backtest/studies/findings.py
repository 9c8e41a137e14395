"""What an examination gives: evidence, one number, tables, a picture, and in case studies every case."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from backtest.analysis.event_study import EventStudy
    from backtest.dates import Bools, Days, Floats, Ints


T = TypeVar("T")

NAN = float("nan")

NORMAL = 1.959964
"""Standard errors to either side that hold 95% of a normal distribution."""

ONE_IN_FIVE = 0.841621
"""What a standard normal value exceeds once in five times."""

_FEW = 4  # cases up to which none of them is unusual
_FAR = 3.0  # times the usual distance from 0, from which on a case is no part of the scale


@dataclass(frozen=True)
class Evidence:
    """One estimate that bears on a claim.

    Parameters
    ----------
    label
        What was estimated.
    estimate
        Its value; its sign is what the claim is about.
    write
        Writes such a value for people, with its unit.
    pvalue
        Two-sided, against an estimate of zero.
    n
        How many cases (independent ones, as far as they can be counted) it rests on.
    claimed
        The sign that the claim gives it, 1 or -1.
    holds
        Whether the claim's further condition is met, where it has one.
    low, high
        Its 95% interval; NaN where there is none.
    halves
        The estimate in the first half of the sample and in the second; NaN where there is none.
    carrying, without
        The case that speaks most for the estimate's sign, and ``pvalue`` without it; empty and NaN for none.
    """

    label: str
    estimate: float
    write: Callable[[float], str]
    pvalue: float
    n: int
    claimed: int = 1
    holds: bool = True
    low: float = NAN
    high: float = NAN
    halves: tuple[float, float] = (NAN, NAN)
    carrying: str = ""
    without: float = NAN

    @property
    def shown(self) -> str:
        """The value as it is written for people."""
        return self.write(self.estimate)

    @property
    def visible(self) -> float:
        """The smallest effect that a test at 5% would show four times in five, by the interval's width."""
        return (1.0 + ONE_IN_FIVE / NORMAL) * (self.high - self.low) / 2.0


def mean_path(paths: Floats) -> Floats:
    """Return the mean of the paths that are there at each step, (n_steps,); NaN where none is."""
    there = np.isfinite(paths)
    count = there.sum(axis=0)
    total = np.where(there, paths, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(paths.shape[1], np.nan), where=count > 0)


@dataclass(frozen=True, eq=False)
class Paths:
    """Each case thin and their mean thick: (n_cases, n_steps) in percent over months from the case."""

    months: Floats
    cases: Floats
    labels: tuple[str, ...]
    ylabel: str

    @property
    def covered(self) -> Bools:
        """The months that as many cases cover as any month, (n_steps,)."""
        counts = np.isfinite(self.cases).sum(axis=0)
        return counts == counts.max(initial=0)

    @property
    def mean(self) -> Floats:
        """The mean of the cases that are there, (n_steps,)."""
        return mean_path(self.cases)

    @cached_property
    def far(self) -> tuple[tuple[str, float], ...]:
        """Each case that went so far off that it would make all others small, and where it went."""
        return tuple(
            (self.labels[i], float(self._known[i, np.abs(self._known[i]).argmax()])) for i in self._off
        )

    @property
    def scale(self) -> tuple[float | None, float | None]:
        """The ends of a scale that leaves out what is ``far``; None where nothing is."""
        if not len(self._off):
            return None, None
        near = np.delete(self._known, self._off, axis=0)
        low, high = float(near.min(initial=0.0)), float(near.max(initial=0.0))
        room = 0.08 * (high - low)
        return low - room, high + room

    @property
    def _known(self) -> Floats:
        return np.where(np.isfinite(self.cases), self.cases, 0.0)

    @cached_property
    def _off(self) -> Ints:
        reach = np.abs(self._known).max(axis=1, initial=0.0)
        usual = np.median(reach) if len(reach) > _FEW else np.inf
        off: Ints = np.flatnonzero(reach > _FAR * usual)
        return off


@dataclass(frozen=True, eq=False)
class Dots:
    """Estimates with intervals, one a row; ``lows`` and ``highs`` are NaN where there is none."""

    labels: tuple[str, ...]
    values: Floats
    lows: Floats
    highs: Floats
    xlabel: str
    reference: float = 0.0


@dataclass(frozen=True, eq=False)
class Scatter:
    """What followed (y) on what was known (x), with the fitted line; ``now`` is the last known x."""

    x: Floats
    y: Floats
    slope: float
    intercept: float
    xlabel: str
    ylabel: str
    now: float


@dataclass(frozen=True, eq=False)
class History:
    """A series over time, with its last value marked."""

    dates: Days
    values: Floats
    ylabel: str


@dataclass(frozen=True, eq=False)
class Curves:
    """Named curves over one axis; ``marks`` are points of them as (x, y, name)."""

    x: Floats
    lines: dict[str, Floats]
    xlabel: str
    ylabel: str
    log_x: bool = False
    marks: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Fan:
    """The cases of a panel: members thin, calendar episodes less so, the mean of all cases thick.

    ``months`` (n_steps,) from the case; ``members`` (n_members, n_steps), ``episodes`` (n_episodes, n_steps)
    and ``mean`` (n_steps,) in percent; NaN outside the data.
    """

    months: Floats
    members: Floats
    episodes: Floats
    mean: Floats
    ylabel: str


Picture: TypeAlias = "Paths | Dots | Scatter | History | Curves | Fan"


class TextTable(msgspec.Struct, frozen=True):
    """A table: its title, its columns, and rows of text as people read it, or of facts as they are."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def laid_out(title: str, columns: Mapping[str, Callable[[T], str]], each: Iterable[T]) -> TextTable:
    """Return a table with a row for each of several things; a column writes what its head says of one."""
    rows = tuple(tuple(write(one) for write in columns.values()) for one in each)
    return TextTable(title, tuple(columns), rows)


@dataclass(frozen=True)
class FactTable:
    """A table of numbers, with the columns in which people read them.

    Parameters
    ----------
    title
        What it is.
    layout
        By the head of each column what writes the facts of a row there.
    facts
        A row each, every one with the same keys: words, a count, a number (decimal, NaN where there is
        none), or several names.
    """

    title: str
    layout: Mapping[str, Callable[[dict[str, Any]], str]]
    facts: tuple[dict[str, Any], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The heads of the columns."""
        return tuple(self.layout)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The rows as they are shown."""
        return laid_out(self.title, self.layout, self.facts).rows

    @property
    def document(self) -> TextTable:
        """The facts themselves under their keys."""
        keys = tuple(self.facts[0]) if self.facts else ()
        return TextTable(self.title, keys, tuple(tuple(row[key] for key in keys) for row in self.facts))


@dataclass(frozen=True, eq=False)
class Cases:
    """The cases of an event study and what they were compared with.

    Parameters
    ----------
    dates
        (n_cases,) the day of each case, in the order of ``study.at``.
    names
        What the first and the second series are.
    study
        The event study over months.
    months_after
        (n_cases,) how many months of data follow each case.
    so_far
        (n_cases, 3) first, second and difference to the end of the data, at most over the longest horizon.
    """

    dates: Days
    names: tuple[str, str]
    study: EventStudy
    months_after: tuple[int, ...]
    so_far: Floats


@dataclass(frozen=True, eq=False)
class Finding:
    """What an examination gives.

    Parameters
    ----------
    evidence
        What the rule looks at.
    headline
        The one number, with the words it needs.
    sample
        How much it rests on, such as "9 cases".
    picture
        The one picture.
    tables
        The rest of the numbers.
    notes
        What has to be known to read them.
    cases
        Every case, in an event study.
    """

    evidence: tuple[Evidence, ...]
    headline: str
    sample: str
    picture: Picture
    tables: tuple[TextTable | FactTable, ...] = ()
    notes: tuple[str, ...] = ()
    cases: Cases | None = field(default=None)
