"""A market's data: its sleeves' returns bar by bar, its observations, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from backtest.dates import EVERY_FILL, Fills
from backtest.errors import DataError, UsageError, nearest
from backtest.market.known import Known, Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backtest.dates import Days, Floats
    from backtest.series import Series


@dataclass(frozen=True, eq=False)
class Bars:
    """Total returns of the sleeves, bar by bar.

    Parameters
    ----------
    dates
        (n_bars,) datetime64[D], strictly increasing: the day at whose close each bar ends.
    sleeves
        The names of the columns of ``returns``; ``cash`` is one of them.
    returns
        (n_bars, n_sleeves) float64, simple, decimal, earned from the close before to this close. NaN
        where a sleeve has no return; no strategy may hold it then.
    """

    dates: Days
    sleeves: tuple[str, ...]
    returns: Floats

    def __post_init__(self) -> None:
        if self.returns.shape != (len(self.dates), len(self.sleeves)):
            raise DataError("bars: dates, sleeves and returns do not fit together")
        if (np.diff(self.dates).astype(int) <= 0).any():
            raise DataError("bars: the dates do not increase")
        if (self.returns <= -1.0).any():
            bar, sleeve = np.argwhere(self.returns <= -1.0)[0]
            raise DataError(f"the return of {self.sleeves[sleeve]} on {self.dates[bar]} is -100% or less")

    def column(self, sleeve: str) -> Floats:
        """Return one sleeve's (n_bars,) returns.

        Raises
        ------
        UsageError
            When there is no such sleeve; the nearest one is named.
        """
        if sleeve not in self.sleeves:
            raise UsageError(f"the market has no sleeve '{sleeve}'; {nearest(sleeve, self.sleeves)}")
        return self.returns[:, self.sleeves.index(sleeve)]

    def earned(self, sleeve: str) -> Floats:
        """Return a sleeve's returns after the first bar, (n_bars - 1,), which the measures need all.

        Raises
        ------
        UsageError
            When there is no such sleeve.
        DataError
            When one is missing; the sentence names the sleeve and the first date.
        """
        returns = self.column(sleeve)[1:]
        missing = np.isnan(returns)
        if missing.any():
            day = self.dates[1:][missing.argmax()]
            needed = "which the measures need; choose a window in which it has all"
            raise DataError(f"{sleeve} has no return on {day}, {needed}")
        return returns

    def begins(self, names: Iterable[str]) -> tuple[int, str]:
        """Return the first fill after which all of these sleeves have returns, and which begins last."""
        first = {}
        for name in names:
            present = np.isfinite(self.column(name))
            first[name] = int(present.argmax()) if present.any() else len(self.dates) + 1
        late = max(first, key=lambda name: first[name])
        return max(first[late] - 1, 0), late

    def window(self, first: int, last: int) -> Bars:
        """Return the bars from index ``first`` to ``last``, both included."""
        part = slice(first, last + 1)
        return Bars(self.dates[part], self.sleeves, self.returns[part])


class Sourced(Protocol):
    """What a page says of its data: a market, or a panel of several."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def title(self) -> str:
        """What it is, in one line."""

    @property
    def proxy(self) -> str:
        """In what respect its series are not what they stand for; empty where they are."""

    @property
    def last(self) -> np.datetime64:
        """The day of the last bar."""

    @property
    def sources(self) -> Mapping[str, Series]:
        """Every series that went into it, by id."""


@dataclass(frozen=True, eq=False)
class MarketData:
    """Everything there is about one market, future included; a strategy sees ``known()`` of it.

    Parameters
    ----------
    name, title, frequency
        Its name, what it is in one line, and ``monthly`` or ``daily``.
    proxy
        In what respect its series are not what they stand for; empty where they are.
    benchmark
        The sleeve that runs are held against by default.
    bars
        The sleeves' returns.
    observations
        The series that strategies may use, by catalogue id.
    policy
        Which of them is the policy rate; None where there is none.
    after_the_fact
        Series that no strategy may use, because they were not known in their time.
    sources
        Every series that went into it as its source has it, the sleeves' included, by catalogue id.
    roles
        What a series of ``observations`` stands for (``discount``, ``credit_spread``), to its id.
    factors
        Returns of portfolios that cost nothing, (n_bars,) float64, simple, decimal, NaN where there is none,
        by name (``SMB``, ``HML``, ``MOM``); reports hold alpha against them.
    more
        Which command gets better or later figures; empty where there is none.
    paid
        The bars as they were paid, which strategies see, where ``bars`` are in real money; else None.
    meanings
        What each of ``roles`` is made of, for people.

    Examples
    --------
    >>> from backtest import load_market
    >>> market = load_market("embedded")
    >>> str(market.bars.dates[0]), market.policy
    ('1926-07-30', 'FED_TARGET')
    """

    name: str
    title: str
    frequency: str
    proxy: str
    benchmark: str
    bars: Bars = field(repr=False)
    observations: Mapping[str, Series] = field(repr=False)
    policy: str | None
    after_the_fact: frozenset[str]
    sources: Mapping[str, Series] = field(repr=False)
    roles: Mapping[str, str] = field(default_factory=dict)
    more: str = ""
    factors: Mapping[str, Floats] = field(default_factory=dict, repr=False)
    paid: Bars | None = field(default=None, repr=False)
    meanings: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def last(self) -> np.datetime64:
        """The day of the last bar."""
        return self.bars.dates[-1]

    @property
    def hindsight(self) -> dict[str, Series]:
        """The series of ``after_the_fact`` that it has, by id, for shading and breakdowns after the fact."""
        return {id: series for id, series in self.sources.items() if id in self.after_the_fact}

    def known(self, *, same_close: bool = False, decide: str = EVERY_FILL) -> Known:
        """Return what was known at each fill; ``decide`` says at which of them a strategy decides."""
        fills = Fills(self.bars.dates, same_close, decide)
        bars = self.paid or self.bars
        ids = frozenset(self.observations)
        about = (self.name, self.frequency, ids, self.roles, bars.sleeves, self.policy, self.after_the_fact)
        returns = {sleeve: bars.column(sleeve) for sleeve in bars.sleeves}
        return Known(Names(*about), fills, self.observations, returns)
