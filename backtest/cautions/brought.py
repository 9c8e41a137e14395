"""What a script brings along by itself: values that its functions carry, and whole series that it opened.

A script holds expressions, and what an operation hands to a function is the past. But in Python a function
may carry a table, and a script may fit a model before anything is decided. Whether such values were known at
the time nobody can tell, so a run says that they are there.
"""

from __future__ import annotations

import functools
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtest.market.load import OPENED
from backtest.rules.reading import nodes, own
from backtest.scripting.own_modules import own_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.rules.expressions import Expr

MANY = 24
"""Values from which on they are told of; fewer may well be the weights or limits of a thesis."""

_DEEP = 3  # so far into lists, and into a model's attributes
_FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)


def brought(rule: Expr, file: str) -> list[str]:
    """Return a sentence on each thing that the script of a rule, ``file``, brings along by itself."""
    said = []
    for node in nodes(rule):
        if node.op in ("applied", "weighed"):
            *_, function, _ = node.args
            name = getattr(function, "__name__", type(function).__name__)
            carried = [
                f"{where} ({count:,})"
                for where, count in carries(function, Path(file).parent).items()
                if count >= MANY
            ]
            if carried:
                said.append(
                    f"its function {name} carries values of its own, {', '.join(carried)}: whether they were "
                    "known at the time, no check can see"
                )
    opened = [what for what, kind in _opened(file).items() if kind == "series" or own(rule)]
    if opened:
        said.append(
            f"its script opens whole series by itself, {', '.join(opened)}: what it made of them, later "
            "values included, no check can see"
        )
    return said


def _opened(file: str) -> dict[str, str]:
    """Return what a script or its own modules opened, and of which kind each is."""
    beside = any(each != file and Path(each).parent == Path(file).parent for each in OPENED)
    modules = {str(each) for each in own_modules(Path(file)).values()} if beside else set()
    return {what: kind for each in (file, *modules) for what, kind in OPENED.get(each, {}).items()}


def carries(function: Any, home: Path) -> dict[str, int]:
    """Return how many values a callable carries, by the name under which it does.

    Looked at are the globals that it names, what it encloses, its defaults, constants, and what it is bound
    to; and the same of the functions below ``home`` that it calls.
    """
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting = [("", function)]
    while waiting:
        name, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, types.FunctionType):
            if not name or _lies(value.__code__.co_filename, home):
                waiting += _reach(value)
        elif isinstance(value, types.MethodType):
            waiting += [("self", value.__self__), (name, value.__func__)]
        elif isinstance(value, functools.partial):
            waiting += [(name, value.func), *((f"argument {i}", v) for i, v in enumerate(value.args))]
            waiting += value.keywords.items()
        elif not isinstance(value, types.ModuleType | type):
            found[name or "self"] = found.get(name or "self", 0) + _count(value, _DEEP)
            if not name:  # an object that is called
                waiting.append(("", type(value).__call__))
    return {name: count for name, count in found.items() if count}


def _lies(file: str, home: Path) -> bool:
    return Path(file).parent.resolve() == home.resolve()


def _named(constant: tuple[Any, ...] | frozenset[Any]) -> bool:
    """Return whether a constant has names alone, as those of a call's arguments that Python keeps there."""
    return all(isinstance(each, str) and each.isidentifier() for each in constant)


def _reach(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Give everything that a function can reach, under its name."""
    names, code = set(), [function.__code__]
    while code:
        one = code.pop()
        names |= set(one.co_names)
        code += [each for each in one.co_consts if isinstance(each, types.CodeType)]
        yield (
            "constants",
            [each for each in one.co_consts if isinstance(each, tuple | frozenset) and not _named(each)],
        )
    taken = function.__code__.co_varnames[: function.__code__.co_argcount]
    yield from zip(reversed(taken), reversed(function.__defaults__ or ()), strict=False)
    yield from (function.__kwdefaults__ or {}).items()
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents
    for name in sorted(names & set(function.__globals__)):
        value = function.__globals__[name]
        if isinstance(value, types.ModuleType):
            own = getattr(value, "__file__", None)
            if own and Path(own).parent == Path(function.__code__.co_filename).parent:
                yield from ((f"{name}.{n}", getattr(value, n)) for n in sorted(names) if hasattr(value, n))
        else:
            yield name, value


def _count(value: Any, deep: int) -> int:
    """Return how many values something holds; a text, or what lies too deep, is none."""
    size = getattr(value, "size", None)
    if isinstance(size, int) and not isinstance(value, type) and getattr(value, "shape", None) is not None:
        return size  # of numpy and pandas
    if isinstance(value, bool | int | float):
        return 1
    if deep == 0 or isinstance(value, (str, bytes, *_FUNCTIONS, types.ModuleType, type)):
        return 0
    if isinstance(value, dict):
        return sum(_count(each, deep - 1) for each in (*value, *value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return sum(_count(each, deep - 1) or 1 for each in value)
    return sum(_count(each, deep - 1) for each in getattr(value, "__dict__", {}).values())
