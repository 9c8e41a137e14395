"""Decisions: which sleeves a strategy wants to hold, from which fill on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from backtest.errors import RotationError, UsageError, nearest
from backtest.signals.rows import row, sets_of
from backtest.signals.signal import Signal, latest, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backtest.dates import Bools, Fills, Floats, Ints
    from backtest.market.market import Market


@dataclass(frozen=True, eq=False)
class Targets:
    """Target weights, each from one fill until the next.

    Parameters
    ----------
    fills
        (n_targets,) int64, strictly increasing: the index of the bar at whose close to trade.
    weights
        (n_targets, n_sleeves) float64: fractions of the value after costs; each row sums to 1.
    """

    fills: Ints
    weights: Floats

    def moved(self, bars: int) -> Targets:
        """Return the same targets with the fills counted from another bar."""
        return Targets(self.fills + bars, self.weights)


def _column(name: str, sleeves: Sequence[str]) -> int:
    if name not in sleeves:
        raise UsageError(f"the market has no sleeve '{name}'; {nearest(name, sleeves)}")
    return list(sleeves).index(name)


@dataclass(frozen=True, eq=False)
class Rotation:
    """Hold one sleeve while a signal says yes, and another one otherwise."""

    signal: Signal
    into: str
    otherwise: str

    @property
    def fills(self) -> Fills:
        """The fills at which to trade."""
        return self.signal.fills

    @property
    def first(self) -> Ints:
        """The first fill at which the signal is known, (n_sets,)."""
        return self.signal.first

    @property
    def first_fill(self) -> int:
        """The index of the first fill at which the signal is known, under the first parameter set."""
        return int(self.first[0])

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that decide."""
        return (self.signal,)

    def targets(self, sleeves: Sequence[str], first: int, last: int, which: int = 0) -> Targets:
        """Return what to hold from fill ``first`` on; none is decided at the ``last`` bar.

        Raises
        ------
        UsageError
            When the market has no such sleeve; the nearest one is named.
        """
        rows = np.zeros((2, len(sleeves)))
        for answer, name in enumerate((self.otherwise, self.into)):
            rows[answer, _column(name, sleeves)] = 1.0
        yes = self.signal.dense(which)[first:last]
        changes = np.flatnonzero(np.r_[True, yes[1:] != yes[:-1]])
        return Targets(changes + first, rows[yes[changes].astype(int)])


@dataclass(frozen=True, eq=False)
class Weights:
    """Hold fractions of several sleeves, each mix from one fill until the next; what is left is cash.

    Parameters
    ----------
    fills
        The fills that ``at`` counts.
    sleeves
        The names of the columns of ``weights``; ``cash`` need not be one.
    offsets
        (n_sets + 1,) int64: the decisions of set s are those from ``offsets[s]`` to ``offsets[s + 1]``.
    at
        (n_decisions,) int64: the fill of each; within a set they increase, and the first is 0.
    weights
        (n_decisions, n_sleeves) float64: fractions of the value after costs, 0 or more, at most 1 in sum.
    first
        (n_sets,) int64: the first fill at which everything needed is known; ``n_fills`` where none is.
    every_months
        (n_sets,) int64: trade back to the target every so many months as well; 0 for never.
    band
        (n_sets,) float64: trade back to the target as well when a weight has drifted from it by more than
        this fraction of the value; 0 for never.
    signals
        The signals that decide, for ``rotation signal``.
    weigh
        The weights, (n, n_sleeves), that answers of the signals give, (n, n_signals) bool.
    """

    fills: Fills
    sleeves: tuple[str, ...]
    offsets: Ints
    at: Ints
    weights: Floats
    first: Ints
    every_months: Ints
    band: Floats
    signals: tuple[Signal, ...] = ()
    weigh: Callable[[Bools], Floats] | None = None

    def __post_init__(self) -> None:
        bad = ~((self.weights >= 0.0).all(axis=1) & (self.weights.sum(axis=1) <= 1.0 + 1e-12))
        if bad.any():
            weights = dict(zip(self.sleeves, self.weights[bad.argmax()].tolist(), strict=True))
            raise RotationError(f"weights must be 0 or more and at most 1 in sum, not {weights}")

    @property
    def first_fill(self) -> int:
        """The index of the first fill at which everything is known, under the first parameter set."""
        return int(self.first[0])

    def targets(self, sleeves: Sequence[str], first: int, last: int, which: int = 0) -> Targets:
        """Return what to hold from fill ``first`` on; none is decided at the ``last`` bar.

        Raises
        ------
        UsageError
            When the market has no such sleeve; the nearest one is named.
        """
        part = slice(self.offsets[which], self.offsets[which + 1])
        at, weights = self.at[part], np.zeros((self.offsets[which + 1] - self.offsets[which], len(sleeves)))
        for column, name in enumerate(self.sleeves):
            weights[:, _column(name, sleeves)] += self.weights[part, column]
        # Thirds do not sum to 1 in binary; what rounding leaves is no cash.
        left = 1.0 - weights.sum(axis=1)
        weights[:, _column("cash", sleeves)] += np.where(np.abs(left) < 1e-12, 0.0, left)

        current = int(np.searchsorted(at, first, "right")) - 1
        used = np.r_[current, np.flatnonzero((at > first) & (at < last))]
        changed = np.r_[True, (np.diff(weights[used], axis=0) != 0.0).any(axis=1)]
        used = used[changed]
        return Targets(np.maximum(at[used], first), weights[used])


Decision: TypeAlias = Rotation | Weights
"""What a strategy returns."""


def filled(decision: Decision, sleeves: Sequence[str], which: int = 0) -> Floats:
    """Return the target weights at every fill, (n_fills, n_sleeves); NaN before they are known."""
    n_fills, first = len(decision.fills.dates), int(decision.first[which])
    weights = np.full((n_fills, len(sleeves)), np.nan)
    if first < n_fills:
        targets = decision.targets(sleeves, first, n_fills, which)
        weights[first:] = np.repeat(targets.weights, np.diff(np.r_[targets.fills, n_fills]), axis=0)
    return weights


def deciding(decision: Decision, fill: int) -> list[Signal]:
    """Return the signals each of which would change the target at a fill if it alone answered otherwise."""
    if isinstance(decision, Rotation):
        return [decision.signal] if decision.into != decision.otherwise else []
    if decision.weigh is None:
        return list(decision.signals)
    n = len(decision.signals)
    answers = np.array([signal.at(fill) for signal in decision.signals])
    weights = decision.weigh(np.vstack([answers, answers ^ np.eye(n, dtype=bool)]))
    changes = (weights[1:] != weights[0]).any(axis=1)
    return [signal for signal, change in zip(decision.signals, changes, strict=True) if change]


def rotate(signal: Signal, *, into: str, otherwise: str) -> Rotation:
    """Hold ``into`` while the signal says yes and ``otherwise`` while it says no.

    Both are names of the market's sleeves, such as ``small``, ``large``, ``market`` and ``cash``.
    """
    _needs_signals(signal)
    return Rotation(signal, into, otherwise)


def choose(*cases: tuple[Signal, str], otherwise: str) -> Weights:
    """Hold the sleeve of the first case whose signal says yes, else ``otherwise``.

    ``choose((rising & strong, "small"), (rising, "large"), otherwise="cash")``. Known when all signals are.
    """
    signals = [signal for signal, _ in cases]
    _needs_signals(*signals)
    sleeves = tuple(dict.fromkeys([*(sleeve for _, sleeve in cases), otherwise]))
    held = [sleeves.index(sleeve) for _, sleeve in cases]

    def weigh(answers: Bools) -> Floats:
        chosen = np.select(list(answers.T), held, sleeves.index(otherwise))
        return np.eye(len(sleeves))[chosen]

    return _by_answers(signals, sleeves, weigh)


def blend(*signals: Signal, into: str, otherwise: str) -> Weights:
    """Hold ``into`` with the share of the signals that say yes, and ``otherwise`` with the rest."""
    _needs_signals(*signals)

    def weigh(answers: Bools) -> Floats:
        yes = answers.sum(axis=1) / len(signals)
        return np.column_stack([yes, 1.0 - yes])

    return _by_answers(list(signals), (into, otherwise), weigh)


def _by_answers(signals: list[Signal], sleeves: tuple[str, ...], weigh: Callable[[Bools], Floats]) -> Weights:
    """Return the weights of each step of the merged signals; a set's last step lies past the last fill."""
    steps = merge(signals)
    kept = np.ones(len(steps.at), dtype=bool)
    kept[steps.offsets[1:] - 1] = False
    n_sets = len(steps.offsets) - 1
    answers = (steps.masks[kept, None] >> np.arange(len(signals))) & 1 == 1
    return Weights(
        fills=steps.fills,
        sleeves=sleeves,
        offsets=steps.offsets - np.arange(n_sets + 1),
        at=steps.at[kept],
        weights=weigh(answers),
        first=latest(signals),
        every_months=np.zeros(n_sets, dtype=np.int64),
        band=np.zeros(n_sets),
        signals=tuple(signals),
        weigh=weigh,
    )


def mix(market: Market, weights: Mapping[str, Any], *, every_months: Any = 0, band: Any = 0.0) -> Weights:
    """Hold fixed fractions of sleeves, the rest in cash.

    ``weights`` are fractions by sleeve, ``every_months`` and ``band`` (a fraction of the value) say when to
    trade back to them, 0 for never; each one value or a row. Known from the first bar on.
    """
    columns = [row(weight, f"the weight of {name}").astype(np.float64) for name, weight in weights.items()]
    months, drift = row(every_months, "every_months").astype(np.int64), row(band, "band").astype(np.float64)
    n_sets = sets_of(*map(len, columns), len(months), len(drift))
    return Weights(
        fills=market.fills,
        sleeves=tuple(weights),
        offsets=np.arange(n_sets + 1),
        at=np.zeros(n_sets, dtype=np.int64),
        weights=np.column_stack([np.broadcast_to(column, n_sets) for column in columns]),
        first=np.zeros(n_sets, dtype=np.int64),
        every_months=np.broadcast_to(months, n_sets),
        band=np.broadcast_to(drift, n_sets),
    )


def _needs_signals(*signals: Any) -> None:
    for signal in signals:
        if not isinstance(signal, Signal):
            raise UsageError(
                f"a decision needs a signal, not {type(signal).__name__}; "
                "market.signal(yes) makes one of an array of yes and no, one for each fill"
            )
