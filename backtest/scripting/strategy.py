"""A strategy: a thesis as a function of the market and of its declared parameters."""

from __future__ import annotations

import inspect
import traceback
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backtest.decisions import Rotation
from backtest.errors import RotationError, UsageError
from backtest.parameters import Declaration, Parameter, Unit, bind

if typing.TYPE_CHECKING:
    from backtest.market.market import Market

Decide = Callable[..., Rotation]

RESERVED = frozenset(
    {"strategy", "market", "start", "end", "set", "cost_bps", "benchmark", "out", "json", "help"}
    | {"same_close"}
)
"""Names that ``run`` and the command line use themselves."""


@dataclass(frozen=True, eq=False)
class Strategy:
    """A strategy as ``@strategy`` makes it from a function.

    Parameters
    ----------
    name
        The function's name.
    thesis
        What it claims, in words: the function's docstring, else its script's.
    parameters
        What can be set, in the order of declaration.
    function
        Takes a ``Market`` and the parameters by name; returns what ``rotate`` returns.
    file
        The script it stands in.
    """

    name: str
    thesis: str
    parameters: tuple[Parameter, ...]
    function: Decide
    file: str

    def bind(self, given: dict[str, Any]) -> dict[str, float]:
        """Return the validated value of every parameter; UsageError where one cannot be used."""
        return bind(self.parameters, given, self.name)

    def decide(self, market: Market, values: dict[str, float]) -> Rotation:
        """Ask the strategy what to hold.

        Raises
        ------
        RotationError
            When its own code fails (the sentence has file and line) or returns something else.
        """
        try:
            decision = self.function(market, **values)
        except RotationError:
            raise
        except Exception as error:
            line = failing_line(error, self.file)
            raise RotationError(
                f"{self.name} failed in {self.file}, line {line}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(decision, Rotation):
            raise RotationError(
                f"{self.name} must return what rotate(...) gives, not {type(decision).__name__}"
            )
        return decision


def failing_line(error: Exception, file: str) -> int | None:
    """Return the last line of ``file`` that an error passed through; None where it passed none."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return lines[-1] if lines else None


def _parameter(name: str, annotation: Any, declared: Any) -> Parameter:
    if not isinstance(declared, Declaration):
        raise UsageError(
            f"parameter '{name}' needs a declaration, such as: {name}: Months = "
            'param(12, low=0, high=60, help="...")'
        )
    units = [m for m in typing.get_args(annotation)[1:] if isinstance(m, Unit)]
    if not units:
        raise UsageError(f"parameter '{name}' needs a unit, such as: {name}: Months")
    if name in RESERVED:
        raise UsageError(f"a parameter cannot be called '{name}': the command line uses that name")
    return Parameter(name, units[0], **vars(declared))


def strategy(function: Decide) -> Strategy:
    """Make a strategy of a function whose first argument is the market.

    Raises
    ------
    UsageError
        When a parameter has no declaration or no unit, or bears a reserved name.
    """
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function, include_extras=True)
    names = list(signature.parameters)
    if not names:
        raise UsageError(f"{function.__name__} must take the market as its first argument")
    parameters = tuple(
        _parameter(name, hints.get(name), signature.parameters[name].default) for name in names[1:]
    )
    thesis = inspect.cleandoc(function.__doc__ or function.__globals__.get("__doc__") or "")
    file = function.__code__.co_filename
    return Strategy(function.__name__, thesis, parameters, function, file)
