"""The market as a script sees it: it names things and knows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtest.dates import parse_day, today
from backtest.errors import UsageError
from backtest.rules.expressions import Events, Expr, Level, Signal, applied, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backtest.market.known import Names


class Policy:
    """A central bank's target, in percent, as it became known."""

    def __init__(self, id: str, origin: Names) -> None:
        self._id, self._origin = id, origin

    def first_cuts(self, quiet: Any, at_least: Any) -> Events:
        """Return the cuts that no other cut precedes by less than ``quiet`` months.

        A first cut is a fall of the target of at least ``at_least`` percentage points (any fall where
        that is 0) on day k, with no such fall on a day after ``k - quiet`` months, all of those months
        observed. With ``quiet`` 0 every cut counts. It needs ``quiet`` months of history.
        """
        inputs = (number(quiet, "quiet"), number(at_least, "at_least"))
        return Events("first_cuts", inputs, (self._id,), self._origin)

    def easing(self, at_least: Any, after: Any = 0) -> Signal:
        """Return yes from ``after`` months past the first cut until the first rise.

        The stance of policy of Jensen, Mercer and Johnson (1996). A cut or a rise is a move of at least
        ``at_least`` percentage points; what is smaller is no news. It is known from the first such move on:
        before it nobody can tell the direction of policy. A rise before the ``after`` months are over ends
        the wait.
        """
        inputs = (number(at_least, "at_least"), number(after, "after"))
        return Signal("easing", inputs, (self._id,), self._origin)


class Market:
    """What a strategy may ask of a market: each answer is an expression, an operation without values.

    Values exist only where the library evaluates the rule that a script returns, as they were known at each
    fill; there is nothing in a script that could look ahead.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     return rotate(market.level("credit_spread") > 1, into="small", otherwise="large")
    >>> run(mine).start
    '1926-07-30'
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    @property
    def name(self) -> str:
        """The market's name."""
        return self._names.market

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        own = sorted(each for each in vars(Market) if not each.startswith("_"))
        raise UsageError(
            f"there is no market.{name}: a market has no values in a script; it has {', '.join(own)}"
        )

    def level(self, series: str) -> Level:
        """Return a series as a level: by what it stands for, or by any id of the catalogue or the store.

        Raises
        ------
        RotationError, UsageError, LookAheadError
            When it is not there, there is none, or nobody knew it in its time; see ``Names.series``.
        """
        self._names.series(series)
        return Level("level", (), (series,), self._names)

    def index(self, sleeve: str) -> Level:
        """Return a sleeve's total return index, 1 before its first return, known at each bar's close.

        Raises
        ------
        RotationError, UsageError
            When the market lacks the sleeve, or there is no such sleeve; see ``Names.sleeve``.
        """
        return Level("index", (), (self._names.sleeve(sleeve),), self._names)

    def relative(self, sleeve: str, against: str, months: Any) -> Level:
        """Return how much more a sleeve grew than another over so many months, in percent of the other.

        Known at each bar's close; with monthly bars the month of a fill is not in it. It needs those months.
        """
        # The ratio is a part of its own, which no number of months changes.
        ratio = self.index(sleeve) / self.index(against)
        return Level("relative", (ratio, number(months, "months")), (sleeve, against))

    @property
    def policy(self) -> Policy:
        """The policy rate; RotationError where the market has none."""
        return Policy(self._names.policy(), self._names)

    def policy_by(self, series: str) -> Policy:
        """Return another rate as the policy rate: a role or an id; errors as ``level``."""
        return Policy(self._names.series(series), self._names)

    def months_of_year(self, *months: int) -> Signal:
        """Return yes at the fills that earn one of the months of the year, 1 for January.

        Raises
        ------
        UsageError
            When a month is not a whole number from 1 to 12.
        """
        if not months or not all(isinstance(m, int) and m in range(1, 13) for m in months):
            raise UsageError(f"months of the year are numbers from 1 to 12, not {list(months)}")
        return Signal("months_of_year", (), (tuple(months),), self._names)

    def events(self, days: Iterable[Any]) -> Events:
        """Return days of your own as events, known on their day; reports say that they were chosen by hand.

        Raises
        ------
        UsageError
            When one is no date, or has not come yet.
        """
        if isinstance(days, str | Expr):
            raise UsageError("market.events takes a list of dates, such as ['2007-09-18', '2019-07-31']")
        found = tuple(str(parse_day(day, "an event")) for day in days)
        if not found:
            raise UsageError("market.events needs one date or more")
        if (last := max(found)) > str(today()):
            raise UsageError(f"an event of {last} has not come yet, so nobody can know it; take it out")
        return Events("events", (), (found,), self._names)

    def apply(self, function: Callable[..., Any], *given: Any, months: Any = None) -> Level:
        """Return what a function of your own makes of the past of several levels, and of parameters.

        It is called as ``function(a, b, limit)`` at each day on which one of the levels had news: each level
        as an array of its last so many months, oldest first, all of one length, as they were known on the
        days of news; each parameter as a number. Without ``months`` all of the past is in them. It returns a
        number; NaN is a missing value. What it is given is a copy of what was known then and nothing else.

        Raises
        ------
        UsageError
            When there is no function or no level.
        """
        return applied(function, given, months)
