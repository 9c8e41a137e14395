"""Reasons: what a signal rests on, in words; asked for by ``rotation signal``, free for everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from backtest.signals.signal import Signal


@dataclass(frozen=True)
class Fact:
    """Something that was known at a fill.

    ``value`` counts in ``unit``; ``known_at`` is the day it became known; ``series`` are the ids of the
    series it comes from.
    """

    fact: str
    value: float
    unit: str
    known_at: np.datetime64
    series: tuple[str, ...]


class Reason(Protocol):
    """Why a signal says what it says; all about its first parameter set."""

    def facts(self, fill: int) -> list[Fact]:
        """Return the facts that count at a fill."""

    def flips(self, fill: int, *, now: bool) -> list[str]:
        """Return the single moves, each of which alone would turn the answer ``now`` into the other."""

    def series(self) -> set[str]:
        """Return the ids of the series whose news can change it."""


def unique(facts: list[Fact]) -> list[Fact]:
    """Return the facts without repetitions."""
    return list(dict.fromkeys(facts))


@dataclass(frozen=True, eq=False)
class Quorum:
    """Yes while at least ``needed`` of several signals say yes."""

    parts: tuple[Signal, ...]
    needed: int

    def facts(self, fill: int) -> list[Fact]:
        """Return the parts' facts."""
        return unique([fact for part in self.parts if part.reason for fact in part.reason.facts(fill)])

    def flips(self, fill: int, *, now: bool) -> list[str]:
        """Return the moves of each part if one part is enough; else say how many parts must move."""
        states = [part.at(fill) for part in self.parts]
        movable = [(part, state) for part, state in zip(self.parts, states, strict=True) if state == now]
        count = sum(states)
        moves = count - self.needed + 1 if now else self.needed - count
        each = [
            part.reason.flips(fill, now=state) if part.reason else ["a condition of the script's own"]
            for part, state in movable
        ]
        if moves == 1:
            return [sentence for sentences in each for sentence in sentences]
        ways = [" or ".join(sentences) for sentences in each]
        if moves == len(ways):
            return [" and ".join(f"({way})" if " or " in way else way for way in ways)]
        return [f"any {moves} of: " + "; ".join(ways)]

    def series(self) -> set[str]:
        """Return the parts' series."""
        return {id for part in self.parts if part.reason for id in part.reason.series()}


@dataclass(frozen=True, eq=False)
class Negation:
    """Yes while another signal says no."""

    part: Signal

    def facts(self, fill: int) -> list[Fact]:
        """Return the other's facts."""
        return self.part.reason.facts(fill) if self.part.reason else []

    def flips(self, fill: int, *, now: bool) -> list[str]:
        """Return the moves that would turn the other."""
        return self.part.reason.flips(fill, now=not now) if self.part.reason else []

    def series(self) -> set[str]:
        """Return the other's series."""
        return self.part.reason.series() if self.part.reason else set()


@dataclass(frozen=True, eq=False)
class Held:
    """A signal whose runs were lengthened, cut short or kept apart.

    ``raw`` is the signal before, ``held`` (n_runs, 2) the starts and stops after; ``rule`` says in words what
    was done.
    """

    raw: Signal
    held: tuple[tuple[int, int], ...]
    rule: str

    def _boundary(self, fill: int) -> int | None:
        """Return the next fill at which the answer changes if the raw answer stays as it is."""
        n_fills = len(self.raw.fills.dates)
        later = [edge for run in self.held for edge in run if fill < edge < n_fills]
        return min(later) if later else None

    def facts(self, fill: int) -> list[Fact]:
        """Return the raw signal's facts and, where the answer is another, how long its run is or was."""
        facts = self.raw.reason.facts(fill) if self.raw.reason else []
        begun = [run for run in self.held if run[0] <= fill]
        if not begun or self.raw.at(fill) == (fill < begun[-1][1]):
            return facts
        dates, (start, stop) = self.raw.fills.dates, begun[-1]
        what = "months since it began" if fill < stop else "months that the last run took"
        months = (dates[[start, min(fill, stop)]].astype("datetime64[M]")).astype(int)
        fact = Fact(f"{what} ({self.rule})", float(months[1] - months[0]), "months", dates[start], ())
        return [*facts, fact]

    def flips(self, fill: int, *, now: bool) -> list[str]:
        """Return the raw signal's moves where it agrees; else what keeps the two apart."""
        moves = self.raw.reason.flips(fill, now=self.raw.at(fill)) if self.raw.reason else []
        if self.raw.at(fill) == now:
            return [f"{move} ({self.rule})" for move in moves]
        boundary = self._boundary(fill)
        if boundary is not None:
            return [f"nothing before {self.raw.fills.dates[boundary]} ({self.rule})"]
        # Its time is over: it must end before it can begin again.
        return [f"{move}, and then the reverse ({self.rule})" for move in moves]

    def series(self) -> set[str]:
        """Return the raw signal's series."""
        return self.raw.reason.series() if self.raw.reason else set()
