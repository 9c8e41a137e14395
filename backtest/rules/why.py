"""Why a rule says what it says at a fill: the facts that count, and the single moves that would turn it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import EVERY_FILL, add_months
from backtest.rules.expressions import Level
from backtest.rules.operation import about
from backtest.rules.reading import reads
from backtest.signals.calendar import NAMES
from backtest.signals.policy import PolicyRate

if TYPE_CHECKING:
    from backtest.dates import Bools, Days, Floats, Ints
    from backtest.rules.expressions import Expr
    from backtest.rules.ruling import Ruling


_UNITS = {"percent": "%", "": "", "ratio": "", "fraction": ""}


def in_unit(value: str, unit: str) -> str:
    """Return a figure with what it counts in: ``5%``, ``5 months``."""
    return f"{value}{_UNITS.get(unit, f' {unit}')}"


@dataclass(frozen=True)
class Fact:
    """Something that was known at a fill.

    ``value`` counts in ``unit`` and is None where there is none; ``known_at`` is the day it became known,
    ``YYYY-MM-DD``; ``series`` are the ids of the series and the sleeves that it comes from.
    """

    fact: str
    value: float | None
    unit: str
    known_at: str
    series: tuple[str, ...]

    def text(self, between: str) -> str:
        """Return it in words, with what stands ``between`` them and the figure."""
        if self.value is None:
            return self.fact
        return f"{self.fact}{between}{in_unit(f'{self.value:.4g}', self.unit)}"


def facts(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    """Return the facts that count for a part of a rule at a fill, each once."""
    told = _latest if isinstance(node, Level) else about(node).facts or of_inputs
    return list(dict.fromkeys(told(ruling, node, fill)))


def flips(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return the single moves, each of which alone would turn what a signal says at a fill.

    Nothing turns a comparison of parameters.
    """
    turned = about(node).flips
    return turned(ruling, node, fill) if turned else []


def of_inputs(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    """Return the facts of its inputs."""
    return [fact for each in node.inputs for fact in facts(ruling, each, fill)]


# Levels, and the thresholds that they pass.


def _latest(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    return _latest_of(ruling, ruling.value(node), node, fill)


def _latest_of(ruling: Ruling, level: Any, node: Expr, fill: int) -> list[Fact]:
    known_at, usable = level.known_at, level.fills.knows(fill, level.known_at)
    values, from_ = level.values[level.which[0]], reads(node, ruling.known.names)
    present = np.flatnonzero(usable & np.isfinite(values) & (np.arange(len(values)) >= level.since[0]))
    return [Fact(level.label, float(values[i]), level.unit, str(known_at[i]), from_) for i in present[-1:]]


def crossing(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    """Return the latest value of what passes a threshold: of two levels that cross, their difference."""
    level, other = node.inputs[:2]
    if not isinstance(other, Level):
        return facts(ruling, level, fill)
    return _latest_of(ruling, ruling.value(level) - ruling.value(other), node, fill)


def threshold(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return the threshold that a level would have to pass."""
    now, level = ruling.value(node).at(fill), ruling.value(node.inputs[0])
    side = "above" if (node.op == "above") != now else "below"
    bound = ruling.value(node.inputs[-1 if now else 1])
    value = bound.label if isinstance(node.inputs[1], Level) else in_unit(f"{bound:g}", level.unit)
    return [f"{level.label} {side if now else f'at or {side}'} {value}"]


# Events and the windows after them.


def _story(ruling: Ruling, events: Expr) -> tuple[str, str, Floats | None]:
    """Return what events are called, what the next one would be, and the value of each candidate day."""
    if events.op == "events":
        return "day chosen by hand", "another day chosen by hand", None
    target = ruling.known.observed(events.args[0])
    quiet, at_least = map(ruling.value, events.inputs)
    rule = f"a cut of {target.id} by at least {at_least:g} percentage points"
    rule += f" after {quiet:g} months without one" if quiet else ""
    return f"first cut of {target.id}", rule, target.values[1:]


def _past_events(ruling: Ruling, node: Expr, fill: int) -> tuple[Ints, Days]:
    """Return which candidate days are events that a fill may know of, and all of them."""
    events = ruling.value(node.inputs[0])
    known = events.fills.first_after(events.known_at) <= fill
    return np.flatnonzero(events.counts[events.which[0]] & known), events.known_at


def last_event(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    """Return the last event that a fill may know of."""
    (past, days), (name, _, values) = _past_events(ruling, node, fill), _story(ruling, node.inputs[0])
    (to, unit), from_ = ("", "") if values is None else (", to", "percent"), reads(node, ruling.known.names)
    return [
        Fact(f"the last {name}{to}", None if values is None else float(values[i]), unit, str(days[i]), from_)
        for i in past[-1:]
    ]


def window(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return the window's end when there is one; else the beginning of one to come, or the next event."""
    (past, days), (name, rule, _) = _past_events(ruling, node, fill), _story(ruling, node.inputs[0])
    fills, dates = ruling.known.fills, ruling.known.fills.dates
    after, until = (int(ruling.value(each)) for each in node.inputs[1:])
    starts, stops = fills.first_after(add_months(days, after)), fills.first_past(add_months(days, until))
    if ruling.value(node).at(fill):
        over = max((int(stops[i]) for i in past if starts[i] <= fill), default=fill)
        day = f"on {dates[over]}" if over < len(dates) else f"after {dates[-1]}"
        return [f"the end of the window after the {name}, {day} if no other comes before"]
    for i in past:
        if fill < starts[i] < min(stops[i], len(dates)):
            event = f"the {name} of {days[i]}"
            return [f"the beginning of the window after {event}, on {dates[starts[i]]} without any news"]
    return [f"{rule}, {after} months after it" if after else rule]


# The stance of policy.


def _moves(ruling: Ruling, node: Expr, fill: int) -> tuple[Any, Ints, Ints]:
    """Return the rate, and its cuts and rises that count and that a fill may know of."""
    policy = PolicyRate(ruling.known.fills, ruling.known.observed(node.args[0]))
    known = policy.fills.first_after(policy.target.known_at[1:]) <= fill

    def past(moved: Bools) -> Ints:
        return np.flatnonzero(moved[0] & known)

    least = np.array([[ruling.value(node.inputs[0])]])
    return policy.target, past(policy.moved(-1.0, least)), past(policy.moved(1.0, least))


def last_moves(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    """Return the last cut and the last rise, the later one first."""
    target, cuts, rises = _moves(ruling, node, fill)
    found = [(i + 1, name) for name, moves in (("cut", cuts), ("rise", rises)) for i in moves[-1:]]
    return [
        Fact(
            f"the last {name} of {target.id}, to",
            float(target.values[i]),
            "percent",
            str(target.known_at[i]),
            (target.id,),
        )
        for i, name in sorted(found, reverse=True)
    ]


def stance(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return the move of the rate that turns the stance, or the end of a wait."""
    target, cuts, rises = _moves(ruling, node, fill)
    at_least, after = map(ruling.value, node.inputs)
    now, fills = ruling.value(node).at(fill), ruling.known.fills
    first_cut = cuts[cuts > rises[-1]][:1] if len(rises) else cuts[:1]
    starts = fills.first_after(add_months(target.known_at[1:][first_cut], int(after)))
    if not now and len(starts) and fill < starts[0] < len(fills.dates):
        return [f"the end of the wait after the first cut, on {fills.dates[starts[0]]}"]
    return [f"a {'rise' if now else 'cut'} of {target.id} by at least {at_least:g} percentage points"]


# What is made of signals.


def months(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return the next beginning or end of the months of a calendar."""
    answers = ruling.value(node)
    names = ", ".join(NAMES[month - 1] for month in sorted(set(node.args[0])))
    turns = _next_turn(answers, fill)
    when = f", with the fill of {turns}" if turns else ""
    return [f"the {'end' if answers.at(fill) else 'beginning'} of {names}{when}"]


def of_the_input(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return what turns its input."""
    return flips(ruling, node.inputs[0], fill)


def votes(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return the moves of each signal if one is enough; else say how many of them must turn."""
    now, needed = ruling.value(node).at(fill), node.args[0]
    states = [ruling.value(each).at(fill) for each in node.inputs]
    turns = sum(states) - needed + 1 if now else needed - sum(states)
    each = [
        flips(ruling, part, fill) for part, state in zip(node.inputs, states, strict=True) if state == now
    ]
    each = [sentences for sentences in each if sentences]
    if turns == 1:
        return [sentence for sentences in each for sentence in sentences]
    ways = [" or ".join(sentences) for sentences in each]
    if turns == len(ways):
        return [" and ".join(f"({way})" if " or " in way else way for way in ways)]
    return [f"any {turns} of: " + "; ".join(ways)] if turns < len(ways) else []


def _held_rule(ruling: Ruling, node: Expr) -> str:
    if held := about(node).held:
        return held.format(ruling.value(node.inputs[1]))
    return f"decided at {ruling.known.fills.decide}s"


def _held(ruling: Ruling, node: Expr) -> tuple[Any, Any]:
    """Return a signal before its runs were lengthened, cut short, kept apart or moved, and after."""
    value = ruling.value(node)
    return ruling.value(node.inputs[0]).known(), value.rotation[1] if node.op == "rotated" else value


def _changes(signal: Any, fill: int) -> Ints:
    """Return the fills up to one at which a signal changed; what it said at first is no change."""
    edges = np.sort(np.r_[signal.runs()])
    return edges[(edges > signal.first[0]) & (edges <= fill)]


def _next_turn(signal: Any, fill: int) -> str:
    """Return the day of the next fill at which a signal changes; empty where none is left."""
    edges, dates = np.r_[signal.runs()], signal.fills.dates
    later = edges[(edges > fill) & (edges < len(dates))]
    return str(dates[later.min()]) if len(later) else ""


def run_length(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    """Return the facts before; where the answer is another how long it has been, or that its time is over."""
    raw, held = _held(ruling, node)
    found, rule, dates = facts(ruling, node.inputs[0], fill), _held_rule(ruling, node), held.fills.dates
    starts, stops = held.runs()
    run, past = int(np.searchsorted(starts, fill, "right")) - 1, _changes(held, fill)
    if raw.at(fill) == held.at(fill):
        edges = np.unique(np.r_[starts, stops])
        before = edges[edges < past[-1]] if len(past) else past
        if not about(node).held or not len(before) or raw.at(past[-1]) != raw.at(past[-1] - 1):
            return found
        # What it is made of did not turn at its last change: a time was over.
        begun, over = dates[[before[-1], past[-1]]]
        return [*found, Fact(f"{rule} since {begun}, over on {over}", None, "", str(begun), ())]
    if node.op in ("paused", "cooldown"):
        since, until, what = past[-1], fill, "since the last change"
    elif run < 0:
        return found
    else:
        since, until = starts[run], min(fill, stops[run])
        what = "the present stretch has lasted" if fill < stops[run] else "the last stretch lasted"
    begun, ended = dates[[since, until]].astype("datetime64[M]").astype(int)
    return [*found, Fact(f"how long {what} ({rule})", float(ended - begun), "months", str(dates[since]), ())]


def _not_before(ruling: Ruling, node: Expr, fill: int) -> str | None:
    """Return the day before which no news turns a signal that is held or rests; None without one."""
    _, held = _held(ruling, node)
    starts, stops = held.runs()
    now = held.at(fill)
    since = {
        "at_least": starts[(starts <= fill) & now],
        "paused": stops[(stops <= fill) & (not now)],
        "cooldown": _changes(held, fill),
    }.get(node.op, starts[:0])
    if not len(since):
        return None
    months, dates = int(ruling.value(node.inputs[1])), held.fills.dates
    over = int(held.fills.months_on(months)[since[-1]])
    if over <= fill:
        return None
    return str(dates[over] if over < len(dates) else add_months(dates[since[-1:]], months)[0])


def release(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return the moves before where the answers agree; else what keeps the two apart."""
    raw, held = _held(ruling, node)
    moves, rule = flips(ruling, node.inputs[0], fill), _held_rule(ruling, node)
    if raw.at(fill) == held.at(fill):
        day = _not_before(ruling, node, fill)
        waits = f" ({rule})" if not about(node).held else f", but not before {day} ({rule})" if day else ""
        return [f"{move}{waits}" for move in moves]
    if turns := _next_turn(held, fill):
        return [f"nothing before {turns} ({rule})"]
    # Its time is over: it must end before it can begin again.
    return [f"{move}, and then the reverse ({rule})" for move in moves]


# Decisions.


def rotated(ruling: Ruling, node: Expr, fill: int) -> list[str]:
    """Return what turns the signal, and when it is decided next."""
    return (of_the_input if ruling.known.fills.decide == EVERY_FILL else release)(ruling, node, fill)


def rotated_facts(ruling: Ruling, node: Expr, fill: int) -> list[Fact]:
    """Return the facts of the signal, and since when a decision waits."""
    return (of_inputs if ruling.known.fills.decide == EVERY_FILL else run_length)(ruling, node, fill)
