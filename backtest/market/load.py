"""Loading a market: its definition (TOML), the series it names, and the sleeves made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import last_business_day, to_days
from backtest.errors import DataError, UsageError, nearest
from backtest.folders import shipped
from backtest.market import sources
from backtest.market.catalogue import Entry, entry, read_toml
from backtest.market.data import Bars, MarketData, Provenance
from backtest.market.release import AFTER_THE_FACT, known_at
from backtest.observations import Observations

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.dates import Floats
    from backtest.market.sources.base import SourceSeries


@dataclass(frozen=True)
class Definition:
    """A market file: which catalogue series make its sleeves, and which of its series mean what."""

    title: str
    frequency: str
    benchmark: str
    sleeves: dict[str, dict[str, float]]
    proxy: str = ""
    policy: str | None = None
    series: list[str] = field(default_factory=list)
    factors: dict[str, str] = field(default_factory=dict)


def market_names() -> list[str]:
    """Return the names of the shipped markets."""
    return sorted(path.stem for path in (shipped("data") / "markets").glob("*.toml"))


def _definition(path: Path) -> Definition:
    content = read_toml(path)
    allowed = list(Definition.__dataclass_fields__)
    for name in content:
        if name not in allowed:
            raise DataError(f"{path} has an entry '{name}'; {nearest(name, allowed)}")
    try:
        definition = Definition(**content)
    except TypeError:
        missing = [n for n in ("title", "frequency", "benchmark", "sleeves") if n not in content]
        raise DataError(f"{path} lacks {', '.join(missing)}") from None
    for needed in ("cash", definition.benchmark):
        if needed not in definition.sleeves:
            raise DataError(f"{path} has no sleeve '{needed}', which every run needs")
    return definition


def _observations(entry: Entry, series: SourceSeries) -> Observations:
    known = known_at(entry.known_at, series.dates, series.announced)
    published = ~np.isnat(known)  # what was never announced was never known in time
    return Observations(entry.id, series.dates[published], series.values[published], known[published])


def _provenance(entry: Entry, series: SourceSeries) -> Provenance:
    # A monthly value, wherever in its month the source stamps it, speaks for the month's end.
    monthly = entry.frequency == "monthly"
    last = last_business_day(to_days([series.last]))[0] if monthly else series.last
    return Provenance(series.origin, series.sha256, last)


def _monthly_bars(definition: Definition, read: dict[str, SourceSeries]) -> tuple[Bars, dict[str, Floats]]:
    """Return the sleeves' bars and the factors over the same months."""
    months = {id: series.dates.astype("datetime64[M]") for id, series in read.items()}
    first = max(m[0] for m in months.values())
    last = min(m[-1] for m in months.values())
    span = np.arange(first, last + 1)
    by_id = {}
    for id, series in read.items():
        column = np.full(len(span), np.nan)
        inside = (months[id] >= first) & (months[id] <= last)
        column[(months[id][inside] - first).astype(int)] = series.values[inside] / 100.0
        by_id[id] = column
    returns = [
        sum(factor * by_id[id] for id, factor in terms.items()) for terms in definition.sleeves.values()
    ]
    bars = Bars(last_business_day(span), tuple(definition.sleeves), np.column_stack(returns))
    return bars, {name: by_id[id] for name, id in definition.factors.items()}


def load_market(name: str) -> MarketData:
    """Return a shipped market's data by its name.

    Raises
    ------
    UsageError
        When there is no market of that name; the nearest one is named.
    DataError
        When its file or its series are not what they are declared to be.
    """
    if name not in market_names():
        raise UsageError(f"there is no market '{name}'; {nearest(name, market_names())}")
    definition = _definition(shipped("data") / "markets" / f"{name}.toml")
    in_sleeves = sorted({id for terms in definition.sleeves.values() for id in terms})
    in_strategies = [*definition.series, *([definition.policy] if definition.policy else [])]
    after_the_fact = frozenset(id for id in in_strategies if entry(id).known_at == AFTER_THE_FACT)
    in_sleeves = sorted({*in_sleeves, *definition.factors.values()})
    read = {id: sources.read(entry(id)) for id in [*in_sleeves, *in_strategies]}
    bars, factors = _monthly_bars(definition, {id: read[id] for id in in_sleeves})
    return MarketData(
        name=name,
        title=definition.title,
        frequency=definition.frequency,
        proxy=definition.proxy,
        benchmark=definition.benchmark,
        bars=bars,
        observations={
            id: _observations(entry(id), read[id]) for id in in_strategies if id not in after_the_fact
        },
        policy=definition.policy,
        after_the_fact=after_the_fact,
        provenance={id: _provenance(entry(id), series) for id, series in read.items()},
        factors=factors,
        hindsight={id: read[id] for id in after_the_fact},
    )
