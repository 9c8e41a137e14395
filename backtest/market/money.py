"""Real money: a market's returns less the rise of consumer prices, as these were known at the time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import Fills
from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.data import Bars
from backtest.market.reading import absent, read
from backtest.measures import years

if TYPE_CHECKING:
    from backtest.dates import Days, Floats
    from backtest.market.data import MarketData
    from backtest.series import Series

ROLE = "consumer_prices"
"""What a market file calls the prices of its own country."""

PRICES = ("CPIAUCNS", "CPIAUCSL", "CORE_CPI")
"""Where it names none, the first of these that is there and recent enough; the first is never revised."""

_STALE = np.timedelta64(62, "D")


def in_real_money(market: MarketData) -> MarketData:
    """Return the market with returns in money of one date; strategies still see them as they were paid.

    The price level of a day is the latest figure that had been published by then, so that it lags by a month.

    Raises
    ------
    DataError
        When no consumer prices are there that reach to the last bar; the sentence has the command.
    """
    if market.paid is not None:
        return market
    series = _prices(market)
    level = series.as_of(Fills(market.bars.dates, same_close=True))
    rise = np.r_[np.nan, level[1:] / level[:-1]]
    bars = market.bars
    return replace(
        market,
        paid=bars,
        bars=Bars(bars.dates, bars.sleeves, (1.0 + bars.returns) / rise[:, None] - 1.0),
        factors={name: values / rise for name, values in market.factors.items()},
        sources={**market.sources, series.id: series},
        roles={**market.roles, ROLE: series.id},
    )


def _prices(market: MarketData) -> Series:
    last = market.bars.dates[-1]
    if ROLE in market.roles:
        return market.observations[market.roles[ROLE]]
    for id in PRICES:
        if not absent(entry(id)):
            series = read(entry(id))
            if last - series.known_at[-1] <= _STALE:
                return series
    raise DataError(
        f"real money needs consumer prices that reach to {last}; get them with: "
        f"rotation data fetch {PRICES[0]}"
    )


def inflation(market: MarketData, dates: Days) -> float:
    """Return the rise of consumer prices a year over (n + 1,) bars of a market in real money, decimal."""
    inside = (market.bars.dates > dates[0]) & (market.bars.dates <= dates[-1])
    paid: Floats = (market.paid or market.bars).column("cash")[inside]
    rise = float(np.prod((1.0 + paid) / (1.0 + market.bars.column("cash")[inside])))
    return rise ** (1.0 / years(dates, market.frequency)) - 1.0
