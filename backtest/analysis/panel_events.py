"""Events in several countries at once: what a difference of returns did in the months around them, pooled.

A panel is ``values``, (n_months, n_members) float64: a month's difference, simple and decimal, NaN where a
member has none. ``events`` of the same shape says in which month something became known of which member; a
window is the months from ``first`` to ``last`` after it, its own month being 0. What is estimated is the mean
of a month inside of such windows: as it is, less each member's own mean, or less that and what the other
members did in the same month. It is the coefficient of least squares on being inside, with effects of the
members and of the months where they are taken out.

Central banks cut together, and what they cut for hits all markets together: cases of one year are hardly
more than one case. So the months inside of windows are put into calendar episodes of twelve months; a month
lies in one of them, with all members. The error is that of sums by episode, with Student's t of one degree
less than there are episodes, counted as so many equal ones as have the same spread of weights: where
half of all cases fall into one year, that year is what is known. Beside it stand the errors of Driscoll and
Kraay (1998), sums by month that hang together for some months, and a placebo: the dates of all members
moved together, by every number of months there is, around the end to the beginning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from backtest.analysis.long_run import Error, long_run_variance, newey_west_lags
from backtest.analysis.regression import NO_ERROR

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats, Ints

EPISODE = 12
"""Months of a calendar episode."""

Effects: TypeAlias = Literal["none", "members", "members and months"]
"""What is taken out: nothing, each member's own mean, or that and each month's."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """A mean over all months of all members inside of windows.

    Parameters
    ----------
    estimate
        Of a month, decimal; NaN where nothing is inside, or nothing is outside that effects could be told by.
    cells
        Months of members inside.
    clusters, effective
        Calendar episodes with such months, and how many equal ones they are worth.
    error
        By episode, with ``effective`` less one degrees of freedom.
    by_month
        The error of Driscoll and Kraay, with the same degrees.
    begins
        (clusters,) int64: the first month of each episode, as an index.
    """

    estimate: float
    cells: int
    clusters: int
    effective: float
    error: Error
    by_month: Error
    begins: Ints

    @property
    def pvalue(self) -> float:
        """Two-sided, against 0, by the episodes."""
        return self.error.pvalue(self.estimate)


def around_events(events: Bools, first: int, last: int) -> Bools:
    """Return the months from ``first`` to ``last`` after an event, once where two overlap."""
    n = len(events)
    inside = np.zeros(events.shape, dtype=np.bool_)
    for lag in range(max(first, -n), min(last, n) + 1):
        inside[max(lag, 0) : n + min(lag, 0)] |= events[max(-lag, 0) : n - max(lag, 0)]
    return inside


def episodes(covered: Bools) -> Ints:
    """Return each month's calendar episode, (n_months,) from 0; -1 for a month that is not covered.

    An episode begins with the first covered month after the one before it, and lasts twelve months.
    """
    numbers = np.full(len(covered), -1)
    number, begin = -1, -EPISODE
    for month in np.flatnonzero(covered).tolist():
        if month >= begin + EPISODE:
            number, begin = number + 1, month
        numbers[month] = number
    return numbers


def _counts(present: Bools) -> tuple[Floats, Floats]:
    """Return how many members each month has, and what undoes the members' effects once months are out."""
    share = present / np.maximum(present.sum(axis=1), 1)[:, None]
    cross = np.diag(present.sum(axis=0)) - present.T @ share
    return share, np.linalg.pinv(cross, rcond=1e-10, hermitian=True)


def without_effects(values: Floats, present: Bools, effects: Effects) -> Floats:
    """Return values less the effects, (n_months, n_members), 0 where a member is not present.

    What least squares leaves of them on an indicator for each member and for each month, in closed form.
    """
    left = np.where(present, values, 0.0)
    if effects == "none":
        return left
    if effects == "members":
        return np.where(present, left - left.sum(axis=0) / np.maximum(present.sum(axis=0), 1), 0.0)
    share, undo = _counts(present)
    left = np.where(present, left - (share * left).sum(axis=1)[:, None], 0.0)
    member = undo @ left.sum(axis=0)
    return np.where(present, left - member + (share @ member)[:, None], 0.0)


def _ratio(top: float, bottom: float, cells: float) -> float:
    return top / bottom if bottom > 1e-9 * max(cells, 1.0) else math.nan


def estimate(values: Floats, inside: Bools, present: Bools, effects: Effects) -> float:
    """Return the mean of a month inside, decimal; NaN where it cannot be told."""
    mark = (inside & present).astype(np.float64)
    design = without_effects(mark, present, effects)
    return _ratio(
        float((design * np.where(present, values, 0.0)).sum()), float((design**2).sum()), mark.sum()
    )


def shifted(values: Floats, inside: Bools, present: Bools, effects: Effects) -> Floats:
    """Return the estimate with all windows moved by 0 to n - 1 months, around the end, (n_months,).

    Sums over all shifts are correlations, done by Fourier transforms.
    """
    n = len(values)
    left = np.fft.rfft(without_effects(values, present, effects), axis=0)
    moved = np.conj(np.fft.rfft(inside.astype(np.float64), axis=0))
    top = np.fft.irfft((left * moved).sum(axis=1), n)
    there = np.fft.rfft(present.astype(np.float64), axis=0)
    cells = np.rint(np.fft.irfft(there * moved, n, axis=0))
    bottom = cells.sum(axis=1)
    if effects == "members":
        bottom = bottom - (cells**2 / np.maximum(present.sum(axis=0), 1)).sum(axis=1)
    if effects == "members and months":
        share, undo = _counts(present)
        # together[s, t]: how many members are inside and present in month t after a move by s.
        back = (np.arange(n) - np.arange(n)[:, None]) % n
        together = (inside.astype(np.float64) @ present.T.astype(np.float64))[back, np.arange(n)]
        beside = cells - together @ share
        by_month = (together**2 / np.maximum(present.sum(axis=1), 1)).sum(axis=1)
        bottom = bottom - by_month - ((beside @ undo) * beside).sum(axis=1)
    known = bottom > 1e-9 * np.maximum(cells.sum(axis=1), 1.0)
    return np.divide(top, bottom, out=np.full(n, np.nan), where=known)


def left_out(values: Floats, inside: Bools, effects: Effects) -> tuple[Floats, Floats]:
    """Return the estimate without each member, (n_members,), and without each episode, (clusters,)."""
    present = np.isfinite(values)
    numbers = episodes(np.logical_or.reduce(inside & present, axis=1))
    members = [present & kept for kept in ~np.eye(values.shape[1], dtype=np.bool_)]
    by_time = [present & (numbers != e)[:, None] for e in range(int(numbers.max(initial=-1)) + 1)]
    one, two = ([estimate(values, inside, kept, effects) for kept in each] for each in (members, by_time))
    return np.array(one), np.array(two)


def placebo(values: Floats, inside: Bools, effects: Effects) -> tuple[float, int]:
    """Return how many shifts lie as far from the mean of all as the estimate does, and their number.

    The first is a share, with the estimate among them; the shifts are of all dates together, by 1 to n - 1
    months, as far as they can be told. NaN and 0 where the estimate cannot be.
    """
    found = shifted(values, inside, np.isfinite(values), effects)
    known = np.isfinite(found)
    if not known[0]:
        return math.nan, 0
    off = np.abs(found[known] - found[known].mean())
    return float((off >= off[0] * (1.0 - 1e-9)).mean()), int(known.sum()) - 1


def _errors(scores: Floats, weights: Floats, bottom: float, numbers: Ints) -> tuple[Error, Error, float]:
    """Return the error by episode, that by month, and how many equal episodes there are.

    ``scores`` and ``weights`` (n_months,): what each month adds to the sum of products, and how much of the
    variance of that sum it is expected to bring.
    """
    # A month outside of all windows says what the effects are, and belongs to the episode before it.
    sums = np.bincount(np.maximum(np.maximum.accumulate(numbers), 0), scores)
    n = len(sums)
    by_episode = np.bincount(numbers[numbers >= 0], weights[numbers >= 0])
    effective = float(by_episode.sum() ** 2 / (by_episode @ by_episode)) if by_episode.any() else 0.0
    if not effective > 2.0:
        return NO_ERROR, NO_ERROR, effective
    freedom = effective - 1.0
    months = len(scores)
    variance = months * float(long_run_variance(scores, newey_west_lags(months)))
    return (
        Error(math.sqrt(float(sums @ sums) * n / (n - 1.0)) / bottom, freedom),
        Error(math.sqrt(max(variance, 0.0)) / bottom, freedom),
        effective,
    )


def pooled(values: Floats, inside: Bools, effects: Effects = "none") -> Pooled:
    """Pool the months inside of windows over all members.

    Parameters
    ----------
    values
        (n_months, n_members), decimal; NaN where a member has none.
    inside
        The same shape: whether the month lies in a window of the member; as ``around_events`` gives it.
    effects
        What is taken out.
    """
    present = np.isfinite(values)
    mark = inside & present
    numbers = episodes(np.logical_or.reduce(mark, axis=1))
    clusters = int(numbers.max(initial=-1)) + 1
    found = estimate(values, inside, present, effects)
    error = by_month = NO_ERROR
    effective = 0.0
    if not math.isnan(found):
        design = without_effects(mark.astype(np.float64), present, effects)
        scores = (design * (without_effects(values, present, effects) - found * design)).sum(axis=1)
        # Where months are taken out only what is each member's own is left to stray.
        own = effects == "members and months"
        weights = (design**2).sum(axis=1) if own else design.sum(axis=1) ** 2
        error, by_month, effective = _errors(scores, weights, float((design**2).sum()), numbers)
    return Pooled(
        estimate=found,
        cells=int(mark.sum()),
        clusters=clusters,
        effective=effective,
        error=error,
        by_month=by_month,
        begins=np.array([int((numbers == e).argmax()) for e in range(clusters)], dtype=np.int64),
    )


def case_paths(values: Floats, events: Bools, before: int, after: int) -> tuple[Floats, Ints, Ints]:
    """Return each case's sum of differences from its month's close, and its month and member.

    (n_cases, before + after + 1) decimal: 0 at the case, before it what was still to come with the sign
    reversed; NaN outside the data. The cases are in the order of their months.
    """
    months, members = np.nonzero(events)
    steps = months[:, None] + np.arange(-before, after + 1)
    there = (steps >= 0) & (steps < len(values))
    each = np.where(there, values[np.clip(steps, 0, len(values) - 1), members[:, None]], np.nan)
    forward = np.cumsum(each[:, before + 1 :], axis=1)
    # The month k before the case has earned what lies between its close and the case's.
    backward = -np.cumsum(each[:, before:0:-1], axis=1)[:, ::-1]
    return np.hstack([backward, np.zeros((len(months), 1)), forward]), months, members
