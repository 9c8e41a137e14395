"""Reading a rule: what it needs, what acts where, and the rule in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtest.rules.expressions import COMPARISONS, Expr
from backtest.signals.calendar import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from backtest.market.names import Names

OWN = frozenset({"applied", "weighed", "events", "given"})
"""Operations that bring something of the script's own into a rule."""


def nodes(rule: Expr) -> Iterator[Expr]:
    """Give every expression of a rule once, inputs before what is made of them."""
    seen: set[int] = set()

    def walk(node: Expr) -> Iterator[Expr]:
        if id(node) not in seen:
            seen.add(id(node))
            for each in node.inputs:
                yield from walk(each)
            yield node

    return walk(rule)


def own(rule: Expr) -> bool:
    """Return whether a rule uses functions or days of the script's own."""
    return any(node.op in OWN - {"given"} for node in nodes(rule))


def reads(rule: Expr, names: Names, *, sleeves: bool = True) -> tuple[str, ...]:
    """Return what a rule or a part of one reads, each once, in order: the ids of series, and the sleeves."""
    found: dict[str, None] = {}
    for node in nodes(rule):
        if node.op in ("level", "first_cuts", "easing"):
            found[names.roles.get(node.args[0], node.args[0])] = None
        elif node.op == "index" and sleeves:
            found[node.args[0]] = None
    return tuple(found)


def holds(rule: Expr) -> tuple[str, ...]:
    """Return the sleeves that a rule may hold, each once, in the order in which it names them."""
    if rule.op == "given":
        used = (rule.args[0].weights != 0.0).any(axis=0)
        return tuple(name for name, held in zip(rule.args[0].sleeves, used, strict=True) if held)
    named = rule.args[: 1 if rule.op in ("mixed", "weighed") else 2]
    return tuple(dict.fromkeys(n for part in named for n in ((part,) if isinstance(part, str) else part)))


_WORDS = {
    "level": "{0}",
    "index": "the index of {0}",
    "change": "the change over {1} months of",
    "growth": "the growth over {1} months, in percent, of",
    "average": "the average over {1} months of",
    "lowest": "the lowest of {1} months of",
    "highest": "the highest of {1} months of",
    "in_percent": "in percent",
    "relative": "how much more {2} grew than {3} over {1} months, in percent",
    "where": "one of two values, as a signal says:",
    "negation": "not:",
    "at_most": "at most {1} months at a stretch, while:",
    "at_least": "at least {1} months once it begins, while:",
    "paused": "and after it nothing for {1} months:",
    "cooldown": "no change within {1} months of the last:",
    "within": "from {1} to {2} months after:",
    "first_cuts": "a cut of {2} by at least {1} after {0} months without one",
    "easing": "{2} eases: from {1} months after its first move down by at least {0}, to its first move up",
    "rotated": "hold {1} while this says yes, otherwise {2}:",
}
"""What an operation is called; {0} and so on are its inputs, then its arguments."""

_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}


def short(node: Expr, values: Mapping[str, Any]) -> str:
    """Return a number in words: ``wide - 20 (= 60)`` where it is made of parameters."""
    if node.op == "constant":
        return f"{node.args[0]:g}"
    if node.op == "parameter":
        name = node.args[0]
        return f"{name} ({values[name]:g})" if name in values else name
    parts = [short(each, values) for each in node.inputs]
    name = node.args[0]
    if name in _SIGNS and len(parts) == 2:
        return f"{parts[0]} {_SIGNS[name]} {parts[1]}"
    return f"-{parts[0]}" if name == "negative" else f"{name}({', '.join(parts)})"


def _threshold(node: Expr, numbers: list[str]) -> str:
    side, back = ("above", "below") if node.op == "above" else ("below", "above")
    if node.inputs[1].takes_lines:
        return f"the first of these is at or {side} the second:"
    until = f", until {back} {numbers[2]}" if len(node.inputs) > 2 else ""
    return f"at or {side} {numbers[1]}{until}:"


def _ranked(node: Expr, numbers: list[str]) -> str:
    what = "percentile" if node.op == "percentile" else "distance from the mean, in deviations,"
    all_of_it = f"all of its past, once there are {numbers[1]} months,"
    return f"the {what} in {all_of_it if node.args[0] else f'the last {numbers[1]} months'} of"


def _vote(node: Expr, _: list[str]) -> str:
    needed, n = node.args[0], len(node.inputs)
    few = {1: "one of these says yes:", n: "all of these say yes:"}
    return few.get(needed, f"at least {needed} of these {n} say yes:")


def _elementwise(node: Expr, numbers: list[str]) -> str:
    beside = [number or "each value" for number in numbers]
    return f"{node.args[0]} of {' and '.join(beside)}, of" if any(numbers) else f"{node.args[0]} of"


def _mixed(node: Expr, numbers: list[str]) -> str:
    shares = ", ".join(f"{n} of {sleeve}" for sleeve, n in zip(node.args[0], numbers, strict=False))
    return f"hold {shares}; back to it every {numbers[-2]} months, and where one has drifted by {numbers[-1]}"


def _own(node: Expr, numbers: list[str]) -> str:
    *_, function, spanned = node.args
    span = f"the last {numbers[-1]} months" if spanned else "all of the past"
    told = ", ".join(filter(None, numbers[: -1 if spanned else None]))
    name = getattr(function, "__name__", "function").replace("<lambda>", "(a lambda)")
    return f"what the script's function {name}{f', told {told},' if told else ''} makes of {span} of"


_MORE: dict[str, Callable[[Expr, list[str]], str]] = {
    **dict.fromkeys(("above", "below"), _threshold),
    **dict.fromkeys(("percentile", "zscore"), _ranked),
    **dict.fromkeys(("applied", "weighed"), _own),
    "vote": _vote,
    "elementwise": _elementwise,
    "mixed": _mixed,
    "compared": lambda node, numbers: f"{numbers[0]} {COMPARISONS[node.args[0]]} {numbers[1]}",
    "events": lambda node, _: f"days chosen by hand, with hindsight: {', '.join(node.args[0])}",
    "months_of_year": lambda node, _: (
        f"the fill earns a month of {', '.join(NAMES[month - 1] for month in node.args[0])}"
    ),
    "blended": lambda node, _: (
        f"hold {node.args[0]} with the share of these that say yes, else {node.args[1]}:"
    ),
    "chosen": lambda node, _: (
        f"hold the first of {', '.join(node.args[0])} whose rule says yes, otherwise {node.args[1]}:"
    ),
}
"""What is said of an operation from the expression and its numbers in words."""


def _head(node: Expr, values: Mapping[str, Any]) -> str:
    numbers = ["" if each.takes_lines else short(each, values) for each in node.inputs]
    if node.op in _MORE:
        return _MORE[node.op](node, numbers)
    return _WORDS[node.op].format(*numbers, *node.args)


def explained(rule: Expr, values: Mapping[str, Any]) -> list[str]:
    """Return a rule in words, a line an operation, indented under what is made of it."""

    def lines(node: Expr, depth: int) -> list[str]:
        said = [f"{'  ' * depth}{_head(node, values)}"]
        if node.op == "relative":
            return said
        for each in node.inputs:
            if each.takes_lines:
                said += lines(each, depth + 1)
        return said

    return lines(rule, 0)
