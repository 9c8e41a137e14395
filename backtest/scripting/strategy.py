"""A strategy: a thesis as a function of the market and of its declared parameters."""

from __future__ import annotations

import inspect
import traceback
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.decisions import Decision, Rotation, Weights
from backtest.errors import RotationError, UsageError
from backtest.parameters import Declaration, Parameter, Unit, Value, bind
from backtest.scripting.output import printing_to_stderr

if typing.TYPE_CHECKING:
    from backtest.dates import Ints
    from backtest.market.market import Market

Decide = Callable[..., Decision]

RESERVED = frozenset(
    {"strategy", "market", "data_dir", "start", "end", "set", "cost_bps", "benchmark", "out", "json", "help"}
    | {"same_close", "delay_fill", "robustness", "as_of", "ledger"}
    | {"grid", "objective", "constraint", "search", "trials", "seed", "walk_forward", "placebo", "resume"}
    | {"executor"}
)
"""Names that ``run`` and the command line use themselves."""


@dataclass(frozen=True, eq=False)
class Strategy:
    """A strategy as ``@strategy`` makes it from a function.

    Parameters
    ----------
    name
        The function's name.
    about
        The function's docstring, else its script's: the thesis, where it comes from, what would refute it.
    parameters
        What can be set, in the order of declaration.
    function
        Takes a ``Market`` and the parameters by name; returns what ``rotate`` returns.
    file
        The script it stands in.
    """

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    function: Decide
    file: str

    @property
    def thesis(self) -> str:
        """What it claims, in words: the first paragraph of ``about``."""
        return " ".join(self.about.split("\n\n")[0].split())

    def bind(self, given: dict[str, Any]) -> dict[str, Value]:
        """Return the validated value of every parameter; UsageError where one cannot be used."""
        return bind(self.parameters, given, self.name)

    def decide(self, market: Market, values: Mapping[str, Any]) -> Decision:
        """Ask the strategy what to hold.

        ``values`` has every parameter by name: one value, or (n_sets,) numbers in a sweep; words are always
        one value (``decide_sets`` takes rows of them too). The script sees a row as a column (n_sets, 1), so
        that it broadcasts against time.

        Raises
        ------
        RotationError
            When its own code fails (the sentence has file and line) or returns something else.
        """
        columns = {
            name: value[:, None] if isinstance(value, np.ndarray) and value.ndim == 1 else value
            for name, value in values.items()
        }
        sweep = any(isinstance(value, np.ndarray) for value in columns.values())
        try:
            with printing_to_stderr():
                decision = self.function(market.anew(), **columns)
        except RotationError:
            raise
        except (Exception, SystemExit) as error:
            # A script that fails for one set of values as well is not at fault because of the row.
            alone = self._failure_alone(market, columns) if sweep else None
            said = self._failure(alone or error)
            if sweep and alone is None:
                said = (
                    f"{self.name} cannot be swept: {said}; in a sweep a parameter is a column of values, "
                    "so use signals and numpy's functions in place of if, min, int and float"
                )
            raise RotationError(said) from error
        if not isinstance(decision, Rotation | Weights):
            raise RotationError(
                f"{self.name} must return what rotate(...) gives, not {type(decision).__name__} "
                "(or what choose, blend or mix give)"
            )
        return decision

    def _failure(self, error: BaseException) -> str:
        line = failing_line(error, self.file)
        return f"{self.name} failed in {self.file}, line {line}: {type(error).__name__}: {error}"

    def _failure_alone(self, market: Market, columns: Mapping[str, Any]) -> BaseException | None:
        """Return what the script raises for the first set of values alone."""
        first = {k: v.flat[0].item() if isinstance(v, np.ndarray) else v for k, v in columns.items()}
        try:
            with printing_to_stderr():
                self.function(market.anew(), **first)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the script does wrong
            return error
        return None

    def decide_sets(self, market: Market, rows: Mapping[str, Any]) -> list[tuple[Ints, Decision]]:
        """Ask the strategy what to hold under many parameter sets.

        Parameters
        ----------
        market
            What the strategy may see.
        rows
            Every parameter by name: (n_sets,) validated values, or one value for all sets.

        Returns
        -------
        list of (sets, decision)
            One for each combination of words, in order of appearance: the numbers of its parameter sets, and
            their decision. It has as many sets, in this order, or a single one where no number matters.

        Raises
        ------
        RotationError
            As ``decide``; a script that works for one set but not for a row is told why.
        """
        n_sets = max((np.size(values) for values in rows.values()), default=1)
        full = {name: np.broadcast_to(np.asarray(values), n_sets) for name, values in rows.items()}
        words = [p.name for p in self.parameters if p.choices]
        groups: dict[tuple[str, ...], list[int]] = {}
        for number in range(n_sets):
            groups.setdefault(tuple(str(full[name][number]) for name in words), []).append(number)
        decided = []
        for group, numbers in groups.items():
            sets = np.array(numbers, dtype=np.int64)
            chosen = dict(zip(words, group, strict=True))
            values = {name: chosen.get(name, row[sets]) for name, row in full.items()}
            decided.append((sets, self.decide(market, values)))
        return decided


def failing_line(error: BaseException, file: str) -> int | None:
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
    about = inspect.cleandoc(function.__doc__ or function.__globals__.get("__doc__") or "")
    file = function.__code__.co_filename
    return Strategy(function.__name__, about, parameters, function, file)
