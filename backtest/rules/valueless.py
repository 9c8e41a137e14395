"""What an expression has not, values: whoever asks for them is told what to write instead."""

from __future__ import annotations

from typing import Any, NoReturn

from backtest.errors import UsageError

ACROSS = (
    "what looks across time is an operation of the library, such as .average(12), .highest(12) or "
    ".percentile(history=60), or a function of your own: .apply(f, months=12)"
)


class Valueless:
    """Refuses whatever would need values."""

    kind = "an expression"

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise UsageError(f"{self.kind} has no values in a script, so {what}; {instead}")

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - it never does
        self._refuse(
            "it is neither true nor false and 'if', 'and', 'or', 'not' cannot ask it",
            "write where(level > 3, a, b) for 'a if level > 3 else b', (0 < level) & (level < 20) for "
            "'0 < level < 20', and combine signals with &, | and ~",
        )

    def _number(self, *_: Any) -> NoReturn:
        self._refuse(
            "it is no single number",
            "use it as it is: arithmetic and np.log, np.minimum and the like take it",
        )

    __float__ = __int__ = __index__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = _number

    def _sequence(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("it cannot be gone through, counted, indexed or made an array", ACROSS)

    __iter__ = __len__ = __getitem__ = __contains__ = __reversed__ = __array__ = _sequence

    def __array_function__(self, function: Any, *_: Any) -> NoReturn:
        name = getattr(function, "__name__", "function")
        own = "write where(level > 2, 1, 0), with where from backtest"
        self._refuse(f"np.{name} cannot take it", own if name in ("where", "select") else ACROSS)

    def __eq__(self, other: object) -> NoReturn:
        self._refuse("it is equal to nothing", "write >= or <=, or give a parameter of words its choices")

    __ne__ = __eq__
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # what Python and its libraries ask of anything
            raise AttributeError(name)
        self._refuse(f"there is no .{name} of it", f"it has {', '.join(public(type(self)))}")


def public(kind: type) -> list[str]:
    """Return the names that a script may use of a kind of expression."""
    own = {name for base in kind.__mro__ if base not in (Valueless, object) for name in vars(base)}
    return sorted(
        f".{name}" for name in own if not name.startswith("_") and name not in ("kind", "takes_lines")
    )
