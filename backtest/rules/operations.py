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
from backtest.rules.evaluate import Sets
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
from backtest.signals.thresholds import passed
from backtest.signals.together import Together

if TYPE_CHECKING:
    from backtest.market.known import Known
    from backtest.rules.expressions import Expr
    from backtest.rules.operation import Words

_SAID = {
    "add": "{} plus {}",
    "subtract": "{} less {}",
    "multiply": "{} times {}",
    "divide": "{} over {}",
}

_SAME_UNIT = ("add", "subtract", "minimum", "maximum", "fmin", "fmax", "remainder", "negative", "absolute")
"""Functions whose result counts in what the first level counts in."""


def _rows(level: Readings) -> Sets:
    """Return a level with its distinct sets, and which of them each of its sets is."""
    (which, since), of = combinations(level.which, level.since)
    return Sets(replace(level, which=which, since=since), of)


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
def elementwise(known: Known, *given: Any) -> Sets:
    """Return a function of numpy's of one or two levels or numbers."""
    (*taken, name), function = given, getattr(np, given[-1])
    if all(isinstance(each.value, np.ndarray) for each in taken):
        found, of = np.unique(function(*(each.each for each in taken)), return_inverse=True)
        return Sets(found, of)
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


def _over(statistic: str, known: Known, of: Sets, months: Sets, expanding: bool = False) -> Sets:
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


def _by_itself(name: str, known: Known, of: Sets, *numbers: Sets) -> Any:
    """Return what a value's own method of the operation's name gives."""
    made = getattr(of.each, name)(*(number.each for number in numbers))
    return _rows(made) if isinstance(made, Readings) else made


def _of_itself(name: str, words: Words, **said: Any) -> None:
    """Enter what a value does by a method of the operation's name."""
    operation(words, name=name, **said)(partial(_by_itself, name))


_of_itself("change", "the change over {1} months of")
_of_itself("growth", "the growth over {1} months, in percent, of")
_of_itself("in_percent", "in percent")
_of_itself("within", "from {1} to {2} months after:", facts=why.last_event, flips=why.window)

_keeping = partial(_of_itself, facts=why.run_length, flips=why.release)
_keeping("at_most", "at most {1} months at a stretch, while:", held="at most {:g} months at a stretch")
_keeping("at_least", "at least {1} months once it begins, while:", held="held for at least {:g} months")
_keeping("paused", "and after it nothing for {1} months:", held="after a run nothing for {:g} months")
_keeping("cooldown", "no change within {1} months of the last:", held="kept for {:g} months after a change")


@operation("how much more {args[0]} grew than {args[1]} over {1} months, in percent", says_all=True)
def relative(known: Known, ratio: Sets, months: Sets, *names: str) -> Sets:
    """Return how much more a sleeve grew than another, from the ratio of their indices."""
    lead = ratio.each.growth(months.each)
    return _rows(replace(lead, label=f"lead of {names[0]} over {names[1]} in {months.each[0]} months"))


@operation("one of two values, as a signal says:")
def where(known: Known, signal: Sets, yes: Sets, no: Sets) -> Readings:
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
def applied(known: Known, *given: Any) -> Sets:
    """Return a function of the script's own over the past of levels."""
    *taken, function, spanned = given
    *parts, months = taken if spanned else (*taken, None)
    return _rows(own.applied(function, [part.each for part in parts], months.each if spanned else None))


def _threshold(sign: float, known: Known, of: Sets, enter: Sets, until: Sets | None = None) -> Sets:
    """Return yes from a threshold on, upwards with ``sign`` 1, until past another."""
    return Sets(*passed(of.each, enter.each, until and until.each, sign))


def _threshold_words(node: Expr, numbers: list[str]) -> str:
    side, back = ("above", "below") if node.op == "above" else ("below", "above")
    if node.inputs[1].takes_lines:
        return f"the first of these is at or {side} the second:"
    until = f", until {back} {numbers[2]}" if len(node.inputs) > 2 else ""
    return f"at or {side} {numbers[1]}{until}:"


for each, sign in (("above", 1.0), ("below", -1.0)):
    operation(_threshold_words, name=each, facts=why.crossing, flips=why.threshold, sees=seen.level_seen)(
        partial(_threshold, sign)
    )


@operation(lambda node, numbers: f"{numbers[0]} {COMPARISONS[node.args[0]]} {numbers[1]}")
def compared(known: Known, left: Sets, right: Sets, name: str) -> Sets:
    """Return the same answer at every fill: that of comparing two numbers."""
    n = len(known.fills.dates)
    never_always = Spells(
        known.fills, np.array([0, 0, 1]), np.array([0]), np.array([n]), np.zeros(2, dtype=np.int64)
    )
    return Sets(never_always, getattr(np, name)(left.each, right.each).astype(np.int64))


@operation(
    "a cut of {args[0]} by at least {1} after {0} months without one", reads="series", sees=seen.cuts_seen
)
def first_cuts(known: Known, quiet: Sets, at_least: Sets, id: str) -> Sets:
    """Return the cuts of a rate that come after a pause."""
    events = PolicyRate(known.fills, known.observed(id)).first_cuts(quiet.each, at_least.each)
    return Sets(replace(events, which=np.arange(len(events.counts))), events.which)


@operation(
    lambda node, _: f"days chosen by hand, with hindsight: {', '.join(node.args[0])}",
    own=True,
    sees=seen.days_seen,
)
def events(known: Known, days: tuple[str, ...]) -> Any:
    """Return days that were chosen by hand."""
    return by_hand(known.fills, to_days(days))


@operation(
    "{args[0]} eases: from {1} months after its first move down by at least {0}, to its first move up",
    reads="series",
    facts=why.last_moves,
    flips=why.stance,
    sees=seen.rate_seen,
)
def easing(known: Known, at_least: Sets, after: Sets, id: str) -> Sets:
    """Return yes while a rate falls."""
    policy = PolicyRate(known.fills, known.observed(id))
    moves, which = np.unique(policy.moves(at_least.each), return_index=True, return_inverse=True)[1:]
    (move, wait), of = combinations(which, whole(after.each, "after"))
    return Sets(policy.easing(at_least.each[moves][move], wait), of)


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
    return Together(tuple(t.value for t in taken), tuple(t.of for t in taken)).vote(needed)


@operation("not:", flips=why.of_the_input)
def negation(known: Known, of: Sets) -> Spells:
    """Return yes while a signal says no."""
    return ~of.each
