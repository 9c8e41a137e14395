"""Loading a market: its definition (TOML), the series it names, and the sleeves made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import last_business_day, to_days
from backtest.errors import DataError
from backtest.market import reading
from backtest.market.bars import make_bars, on_bars
from backtest.market.catalogue import entry
from backtest.market.data import MarketData, Provenance
from backtest.market.definition import (
    absent,
    after_the_fact,
    find_market,
    market_names,
    missing,
    read_definition,
)
from backtest.market.formulas import Dated, Relative, Sum, changes
from backtest.market.release import known_at
from backtest.observations import Observations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from backtest.dates import Floats
    from backtest.market.data import Bars
    from backtest.market.definition import Definition
    from backtest.market.entry import Entry
    from backtest.market.formulas import Formula, Reference
    from backtest.market.sources.base import SourceSeries

__all__ = ["load_market", "market_names"]

PRICE_ONLY = "prices without dividends: every return here is too low by the dividends"


def _dated(entry: Entry, series: SourceSeries) -> Dated:
    """Return what became known of a series, each value once it was published.

    What is stamped after it was known has been looked up as far as its last value was, not to its stamp.
    """
    rule = "the announcement date" if series.announced is not None else entry.known_at
    known = known_at(rule, series.dates, series.announced)
    published = ~np.isnat(known)  # what was never announced was never known in time
    dates, known = series.dates[published], known[published]
    checked = _last(entry, series)
    if len(dates) and dates[-1] == series.last:
        checked = min(checked, known[-1])
    return Dated(dates, series.values[published], known, checked)


def _last(entry: Entry, series: SourceSeries) -> np.datetime64:
    """Return the last day that a series speaks for; a monthly value, wherever stamped, does for its month."""
    monthly = entry.frequency == "monthly"
    return last_business_day(to_days([series.last]))[0] if monthly else series.last


def _provenance(entry: Entry, series: SourceSeries) -> Provenance:
    return Provenance(series.origin, series.sha256, _last(entry, series))


def read_series(definition: Definition, reference: Reference) -> SourceSeries:
    """Return a series in the vintage that the market asks for."""
    return reading.read(entry(reference.id), reference.column, definition.vintages.get(reference.id))


class _Series:
    """The series that a market names, each read once."""

    def __init__(self, definition: Definition) -> None:
        self.read: dict[Reference, SourceSeries] = {
            reference: read_series(definition, reference) for reference in definition.references
        }

    def dated(self, reference: Reference) -> Dated:
        return _dated(entry(reference.id), self.read[reference])

    def provenance(self) -> dict[str, Provenance]:
        return {entry(r.id).id: _provenance(entry(r.id), series) for r, series in self.read.items()}


def _sleeve(bars: Bars) -> Callable[[Reference], Dated]:
    def get(reference: Reference) -> Dated:
        returns = bars.column(reference.id)
        present = np.isfinite(returns)
        dates = bars.dates[present]
        return Dated(dates, returns[present], dates, dates[-1])

    return get


def _evaluated(id: str, formula: Formula, series: _Series, bars: Bars) -> Dated:
    get = _sleeve(bars) if isinstance(formula, Relative) else series.dated
    try:
        return formula.evaluate(get)
    except DataError as error:
        raise DataError(f"the series '{id}' of the market cannot be made: {error}") from None


def _observed(id: str, dated: Dated) -> Observations:
    return Observations(id, dated.dates, dated.values, dated.known_at, dated.checked)


def _observations(
    definition: Definition, series: _Series, bars: Bars
) -> tuple[dict[str, Observations], dict[str, str], frozenset[str]]:
    """Return the series that strategies may use, which role is which, and which nobody may use.

    A role that is nothing but one series of the catalogue is that series; the inputs of the others are
    there under their own ids as well.
    """
    observations, roles, never = {}, {}, set()
    for role, formula in definition.series.items():
        single = formula.single if isinstance(formula, Sum) else None
        id = single.id if single and not single.column else role
        roles[role] = id
        if after_the_fact(formula):
            never.add(id)
            continue
        observations[id] = _observed(id, _evaluated(id, formula, series, bars))
        for reference in formula.references:
            if not reference.column and reference.id not in observations:
                observations[reference.id] = _observed(reference.id, series.dated(reference))
    return observations, roles, frozenset(never)


def _policy(formula: Formula, series: _Series, bars: Bars) -> Observations:
    """Return the policy rate's first level and its changes: what daily figures repeat is left out."""
    single = formula.single if isinstance(formula, Sum) else None
    id = single.id if single else "policy"
    return _observed(id, changes(_evaluated(id, formula, series, bars)))


def stored_series(id: str) -> tuple[Observations, Provenance]:
    """Return a series of the catalogue or the store that no market need name, and where it comes from."""
    about = entry(id)
    read = reading.read(about)
    dated = _dated(about, read)
    return _observed(id, dated), _provenance(about, read)


def with_series(market: MarketData, ids: Iterable[str]) -> MarketData:
    """Return the market with these series, which the store has, beside its own."""
    found = {id: stored_series(id) for id in ids if id not in market.observations}
    if not found:
        return market
    return replace(
        market,
        observations={**market.observations, **{id: series for id, (series, _) in found.items()}},
        provenance={**market.provenance, **{id: where for id, (_, where) in found.items()}},
    )


def _factors(definition: Definition, bars: Bars) -> dict[str, Floats]:
    """Return the factors that are stored, at each bar."""
    found = {}
    for name, formula in definition.factors.items():
        if not any(absent(entry(reference.id)) for reference in formula.references):
            read = {r: read_series(definition, r) for r in formula.references}
            found[name] = on_bars(formula, read, bars.dates, definition.frequency)
    return found


def load_market(name: str | Path) -> MarketData:
    """Return a market's data.

    Parameters
    ----------
    name
        A shipped market's name, or the path of a market file or of a folder with ``market.toml``.

    Raises
    ------
    UsageError
        When there is no such market; the nearest one is named.
    DataError
        When its file or its series are not what they are declared to be, or its series are not stored
        yet; the sentence then has the command that gets them.
    """
    definition = read_definition(find_market(str(name)))
    lacking = [e.id for e in missing(definition)]
    if lacking:
        raise DataError(
            f"the market '{definition.name}' needs {len(lacking)} series that are not stored yet "
            f"({', '.join(lacking[:3])}{', ...' if len(lacking) > 3 else ''}); "
            "get them with: rotation data fetch"
        )
    series = _Series(definition)
    bars = make_bars(definition, series.read)
    observations, roles, never = _observations(definition, series, bars)
    policy = None
    if definition.policy is not None:
        rate = _policy(definition.policy, series, bars)
        observations[rate.id] = rate
        policy = rate.id
        roles["policy"] = rate.id
    prices = any(entry(r.id).kind == "price" for f in definition.sleeves.values() for r in f.references)
    return MarketData(
        name=definition.name,
        title=definition.title,
        frequency=definition.frequency,
        proxy="; ".join(filter(None, [definition.proxy, PRICE_ONLY if prices else ""])),
        more=definition.more,
        benchmark=definition.benchmark,
        bars=bars,
        observations=observations,
        policy=policy,
        after_the_fact=never,
        provenance=series.provenance(),
        roles=roles,
        factors=_factors(definition, bars),
        hindsight={r.id: found for r, found in series.read.items() if r.id in never},
    )
