"""Answers: what the signals of many sets say at the bars of a window, as bits of one number a stage.

Where a strategy gives weights and no signals, the binary digits of a row's number stand for signals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import compiled, inlined

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Ints
    from backtest.signals.together import Changes, Together

LONGEST = 62
"""Bars of a stage, at most: they and a sign fit into a number."""

Window = tuple[int, int, int]
"""A window's first bar and its last, and the bars of a stage."""

Answers = tuple["Ints", "Ints", "Ints"]
"""(n, n_stages) int64, the bits of what is answered at each stage's bars; (n,) int64, at the window's first
bar; (n_signals, n_sets) int64, which of the n answers a set gets from each signal."""


@inlined
def _yes(bits: Ints, begin: int, end: int, length: int) -> None:
    """Set the bits of the bars from ``begin`` up to, not including, ``end``; ``length`` bars a number."""
    while begin < end:
        place = begin // length
        until = min(end, (place + 1) * length)
        bits[place] |= ((1 << (until - begin)) - 1) << (begin - place * length)
        begin = until


@compiled
def _write_runs(bits: Ints, begins: Ints, offsets: Ints, starts: Ints, stops: Ints, window: Window) -> None:
    """Write what the sets of a signal answer: at the window's first bar, and at each stage's bars."""
    first, last, length = window
    for which in range(len(begins)):
        for run in range(offsets[which], offsets[which + 1]):
            if starts[run] <= first < stops[run]:
                begins[which] = 1
            begin, end = max(starts[run], first + 1), min(stops[run], last)
            _yes(bits[which], begin - first - 1, end - first - 1, length)


@compiled
def _write_rows(
    bits: Ints, begins: Ints, offsets: Ints, at: Ints, rows: Ints, window: Window, part: int
) -> None:
    """Write which row the sets from ``part`` on hold, as if each binary digit of its number were a signal."""
    first, last, length = window
    n_sets = bits.shape[1]
    for which in range(n_sets):
        for d in range(offsets[part + which], offsets[part + which + 1]):
            until = at[d + 1] if d + 1 < offsets[part + which + 1] else last
            begin, end = max(at[d], first + 1), min(until, last)
            for digit in range(len(bits)):
                if (rows[d] >> digit) & 1:
                    if at[d] <= first < until:
                        begins[digit, which] = 1
                    _yes(bits[digit, which], begin - first - 1, end - first - 1, length)


def of_signals(together: Together, window: Window, n_stages: int) -> Callable[[slice], Answers]:
    """Return what gives the answers that decide for a part of the sets, where a strategy's signals decide."""
    before = np.cumsum([0, *(signal.n_sets for signal in together.signals)])
    bits, begins = np.zeros((before[-1], n_stages), np.int64), np.zeros(before[-1], np.int64)
    for signal, start, stop in zip(together.signals, before[:-1], before[1:], strict=True):
        _write_runs(bits[start:stop], begins[start:stop], *signal.arrays, window)
    which = np.array([s + start for s, start in zip(together.sets, before[:-1], strict=True)])
    return lambda part: (bits, begins, np.ascontiguousarray(which[:, part]))


def of_rows(changes: Changes, digits: int, window: Window, n_stages: int) -> Callable[[slice], Answers]:
    """Return the same for given weights, as if each binary digit of a row's number were a signal."""

    def part_of(part: slice) -> Answers:
        n_sets = part.stop - part.start
        bits, begins = np.zeros((digits, n_sets, n_stages), np.int64), np.zeros((digits, n_sets), np.int64)
        _write_rows(bits, begins, changes.offsets, changes.at, changes.rows, window, part.start)
        which = np.arange(digits * n_sets).reshape(digits, n_sets)
        return bits.reshape(-1, n_stages), begins.reshape(-1), which

    return part_of
