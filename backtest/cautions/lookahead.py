"""No look-ahead, shown on the strategy itself: the future is overwritten, and what was decided must stand."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.cautions.brought import brought
from backtest.dates import EVERY_FILL
from backtest.decisions import filled
from backtest.errors import LookAheadError, RotationError
from backtest.market.data import Bars
from backtest.rules.reading import nodes, own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.dates import Floats, Ints
    from backtest.market.data import MarketData
    from backtest.rules.ruling import Ruling
    from backtest.scripting.strategy import Strategy
    from backtest.series import Series

_SECONDS = 20.0  # what the check of a run may take; of more changes, as many as fit, drawn at random
_FEWEST = 8
_NAMED = 6  # days chosen by hand that are named
_NEARLY = 0.9


def _other_future(series: Series, day: np.datetime64, random: np.random.Generator) -> Series:
    """Return a series of which all that became known on or after ``day`` has other values and other dates."""
    known = int(np.searchsorted(series.known_at, day))
    n = max(len(series.dates) - known + int(random.integers(-2, 3)), int(known == 0))
    if n <= 0:
        return series.only(slice(known))
    span = max(int((series.dates[-1] - day).astype(int)), 4 * n)
    begin = max(day, series.dates[known - 1] + 1) if known else day
    steps = np.sort(random.choice(span, size=n, replace=False)).astype("timedelta64[D]")
    dates = begin + steps
    # A walk of the series' own size, with its own jumps: noise that thresholds and events respond to.
    # What was always positive stays so: a script may take its logarithm.
    positive = bool((series.values > 0.0).all())
    past = np.log(series.values) if positive else series.values
    jumps = np.diff(past) if len(past) > 1 else np.ones(1)
    walk = np.cumsum(random.choice(np.r_[jumps, -jumps], size=n) * random.uniform(0.5, 3.0))
    values = past[max(known - 1, 0)] + walk
    if positive:
        values = np.exp(np.clip(values, past.min() - 1.0, past.max() + 1.0))
    new = {"dates": dates, "values": values, "known_at": dates + random.integers(0, 3)}
    return replace(series, **{name: np.r_[getattr(series, name)[:known], of] for name, of in new.items()})


def other_future(market: MarketData, day: np.datetime64, seed: int) -> MarketData:
    """Return a market that is the same before ``day`` and another one from it on.

    The returns of all bars on or after ``day`` are noise, and every observation that became known on or
    after it has another value, another date, or is gone; new ones are there. The dates of the bars stay:
    they are the calendar.
    """
    random = np.random.default_rng(seed)
    returns = market.bars.returns.copy()
    later = market.bars.dates >= day
    present = np.isfinite(returns[later])
    noise = random.normal(0.0, 0.1, size=returns[later].shape)
    returns[later] = np.where(present, np.clip(noise, -0.5, 1.0), np.nan)
    return replace(
        market,
        bars=Bars(market.bars.dates, market.bars.sleeves, returns),
        observations={id: _other_future(series, day, random) for id, series in market.observations.items()},
    )


def other_data(market: MarketData) -> MarketData:
    """Return a market of the same calendars and days of publication whose values are all other ones."""
    random = np.random.default_rng(0)
    returns = market.bars.returns
    shuffled = np.full_like(returns, np.nan)
    for column, mine in zip(shuffled.T, returns.T, strict=True):
        there = np.isfinite(mine)
        column[there] = random.permutation(mine[there])
    observations = {}
    for id, series in market.observations.items():
        # The series' own changes in another order, half of them the other way round.
        positive = bool((series.values > 0.0).all())
        steps = np.diff(np.log(series.values) if positive else series.values)
        walk = np.cumsum(np.r_[0.0, random.permutation(steps) * random.choice([-1.0, 1.0], len(steps))])
        walk += random.permutation(np.log(series.values) if positive else series.values)[0]
        observations[id] = replace(series, values=np.exp(np.clip(walk, -50, 50)) if positive else walk)
    bars = Bars(market.bars.dates, market.bars.sleeves, shuffled)
    return replace(market, bars=bars, observations=observations)


def decided(
    strategy: Strategy, market: MarketData, values: Mapping[str, Any], *, decide: str = EVERY_FILL
) -> Floats:
    """Return the target weights that a strategy decides at every fill, (n_fills, n_sleeves)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a script's own function may well wonder at other data
        return filled(strategy.ruling(market, values, decide=decide).decision, market.bars.sleeves)


def _changes(weights: Floats) -> tuple[int, Ints]:
    """Return the first fill at which weights are known, and those at which they change."""
    usable = np.flatnonzero(np.isfinite(weights).all(axis=1))
    first = int(usable[0]) if len(usable) else len(weights)
    return first, first + 1 + np.flatnonzero((weights[first + 1 :] != weights[first:-1]).any(axis=1))


def check(
    strategy: Strategy,
    values: Mapping[str, Any],
    ruling: Ruling,
    trials: int | None = None,
    seed: int = 0,
) -> None:
    """Overwrite the future from several days on; no weight filled up to each of them may change.

    A fill on day t uses what was known before t, so all that became known on t or later is overwritten. The
    comparison is bit for bit. The days are those of all changes of the weights, where foresight shows: the
    news that brought one may not have been out yet. Of ``trials`` days, every other one is any day.

    Raises
    ------
    LookAheadError
        When a weight changes; the sentence names the day of the fill.
    """
    market, decide = ruling.market, ruling.known.fills.decide
    weights = filled(ruling.decision, market.bars.sleeves)
    random, began = np.random.default_rng(seed), time.monotonic()
    first, changes = _changes(weights)
    if first >= len(weights) - 1:
        return
    if trials is None:
        days = random.permutation(changes)
    else:
        days = random.integers(first, len(weights), trials)
        days[::2] = random.choice(changes, len(days[::2])) if len(changes) else days[::2]
    for trial, fill in enumerate(days.tolist()):
        if trials is None and trial >= _FEWEST and time.monotonic() - began > _SECONDS:
            return
        day = market.bars.dates[fill]
        try:
            changed = decided(strategy, other_future(market, day, seed + trial), values, decide=decide)
        except RotationError:
            continue  # a function of the script's own that cannot do with noise says nothing of the future
        one, other = weights[: fill + 1], changed[: fill + 1]
        same = ((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1)
        if not same.all():
            at = market.bars.dates[same.argmin()]
            raise LookAheadError(
                f"{strategy.name} looks ahead: what it holds from the fill of {at} on changes with what only "
                f"became known on or after {day}; use what the market hands out, nothing kept from elsewhere"
            )


def agreement(one: Floats, other: Floats) -> float:
    """Return how far two histories of weights agree beyond chance: 1 where they are the same, 0 by chance.

    It is Cohen's kappa, of weights: chance is what the same holdings would agree by in any other order. NaN
    where one of them never changes, which needs no data to be the same.
    """
    first = max(_changes(one)[0], _changes(other)[0])
    one, other = one[first:], other[first:]
    if len(one) == 0 or (one == one[0]).all():
        return math.nan
    apart = 0.5 * np.abs(one - other).sum(axis=1).mean()
    tables = [np.unique(weights, axis=0, return_counts=True) for weights in (one, other)]
    (rows, counts), (others, other_counts) = tables
    distances = 0.5 * np.abs(rows[:, None] - others[None]).sum(axis=2)
    chance = (distances * counts[:, None] * other_counts).sum() / len(one) ** 2
    return 1.0 - apart / chance if chance > 0.0 else math.nan


def doubts(strategy: Strategy, values: Mapping[str, Any], ruling: Ruling) -> tuple[str, ...]:
    """Return what is to be said first of a run whose script brings something of its own along.

    Python cannot keep a script from reading a file, and a function may carry answers with it. So the rule is
    decided once more on a market whose data are all other: what it then still holds does not come from them.
    """
    market, rule = ruling.market, ruling.rule
    said = brought(rule, strategy.file)
    chosen = [day for node in nodes(rule) if node.op == "events" for day in node.args[0]]
    if chosen:
        more = f" and {len(chosen) - _NAMED} more" if len(chosen) > _NAMED else ""
        said.append(f"it uses days chosen by hand, with hindsight: {', '.join(chosen[:_NAMED])}{more}")
    if own(rule):
        try:
            elsewhere = decided(strategy, other_data(market), values, decide=ruling.known.fills.decide)
            same = agreement(filled(ruling.decision, market.bars.sleeves), elsewhere)
        except RotationError as error:
            said.append(
                f"it could not be shown that what it holds comes from the data: on other data {error}"
            )
        else:
            if same > _NEARLY:
                said.append(
                    "what it holds does not come from the data: on a market of all other data it holds "
                    f"{'the same' if same == 1.0 else 'nearly the same'}"
                )
    return tuple(said)
