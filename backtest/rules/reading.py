"""Reading a rule: what it needs, what acts where, and the rule in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtest.rules.operation import about

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backtest.market.known import Names
    from backtest.rules.expressions import Decision, Expr


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
    return any(about(node).own for node in nodes(rule))


def reads(rule: Expr, names: Names, *, sleeves: bool = True) -> tuple[str, ...]:
    """Return what a rule or a part of one reads, each once, in order: the ids of series, and the sleeves."""
    found: dict[str, None] = {}
    for node in nodes(rule):
        what = about(node).reads
        if what == "series":
            found[names.roles.get(node.args[0], node.args[0])] = None
        elif what == "sleeve" and sleeves:
            found[node.args[0]] = None
    return tuple(found)


def holds(rule: Decision) -> tuple[str, ...]:
    """Return the sleeves that a rule may hold, each once, in the order in which it names them."""
    named = about(rule).holds
    return tuple(dict.fromkeys(named(*rule.args))) if named else ()


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


def _head(node: Expr, values: Mapping[str, Any]) -> str:
    numbers = ["" if each.takes_lines else short(each, values) for each in node.inputs]
    words = about(node).words
    return words.format(*numbers, args=node.args) if isinstance(words, str) else words(node, numbers)


def explained(rule: Expr, values: Mapping[str, Any]) -> list[str]:
    """Return a rule in words, a line an operation, indented under what is made of it."""

    def lines(node: Expr, depth: int) -> list[str]:
        said = [f"{'  ' * depth}{_head(node, values)}"]
        for each in node.inputs:
            if each.takes_lines and not about(node).says_all:
                said += lines(each, depth + 1)
        return said

    return lines(rule, 0)
