"""What a market is asked by name, and what was known of it at each fill: the values behind the names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError, LookAheadError, RotationError, UsageError, joined, nearest
from backtest.market.catalogue import catalogue, written
from backtest.market.definition import markets_with
from backtest.market.reading import absent
from backtest.market.release import AFTER_THE_FACT
from backtest.signals.policy import PolicyRate
from backtest.signals.readings import level_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Fills, Floats
    from backtest.series import Series
    from backtest.signals.readings import Readings


@dataclass(frozen=True)
class Names:
    """What may be asked of a market, by name.

    Parameters
    ----------
    market, frequency
        Its name, and ``monthly`` or ``daily``.
    ids
        The series that it has.
    roles
        What a series stands for (``discount``, ``credit_spread``), to its id.
    sleeves
        What can be held.
    policy_id
        Which series is the policy rate; None where there is none.
    after_the_fact
        Series that nobody knew in their time; asking for one is an error.
    """

    market: str
    frequency: str
    ids: frozenset[str]
    roles: Mapping[str, str]
    sleeves: tuple[str, ...]
    policy_id: str | None = None
    after_the_fact: frozenset[str] = frozenset()

    def series(self, name: str) -> str:
        """Return the id of a series: a role or an id of the market, or any id of the catalogue or the store.

        Raises
        ------
        RotationError
            When the market lacks the role, or the series is not stored; the sentence says what to do.
        UsageError
            When there is no such series; the nearest one is named.
        LookAheadError
            When the series was only known long after the months it is about.
        """
        id = self.roles.get(name, name)
        if id in self.ids and id not in self.after_the_fact:
            return id
        about = written(id)
        if id in self.after_the_fact or (about and about.known_at == AFTER_THE_FACT):
            raise LookAheadError(
                f"{id} was not known in its time, so no strategy may use it; "
                f"there are: {', '.join(sorted(self.ids))}"
            )
        if about and not about.columns:
            if absent(about):
                cure = f"get it with: rotation data fetch {id}"
                raise RotationError(f"{name}, which the strategy needs, is not stored yet; {cure}")
            return id
        if elsewhere := self._elsewhere(name, "series"):
            raise RotationError(f"the market '{self.market}' has no {name}, {elsewhere}")
        known = {*self.roles, *self.ids}
        near = nearest(name, known)
        if not near.startswith("did"):
            near = nearest(name, {*known, *catalogue()})
        raise UsageError(f"the market '{self.market}' has no series '{name}'; {near}")

    def sleeve(self, name: str) -> str:
        """Return a sleeve's name.

        Raises
        ------
        RotationError
            When the market lacks the sleeve; the sentence names a market that has it.
        UsageError
            When there is no such sleeve anywhere; the nearest one is named.
        """
        if name not in self.sleeves:
            if elsewhere := self._elsewhere(name, "sleeves"):
                raise RotationError(f"the market '{self.market}' has no sleeve {name}, {elsewhere}")
            raise UsageError(
                f"the market '{self.market}' has no sleeve '{name}'; {nearest(name, self.sleeves)}"
            )
        return name

    def policy(self) -> str:
        """Return the id of the policy rate; RotationError where there is none."""
        if self.policy_id is None:
            raise RotationError(
                f"the market '{self.market}' has no policy rate; its file names one as: policy = \"...\""
            )
        return self.policy_id

    def label(self, name: str) -> str:
        """Return what a series is called: its id, after what it stands for where that is another word."""
        id = self.roles.get(name, name)
        return name if name == id else f"{name.replace('_', ' ')} ({id})"

    def _elsewhere(self, name: str, what: str) -> str:
        """Return a clause that names the shipped markets that have something; empty where none has."""
        others = [market for market in markets_with(name, self.frequency, what) if market != self.market]
        if not others:
            return ""
        verb = "have" if len(others) > 1 else "has"
        return f"which the strategy needs; {joined(others)} {verb} it, so add: --market {others[0]}"


class _Anything(Names):
    """A market that has whatever it is asked for: what a script is drawn on to see what it uses."""

    def series(self, name: str) -> str:
        """Return the name."""
        return name

    def sleeve(self, name: str) -> str:
        """Return the name."""
        return name

    def policy(self) -> str:
        """Return a name."""
        return "policy"


ANYTHING = _Anything("any market", "monthly", frozenset(), {}, ())


@dataclass(frozen=True, eq=False)
class Known:
    """What was known of a market at each fill; only what evaluates a script's expressions sees it.

    Parameters
    ----------
    names
        What may be asked of it.
    fills
        The dates at whose close the strategy may trade.
    observations
        Its series by catalogue id.
    returns
        (n_fills,) simple returns of each sleeve, bar by bar, NaN where it has none; each is known at its
        bar's close.
    """

    names: Names
    fills: Fills
    observations: Mapping[str, Series]
    returns: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def policy(self) -> PolicyRate:
        """The policy rate; errors as ``Names.policy``."""
        return PolicyRate(self.fills, self.observations[self.names.policy()])

    def observed(self, series: str) -> Series:
        """Return a series' observations, by role or id; errors as ``Names.series``."""
        return self.observations[self.names.series(series)]

    def as_of(self, series: str) -> Floats:
        """Return a series' latest value known at each fill, (n_fills,), NaN before the first."""
        return self.observed(series).as_of(self.fills)

    def level(self, series: str) -> Readings:
        """Return a series (a role or an id) as a level; errors as ``Names.series``."""
        found = self.observed(series)
        about = (self.names.label(series), found.unit)
        return level_of(self.fills, *about, found.dates, found.known_at, found.values)

    def index(self, sleeve: str) -> Readings:
        """Return a sleeve's total return index, 1 before its first return, known at each bar's close.

        Raises
        ------
        RotationError, UsageError
            As ``Names.sleeve``.
        DataError
            When a return is missing between two others, so that the index cannot be followed.
        """
        returns = self.returns[self.names.sleeve(sleeve)]
        present = np.flatnonzero(np.isfinite(returns))
        values = np.full(len(returns), np.nan)
        if len(present):
            inside = returns[present[0] : present[-1] + 1]
            if np.isnan(inside).any():
                gap = self.fills.dates[present[0] + np.isnan(inside).argmax()]
                raise DataError(f"{sleeve} has no return on {gap}, so that its past cannot be followed")
            values[present] = np.cumprod(1.0 + inside)
        dates = self.fills.dates
        return level_of(self.fills, f"{sleeve} index", "", dates, dates, values)
