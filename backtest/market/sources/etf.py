"""Exchange-traded funds: adjusted closes (dividends reinvested) by yfinance, an optional extra."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import SourceTable
from backtest.market.sources import source

if TYPE_CHECKING:
    from backtest.market.entry import Entry


@source("etf", needs="yfinance")
def etf(entry: Entry) -> SourceTable:
    """Return one fund's adjusted closes by trading day, whole; they are a total-return level.

    The answer of the current day is left out: before the close it is a price of the moment. DataError where
    yfinance gives nothing: no network, or an unknown ticker.
    """
    import yfinance

    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # it would say beside us what we say
    yfinance.config.debug.hide_exceptions = False  # or a failure would be an empty answer
    try:
        history = yfinance.Ticker(entry.download).history(period="max", interval="1d", auto_adjust=True)
    except Exception as error:  # noqa: BLE001 - yfinance raises whatever its parts raise
        raise DataError(f"{entry.id} could not be fetched: {error}") from None
    if len(history) == 0 or "Close" not in history:
        raise DataError(f"{entry.id} could not be fetched: the answer is empty")
    dates = to_days(history.index.tz_localize(None).to_numpy())
    values = history["Close"].to_numpy(dtype=np.float64)
    past = dates < np.datetime64("today", "D")
    if not past.any():
        raise DataError(f"{entry.id} could not be fetched: it has no finished day")
    values = values[past]
    address = f"Yahoo Finance {entry.download}, adjusted close"
    return SourceTable.of(entry.id, dates[past], values, address, values.tobytes())
