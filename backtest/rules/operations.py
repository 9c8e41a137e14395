"""Operations: what each kind of expression means, in values as they were known, and what is said of it.

Each gets what was known, its inputs and its arguments, in the order in which the expression has them; each is
causal.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import to_days
from backtest.rules import seen, why
from backtest.rules.evaluate import Made
from backtest.rules.expressions import COMPARISONS
from backtest.rules.operation import operation
from backtest.signals import own
from backtest.signals.calendar import NAMES
from backtest.signals.calendar import months_of_year as in_months
from backtest.signals.events import by_hand
from backtest.signals.policy import PolicyRate
from backtest.signals.readings import STATISTICS, Readings
from backtest.signals.rows import combinations, whole
from backtest.signals.spells import Spells
from backtest.signals.spells import vote as counted
from backtest.signals.thresholds import passed

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.market.known import Known
    from backtest.rules.evaluate import Taken
    from backtest.rules.expressions import Expr
    from backtest.rules.operation import Work

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


@operation("{args[0]}")
def constant(known: Known, value: float) -> Any:
    """Return a number that a script wrote."""
    return np.array([value])


@operation("{args[0]}", reads="series")
def level(known: Known, series: str) -> Readings:
    """Return a series."""
    return known.level(series)


@operation("the index of {args[0]}", reads="sleeve")
def index(known: Known, sleeve: str) -> Readings:
    """Return a sleeve's total return index."""
    return known.index(sleeve)


def _elementwise_words(node: Expr, numbers: list[str]) -> str:
    beside = [number or "each value" for number in numbers]
    return f"{node.args[0]} of {' and '.join(beside)}, of" if any(numbers) else f"{node.args[0]} of"


@operation(_elementwise_words)
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


@operation("the change over {1} months of")
def change(known: Known, of: Taken, months: Taken) -> Made:
    """Return the change over so many months."""
    return _rows(of.each.change(months.each))


@operation("the growth over {1} months, in percent, of")
def growth(known: Known, of: Taken, months: Taken) -> Made:
    """Return the relative change over so many months."""
    return _rows(of.each.growth(months.each))


def _over(statistic: str, known: Known, of: Taken, months: Taken, expanding: bool = False) -> Made:
    """Return a statistic of the last so many months, or of all the past once there are as many."""
    return _rows(of.each.over(months.each, statistic, expanding=expanding))


def _statistic_words(node: Expr, numbers: list[str]) -> str:
    expanding = node.args == (True,)
    past = (
        f"all of its past, once there are {numbers[1]} months,"
        if expanding
        else f"the last {numbers[1]} months"
    )
    return f"the {STATISTICS[node.op].words.format(n=numbers[1], past=past)} of"


for each in STATISTICS:
    operation(_statistic_words, name=each)(partial(_over, each))


@operation("in percent")
def in_percent(known: Known, of: Taken) -> Readings:
    """Return a fraction as percent."""
    return of.each.in_percent()


@operation("how much more {args[0]} grew than {args[1]} over {1} months, in percent", says_all=True)
def relative(known: Known, ratio: Taken, months: Taken, *names: str) -> Made:
    """Return how much more a sleeve grew than another, from the ratio of their indices."""
    lead = ratio.each.growth(months.each)
    return _rows(replace(lead, label=f"lead of {names[0]} over {names[1]} in {months.each[0]} months"))


@operation("one of two values, as a signal says:")
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


def own_words(node: Expr, numbers: list[str]) -> str:
    """Return in words what a function of the script's own is told."""
    *_, function, spanned = node.args
    span = f"the last {numbers[-1]} months" if spanned else "all of the past"
    told = ", ".join(filter(None, numbers[: -1 if spanned else None]))
    name = getattr(function, "__name__", "function").replace("<lambda>", "(a lambda)")
    return f"what the script's function {name}{f', told {told},' if told else ''} makes of {span} of"


@operation(own_words, own=True)
def applied(known: Known, *given: Any) -> Made:
    """Return a function of the script's own over the past of levels."""
    *taken, function, spanned = given
    *parts, months = taken if spanned else (*taken, None)
    return _rows(own.applied(function, [part.each for part in parts], months.each if spanned else None))


def _threshold(taken: tuple[Taken, ...], sign: float) -> Made:
    of, enter, *until = (each.each for each in taken)
    signal, which, refused, error = passed(of, enter, until[0] if until else None, sign)
    return Made(signal, which, refused, error)


def _threshold_words(node: Expr, numbers: list[str]) -> str:
    side, back = ("above", "below") if node.op == "above" else ("below", "above")
    if node.inputs[1].takes_lines:
        return f"the first of these is at or {side} the second:"
    until = f", until {back} {numbers[2]}" if len(node.inputs) > 2 else ""
    return f"at or {side} {numbers[1]}{until}:"


_passes = partial(operation, _threshold_words, facts=why.crossing, flips=why.threshold, sees=seen.level_seen)


@_passes()
def above(known: Known, *taken: Taken) -> Made:
    """Return yes from a threshold on, until below another."""
    return _threshold(taken, 1.0)


@_passes()
def below(known: Known, *taken: Taken) -> Made:
    """Return yes from a threshold downwards on, until above another."""
    return _threshold(taken, -1.0)


@operation(lambda node, numbers: f"{numbers[0]} {COMPARISONS[node.args[0]]} {numbers[1]}")
def compared(known: Known, left: Taken, right: Taken, name: str) -> Made:
    """Return the same answer at every fill: that of comparing two numbers."""
    n = len(known.fills.dates)
    never_always = Spells(
        known.fills, np.array([0, 0, 1]), np.array([0]), np.array([n]), np.zeros(2, dtype=np.int64)
    )
    return Made(never_always, getattr(np, name)(left.each, right.each).astype(np.int64))


@operation(
    "a cut of {args[0]} by at least {1} after {0} months without one", reads="series", sees=seen.cuts_seen
)
def first_cuts(known: Known, quiet: Taken, at_least: Taken, id: str) -> Made:
    """Return the cuts of a rate that come after a pause."""
    events = PolicyRate(known.fills, known.observed(id)).first_cuts(quiet.each, at_least.each)
    return Made(replace(events, which=np.arange(len(events.counts))), events.which)


@operation(
    lambda node, _: f"days chosen by hand, with hindsight: {', '.join(node.args[0])}",
    own=True,
    sees=seen.days_seen,
)
def events(known: Known, days: tuple[str, ...]) -> Any:
    """Return days that were chosen by hand."""
    return by_hand(known.fills, to_days(days))


@operation("from {1} to {2} months after:", facts=why.last_event, flips=why.window)
def within(known: Known, of: Taken, after: Taken, until: Taken) -> Spells:
    """Return yes in the windows after events."""
    return of.each.within(after.each, until.each)


@operation(
    "{args[0]} eases: from {1} months after its first move down by at least {0}, to its first move up",
    reads="series",
    facts=why.last_moves,
    flips=why.stance,
    sees=seen.rate_seen,
)
def easing(known: Known, at_least: Taken, after: Taken, id: str) -> Made:
    """Return yes while a rate falls."""
    policy = PolicyRate(known.fills, known.observed(id))
    moves, which = np.unique(policy.moves(at_least.each), return_index=True, return_inverse=True)[1:]
    months = whole(after.each, "after")
    (move, wait), of = combinations((which, months), (len(moves), int(months.max()) + 1))
    return Made(policy.easing(at_least.each[moves][move], wait), of)


@operation(
    lambda node, _: f"the fill earns a month of {', '.join(NAMES[month - 1] for month in node.args[0])}",
    flips=why.months,
)
def months_of_year(known: Known, months: tuple[int, ...]) -> Spells:
    """Return yes at the fills that earn some months of the year."""
    return in_months(known.fills, months)


def _vote_words(node: Expr, _: list[str]) -> str:
    needed, n = node.args[0], len(node.inputs)
    few = {1: "one of these says yes:", n: "all of these say yes:"}
    return few.get(needed, f"at least {needed} of these {n} say yes:")


@operation(_vote_words, flips=why.votes)
def vote(known: Known, *given: Any) -> Spells:
    """Return yes while enough signals say yes."""
    *taken, needed = given
    return counted(*(t.value for t in taken), needed=needed, which=[t.which for t in taken])


@operation("not:", flips=why.of_the_input)
def negation(known: Known, of: Taken) -> Spells:
    """Return yes while a signal says no."""
    return ~of.each


def _keeping(words: str, held: str) -> Callable[[Work], Work]:
    """Enter what keeps, cuts or spaces the runs of a signal."""
    return operation(words, held=held, facts=why.run_length, flips=why.release)


@_keeping("at most {1} months at a stretch, while:", "at most {:g} months at a stretch")
def at_most(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal cut short."""
    return of.each.at_most(months.each)


@_keeping("at least {1} months once it begins, while:", "held for at least {:g} months")
def at_least(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal held on to."""
    return of.each.at_least(months.each)


@_keeping("and after it nothing for {1} months:", "after a run nothing for {:g} months")
def paused(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal that rests after each run."""
    return of.each.paused(months.each)


@_keeping("no change within {1} months of the last:", "kept for {:g} months after a change")
def cooldown(known: Known, of: Taken, months: Taken) -> Spells:
    """Return a signal that rests after each change."""
    return of.each.cooldown(months.each)
