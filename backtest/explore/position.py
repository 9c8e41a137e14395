"""A position of the hand: each strategy's parameters and the terms, as a page sends and people keep them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from backtest.errors import UsageError
from backtest.parameters import Value  # noqa: TC001 - the type of a record's field
from backtest.terms import NAMES, Terms, read_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.scripting.strategy import Strategy


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page asks for: values as its fields have them, an empty text where nothing is said.

    Parameters
    ----------
    values
        For each strategy its parameters by name.
    terms
        The terms by name.
    linear
        Whether growth stands on a linear scale, which is no matter of the run.
    applied
        The number of the last answer that the page has drawn.
    """

    values: tuple[dict[str, str | float], ...]
    terms: dict[str, str | float | bool]
    linear: bool = False
    applied: int = 0


@dataclass(frozen=True)
class Position:
    """Where the hand is: a valid value of every parameter of each strategy, and the terms of all."""

    values: tuple[dict[str, Value], ...]
    terms: Terms

    def over(self, start: str | None, end: str | None) -> Position:
        """Return the same over another window."""
        return replace(self, terms=msgspec.structs.replace(self.terms, start=start, end=end))

    def with_values(self, which: int, values: dict[str, Value]) -> Position:
        """Return the same with other values of one of the strategies."""
        return replace(self, values=(*self.values[:which], values, *self.values[which + 1 :]))

    def key(self, strategy: Strategy, which: int, made: str) -> bytes:
        """Return what tells the try of one of the strategies apart; ``made`` is the digest of its script."""
        parts = [which, strategy.name, made, self.values[which], msgspec.structs.asdict(self.terms)]
        return msgspec.json.encode(parts, order="deterministic")


def read_position(wanted: Wanted, strategies: Sequence[Strategy]) -> Position:
    """Return the position that a page asks for.

    Raises
    ------
    UsageError
        When a value cannot be used; the sentence names it.
    """
    if len(wanted.values) != len(strategies):
        raise UsageError(
            f"{len(strategies)} strategies are explored, not {len(wanted.values)}; reload the page"
        )
    given = {name: value for name, value in wanted.terms.items() if value != ""}
    values = tuple(
        each.bind({name: value for name, value in own.items() if value != ""})
        for each, own in zip(strategies, wanted.values, strict=True)
    )
    return Position(values, read_terms(given))


def said_terms(terms: Terms, market: str) -> list[str]:
    """Return the options of a command line that give these terms on a market."""
    said = [] if market == "embedded" else ["--market", market]
    for name in NAMES:
        value, usual = getattr(terms, name), getattr(Terms(), name)
        if value == usual:
            continue
        option = f"--{name.replace('_', '-')}"
        said += [option] if value is True else [option, _written(value)]
    return said


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{sleeve}={bps:g}" for sleeve, bps in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def command(position: Position, named: Sequence[str], strategies: Sequence[Strategy], market: str) -> str:
    """Return the command line that gives a position's numbers: ``run`` of one, ``compare`` of several.

    ``named`` is what each strategy was called by. Parameters at their defaults are left out.
    """
    changed = [
        {p.name: p.text(own[p.name]) for p in each.parameters if own[p.name] != p.default}
        for each, own in zip(strategies, position.values, strict=True)
    ]
    if len(named) == 1:
        own = [word for name, text in changed[0].items() for word in ("--set", f"{name}={text}")]
        words = ["run", named[0], *own]
    else:
        words = ["compare"]
        for name, values in zip(named, changed, strict=True):
            behind = ",".join(f"{parameter}={text}" for parameter, text in values.items())
            words.append(f"{name}:{behind}" if behind else name)
    return shlex.join(["rotation", *words, *said_terms(position.terms, market)])
