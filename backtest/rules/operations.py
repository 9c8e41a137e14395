"""Operations: what each kind of expression means, in values as they were known; each is causal.

Each gets what was known, its inputs and its arguments, in the order in which the expression has them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import to_days
from backtest.rules.evaluate import OPERATIONS, Made, operation
from backtest.signals import own
from backtest.signals.calendar import months_of_year as in_months
from backtest.signals.events import by_hand
from backtest.signals.policy import PolicyRate
from backtest.signals.readings import STATISTICS, Readings
from backtest.signals.rows import combinations, whole
from backtest.signals.spells import Spells
from backtest.signals.spells import vote as counted
from backtest.signals.thresholds import passed

if TYPE_CHECKING:
    from backtest.market.known import Known
    from backtest.rules.evaluate import Taken

_SAID = {
    "add": "{} plus {}",
    "subtract": "{} less {}",
    "multiply": "{} times {}",
    "divide": "{} over {}",
}

_SAME_UNIT = ("add", "subtract", "minimum", "maximum", "fmin", "fmax", "remainder", "negative", "absolute")
"""Functions whose result counts in what the first level counts in."""


def _rows(level: Readings) -> Made:
    """Return a level with its distinct sets, and which of them each of its sets is."""
    sizes = (len(level.values), len(level.dates) + 1)
    (which, since), of = combinations((level.which, level.since), sizes)
    return Made(replace(level, which=which, since=since), of)


@operation
def constant(known: Known, value: float) -> Any:
    """Return a number that a script wrote."""
    return np.array([value])


@operation
def level(known: Known, series: str) -> Readings:
    """Return a series."""
    return known.level(series)


@operation
def index(known: Known, sleeve: str) -> Readings:
    """Return a sleeve's total return index."""
    return known.index(sleeve)


@operation
def elementwise(known: Known, *given: Any) -> Made:
    """Return a function of numpy's of one or two levels or numbers."""
    (*taken, name), function = given, getattr(np, given[-1])
    if all(isinstance(each.value, np.ndarray) for each in taken):
        found, of = np.unique(function(*(each.each for each in taken)), return_inverse=True)
        return Made(found, of)
    first, *rest = (each.each for each in taken)
    unit = next(each.unit for each in (first, *rest) if isinstance(each, Readings))
    unit = unit if name in _SAME_UNIT else "ratio" if name == "divide" else ""
    if not rest:
        said = "minus {}" if name == "negative" else f"{name} of {{}}"
        return _rows(first.transformed(function, said, unit))
    said = _SAID.get(name, f"{name} of {{}} and {{}}")
    if isinstance(first, Readings):
        return _rows(first.combined(rest[0], function, said, unit))
    turned = said.replace("{}", "{1}", 1).replace("{}", "{0}", 1)
    return _rows(rest[0].combined(first, lambda a, b: function(b, a), turned, unit))


@operation
def change(known: Known, of: Taken, months: Taken) -> Made:
    """Return the change over so many months."""
    return _rows(of.each.change(months.each))


@operation
def growth(known: Known, of: Taken, months: Taken) -> Made:
    """Return the relative change over so many months."""
    return _rows(of.each.growth(months.each))


def _over(statistic: str, known: Known, of: Taken, months: Taken, expanding: bool = False) -> Made:
    """Return a statistic of the last so many months, or of all the past once there are as many."""
    return _rows(of.each.over(months.each, statistic, expanding=expanding))


OPERATIONS.update({name: partial(_over, name) for name in STATISTICS})


@operation
def in_percent(known: Known, of: Taken) -> Readings:
    """Return a fraction as percent."""
    return of.each.in_percent()


@operation
def relative(known: Known, ratio: Taken, months: Taken, *names: str) -> Made:
    """Return how much more a sleeve grew than another, from the ratio of their indices."""
    lead = ratio.each.growth(months.each)
    return _rows(replace(lead, label=f"lead of {names[0]} over {names[1]} in {months.each[0]} months"))


@operation
def where(known: Known, signal: Taken, yes: Taken, no: Taken) -> Readings:
    """Return one value while a signal says yes and another while it says no, at each fill."""
    fills, answers = known.fills, signal.each
    n = len(fills.dates)
    sides = [
        side.each[:, None] if isinstance(side.value, np.ndarray) else side.each.at_fills for side in (yes, no)
    ]
    dense = np.array([answers.dense(which) for which in range(answers.n_sets)])
    values = np.where(dense, *sides).astype(np.float64)
    values[np.arange(n) < answers.first[:, None]] = np.nan
    parts = [side.value for side in (yes, no) if isinstance(side.value, Readings)]
    # What a fill may use was known on the day before it, or on its own day where that counts.
    known_at = fills.dates if fills.same_close else fills.dates - np.timedelta64(1, "D")
    unit = parts[0].unit if parts else ""
    label = " or ".join(part.label for part in parts) or "a number that a signal chooses"
    which, since = np.arange(len(values)), np.zeros(len(values), np.int64)
    return Readings(fills, label, unit, fills.dates, known_at, values, which, since)


@operation
def applied(known: Known, *given: Any) -> Made:
    """Return a function of the script's own over the past of levels."""
    *taken, function, spanned = given
    *parts, months = taken if spanned else (*taken, None)
    return _rows(own.applied(function, [part.each for part in parts], months.each if spanned else None))


def _threshold(taken: tuple[Taken, ...], sign: float) -> Made:
    of, enter, *until = (each.each for each in taken)
    signal, which, refused, error = passed(of, enter, until[0] if until else None, sign)
    return Made(signal, which, refused, error)


@operation
def above(known: Known, *taken: Taken) -> Made:
    """Return yes from a threshold on, until below another."""
    return _threshold(taken, 1.0)


@operation
def below(known: Known, *taken: Taken) -> Made:
    """Return yes from a threshold downwards on, until above another."""
    return _threshold(taken, -1.0)


@operation
def compared(known: Known, left: Taken, right: Taken, name: str) -> Made:
    """Return the same answer at every fill: that of comparing two numbers."""
    n = len(known.fills.dates)
    never_always = Spells(
        known.fills, np.array([0, 0, 1]), np.array([0]), np.array([n]), np.zeros(2, dtype=np.int64)
    )
    return Made(never_always, getattr(np, name)(left.each, right.each).astype(np.int64))


@operation
def first_cuts(known: Known, quiet: Taken, at_least: Taken, id: str) -> Made:
    """Return the cuts of a rate that come after a pause."""
    events = PolicyRate(known.fills, known.observed(id)).first_cuts(quiet.each, at_least.each)
    return Made(replace(events, which=np.arange(len(events.counts))), events.which)


@operation
def events(known: Known, days: tuple[str, ...]) -> Any:
    """Return days that were chosen by hand."""
    return by_hand(known.fills, to_days(days))


@operation
def within(known: Known, of: Taken, after: Taken, until: Taken) -> Spells:
    """Return yes in the windows after events."""
    return of.each.within(after.each, until.each)


@operation
def easing(known: Known, at_least: Taken, after: Taken, id: str) -> Made:
    """Return yes while a rate falls."""
    policy = PolicyRate(known.fills, known.observed(id))
    moves, which = np.unique(policy.moves(at_least.each), return_index=True, return_inverse=True)[1:]
    months = whole(after.each, "after")
    (move, wait), of = combinations((which, months), (len(moves), int(months.max()) + 1))
    return Made(policy.easing(at_least.each[moves][move], wait), of)


@operation
def months_of_year(known: Known, months: tuple[int, ...]) -> Spells:
    """Return yes at the fills that earn some months of the year."""
    return in_months(known.fills, months)


@operation
def vote(known: Known, *given: Any) -> Spells:
    """Return yes while enough signals say yes."""
    *taken, needed = given
    return counted(*(t.value for t in taken), needed=needed, which=[t.which for t in taken])


@operation
def negation(known: Known, of: Taken) -> Spells:
    """Return yes while a signal says no."""
    return ~of.each


@operation
def at_most(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal cut short."""
    return of.each.at_most(months.each)


@operation
def at_least(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal held on to."""
    return of.each.at_least(months.each)


@operation
def paused(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal that rests after each run."""
    return of.each.paused(months.each)


@operation
def cooldown(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal that rests after each change."""
    return of.each.cooldown(months.each)
