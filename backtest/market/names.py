"""The names of a market: which series, roles and sleeves it has, without a single value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.errors import LookAheadError, RotationError, UsageError, joined, nearest
from backtest.market.catalogue import catalogue, written
from backtest.market.definition import markets_with
from backtest.market.reading import carried
from backtest.market.release import AFTER_THE_FACT
from backtest.market.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping


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
            if carried(about) or Store().current(id) is not None:
                return id
            raise RotationError(
                f"{name}, which the strategy needs, is not stored yet; get it with: rotation data fetch {id}"
            )
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
