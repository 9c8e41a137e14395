"""A panel: small less large of many members by month, and what each member's central bank did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from backtest.dates import Fills, to_days
from backtest.errors import RotationError
from backtest.signals.policy import PolicyRate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backtest.dates import Bools, Days, Floats, Ints
    from backtest.market.data import MarketData
    from backtest.series import Series

T = TypeVar("T")

QUIET = 12
"""A first move has no other of its direction in so many months before it."""

LONGEST = 24
"""The months after a case that are asked about."""

AT_LEAST = 0.25
"""What counts as a move, in percentage points."""

NOT_HELD = "only the difference of small and large is known, which nobody can hold"
"""Why a member without a market is not run."""


@dataclass(frozen=True, eq=False)
class Member:
    """A market, or a country of which only the difference is known.

    Parameters
    ----------
    name, region
        What it is called, and where it lies; the region may be empty.
    differences
        (n_months,) small less large, simple, decimal; NaN where there is none.
    market
        (n_months,) the excess return of all its companies; NaN where it is not known.
    policy
        The rate of its central bank; None where none is known.
    size, currency
        What small and large are, and what returns are counted in, in words.
    data
        The market; None where only the difference is known.
    """

    name: str
    region: str
    differences: Floats
    market: Floats
    policy: Series | None
    size: str
    currency: str
    data: MarketData | None = None

    @property
    def frequency(self) -> str:
        """What its returns were before they were made monthly ones."""
        return "monthly" if self.data is None else self.data.frequency


@dataclass(frozen=True, eq=False)
class Panel:
    """Members by month.

    Parameters
    ----------
    name, title, proxy
        Its name, what it is in one line, and in what respect its members are not what they stand for.
    ends
        (n_months,) datetime64[D]: the last business day of each month, no month left out.
    members
        Each with as many months.
    sources
        Every series that went into it, by id.
    kind
        What its members are, in the plural.
    notes
        What its members do not have in common, and what is left out, a sentence each.
    """

    name: str
    title: str
    proxy: str
    ends: Days
    members: tuple[Member, ...]
    sources: Mapping[str, Series]
    kind: str = "countries"
    notes: tuple[str, ...] = ()

    @property
    def last(self) -> np.datetime64:
        """The last month, by its last business day."""
        return self.ends[-1]

    @property
    def differences(self) -> Floats:
        """Small less large, (n_months, n_members)."""
        return np.column_stack([member.differences for member in self.members])

    def month_of(self, days: Days) -> Ints:
        """Return each day's month as an index; it may lie before 0 or after the last."""
        return (days.astype("datetime64[M]") - self.ends[0].astype("datetime64[M]")).astype(np.int64)


def on_each_market(panel: Panel, work: Callable[[MarketData], T]) -> tuple[dict[str, T], dict[str, str]]:
    """Return by member what some work gives on its market, and why it gives nothing on the others."""
    found, refused = {}, {}
    for member in panel.members:
        if member.data is None:
            refused[member.name] = NOT_HELD
            continue
        try:
            found[member.name] = work(member.data)
        except RotationError as reason:
            refused[member.name] = str(reason)
    return found, refused


def adjusted(panel: Panel) -> Floats:
    """Return differences less each member's beta times its market's excess return, (n_months, n_members).

    The beta is that of all months, known to nobody in their time. NaN where the market's return is missing.
    """
    columns = []
    for member in panel.members:
        there = np.isfinite(member.differences) & np.isfinite(member.market)
        y, x = member.differences[there], member.market[there]
        off = x - x.mean() if len(x) else x
        beta = float(off @ y) / float(off @ off) if len(x) > 24 else np.nan
        columns.append(np.where(there, member.differences - beta * member.market, np.nan))
    return np.column_stack(columns)


def first_moves(panel: Panel, direction: float) -> tuple[Bools, list[str]]:
    """Return the months in which a first cut (-1) or a first rise (1) became known, (n_months, n_members).

    And a sentence for each thing that is left out or not seen to its end.
    """
    found = np.zeros((len(panel.ends), len(panel.members)), dtype=np.bool_)
    outside, said = [], []
    for column, member in enumerate(panel.members):
        if member.policy is None:
            continue
        turned = replace(member.policy, values=-direction * member.policy.values)
        events = PolicyRate(Fills(panel.ends), turned).first_cuts(quiet=QUIET, at_least=AT_LEAST)
        months = panel.month_of(events.dates())
        inside = (months >= 0) & (months < len(found))
        if not inside.all():
            days = [str(day)[:7] for day in events.dates()[~inside]]
            outside.append(f"{member.name} {len(days)} ({days[0]} to {days[-1]})")
        found[months[inside], column] = True
    late, before = [], []
    for month, column in np.argwhere(found):
        case = f"{panel.members[column].name} {str(panel.ends[month])[:7]}"
        returns = np.isfinite(panel.members[column].differences)
        if month + LONGEST > np.flatnonzero(returns).max(initial=-1):
            late.append(case)
        elif not returns[month + 1 : month + LONGEST + 1].all():
            before.append(case)
    if outside:
        said.append(f"Cases outside of the months of this panel, left out: {', '.join(outside)}.")
    if late:
        named = ", ".join(late)
        said.append(f"Less than {LONGEST} months of returns after them, counted as far as they go: {named}.")
    if before:
        named = ", ".join(before)
        said.append(
            f"Without returns in some of the {LONGEST} months after them, counted in the others: {named}."
        )
    return found, said + unknown(panel)


def unknown(panel: Panel) -> list[str]:
    """Return a sentence for the members without a policy rate, and one for those whose rate ends early."""
    none = [member.name for member in panel.members if member.policy is None]
    ended = [m for m in panel.members if m.policy is not None and m.policy.last < panel.ends[-2]]
    said = [f"No policy rate, so no case; in what the other members did: {', '.join(none)}."] if none else []
    if ended:
        first, last = (pick(m.policy.last for m in ended if m.policy) for pick in (min, max))
        names = ", ".join(member.name for member in ended)
        days = str(first) if first == last else f"between {first} and {last}"
        said.append(f"Policy rates end before the returns, {days}, and what came later is no case: {names}.")
    return said


def last_moves(panel: Panel, delay: int) -> Ints:
    """Return the direction of the last move, known ``delay`` months before each month, (n_months, n_members).

    -1 after a cut, 1 after a rise, 0 where nobody can tell: before the first move, also the first after a
    time without a rate, and after the end of the rate.
    """
    found = np.zeros((len(panel.ends), len(panel.members)), dtype=np.int64)
    months = np.arange(len(panel.ends)) - delay
    for column, member in enumerate(panel.members):
        if member.policy is None:
            continue
        rate = PolicyRate(Fills(panel.ends), member.policy)
        cut, rise = (rate.moved(sign, np.array([[AT_LEAST]]))[0] for sign in (-1.0, 1.0))
        # What it did before a time without a rate says nothing of the time after it.
        anew, moved = to_days(member.policy.anew), cut | rise
        known = np.r_[member.policy.known_at[1:][moved], anew]
        order = np.argsort(known, kind="stable")
        known, way = (
            known[order],
            np.r_[np.where(cut, -1, 1)[moved], np.zeros(len(anew), dtype=np.int64)][order],
        )
        at = np.searchsorted(panel.month_of(known), months, "right") - 1
        there = (at >= 0) & (months <= panel.month_of(np.array([member.policy.last]))[0])
        found[there, column] = way[at[there]]
    return found
