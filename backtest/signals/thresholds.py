"""Thresholds: the signal of a level that passes one value and stays until it passes another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError
from backtest.signals.readings import Readings
from backtest.signals.rows import combinations, sets_of
from backtest.signals.spells import Spells

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats, Ints


# Series are published in decimals: a mean of three months that has risen by 0.5 must reach 0.5.
_ROUNDING = 1e-9

_FEW = 64  # sets up to which each is worked out by itself


def passed(level: Readings, enter: Any, until: Any, sign: float) -> tuple[Spells, Ints, Bools, UsageError]:
    """Return the signal that says yes from ``enter`` on until past ``until``: with hysteresis.

    Between the two the answer stays as it was, at first no; it is known from the level's first value on. A
    value within rounding of a threshold is at it.

    Parameters
    ----------
    level
        What passes the thresholds, upward with ``sign`` 1, downward with -1.
    enter
        A number, a row of numbers, or a level; then the two cross.
    until
        A number or a row, with ``sign`` 1 not above ``enter``; None for the same as ``enter``.

    Returns
    -------
    signal, which
        The distinct answers, and which of them each set has.
    refused, error
        (n_sets,) bool, the sets that ask for what cannot be, whose answers mean nothing; and what says so.
    """
    if isinstance(enter, Readings):
        gap = level - enter
        zero = np.zeros(gap.n_sets)
        return *_signal(gap, zero, zero, sign), np.zeros(gap.n_sets, dtype=np.bool_), UsageError()
    enter = np.atleast_1d(enter).astype(np.float64)
    until = enter if until is None else np.atleast_1d(until).astype(np.float64)
    n_sets = sets_of(level.n_sets, len(enter), len(until))
    enter, until = np.broadcast_to(enter, n_sets), np.broadcast_to(until, n_sets)
    refused = sign * until > sign * enter
    bad, side = refused.argmax(), "above" if sign > 0 else "below"
    error = UsageError(
        f"{level.label}: a signal that turns yes at {enter[bad]:g} cannot turn no {side} that, "
        f"at {until[bad]:g}"
    )
    which, since = (np.broadcast_to(each, n_sets) for each in (level.which, level.since))
    return *_signal(replace(level, which=which, since=since), enter, until, sign), refused, error


def _signal(level: Readings, enter: Floats, until: Floats, sign: float) -> tuple[Spells, Ints]:
    """Return the distinct answers to thresholds, (n_sets,) each, and which of them each set has."""
    from backtest.signals import compiled  # numba takes its time

    decision, values, begin = level.at_decisions()
    values, which, of = sign * values, level.which, np.arange(len(enter))
    enter, until = (sign * bound - _ROUNDING * np.maximum(np.abs(bound), 1.0) for bound in (enter, until))
    if len(which) > _FEW:
        ordered = np.sort(values, axis=1)  # NaN stands last
        count = np.isfinite(values).sum(axis=1)
        places = np.empty((2, len(which)), np.int64)
        for bound, place in zip((enter, until), places, strict=True):
            compiled.ranks(ordered, count, which, bound, place)
        n = ordered.shape[1] + 1
        (which, one, other, begin), of = combinations(which, *places, begin)
        # Any bound of the same rank gives the same answers: the lowest value that it lets pass.
        reached = np.c_[ordered, np.full(len(ordered), np.inf)]
        reached[np.arange(n) >= count[:, None]] = np.inf
        enter, until = reached[which, one], reached[which, other]
    shape = (len(values), -(-values.shape[1] // compiled.BLOCK))
    highest, lowest = np.empty(shape), np.empty(shape)
    compiled.extremes(values, highest, lowest)
    offsets = np.empty(len(which) + 1, np.int64)
    runs = compiled.threshold(values, highest, lowest, which, begin, enter, until, offsets)
    fill = np.append(decision, len(level.fills.dates))
    return Spells(level.fills, offsets, fill[runs[0]], fill[runs[1]], fill[begin]), of
