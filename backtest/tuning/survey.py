"""The survey of a sweep: what its dataset says of all trials, read chunk by chunk, some bytes a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError
from backtest.tuning.constraints import all_hold
from backtest.tuning.trials import MEASURED, STATUSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtest.dates import Bools, Floats
    from backtest.tuning.objective import Objective
    from backtest.tuning.results import Results

DIGESTED = ("total_return", "sharpe", "max_drawdown", "switches", "time_in_small")
"""Measures by which trials are told apart."""

_PIECE = 1 << 15
_SORTED = sorted(STATUSES)
_CODES = np.array([STATUSES.index(name) for name in _SORTED], dtype=np.int8)


@dataclass(frozen=True, eq=False)
class Survey:
    """All trials of a sweep, in the order of the dataset.

    Parameters
    ----------
    status
        (n,) int8: the place in ``STATUSES``.
    scores
        For each objective, (n,) float64: higher is better; NaN where a trial cannot be chosen.
    distinct
        (n,) bool: measured, and different from all trials before it in some measure.
    without_switch
        How many measured trials never switched.
    """

    status: NDArray[np.int8]
    scores: tuple[Floats, ...]
    distinct: Bools
    without_switch: int

    @property
    def measured(self) -> int:
        """How many trials were measured."""
        return int(np.count_nonzero(self.status == MEASURED))

    @property
    def counts(self) -> dict[str, int]:
        """How many trials there are of each status, and of each kind that is easily overlooked."""
        scores = self.scores[0]
        best = np.nanmax(scores)
        return {
            "combinations": len(self.status),
            **by_status(self.status),
            "duplicates": self.measured - int(np.count_nonzero(self.distinct)),
            "without_switch": self.without_switch,
            "not_eligible": self.measured - int(np.count_nonzero(np.isfinite(scores))),
            "tied_with_best": int(np.count_nonzero(scores >= best - 1e-12 * abs(best))) - 1,
        }


def by_status(status: NDArray[np.int8]) -> dict[str, int]:
    """Return how many trials have each status."""
    return dict(zip(STATUSES, np.bincount(status, minlength=len(STATUSES)).tolist(), strict=True))


@dataclass
class _Reading:
    """What has been read so far."""

    objectives: tuple[Objective, ...]
    status: NDArray[np.int8]
    digest: NDArray[np.uint64]
    scores: tuple[Floats, ...]
    without_switch: int = 0

    @property
    def columns(self) -> list[str]:
        """What is needed of the dataset."""
        rules = self.objectives[0].constraints
        named = [o.name for o in self.objectives] + [rule.left for rule in rules]
        named += [rule.right for rule in rules if isinstance(rule.right, str)]
        return list(dict.fromkeys([*named, *DIGESTED, "status"]))

    def take(self, begin: int, part: dict[str, NDArray[Any]]) -> int:
        """Take in a chunk whose first trial has this place; return the place after its last."""
        n = len(part["status"])
        place = slice(begin, begin + n)
        self.status[place] = _CODES[np.searchsorted(_SORTED, part["status"])]
        self.digest[place] = _digests([part[name] for name in DIGESTED])
        measured = self.status[place] == MEASURED
        for objective, scores in zip(self.objectives, self.scores, strict=True):
            values = part[objective.name]
            kept = measured & all_hold(objective.constraints, part, n) & np.isfinite(values)
            scores[place] = np.where(kept, objective.score(values), np.nan)
        self.without_switch += int(np.count_nonzero(part["switches"][measured] == 0))
        return begin + n


def survey(results: Results, objectives: tuple[Objective, ...]) -> Survey:
    """Read a sweep's dataset.

    Raises
    ------
    UsageError
        When no trial was measured, or none of those that were can be chosen.
    RotationError
        When a part is missing, damaged, or of something else.
    """
    n = results.manifest["combinations"]
    reading = _Reading(
        objectives,
        np.empty(n, dtype=np.int8),
        np.empty(n, dtype=np.uint64),
        tuple(np.empty(n) for _ in objectives),
    )
    begin = 0
    for part in results.whole():
        begin = reading.take(begin, results.columns(part, reading.columns))
    counts = by_status(reading.status)
    if counts["measured"] == 0:
        raise UsageError(f"none of the {n:,} combinations could be measured: {counts}")
    if not np.isfinite(reading.scores[0]).any():
        raise UsageError(
            f"none of the {counts['measured']:,} trials that were measured can be chosen: they break a "
            f"constraint or have no {objectives[0].name}"
        )
    distinct = _distinct(reading.digest) & (reading.status == MEASURED)
    return Survey(reading.status, reading.scores, distinct, reading.without_switch)


def first_of_each(columns: list[Floats]) -> Bools:
    """Return which rows of (n,) columns differ from all rows before them, (n,) bool."""
    return _distinct(_digests(columns))


def _digests(columns: list[Floats]) -> NDArray[np.uint64]:
    """Return a digest of each row of (n,) columns; two rows among a million collide once in 10^7 times."""
    import pandas as pd

    digest = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        digest = digest * np.uint64(0x9E3779B97F4A7C15) + pd.util.hash_array(column)
    return digest


def _distinct(digest: NDArray[np.uint64]) -> Bools:
    """Return where a digest occurs for the first time, (n,) bool."""
    order = np.argsort(digest, kind="stable")
    found = np.zeros(len(digest), dtype=bool)
    found[order[:1]] = True
    for begin in range(1, len(order), _PIECE):  # in pieces: the sorted digests are as large as all else here
        here = order[begin - 1 : begin + _PIECE]
        ahead = digest[here[1:]] != digest[here[:-1]]
        found[here[1:][ahead]] = True
    return found
