"""Expressions: an operation and its inputs, without values; what a script builds its rule of."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from backtest.errors import UsageError
from backtest.rules.valueless import ACROSS, Valueless

COMPARISONS = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<="}

_LOGIC: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("logical_and", "bitwise_and"), operator.and_),
    **dict.fromkeys(("logical_or", "bitwise_or"), operator.or_),
    **dict.fromkeys(("logical_not", "invert", "bitwise_not"), operator.invert),
}

TWO_MARKETS = (
    "an expression cannot hold what was asked of another market, or of the market at another time; ask for "
    "all of it in the function that @strategy stands before, of the market that it is given"
)


class Expr(Valueless):
    """An operation and its inputs.

    Parameters
    ----------
    op
        The operation's name in ``OPERATIONS``.
    inputs
        The expressions that it works on.
    args
        What else it needs: names, words, functions.
    origin
        The market that the expression was asked of; None where it was asked of none.
    """

    takes_lines = True
    """Whether it has lines of its own where a rule is explained; a number has not."""

    def __init__(
        self, op: str, inputs: tuple[Expr, ...] = (), args: tuple[Any, ...] = (), origin: Any = None
    ):
        self.op, self.inputs, self.args = op, inputs, args
        self.origin: Any = None
        self.parameters: tuple[str, ...] = args if op == "parameter" else ()
        if inputs:
            self.parameters = tuple(sorted({name for each in inputs for name in each.parameters}))
        origins = {id(o): o for o in (origin, *(each.origin for each in inputs)) if o is not None}
        if len(origins) > 1:
            raise UsageError(TWO_MARKETS)
        self.origin = next(iter(origins.values()), None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if method != "__call__" or options or getattr(np, name, None) is not ufunc or ufunc.signature:
            self._refuse(f"np.{name}{'' if method == '__call__' else '.' + method} cannot take it", ACROSS)
        if name in _LOGIC and all(isinstance(each, Signal) for each in inputs):
            return _LOGIC[name](*inputs)
        if name in COMPARISONS:
            return compared(name, *inputs)
        # What gives yes or no of a number, or two results, is no elementwise function of numbers.
        if ufunc.nout == 1 and ufunc.nin <= 2 and any(each.endswith("d->d") for each in ufunc.types):
            return elementwise(name, *inputs)
        return self._refuse(
            f"np.{name} cannot take it", "write a comparison such as level > 3, or .apply(f, months=1)"
        )

    def __repr__(self) -> str:
        """Return what it is and what it is made of."""
        return f"<{self.kind}, without values: {self._written()}>"

    def _written(self) -> str:
        """Return it as calls within calls: ``average(level(credit_spread), months)``."""
        args = [getattr(each, "__name__", str(each)) for each in self.args]
        if self.op in ("constant", "parameter"):
            return args[0]
        name = args.pop() if self.op in ("elementwise", "compared") else self.op
        return f"{name}({', '.join([*(each._written() for each in self.inputs), *args])})"

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, _: Any) -> Expr:
        return self


Method = Callable[[Any, Any], Any]


def _sided(name: str) -> tuple[Method, Method]:
    """Return what numpy's function of this name makes of a value and what stands right of it, or left."""
    return (
        lambda self, other: elementwise(name, self, other),
        lambda self, other: elementwise(name, other, self),
    )


def _compares(name: str) -> Callable[[Any, Any], Signal]:
    return lambda self, other: compared(name, self, other)


class _Numeric(Expr):
    """What arithmetic and comparisons take: a number, or a level."""

    __add__, __radd__ = _sided("add")
    __sub__, __rsub__ = _sided("subtract")
    __mul__, __rmul__ = _sided("multiply")
    __truediv__, __rtruediv__ = _sided("divide")
    __floordiv__, __rfloordiv__ = _sided("floor_divide")
    __mod__, __rmod__ = _sided("remainder")
    __pow__, __rpow__ = _sided("power")
    __gt__, __ge__ = _compares("greater"), _compares("greater_equal")
    __lt__, __le__ = _compares("less"), _compares("less_equal")

    def __neg__(self) -> Any:
        return elementwise("negative", self)

    def __pos__(self) -> Any:
        return self

    def _joined(self, *_: Any) -> NoReturn:
        self._refuse(
            "& | and ~ cannot join it",
            "they join signals and bind closer than a comparison, so put each one in parentheses: "
            "(a > 0) & (b < 5)",
        )

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _joined

    def __abs__(self) -> Any:
        return elementwise("absolute", self)


class Number(_Numeric):
    """A parameter, or what arithmetic makes of parameters: one value for each parameter set.

    Examples
    --------
    >>> from backtest import Market, Months, param, rotate, run, strategy
    >>> @strategy
    ... def mine(market: Market, months: Months = param(12, low=1, high=60, help="look back so far")):
    ...     lead = market.relative("small", "large", months=2 * months)
    ...     return rotate(lead > 0, into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    83
    """

    kind = "a parameter"
    takes_lines = False


class Level(_Numeric):
    """Numbers as they became known.

    At each fill the latest value known before it counts. A missing value is no news: what was known before
    it still stands. What needs a history (a change, an average, a percentile) is missing until the history
    is complete, and a signal of it is not known before. What arithmetic makes that is not finite is missing.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     spread = market.level("credit_spread")
    ...     return rotate(spread > spread.average(12), into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    141
    """

    kind = "a level"

    def change(self, months: Any) -> Level:
        """Return the change over so many months, in the level's unit; it needs those months."""
        return Level("change", (self, number(months, "months")))

    def growth(self, months: Any) -> Level:
        """Return the relative change over so many months, in percent; it needs those months.

        It is missing where the earlier value is not positive.
        """
        return Level("growth", (self, number(months, "months")))

    def average(self, months: Any) -> Level:
        """Return the mean of the last so many months, the present value included; it needs those months."""
        return Level("average", (self, number(months, "months")))

    def lowest(self, months: Any) -> Level:
        """Return the lowest value of the last so many months, the present included; it needs those months."""
        return Level("lowest", (self, number(months, "months")))

    def highest(self, months: Any) -> Level:
        """Return the highest value of the last so many months, else as ``lowest``."""
        return Level("highest", (self, number(months, "months")))

    def percentile(self, months: Any = None, history: Any = 60) -> Level:
        """Return the percentile among the values of the last so many months, or of all the past.

        The share, in percent, of the earlier values that lie below the present one; ties count half. Without
        ``months`` all of the past counts, and ``history`` months of it are needed. Never the whole sample.
        """
        return self._ranked("percentile", months, history)

    def zscore(self, months: Any = None, history: Any = 60) -> Level:
        """Return the distance from the mean of the last so many months, or of all the past, in deviations.

        The sample standard deviation of the same values; missing where they do not deviate. Without
        ``months`` all of the past counts, and ``history`` months of it are needed.
        """
        return self._ranked("zscore", months, history)

    def _ranked(self, op: str, months: Any, history: Any) -> Level:
        what, span = ("history", history) if months is None else ("months", months)
        return Level(op, (self, number(span, what)), (months is None,))

    def in_percent(self) -> Level:
        """Return a fraction as percent; what is in percent stays; UsageError where it is neither."""
        return Level("in_percent", (self,))

    def above(self, enter: Any, until: Any = None) -> Signal:
        """Return yes from a value at or above ``enter`` on, until one below ``until``: with hysteresis.

        ``enter`` is a number or a level (then the two cross). ``until``, a number, is not above ``enter``;
        left out, it is ``enter``. Between the two the answer stays as it was, at first no. Known from the
        first value on.
        """
        return self._threshold("above", enter, until)

    def below(self, enter: Any, until: Any = None) -> Signal:
        """Return yes from a value at or below ``enter`` on, until one above ``until``; else as ``above``."""
        return self._threshold("below", enter, until)

    def _threshold(self, op: str, enter: Any, until: Any) -> Signal:
        if isinstance(enter, Level):
            if until is not None:
                raise UsageError(
                    "two levels that cross have no 'until'; take their difference and its thresholds"
                )
            return Signal(op, (self, enter))
        bounds = (number(enter, "the threshold"), *([] if until is None else [number(until, "until")]))
        return Signal(op, (self, *bounds))

    def apply(self, function: Callable[..., Any], months: Any = None) -> Level:
        """Return what a function of your own makes of the values of the last so many months.

        It is called with an array, oldest first, at each day on which a value became known, and sees a copy
        of what was known then and nothing else. Without ``months`` all of the past is in it. It returns a
        number; NaN is a missing value.
        """
        return applied(function, (self,), months)


class Signal(Expr):
    """Yes or no at every fill; combine signals with ``&``, ``|``, ``~`` and ``vote``.

    What is made of several signals is known when all of them are.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     leads, winter = market.relative("small", "large", months=12) > 0, market.months_of_year(12, 1, 2)
    ...     return rotate(leads & ~winter, into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    179
    """

    kind = "a signal"

    def __and__(self, other: Any) -> Signal:
        return vote(self, other, needed=2)

    def __or__(self, other: Any) -> Signal:
        return vote(self, other, needed=1)

    def __invert__(self) -> Signal:
        return Signal("negation", (self,))

    def at_most(self, months: Any) -> Signal:
        """Return yes for at most so many months at a stretch; then no, until it has been no and turns yes.

        A run that begins at a fill on day d is over at the first fill on or after ``d + months``.
        """
        return Signal("at_most", (self, number(months, "months")))

    def at_least(self, months: Any) -> Signal:
        """Return yes for at least so many months once it has turned yes, whatever comes."""
        return Signal("at_least", (self, number(months, "months")))

    def paused(self, months: Any) -> Signal:
        """Return no for at least so many months once it has turned no."""
        return Signal("paused", (self, number(months, "months")))

    def cooldown(self, months: Any) -> Signal:
        """Return what it says, kept for so many months after each change, either way; then it follows again.

        So no two changes lie closer together. What it says at first is no change.
        """
        return Signal("cooldown", (self, number(months, "months")))


class Events(Expr):
    """Days on which something became known.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     cuts = market.policy.first_cuts(quiet=12, at_least=0.25)
    ...     return rotate(cuts.within(0, 24), into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    12
    """

    kind = "a list of events"

    def within(self, after: Any, until: Any) -> Signal:
        """Return yes from ``after`` to ``until`` months after an event; windows unite.

        An event known on day k is yes for the fills f with ``k + after < f <= k + until``, calendar
        months by date offset. ``after`` and ``until`` are whole months.
        """
        return Signal("within", (self, number(after, "after"), number(until, "until")))


class Decision(Expr):
    """What to hold, from which fill on."""

    kind = "a decision"


def number(value: Any, what: str) -> Number:
    """Return a parameter, or a number that a script writes, as a ``Number``; UsageError for anything else."""
    if isinstance(value, Number):
        return value
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return Number("constant", (), (value.item() if isinstance(value, np.generic) else value,))
    said = value.kind if isinstance(value, Expr) else type(value).__name__
    raise UsageError(f"{what} must be a number or a parameter, not {said}")


def signals(*given: Any) -> tuple[Signal, ...]:
    """Return what must be signals; UsageError where one is something else."""
    for each in given:
        if not isinstance(each, Signal):
            said = each.kind if isinstance(each, Expr) else type(each).__name__
            raise UsageError(
                f"a decision, a vote and & | ~ need signals, not {said}; a comparison such as "
                'market.level("vix") > 20 is one, an array is none'
            )
    return given


def numeric(value: Any) -> Number | Level:
    """Return a level, a parameter or a number of the script's own; UsageError for anything else."""
    if isinstance(value, Level):
        return value
    if isinstance(value, Signal):
        raise UsageError("a signal is no number; write where(signal, 1, 0)")
    return number(value, "what is beside a level")


def elementwise(name: str, *given: Any) -> Any:
    """Return what numpy's function of this name makes of levels and numbers, one value at a time."""
    parts = tuple(map(numeric, given))
    kind = Level if any(isinstance(each, Level) for each in parts) else Number
    return kind("elementwise", parts, (name,))


def compared(name: str, left: Any, right: Any) -> Signal:
    """Return the signal of a comparison."""
    parts = numeric(left), numeric(right)
    if not isinstance(parts[0], Level) and isinstance(parts[1], Level):
        swapped = dict(zip(COMPARISONS, ("less", "less_equal", "greater", "greater_equal"), strict=True))
        name, parts = swapped[name], parts[::-1]
    if not isinstance(parts[0], Level):
        return Signal("compared", parts, (name,))
    if name in ("greater_equal", "less_equal"):
        return Signal("above" if name == "greater_equal" else "below", parts)
    return ~Signal("below" if name == "greater" else "above", parts)


def vote(*given: Signal, needed: int) -> Signal:
    """Return yes while at least ``needed`` of the signals say yes; known when all of them are.

    Raises
    ------
    UsageError
        When there are no signals, or more are needed than there are.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy, vote
    >>> @strategy
    ... def mine(market: Market):
    ...     leads, wide = market.relative("small", "large", months=12) > 0, market.level("credit_spread") > 1
    ...     voted = vote(leads, wide, market.policy.easing(at_least=0.25), needed=2)
    ...     return rotate(voted, into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    35
    """
    if isinstance(needed, Expr) or not 1 <= needed <= len(given):
        raise UsageError(f"a vote of {len(given)} signals cannot need {needed} of them")
    return Signal("vote", signals(*given), (int(needed),))


def where(signal: Signal, yes: Any, no: Any) -> Level:
    """Return the level that is ``yes`` while a signal says yes and ``no`` while it says no.

    Both are levels or numbers. It has a value at each fill at which the signal is known, known before it.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy, where
    >>> @strategy
    ... def mine(market: Market):
    ...     wide = market.level("credit_spread")
    ...     limit = where(market.months_of_year(1), 1.0, 1.5)
    ...     return rotate(wide > limit, into="small", otherwise="large")
    >>> run(mine).metrics["switches"]
    64
    """
    return Level("where", (*signals(signal), numeric(yes), numeric(no)))


def past_of(asker: str, function: Any, given: tuple[Any, ...], months: Any) -> tuple[Number | Level, ...]:
    """Return the inputs of what gives the past of levels to a function; ``asker`` is for the error."""
    if not callable(function):
        raise UsageError(f"{asker} takes a function and then levels, not {type(function).__name__}")
    parts = tuple(map(numeric, given))
    if not any(isinstance(each, Level) for each in parts):
        raise UsageError(f"{asker} needs a level whose past the function is given")
    return parts if months is None else (*parts, number(months, "months"))


def applied(function: Callable[..., Any], given: tuple[Any, ...], months: Any) -> Level:
    """Return a function of one's own over the past of levels; see ``Market.apply``."""
    return Level("applied", past_of("apply", function, given, months), (function, months is not None))
