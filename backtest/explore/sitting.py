"""A sitting: one page's hand, what it was shown, how many positions that were, and what is hidden from it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.errors import RotationError, UsageError
from backtest.explore.follower import Engine, Follower, Glimpse
from backtest.explore.pictures import picture
from backtest.explore.plane import Plane, plane_of
from backtest.explore.position import Position, Wanted, read_position
from backtest.explore.tries import Tries, by_month
from backtest.records.shading import cuts, recessions
from backtest.scripting.loading import load_strategy
from backtest.scripting.own_modules import digest, own_modules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backtest.dates import Days
    from backtest.explore.tries import Luck
    from backtest.market.data import Bars, MarketData
    from backtest.records.shading import Spans
    from backtest.reporting.chart import Chart
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy
    from backtest.terms import Terms


@dataclass(frozen=True)
class Revealed:
    """What was hidden, and when it was shown: after so many tries, and how it went on.

    ``before`` and ``after`` are the runs up to the hidden day and from it on, one a strategy.
    """

    day: str
    tried: int
    before: tuple[Run, ...]
    after: tuple[Run, ...]


@dataclass(frozen=True, eq=False)
class Look:
    """What is drawn of a position at once; ``beside`` are the benchmarks' measures, where they are known."""

    position: Position
    glimpses: tuple[Glimpse, ...]
    figure: Chart
    tried: int
    beside: dict[str, dict[str, float]]


@dataclass(frozen=True, eq=False)
class Settled:
    """What follows a moment later: the runs themselves, and what the tries so far make of each of them."""

    runs: tuple[Run, ...]
    luck: tuple[Luck, ...]


class Watched:
    """A strategy's script and the modules beside it: when they changed, and ``made``, the digest of all."""

    def __init__(self, named: str, strategy: Strategy) -> None:
        self._named, self.made = named, digest(strategy)
        self._script = Path(strategy.file)
        self._times = self._now()

    def news(self) -> Strategy | None:
        """Return the strategy as it is now; None where nothing has changed since it was last asked for.

        Raises
        ------
        RotationError
            When what changed cannot be read as a strategy; asked again, it is None until it changes again.
        """
        times = self._now()
        if times == self._times:
            return None
        self._times = times
        strategy = load_strategy(self._named)
        self.made = digest(strategy)
        return strategy

    def _now(self) -> dict[Path, int]:
        files = [self._script, *own_modules(self._script).values()]
        return {file: file.stat().st_mtime_ns for file in files if file.is_file()}


class Sitting:
    """Answers one page.

    Parameters
    ----------
    named
        What the strategies are called by: names, or paths of scripts, which are watched.
    strategies, market
        What is explored, and on what.
    terms, given
        Where the hand begins: the terms, and the parameters of each strategy that are not at their defaults.
    hidden
        The last day that is shown until ``reveal``; None to show everything.
    revealed
        What another page was shown of it: what was seen once is hidden no more.
    """

    def __init__(
        self,
        named: Sequence[str],
        strategies: Sequence[Strategy],
        market: MarketData,
        terms: Terms,
        given: Sequence[Mapping[str, Any]],
        hidden: str | None = None,
        revealed: Revealed | None = None,
    ) -> None:
        self.named, self.market, self._terms, self._given = tuple(named), market, terms, given
        self.hidden, self.revealed = (hidden if revealed is None else None), revealed
        self.tries = Tries()
        self._watched = [Watched(*each) for each in zip(named, strategies, strict=True)]
        self._engine = Engine()
        self._followers = [Follower(each, market, self._engine) for each in strategies]
        self._lock = threading.Lock()
        self._latest: Position | None = None
        self._shading: tuple[Any, tuple[Spans, Spans]] = (None, ([], []))
        self._beside: tuple[Any, dict[str, dict[str, float]]] = (None, {})

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """The strategies as their scripts stood when they last could be read."""
        return tuple(each.strategy for each in self._followers)

    @property
    def start(self) -> Position:
        """Where the hand begins; a parameter that a script has no longer is left out."""
        return Position(
            tuple(
                each.bind({p.name: own[p.name] for p in each.parameters if p.name in own})
                for each, own in zip(self.strategies, self._given, strict=True)
            ),
            self._terms,
        )

    def require_start(self) -> None:
        """Refuse where the hand begins, if nothing can be drawn there; errors as ``shown``."""
        self._together(self._visible(self.start))

    def changed(self) -> str | None:
        """Return None where no script has changed; an empty text where one was read anew; else a fault."""
        with self._lock:
            news = None
            for place, watched in enumerate(self._watched):
                try:
                    strategy = watched.news()
                except RotationError as error:
                    return str(error)
                if strategy is not None:
                    self._followers[place] = Follower(strategy, self.market, self._engine)
                    news = ""
            return news

    def shown(self, wanted: Wanted) -> Look:
        """Return what is drawn of a position, which thereby has been tried.

        Raises
        ------
        RotationError
            When a value cannot be used, or the strategy cannot run there.
        """
        position = self._latest = self._position(wanted)
        glimpses = self._together(position)
        for which, (each, strategy) in enumerate(zip(glimpses, self.strategies, strict=True)):
            months, active = by_month(each.bars.dates, each.active)
            with self._lock:
                self.tries.add(position.key(strategy, which, self._watched[which].made), months, active)
        self._engine.warm_up(glimpses[0])
        shaded = self._shaded(glimpses[0].bars.dates)
        figure = picture(glimpses, *shaded, linear=wanted.linear)
        over, beside = self._beside
        known = beside if over == _over(glimpses[0].bars, glimpses[0].placement.terms) else {}
        return Look(position, glimpses, figure, len(self.tries), known)

    def settled(self, wanted: Wanted) -> Settled | None:
        """Return what follows a moment later; None where the hand has moved on. Errors as ``shown``."""
        position, runs = self._position(wanted), []
        terms = self._shared(position)
        for follower, values in zip(self._followers, position.values, strict=True):
            if self._latest != position:
                return None
            runs.append(follower.run(terms, values))
        self._beside = (_over(runs[0].bars, runs[0].terms), runs[0].benchmarks)
        with self._lock:
            so_far = self.tries.so_far()
        best = so_far.best_by_luck()
        return Settled(tuple(runs), tuple(best.luck(each.skill.whole.pvalue) for each in runs))

    def plane(self, wanted: Wanted, which: int, axes: tuple[str, str], objective: str) -> Plane:
        """Return the plane of two parameters of one of the strategies, all points of which are tried then."""
        position = self._position(wanted)
        if not 0 <= which < len(self._followers):
            raise UsageError(f"there is no strategy {which + 1} on this page; reload it")
        strategy = self._followers[which].strategy
        found = plane_of(strategy, self.market, position.terms, position.values[which], axes, objective)
        made = self._watched[which].made
        keys = (position.with_values(which, each).key(strategy, which, made) for each in found.points)
        with self._lock:
            self.tries.add_all(keys, found.months, found.sample)
        return found

    def reveal(self, wanted: Wanted) -> Revealed:
        """Show what was hidden, once, at the position where the hand is.

        Raises
        ------
        UsageError
            When nothing is hidden.
        """
        if self.hidden is None:
            raise UsageError("nothing is hidden in this sitting")
        position = self._position(wanted)
        day, tried = self.hidden, len(self.tries)
        before = self._runs(position)
        self.hidden = None
        end = wanted.terms.get("end")
        after = self._runs(position.over(day, str(end) if end else None))
        self.revealed = Revealed(day, tried, before, after)
        return self.revealed

    def runs(self, wanted: Wanted) -> tuple[Run, ...]:
        """Return the runs of a position, as they are on the screen, to be kept as reports."""
        return self._runs(self._position(wanted))

    def _runs(self, position: Position) -> tuple[Run, ...]:
        terms = self._shared(position)
        pairs = zip(self._followers, position.values, strict=True)
        return tuple(follower.run(terms, values) for follower, values in pairs)

    def _shared(self, position: Position) -> Terms:
        """Return a position's terms, from the first fill on that all its strategies have."""
        if len(self._followers) == 1:
            return position.terms
        start = np.max([each.bars.dates[0] for each in self._together(position)])
        return msgspec.structs.replace(position.terms, start=str(start))

    def _position(self, wanted: Wanted) -> Position:
        return self._visible(read_position(wanted, self.strategies))

    def _visible(self, position: Position) -> Position:
        """Return a position without what is hidden; UsageError where it asks for that."""
        if self.hidden is None:
            return position
        start, end = position.terms.start, position.terms.end
        for what, day in (("start", start), ("end", end)):
            if day is not None and day > self.hidden:
                raise UsageError(
                    f"the {what} {day} lies in what is hidden, all that came after {self.hidden}"
                )
        return position.over(start, end or self.hidden)

    def _shaded(self, dates: Days) -> tuple[Spans, Spans]:
        """Return the rows of cuts and the recessions within dates."""
        over, found = self._shading
        ends = (dates[0], dates[-1])
        if over != ends:
            found = (cuts(self.market, dates), recessions(self.market, dates))
            self._shading = (ends, found)
        return found

    def _together(self, position: Position) -> tuple[Glimpse, ...]:
        """Return what is glimpsed of each strategy, over the bars that all of them have."""
        pairs = list(zip(self._followers, position.values, strict=True))
        found = [follower.glimpse(position.terms, values) for follower, values in pairs]
        first = np.max([each.bars.dates[0] for each in found])
        terms: Terms = msgspec.structs.replace(position.terms, start=str(first))
        return tuple(
            each if each.bars.dates[0] == first else follower.glimpse(terms, values)
            for each, (follower, values) in zip(found, pairs, strict=True)
        )


def _over(bars: Bars, terms: Terms) -> Any:
    """Return what the measures of the benchmarks depend on."""
    return str(bars.dates[0]), str(bars.dates[-1]), terms.benchmark, terms.real
