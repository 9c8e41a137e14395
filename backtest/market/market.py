"""The market as a strategy sees it: at a fill, what was known before it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from backtest.errors import LookAheadError, RotationError, UsageError, nearest
from backtest.signals.policy import PolicyRate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Fills, Floats
    from backtest.observations import Observations


@dataclass(frozen=True, eq=False)
class Market:
    """What a strategy may ask of a market: facts as they were known at each fill.

    It holds no future: a strategy gets signals, and values as of a fill, never returns to come.

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
    """

    name: str
    fills: Fills
    observations: Mapping[str, Observations]
    policy_id: str | None = None
    after_the_fact: frozenset[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def policy(self) -> PolicyRate:
        """The policy rate, with its first cuts."""
        if self.policy_id is None:
            raise RotationError(
                f"the market '{self.name}' has no policy rate; its file names one as: policy = \"...\""
            )
        return PolicyRate(self.fills, self.observations[self.policy_id])

    def as_of(self, series: str) -> Floats:
        """Return a series' latest value known at each fill, (n_fills,) float64, NaN before the first.

        ``series`` is a role or an id.

        Raises
        ------
        UsageError
            When the market has no such series; the nearest one is named.
        LookAheadError
            When the series was only known long after the months it is about.
        """
        series = self.roles.get(series, series)
        if series in self.after_the_fact:
            raise LookAheadError(
                f"{series} was not known in its time, so no strategy may use it; "
                f"there are: {', '.join(sorted(self.observations))}"
            )
        if series not in self.observations:
            known = {*self.roles, *self.observations}
            raise UsageError(f"the market '{self.name}' has no series '{series}'; {nearest(series, known)}")
        return self.observations[series].as_of(self.fills)
