"""Standing: what a strategy holds now, since when, on which facts, and what would change it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.dates import (
    DAYS_A_YEAR,
    EVERY_FILL,
    at_month_ends,
    calendar_of,
    last_business_day,
    month_start,
    parse_day,
    to_days,
    today,
)
from backtest.decisions import deciding, filled
from backtest.errors import RotationError, UsageError
from backtest.files import whole_file
from backtest.market.catalogue import catalogue, written
from backtest.market.data import Bars, MarketData
from backtest.market.load import load_market
from backtest.market.release import ANNOUNCED, known_at
from backtest.market.store import data_folder
from backtest.parameters import Value
from backtest.records.document import Day, read_document
from backtest.rules.expressions import Signal
from backtest.rules.reading import reads
from backtest.rules.why import Fact, facts, flips
from backtest.scripting.loading import load_strategy
from backtest.shown import Shown
from backtest.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Days
    from backtest.rules.ruling import Ruling
    from backtest.scripting.strategy import Strategy
    from backtest.series import Series

EARLIER = 6
"""As many of what was held before are told."""

HORIZON = 20
"""For so many years ahead it is known when time alone changes the answer."""


class Release(msgspec.Struct, frozen=True):
    """The next value of a series that was not known yet: the day on which it is due."""

    series: str
    date: Day


class Change(msgspec.Struct, frozen=True):
    """What is held from a fill on."""

    date: Day
    hold: dict[str, float]


class Standing(Shown, msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy holds now, as ``signal --json`` prints it; days are text, ``YYYY-MM-DD``.

    Parameters
    ----------
    strategy, parameters, market, proxy
        What was asked, by name, and in what respect the market is a proxy.
    as_of
        The last day whose news counts.
    decide
        At which fills it decides, one of ``dates.CALENDARS``.
    fill
        The first fill after it, at which ``hold`` is to be held.
    hold
        Weights by sleeve; those of 0 are left out.
    since
        The fill since which the target has been the same, ``fill`` itself for a change to come.
    held_before
        What was held before, from when on: the last ``EARLIER`` targets, the latest first.
    because
        The facts that decide, each with the day it became known.
    flips_if
        The moves each of which would change the target; the strategy's own words are its parameters.
    without_news
        What is held from when on if nothing becomes known; None where it stays.
    checked_up_to
        The last day for which each input of the decision has been looked up, and no later than ``as_of``: the
        decision is as old as the oldest of them. None where it has no input.
    next_news
        The next values of the series that decide, as far as their days are known, the next one first.
    out_of_date
        Sentences about series that should have had news by ``as_of`` but have none in the data: up to when
        they are known, and how long before ``as_of`` that is.

    Examples
    --------
    >>> from backtest import signal
    >>> now = signal("rate_cut", as_of="2019-08-15")
    >>> now.since, len(now.because)
    ('2019-08-30', 1)
    """

    strategy: str
    parameters: dict[str, Value]
    market: str
    proxy: str | None
    as_of: Day
    decide: str
    fill: Day
    hold: dict[str, float]
    since: Day
    held_before: tuple[Change, ...]
    because: tuple[Fact, ...]
    flips_if: list[str]
    without_news: Change | None
    checked_up_to: Day | None
    next_news: list[Release]
    out_of_date: list[str]


class StandingSince(Standing, frozen=True, kw_only=True):
    """The same, what was held when it was last asked, if ever, and whether that is another."""

    before: dict[str, float] | None
    changed: bool

    @classmethod
    def of(cls, standing: Standing, before: dict[str, float] | None, changed: bool) -> StandingSince:
        """Return what ``signal --changed --json`` prints of a strategy."""
        return cls(**msgspec.structs.asdict(standing), before=before, changed=changed)


def _extended(dates: Days, frequency: str, day: np.datetime64) -> tuple[Days, int]:
    """Return the fills up to ``HORIZON`` years past ``day``, and which of them is the first after it."""
    end = max(day, dates[-1]) + np.timedelta64(366 * HORIZON, "D")
    later = np.arange(dates[-1] + 1, end)
    if frequency == "monthly":
        # The month of the last bar is over, so the next is that of the month after it.
        later = np.unique(last_business_day(month_start(later)))
        later = later[later > last_business_day(dates[-1:])[0]]
    else:
        later = later[np.is_busday(later)]
    calendar = np.r_[dates, later]
    return calendar, int(np.searchsorted(calendar, day, "right"))


def _known_by(market: MarketData, day: np.datetime64) -> tuple[MarketData, int]:
    """Return the market with what is known on ``day`` and its calendar beyond, and the next fill's index."""
    calendar, fill = _extended(market.bars.dates, market.frequency, day)
    returns = np.full((len(calendar), len(market.bars.sleeves)), np.nan)
    past = min(fill, len(market.bars.dates))
    returns[:past] = market.bars.returns[:past]
    observations = {}
    for id, series in market.observations.items():
        known = int(np.searchsorted(series.known_at, day, "right"))
        if known:
            checked = None if series.checked is None else min(series.checked, day)
            observations[id] = replace(series.only(slice(known)), checked=checked)
    bars = Bars(calendar, market.bars.sleeves, returns)
    return replace(market, bars=bars, observations=observations), fill


def _spacing(dates: Days) -> str:
    """Return how often a series has had values of late: daily, monthly or irregular."""
    gaps = np.diff(dates[-13:]).astype(int)
    if len(gaps) >= 3 and np.median(gaps) <= 4 and gaps.max() <= 7:
        return "daily"
    return "monthly" if len(gaps) >= 3 and gaps.min() >= 27 and gaps.max() <= 63 else "irregular"


def _next_release(series: Series) -> np.datetime64 | None:
    """Return the day on which the value after the last one is due; None where nobody knows it."""
    about = written(series.id)
    frequency = about.frequency if about else _spacing(series.dates)
    if frequency == "monthly":
        following = month_start(series.dates[-1:], 1)
        if series.id not in catalogue() and at_month_ends(series.dates[-13:]):
            following = last_business_day(following)
    elif frequency == "daily":
        following = to_days(np.busday_offset(series.dates[-1:], 1, roll="backward"))
    else:
        return None
    if about and about.known_at != ANNOUNCED:
        return known_at(about.known_at, following)[0]
    # Of a market of one's own making: as long after its date as the last one.
    return following[0] + (series.known_at[-1] - series.dates[-1])


def _moves(ruling: Ruling, fill: int) -> list[str]:
    """Return the moves each of which alone would change what is to be held at a fill, each once."""
    rule, decide = ruling.rule, ruling.known.fills.decide
    signals = [each for each in rule.inputs if isinstance(each, Signal)]
    turning = deciding(rule, [ruling.value(each).at(fill) for each in signals])
    if rule.op == "rotated":
        return flips(ruling, rule, fill) if any(turning) else []
    waits = "" if decide == EVERY_FILL else f" (decided at {decide}s)"
    parts = [each for each, turns in zip(signals, turning, strict=True) if turns]
    return list(dict.fromkeys(f"{move}{waits}" for part in parts for move in flips(ruling, part, fill)))


def _releases(market: MarketData, inputs: list[str]) -> list[Release]:
    """Return when each series that decides has its next value, by day; sleeves have theirs at each close.

    Of the policy rate only the changes are kept, and nobody knows when the next one comes.
    """
    releases = []
    for id in inputs:
        if id == market.policy:
            continue
        if id in market.observations:
            due = _next_release(market.observations[id])
            releases += [] if due is None else [Release(id, str(due))]
        elif id in market.bars.sleeves:
            known = np.flatnonzero(np.isfinite(market.bars.column(id)))
            releases += [Release(id, str(market.bars.dates[known[-1] + 1]))] if len(known) else []
    return sorted(releases, key=lambda release: (release.date, release.series))


def _ago(earlier: np.datetime64, day: np.datetime64) -> str:
    """Return how long before ``day`` another one lies, in the largest unit that says enough."""
    days = int((day - earlier).astype(int))
    count, unit = days, "day"
    if days >= 730:
        count, unit = round(days / DAYS_A_YEAR), "year"
    elif days >= 61:
        count, unit = round(days / (DAYS_A_YEAR / 12.0)), "month"
    return f"{counted(count, unit)} before {day}"


def _known_up_to(market: MarketData, id: str) -> np.datetime64:
    """Return the last day for which a series or a sleeve has been looked up."""
    if id not in market.observations:
        return market.bars.dates[np.flatnonzero(np.isfinite(market.bars.column(id)))[-1]]
    checked, dates = market.observations[id].checked, market.observations[id].dates
    if checked is not None:
        return checked
    # A monthly value, wherever in its month it is stamped, speaks for the month's end.
    return last_business_day(dates[-1:])[0] if _spacing(dates) == "monthly" else dates[-1]


def _stale(market: MarketData, inputs: list[str], releases: list[Release], day: np.datetime64) -> list[str]:
    late = []
    for release in releases:
        if release.date <= str(day):
            known = _known_up_to(market, release.series)
            late.append(
                f"{release.series} is known up to {known}, {_ago(known, day)}; "
                f"its next value was due on {release.date}"
            )
    dated = {release.series for release in releases}
    for id in [id for id in inputs if id not in dated and id in market.observations]:
        checked = market.observations[id].checked
        if checked is not None and checked < day:
            late.append(
                f"{id} is known up to {checked}, {_ago(checked, day)}; what came later is not in the data"
            )
    return late


def _checked(market: MarketData, inputs: list[str]) -> np.datetime64 | None:
    days = [
        _known_up_to(market, id) for id in inputs if id in market.observations or id in market.bars.sleeves
    ]
    return min(days, default=None)


def signal(
    strategy: Strategy | str,
    market: MarketData | str = "embedded",
    *,
    as_of: Any = None,
    decide: str = EVERY_FILL,
    **parameters: Any,
) -> Standing:
    """Say what a strategy holds now, and why.

    Parameters
    ----------
    strategy, market
        What ``load_strategy`` and ``load_market`` return, or the names that they take.
    as_of
        The last day whose news counts; today by default.
    decide
        At which fills it decides, as in ``run``.
    parameters
        The strategy's own, by name.

    Raises
    ------
    UsageError
        When a name, a value or a date cannot be used.
    RotationError
        When the strategy's inputs are not known yet on that day.

    Examples
    --------
    >>> from backtest import signal
    >>> signal("rate_cut", as_of="2019-08-15").hold
    {'small': 1.0}
    """
    strategy, market = load_strategy(strategy), load_market(market)
    values = strategy.bind(parameters)
    day = today() if as_of is None else parse_day(as_of, "the day")
    if day > today():
        raise UsageError(f"the day {day} has not come yet; name today, {today()}, or a day before it")
    if day < market.bars.dates[0]:
        raise UsageError(f"the day {day} lies before the data, which begin on {market.bars.dates[0]}")
    market = strategy.complete(market, values)
    decide = calendar_of(decide)
    then, fill = _known_by(market, day)
    ruling = strategy.ruling(then, values, decide=decide)
    decision, weights = ruling.decision, filled(ruling.decision, then.bars.sleeves)
    if decision.first_fill > fill:
        raise RotationError(
            f"{strategy.name} holds nothing yet on {day}: its inputs are not all known (a signal needs its "
            "history first)"
        )
    changed = 1 + np.flatnonzero((weights[1:] != weights[:-1]).any(axis=1))
    after = changed[changed > fill]
    inputs = sorted(reads(ruling.rule, ruling.known.names))
    releases = _releases(then, inputs)
    dates = then.bars.dates

    def held(index: int) -> dict[str, float]:
        named = zip(then.bars.sleeves, weights[index].tolist(), strict=True)
        return {sleeve: weight for sleeve, weight in named if weight}

    checked = _checked(then, inputs)
    # Where each target begins, the present one last.
    begins = [decision.first_fill, *changed[(changed > decision.first_fill) & (changed <= fill)].tolist()]
    return Standing(
        strategy=strategy.name,
        parameters=values,
        market=market.name,
        proxy=market.proxy or None,
        as_of=str(day),
        decide=decide,
        fill=str(dates[fill]),
        hold=held(fill),
        since=str(dates[begins[-1]]),
        held_before=tuple(Change(str(dates[at]), held(at)) for at in begins[-2 : -2 - EARLIER : -1]),
        because=tuple(facts(ruling, ruling.rule, fill)),
        flips_if=_moves(ruling, fill),
        without_news=Change(str(dates[after[0]]), held(int(after[0]))) if len(after) else None,
        checked_up_to=None if checked is None else str(checked),
        next_news=[release for release in releases if release.date > str(day)],
        out_of_date=_stale(then, inputs, releases, day),
    )


def since_last_asked(found: Sequence[tuple[Strategy, Standing]]) -> list[dict[str, float] | None]:
    """Return what each strategy held when this was last asked, and keep what it holds now.

    None for one that was not asked about before, with these parameters on this market. It is kept beside the
    stored series, in ``signals.json``.

    Raises
    ------
    UsageError
        When what was kept is damaged.
    RotationError
        When it cannot be kept.
    """
    place = data_folder() / "signals.json"
    try:
        kept = read_document(place, dict[str, dict[str, float]]) if os.path.lexists(place) else {}
    except UsageError:
        raise UsageError(f"{place} cannot be read; remove it, and holdings are kept anew") from None
    keys = [
        msgspec.json.encode([s.strategy, own.file, sorted(s.parameters.items()), s.market, s.decide]).decode()
        for own, s in found
    ]
    before = [kept.get(key) for key in keys]
    kept.update(zip(keys, (s.hold for _, s in found), strict=True))
    with whole_file(place, "what was held", "free the disk, or name another folder with --data-dir") as file:
        file.write(msgspec.json.format(msgspec.json.encode(kept)))
    return before
