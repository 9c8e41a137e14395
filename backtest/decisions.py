"""Decisions: which sleeves a strategy wants to hold, and from which fill on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import EVERY_FILL
from backtest.errors import RotationError, UsageError, nearest
from backtest.rules import expressions as rules
from backtest.rules import why
from backtest.rules.evaluate import Sets
from backtest.rules.operation import operation
from backtest.rules.operations import own_words
from backtest.rules.seen import inputs_seen
from backtest.signals import own
from backtest.signals.rows import combinations, distinct, whole
from backtest.signals.together import Changes, Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Bools, Fills, Floats, Ints
    from backtest.market.known import Known
    from backtest.signals.spells import Spells

_TABLED = 10  # signals up to which every answer of theirs is weighed, there or not


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
class Weights:
    """Hold fractions of several sleeves, each mix from one fill until the next; what is left is cash.

    Parameters
    ----------
    fills
        The fills at which to trade.
    sleeves
        The names of the columns of ``weights``; ``cash`` need not be one.
    weights
        (n_rows, n_sleeves) float64: fractions of the value after costs, 0 or more, at most 1 in sum.
    first
        (n_sets,) int64: the first fill at which everything needed is known; ``n_fills`` where none is.
    every_months
        (n_sets,) int64: trade back to the target every so many months as well; 0 for never.
    band
        (n_sets,) float64: trade back to the target as well when a weight has drifted from it by more than
        this fraction of the value; infinite for never.
    given
        Which row each set holds from when on, or the signals whose answers say which.
    """

    fills: Fills
    sleeves: tuple[str, ...]
    weights: Floats
    first: Ints
    every_months: Ints
    band: Floats
    given: Changes | Together

    def __post_init__(self) -> None:
        if wrong(self.weights).any():
            raise RotationError(said_of(self.sleeves, self.weights))

    @property
    def n_sets(self) -> int:
        """The number of parameter sets."""
        return len(self.first)

    def take(self, which: Ints) -> Weights:
        """Return the weights of so many of the sets, in this order."""
        return replace(
            self,
            given=self.given.take(which),
            first=self.first[which],
            every_months=self.every_months[which],
            band=self.band[which],
        )

    def unlike(self, first: int, last: int) -> tuple[Ints, Ints]:
        """Return sets that decide otherwise from a fill up to another; see ``Spells.unlike``.

        Of given changes each set counts as another.
        """
        known = np.flatnonzero(self.first <= first)
        like = np.arange(len(known))
        if isinstance(self.given, Together):
            like = np.zeros_like(known)
            for signal, sets in zip(self.given.signals, self.given.sets, strict=True):
                _, of = signal.unlike(first, last)
                _, like = combinations(like, of[sets[known]])
        which = np.full(self.n_sets, -1)
        which[known] = like
        first_like = np.empty(like.max(initial=-1) + 1, np.int64)
        first_like[like[::-1]] = known[::-1]
        return first_like, which

    @cached_property
    def changes(self) -> Changes:
        """Which row each set holds from when on."""
        return self.given if isinstance(self.given, Changes) else self.given.changes

    @property
    def rotation(self) -> tuple[tuple[str, str], Spells] | None:
        """The sleeves to hold while a signal says no and yes, and the signal, where that is all of it."""
        if not isinstance(self.given, Together) or len(self.given.signals) > 1:
            return None
        if (self.weights.max(axis=1) < 1.0).any():
            return None
        otherwise, into = (self.sleeves[column] for column in self.weights.argmax(axis=1))
        return (otherwise, into), self.given.signals[0].take(self.given.sets[0])

    @property
    def first_fill(self) -> int:
        """The index of the first fill at which everything is known, under the first parameter set."""
        return int(self.first[0])

    def full(self, sleeves: Sequence[str]) -> Floats:
        """Return ``weights`` with a column for each sleeve of the market, (n_rows, n_sleeves), cash included.

        Raises
        ------
        UsageError
            When the market has no such sleeve; the nearest one is named.
        """
        weights = np.zeros((len(self.weights), len(sleeves)))
        for column, name in enumerate(self.sleeves):
            weights[:, _column(name, sleeves)] += self.weights[:, column]
        # Thirds do not sum to 1 in binary; what rounding leaves is no cash.
        left = 1.0 - weights.sum(axis=1)
        weights[:, _column("cash", sleeves)] += np.where(np.abs(left) < 1e-12, 0.0, left)
        return weights

    def within(self, sleeves: Sequence[str], first: int, last: int) -> tuple[Floats, Changes]:
        """Return ``full`` with each row once, and which of them each set holds; see ``Changes.within``."""
        weights, row_of = np.unique(self.full(sleeves), axis=0, return_inverse=True)
        rows = row_of.reshape(-1)[self.changes.rows]
        return weights, replace(self.changes, rows=rows).within(first, last)

    def targets(self, sleeves: Sequence[str], first: int, last: int, which: int = 0) -> Targets:
        """Return what to hold from fill ``first`` on, none at the ``last`` bar; errors as ``full``."""
        weights, changes = self.take(np.array([which])).within(sleeves, first, last)
        return Targets(changes.at, weights[changes.rows])


def filled(decision: Weights, sleeves: Sequence[str], which: int = 0) -> Floats:
    """Return the target weights at every fill, (n_fills, n_sleeves); NaN before they are known."""
    n_fills, first = len(decision.fills.dates), int(decision.first[which])
    weights = np.full((n_fills, len(sleeves)), np.nan)
    if first < n_fills:
        targets = decision.targets(sleeves, first, n_fills, which)
        weights[first:] = np.repeat(targets.weights, np.diff(np.r_[targets.fills, n_fills]), axis=0)
    return weights


def deciding(rule: rules.Decision, answers: Sequence[bool]) -> list[bool]:
    """Return which of a rule's signals would each change what is held if it alone answered otherwise."""
    if rule.op not in _WEIGHED or rule.args[0] == rule.args[1]:
        return [False] * len(answers)
    n = len(answers)
    turned = np.array(answers) ^ np.eye(n + 1, n, k=-1, dtype=np.bool_)  # as they are, then one by one
    _, weights = _WEIGHED[rule.op](turned, *rule.args)
    return (weights[1:] != weights[0]).any(axis=1).tolist()


def held(decision: Weights) -> rules.Decision:
    """Return weights that were decided elsewhere as a decision: what joins the choices of a walk-forward."""
    return rules.Decision("given", (), (decision,))


def _first(answers: Bools, sleeves: Sequence[str], otherwise: str) -> tuple[tuple[str, ...], Floats]:
    """Return the weights of the sleeve of the first signal that says yes."""
    names = tuple(dict.fromkeys([*sleeves, otherwise]))
    places = [names.index(sleeve) for sleeve in sleeves]
    return names, np.eye(len(names))[np.select(list(answers.T), places, names.index(otherwise))]


def _share(answers: Bools, into: str, otherwise: str) -> tuple[tuple[str, ...], Floats]:
    """Return the weights of as much ``into`` as there are votes."""
    yes = answers.sum(axis=1) / answers.shape[1]
    return (into, otherwise), np.column_stack([yes, 1.0 - yes])


_WEIGHED = {"rotated": _share, "chosen": _first, "blended": _share}
"""From answers of signals, (n, n_signals) bool, and an operation's arguments to sleeves and their weights."""


def answered(op: str, args: Sequence[Any], together: Together) -> Weights:
    """Return what an operation of the table makes of signals."""
    n_signals, n_sets = len(together.signals), len(together.sets[0])
    # Each mask is an answer of every signal: few different ones, each weighed once.
    given: Changes | Together = together
    every = np.arange(1 << min(n_signals, _TABLED))
    if n_signals > _TABLED:  # of too many only those that some set gives
        every, rows = np.unique(together.changes.rows, return_inverse=True)
        given = replace(together.changes, rows=rows)
    sleeves, table = _WEIGHED[op]((every[:, None] >> np.arange(n_signals)) & 1 == 1, *args)
    return Weights(
        fills=together.fills,
        sleeves=sleeves,
        weights=table,
        first=together.first,
        every_months=np.zeros(n_sets, dtype=np.int64),
        band=np.full(n_sets, np.inf),
        given=given,
    )


def mixed(
    fills: Fills, sleeves: tuple[str, ...], weights: Floats, every_months: Ints, band: Floats
) -> tuple[Weights, Bools]:
    """Return fixed fractions (n_sets, n_sleeves), and which sets ask for what cannot be held."""
    n_sets = len(weights)
    columns, places = zip(*map(distinct, weights.T), strict=True)
    each, rows = combinations(*places)
    table = np.column_stack([column[which] for column, which in zip(columns, each, strict=True)])
    bad = wrong(table)
    made = Weights(
        fills=fills,
        sleeves=sleeves,
        weights=np.where(bad[:, None], 0.0, table),
        first=np.zeros(n_sets, dtype=np.int64),
        every_months=every_months,
        band=np.where(band == 0.0, np.inf, band),
        given=Changes(np.arange(n_sets + 1), np.zeros(n_sets, dtype=np.int64), rows),
    )
    return made, bad[rows]


def wrong(weights: Floats) -> Bools:
    """Return which rows of weights are no fractions of a portfolio."""
    return ~((weights >= 0.0).all(axis=1) & (weights.sum(axis=1) <= 1.0 + 1e-12))


def said_of(sleeves: Sequence[str], weights: Floats) -> str:
    """Return the sentence about the first row of weights that cannot be held."""
    worst = dict(zip(sleeves, weights[wrong(weights).argmax()].tolist(), strict=True))
    return f"weights must be 0 or more and at most 1 in sum (0.6 is 60%), not {worst}"


def _answered(op: str, known: Known, *given: Any) -> Weights:
    """Return what signals decide by a row of ``_WEIGHED``, on the calendar."""
    together = Together(tuple(t.value for t in given[:-2]), tuple(t.of for t in given[:-2]))
    return on_calendar(answered(op, given[-2:], together))


operation(
    "hold {args[0]} while this says yes, otherwise {args[1]}:",
    name="rotated",
    holds=lambda *either: either,
    facts=why.rotated_facts,
    flips=why.rotated,
)(partial(_answered, "rotated"))
operation(
    lambda node, _: (
        f"hold the first of {', '.join(node.args[0])} whose rule says yes, otherwise {node.args[1]}:"
    ),
    name="chosen",
    holds=lambda sleeves, otherwise: (*sleeves, otherwise),
)(partial(_answered, "chosen"))
operation(
    "hold {args[0]} with the share of these that say yes, else {args[1]}:",
    name="blended",
    holds=lambda *either: either,
)(partial(_answered, "blended"))


def _mixed_words(node: rules.Expr, numbers: list[str]) -> str:
    shares = ", ".join(f"{n} of {sleeve}" for sleeve, n in zip(node.args[0], numbers, strict=False))
    return f"hold {shares}; back to it every {numbers[-2]} months, and where one has drifted by {numbers[-1]}"


@operation(_mixed_words, holds=lambda sleeves: sleeves)
def mixed_(known: Known, *given: Any) -> Sets:
    """Return fixed fractions."""
    *weights, every_months, band = (each.each for each in given[:-1])
    table = np.column_stack(weights).astype(np.float64)
    made, bad = mixed(known.fills, given[-1], table, whole(every_months, "every_months"), band.astype(float))
    error = RotationError(said_of(given[-1], table)) if bad.any() else None
    return Sets(made, np.arange(len(bad)), bad, error)


@operation(own_words, own=True, holds=lambda into, *_: into, sees=inputs_seen)
def weighed(known: Known, *given: Any) -> Weights:
    """Return what a function of the script's own says."""
    *taken, into, function, spanned = given
    *parts, months = taken if spanned else (*taken, None)
    values = [part.each for part in parts]
    first, changes, weights = own.weighed(function, values, months.each if spanned else None, into)
    return on_calendar(
        Weights(
            fills=known.fills,
            sleeves=into,
            weights=weights,
            first=first,
            every_months=np.zeros(len(first), dtype=np.int64),
            band=np.full(len(first), np.inf),
            given=changes,
        )
    )


def _in(decision: Weights) -> tuple[str, ...]:
    used = (decision.weights != 0.0).any(axis=0)
    return tuple(name for name, held in zip(decision.sleeves, used, strict=True) if held)


@operation("what was decided elsewhere", holds=_in)
def given(known: Known, decision: Weights) -> Weights:
    """Return weights that were decided elsewhere."""
    return decision


def on_calendar(decision: Weights) -> Weights:
    """Return a decision made only at the fills of the decision calendar: it waits for the next of them."""
    fills = decision.fills
    if fills.decide == EVERY_FILL:
        return decision
    n, later = len(fills.dates), fills.deciding()
    if isinstance(decision.given, Together):
        moved = tuple(signal.moved(later) for signal in decision.given.signals)
        return replace(decision, given=replace(decision.given, signals=moved), first=later[decision.first])
    changes = decision.changes
    which = np.repeat(np.arange(decision.n_sets), np.diff(changes.offsets))
    at = later[changes.at]
    at[changes.offsets[:-1]] = 0  # what stands first is in force until the first decision
    # Of several decisions that wait for one fill the last one stands.
    kept = np.r_[(at[1:] != at[:-1]) | (which[1:] != which[:-1]), True] & (at < n)
    offsets = np.r_[0, np.cumsum(np.bincount(which[kept], minlength=decision.n_sets))]
    given = Changes(offsets, at[kept], changes.rows[kept])
    return replace(decision, given=given, first=later[decision.first])
