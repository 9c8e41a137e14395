"""A strategy: a thesis as a function of the market and of its declared parameters."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from backtest.dates import EVERY_FILL
from backtest.errors import RotationError, UsageError, failing_line
from backtest.market.known import ANYTHING
from backtest.market.load import with_series, with_sleeves
from backtest.parameters import CountedIn, Parameter, Value, bind
from backtest.rules import expressions as rules
from backtest.rules import operations  # noqa: F401 - enters what expressions mean
from backtest.rules.market import Market, Policy
from backtest.rules.reading import holds, reads
from backtest.rules.ruling import Ruling
from backtest.scripting.output import printing_to_stderr
from backtest.terms import NAMES

if typing.TYPE_CHECKING:
    from backtest.market.data import MarketData
    from backtest.market.known import Known, Names

Decide = Callable[..., rules.Decision]

RESERVED = frozenset(
    {"strategy", "market", "data_dir", "set", "out", "json", "help", "robustness", "as_of", *NAMES}
    | {"grid", "objective", "constraint", "search", "trials", "seed", "walk_forward", "placebo", "resume"}
    | {"executor", "from", "no_report", "changed", "csv", "xlsx", "png", "panel"}
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

    Examples
    --------
    >>> from backtest import load_strategy
    >>> load_strategy("rate_cut").bind({"hold": 18})["hold"]
    18
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

    def draw(self, names: Names, words: Mapping[str, str]) -> rules.Decision:
        """Ask the strategy for its rule: an expression, in which its numbers are parameters.

        Parameters
        ----------
        names
            What the market has, by name.
        words
            The word of each parameter that has choices.

        Raises
        ------
        RotationError
            When its own code fails (the sentence has file and line) or returns something else.
        """
        given = {
            p.name: words[p.name] if p.choices else rules.Number("parameter", (), (p.name,))
            for p in self.parameters
        }
        try:
            with printing_to_stderr():
                rule = self.function(Market(names), **given)
        except UsageError as error:
            line = failing_line(error, self.file)
            where = f"{self.name}, line {line}: " if line else ""
            raise type(error)(f"{where}{error}") from error
        except RotationError:
            raise
        except (Exception, SystemExit) as error:
            line = failing_line(error, self.file)
            raise RotationError(
                f"{self.name} failed in {self.file}, line {line}: {type(error).__name__}: {error}"
                f"{_called_as(error)}"
            ) from error
        if not isinstance(rule, rules.Decision):
            raise RotationError(
                f"{self.name} must return what rotate(...) gives, not {type(rule).__name__} "
                "(or what choose, blend, mix or weigh give)"
            )
        if rule.origin is not None and rule.origin is not names:
            raise UsageError(f"{self.name}: {rules.TWO_MARKETS}")
        return rule

    def rule(self, known: Known, values: Mapping[str, Any]) -> rules.Decision:
        """Return the rule on a market under the words among some values; errors as ``draw``."""
        return self.draw(known.names, {p.name: values[p.name] for p in self.parameters if p.choices})

    def complete(self, market: MarketData, values: Mapping[str, Any]) -> MarketData:
        """Return the market with the series, and the sleeves made of others, that only the rule names."""
        known = market.known()
        rule = self.rule(known, values)
        return with_sleeves(with_series(market, reads(rule, known.names, sleeves=False)), holds(rule))

    def ruling(
        self,
        market: MarketData,
        values: Mapping[str, Any],
        *,
        same_close: bool = False,
        decide: str = EVERY_FILL,
    ) -> Ruling:
        """Return the rule on a market, completed, under one value of each parameter; errors as ``draw``."""
        import backtest.decisions  # noqa: F401 - the operations that a rule ends in register themselves

        market = self.complete(market, values)
        known = market.known(same_close=same_close, decide=decide)
        axes = {p.name: p.array([values[p.name]]) for p in self.parameters if not p.choices}
        return Ruling(market, known, self.rule(known, values), axes)

    def unused(self) -> list[str]:
        """Return the parameters that no rule of the strategy uses, under whatever words."""
        numbers = [p for p in self.parameters if not p.choices]
        if not numbers:
            return []
        choices = [p for p in self.parameters if p.choices]
        used: set[str] = set()
        for chosen in product(*(p.choices for p in choices)):
            words = {p.name: word for p, word in zip(choices, chosen, strict=True)}
            try:
                used.update(self.draw(ANYTHING, words).parameters)
            except RotationError:
                return []  # a run says what is wrong with it
        return [p.name for p in numbers if p.name not in used]


def _called_as(error: BaseException) -> str:
    """Return how an operation is called, where it was called otherwise; else nothing."""
    called = re.match(r"(\w+)\.(\w+)\(\) (?:missing|got|takes)", str(error))
    known = {**vars(rules), "Market": Market, "Policy": Policy}
    if not isinstance(error, TypeError) or called is None or called[1] not in known:
        return ""
    taken = list(inspect.signature(getattr(known[called[1]], called[2])).parameters)[1:]
    return f"; it is called as {called[1].lower()}.{called[2]}({', '.join(taken)})"


def _parameter(name: str, annotation: Any, declared: Any) -> Parameter:
    if not isinstance(declared, Parameter):
        raise UsageError(
            f"parameter '{name}' needs a declaration, such as: {name}: Months = "
            'param(12, low=0, high=60, help="...")'
        )
    units = [m for m in typing.get_args(annotation)[1:] if isinstance(m, CountedIn)]
    if not units:
        raise UsageError(f"parameter '{name}' needs a unit, such as: {name}: Months")
    if name in RESERVED:
        raise UsageError(f"a parameter cannot be called '{name}': the command line uses that name")
    return replace(declared, name=name, unit=units[0])


def strategy(function: Decide) -> Strategy:
    """Make a strategy of a function whose first argument is the market.

    Raises
    ------
    UsageError
        When a parameter has no declaration or no unit, or bears a reserved name.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     return rotate(market.relative("small", "large", months=12) > 0, into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    119
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
