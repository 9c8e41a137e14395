"""The market as a strategy sees it: at a fill, what was known before it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import DataError, LookAheadError, RotationError, UsageError, joined, nearest
from backtest.market.catalogue import catalogue
from backtest.market.offers import markets_with, unit_of
from backtest.signals.calendar import months_of_year
from backtest.signals.level import level_of
from backtest.signals.own import own_signal
from backtest.signals.policy import PolicyRate
from backtest.signals.rows import row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Fills, Floats
    from backtest.observations import Observations
    from backtest.signals.level import Level
    from backtest.signals.signal import Signal


@dataclass(frozen=True, eq=False)
class Market:
    """What a strategy may ask of a market: facts as they were known at each fill.

    A strategy gets signals, levels, and values as of a fill: nothing in them was known later than the day
    before it. A run checks this on the strategy itself (``backtest.lookahead``).

    Parameters
    ----------
    name
        The market's name.
    fills
        The dates at whose close the strategy may trade.
    observations
        Its series by catalogue id.
    policy_id
        Which of them is the policy rate; None where the market has none.
    after_the_fact
        Series that nobody knew in their time; asking for one is an error.
    roles
        What a series stands for (``discount``, ``credit_spread``), to its id.
    returns
        (n_fills,) simple returns of each sleeve, bar by bar, NaN where it has none; each is known at its
        bar's close, so read them through ``index`` and ``relative``, which know it.
    """

    name: str
    fills: Fills
    observations: Mapping[str, Observations]
    policy_id: str | None = None
    after_the_fact: frozenset[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    returns: Mapping[str, Floats] = field(default_factory=dict)
    _asked: dict[str, Observations] = field(default_factory=dict, init=False)

    def anew(self) -> Market:
        """Return the same market, of which nothing has been asked yet: one for each decision.

        What a script has asked for says from when on its own signals are known; under other words it may
        ask for something else.
        """
        return replace(self)

    @cached_property
    def policy(self) -> PolicyRate:
        """The policy rate, with its first cuts."""
        if self.policy_id is None:
            raise RotationError(
                f"the market '{self.name}' has no policy rate; its file names one as: policy = \"...\""
            )
        return PolicyRate(self.fills, self.observations[self.policy_id])

    def policy_by(self, series: str) -> PolicyRate:
        """Return another rate as the policy rate: a role or an id; errors as ``observed``."""
        return PolicyRate(self.fills, self.observed(series))

    def observed(self, series: str) -> Observations:
        """Return a series' observations; ``series`` is a role or an id.

        Raises
        ------
        RotationError
            When the market lacks the role; the sentence names a market that has it.
        UsageError
            When there is no such series; the nearest one is named.
        LookAheadError
            When the series was only known long after the months it is about.
        """
        id = self.roles.get(series, series)
        if id in self.after_the_fact:
            raise LookAheadError(
                f"{id} was not known in its time, so no strategy may use it; "
                f"there are: {', '.join(sorted(self.observations))}"
            )
        if id not in self.observations:
            if elsewhere := self._elsewhere(series, "series"):
                raise RotationError(f"the market '{self.name}' has no {series}, {elsewhere}")
            if series in catalogue():
                raise RotationError(
                    f"the market '{self.name}' has no {series}, which the strategy needs, nor any shipped "
                    "market; a market file of your own names it under [series]"
                )
            known = {*self.roles, *self.observations}
            raise UsageError(f"the market '{self.name}' has no series '{series}'; {nearest(series, known)}")
        return self.observations[id]

    def _elsewhere(self, name: str, what: str) -> str:
        """Return a clause that names the shipped markets that have something; empty where none has."""
        months = self.fills.dates.astype("datetime64[M]")
        frequency = "monthly" if len(np.unique(months)) == len(months) else "daily"
        others = [market for market in markets_with(name, frequency, what) if market != self.name]
        if not others:
            return ""
        verb = "have" if len(others) > 1 else "has"
        return f"which the strategy needs; {joined(others)} {verb} it, so add: --market {others[0]}"

    def level(self, series: str) -> Level:
        """Return a series (a role or an id) as a level; errors as ``observed``."""
        found = self.observed(series)
        unit = unit_of(series, found.id)
        label = series if series == found.id else f"{series.replace('_', ' ')} ({found.id})"
        return level_of(self.fills, label, unit, found.dates, found.known_at, found.values, (found.id,))

    def as_of(self, series: str) -> Floats:
        """Return a series' latest value known at each fill, (n_fills,) float64, NaN before the first.

        ``series`` is a role or an id; errors as ``observed``. For an expression of your own, which becomes a
        signal by ``market.signal(...)``.
        """
        found = self.observed(series)
        self._asked[found.id] = found
        return found.as_of(self.fills)

    def signal(self, yes: Any, known: Any = None) -> Signal:
        """Return an expression of your own as a signal: yes or no at each fill.

        Parameters
        ----------
        yes
            (n_fills,), or (n_sets, n_fills) in a sweep, bool: made of arrays that ``as_of`` gave. In a
            sweep a parameter is a column (n_sets, 1), so that ``market.as_of("vix") > limit`` has this
            shape by itself.
        known
            The same shape, bool: where the answer is known; where it later is not, the last known one
            stands. By default: where everything that the script has asked for by ``as_of`` is known.

        Raises
        ------
        UsageError
            When the array has another shape or holds something other than yes and no.
        """
        return own_signal(self.fills, yes, known, list(self._asked.values()))

    def index(self, sleeve: str) -> Level:
        """Return a sleeve's total return index, 1 before its first return, known at each bar's close.

        Raises
        ------
        RotationError
            When the market lacks the sleeve; the sentence names a market that has it.
        UsageError
            When there is no such sleeve anywhere; the nearest one is named.
        DataError
            When a return is missing between two others, so that the index cannot be followed.
        """
        if sleeve not in self.returns:
            if elsewhere := self._elsewhere(sleeve, "sleeves"):
                raise RotationError(f"the market '{self.name}' has no sleeve {sleeve}, {elsewhere}")
            raise UsageError(
                f"the market '{self.name}' has no sleeve '{sleeve}'; {nearest(sleeve, self.returns)}"
            )
        returns = self.returns[sleeve]
        present = np.flatnonzero(np.isfinite(returns))
        values = np.full(len(returns), np.nan)
        if len(present):
            inside = returns[present[0] : present[-1] + 1]
            if np.isnan(inside).any():
                gap = self.fills.dates[present[0] + np.isnan(inside).argmax()]
                raise DataError(f"{sleeve} has no return on {gap}, so that its past cannot be followed")
            values[present] = np.cumprod(1.0 + inside)
        dates = self.fills.dates
        return level_of(self.fills, f"{sleeve} index", "", dates, dates, values, (sleeve,))

    def relative(self, sleeve: str, against: str, months: Any) -> Level:
        """Return how much more a sleeve grew than another over so many months, in percent of the other.

        Known at each bar's close; with monthly bars the month of a fill is not in it. It needs those months.
        """
        lead = (self.index(sleeve) / self.index(against)).growth(months)
        first = row(months, "months")[0]
        return replace(lead, label=f"lead of {sleeve} over {against} in {first} months")

    def months_of_year(self, *months: int) -> Signal:
        """Return yes at the fills that earn one of the months of the year, 1 for January."""
        return months_of_year(self.fills, months)
