"""Loading a market: its definition (TOML), the series it names, and the sleeves made of them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.composed import composition
from backtest.errors import DataError, UsageError
from backtest.market.bars import make_bars, on_bars
from backtest.market.catalogue import catalogue, entry
from backtest.market.data import Bars, MarketData
from backtest.market.definition import read_definition
from backtest.market.formulas import Reference, Relative, Sum, changes
from backtest.market.reading import absent, column_of, read, table_of
from backtest.market.sources import commands, not_stored
from backtest.market.store import Store
from backtest.series import Series

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from backtest.dates import Floats
    from backtest.market.definition import Definition
    from backtest.market.entry import Entry
    from backtest.market.formulas import Formula

PRICE_ONLY = "prices without dividends: every return here is too low by the dividends"


OPENED: dict[str, dict[str, str]] = {}
"""What the code of each file opened by itself, and whether it is a ``series`` or a ``market``.

A script that does so may know of later values, which nothing can take from it; see ``cautions.brought``.
"""


def _noted(what: str, kind: str) -> None:
    OPENED.setdefault(sys._getframe(2).f_code.co_filename, {})[what] = kind


def load_series(id: str) -> Series:
    """Return a single series of the catalogue or of the store, which no market need name.

    Raises
    ------
    UsageError
        When there is no such series; the nearest one is named.
    DataError
        When it is not stored yet; the sentence has the command that gets it.

    Examples
    --------
    >>> from backtest import load_series
    >>> rate = load_series("FED_TARGET")
    >>> str(rate.dates[0]), rate.unit
    ('1982-09-27', 'percent')
    """
    _noted(id, "series")
    return read(entry(id))


def read_written(text: str) -> Series:
    """Return a series as files write it, ``ID`` or ``ID[column]``; errors as ``load_series``."""
    reference = Reference.parse(text)
    return read(entry(reference.id), reference.column)


def _read(definition: Definition, references: Iterable[Reference]) -> dict[Reference, Series]:
    """Return series in the vintages that the market asks for; a table of several is read once."""
    references = list(references)
    tables = {
        id: table_of(entry(id), definition.vintages.get(id))
        for id in dict.fromkeys(reference.id for reference in references)
    }
    return {r: column_of(entry(r.id), tables[r.id], r.column) for r in references}


def _made(formula: Formula, id: str, series: dict[Reference, Series], bars: Bars) -> Series:
    """Return what a formula gives: of sleeves where it relates those, of the market's series otherwise."""

    def sleeve(reference: Reference) -> Series:
        returns = bars.column(reference.id)
        present = np.isfinite(returns)
        dates = bars.dates[present]
        return Series(reference.id, dates, returns[present], dates, dates[-1])

    try:
        made = formula.evaluate(sleeve if isinstance(formula, Relative) else series.__getitem__)
    except DataError as error:
        raise DataError(f"the series '{id}' of the market cannot be made: {error}") from None
    return replace(made, id=id)


def _observations(
    definition: Definition, series: dict[Reference, Series], bars: Bars
) -> tuple[dict[str, Series], dict[str, str], frozenset[str]]:
    """Return the series that strategies may use, which role is which, and which nobody may use.

    A role that is nothing but one series of the catalogue is that series; the inputs of the others are
    there under their own ids as well.
    """
    observations, roles, never = {}, {}, set()
    for role, formula in definition.series.items():
        single = formula.single
        id = single.id if single and not single.column else role
        roles[role] = id
        if formula.after_the_fact:
            never.add(id)
            continue
        observations[id] = _made(formula, id, series, bars)
        for reference in formula.references:
            if not reference.column and reference.id not in observations:
                observations[reference.id] = replace(series[reference], id=reference.id)
    return observations, roles, frozenset(never)


def with_series(market: MarketData, ids: Iterable[str]) -> MarketData:
    """Return the market with these series, which the store has, beside its own."""
    found = {id: load_series(id) for id in ids if id not in market.observations}
    if not found:
        return market
    return replace(market, observations={**market.observations, **found}, sources={**market.sources, **found})


def with_sleeves(market: MarketData, names: Iterable[str]) -> MarketData:
    """Return the market with sleeves composed of its own, as their names say, and with series as sleeves.

    A composed sleeve is brought back to its fractions at every bar, at no cost of its own. What is neither
    a composition nor a series is left out: whoever asks for it says so.

    Raises
    ------
    UsageError, DataError
        When a series is no return, counts other than the market's do, or is not stored yet.
    """
    bars = market.bars
    added: dict[str, Floats] = {}
    for name in names:
        parts = composition(name, bars.sleeves)
        if name in bars.sleeves or name in added:
            continue
        if parts:
            added[name] = np.asarray(sum(part * bars.column(sleeve) for sleeve, part in parts.items()))
        elif name.partition("[")[0] in {*catalogue(), *Store().ids()}:
            reference = Reference.parse(name)
            series = read(_holdable(market, reference.id), reference.column)
            own = Sum(((reference, 1.0),))
            added[name] = on_bars(own, {reference: series}, bars.dates, market.frequency)
            market = replace(market, sources={**market.sources, reference.id: series})
    if not added:
        return market
    columns = np.column_stack([bars.returns, *added.values()])
    return replace(market, bars=Bars(bars.dates, (*bars.sleeves, *added), columns))


def _holdable(market: MarketData, id: str) -> Entry:
    """Return a series' entry; UsageError where a market of this kind cannot hold it."""
    about = entry(id)
    if about.kind == "other":
        raise UsageError(f"{id} counts {about.unit}, which is no return: it cannot be held or held against")
    if about.kind == "rate":
        return about
    if (about.kind == "price") != (PRICE_ONLY in market.proxy):
        lacks = "lacks dividends" if about.kind == "price" else "has dividends"
        raise UsageError(
            f"{id} {lacks}, which is otherwise in the market '{market.name}': they cannot be mixed"
        )
    if not about.fits(market.frequency):
        raise UsageError(f"{id} is {about.frequency}, but the market '{market.name}' is {market.frequency}")
    return about


def _factors(definition: Definition, bars: Bars) -> dict[str, Floats]:
    """Return the factors that are stored, at each bar."""
    found = {}
    for name, formula in definition.factors.items():
        if not any(absent(entry(reference.id)) for reference in formula.references):
            read = _read(definition, formula.references)
            found[name] = on_bars(formula, read, bars.dates, definition.frequency)
    return found


def load_market(name: str | Path | MarketData) -> MarketData:
    """Return a market's data.

    Parameters
    ----------
    name
        A shipped market's name, or the path of a market file or of a folder with ``market.toml``; what was
        loaded before is returned as it is.

    Raises
    ------
    UsageError
        When there is no such market; the nearest one is named.
    DataError
        When its file or its series are not what they are declared to be, or its series are not stored
        yet; the sentence then has the command that gets them.

    Examples
    --------
    >>> from backtest import load_market
    >>> market = load_market("embedded")
    >>> market.frequency, market.bars.sleeves[:2]
    ('monthly', ('small', 'large'))
    """
    if isinstance(name, MarketData):
        return name
    _noted(str(name), "market")
    definition = read_definition(name)
    if lacking := definition.missing:
        cures = commands(lacking, "rotation data fetch")
        raise not_stored(f"the market '{definition.name}'", lacking, cures)
    series = _read(definition, definition.references)
    bars = make_bars(definition, series)
    observations, roles, never = _observations(definition, series, bars)
    policy = None
    if definition.policy is not None:
        single = definition.policy.single
        policy = roles["policy"] = single.id if single else "policy"
        # What daily figures repeat is left out.
        observations[policy] = changes(_made(definition.policy, policy, series, bars))
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
        sources={found.id: found for found in series.values()},
        roles=roles,
        factors=_factors(definition, bars),
        meanings=definition.meanings,
    )
