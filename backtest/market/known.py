"""What was known of a market at each fill: the values behind the names that a script gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError
from backtest.market.names import Names
from backtest.signals.policy import PolicyRate
from backtest.signals.readings import level_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Fills, Floats
    from backtest.series import Series
    from backtest.signals.readings import Readings


@dataclass(frozen=True, eq=False)
class Known:
    """What was known of a market at each fill; only what evaluates a script's expressions sees it.

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
        bar's close.
    """

    name: str
    fills: Fills
    observations: Mapping[str, Series]
    policy_id: str | None = None
    after_the_fact: frozenset[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    returns: Mapping[str, Floats] = field(default_factory=dict)

    @cached_property
    def names(self) -> Names:
        """What may be asked of it."""
        months = self.fills.dates.astype("datetime64[M]")
        return Names(
            self.name,
            "monthly" if len(np.unique(months)) == len(months) else "daily",
            frozenset(self.observations),
            self.roles,
            tuple(self.returns),
            self.policy_id,
            self.after_the_fact,
        )

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
        found, names = self.observed(series), self.names
        about = (names.label(series), found.unit)
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
