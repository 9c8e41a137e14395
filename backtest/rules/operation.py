"""What an operation is: all that is said of a kind of expression, in one place beside what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from backtest.rules.expressions import Expr

Words: TypeAlias = "str | Callable[[Expr, list[str]], str]"
Work: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One kind of expression.

    Parameters
    ----------
    work
        From what was known, its inputs (``evaluate.Sets``) and its arguments to ``Sets`` again, or to a value
        with a set for each row; each causal.
    words
        What it is called: a text in which {0} and so on are its inputs and {args[0]} its arguments, or a
        function of the expression and its inputs in words, empty where one has a line of its own.
    says_all
        Whether its words say what its inputs are as well.
    reads
        What its first argument names: ``series``, ``sleeve`` or nothing.
    own
        Whether it brings a function or days of the script's own.
    held
        Of what keeps, cuts or spaces the runs of a signal: how, in words with a place for the months.
    holds
        Of a decision: from its arguments to the sleeves that it may hold.
    facts
        What counts for it at a fill, one of ``why``; left out, the facts of its inputs.
    flips
        The single moves that would turn what it says at a fill, one of ``why``; left out, there are none.
    sees
        What it looks at over a run, one of ``seen``; left out, it only joins what its inputs saw.
    """

    work: Work
    words: Words
    says_all: bool = False
    reads: str = ""
    own: bool = False
    held: str = ""
    holds: Callable[..., tuple[str, ...]] | None = None
    facts: Callable[..., list[Any]] | None = None
    flips: Callable[..., list[str]] | None = None
    sees: Callable[..., list[Any]] | None = None


OPERATIONS: dict[str, Operation] = {}
"""Every operation by the name that expressions have it under."""

_PARAMETER = Operation(work=lambda _, name: name, words="{args[0]}")


def about(node: Expr) -> Operation:
    """Return what is said of an expression; of a parameter nothing but its name."""
    return OPERATIONS.get(node.op, _PARAMETER)


def operation(words: Words, *, name: str = "", **said: Any) -> Callable[[Work], Work]:
    """Enter a function among the operations, under its own name or another, with what is said of it."""

    def enter(work: Work) -> Work:
        OPERATIONS[name or work.__name__.rstrip("_")] = Operation(work=work, words=words, **said)
        return work

    return enter
