"""Backtests of rotating between large and small companies, on index and FRED data.

The public names are imported when they are first used, so that a command that needs little starts fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest.cli import main
    from backtest.decisions import rotate
    from backtest.errors import RotationError, UsageError
    from backtest.market.data import MarketData
    from backtest.market.load import load_market
    from backtest.market.market import Market
    from backtest.parameters import Months, PercentagePoints, param
    from backtest.runs import Result, run
    from backtest.scripting.loading import load_strategy
    from backtest.scripting.strategy import Strategy, strategy

__all__ = [
    "Market",
    "MarketData",
    "Months",
    "PercentagePoints",
    "Result",
    "RotationError",
    "Strategy",
    "UsageError",
    "load_market",
    "load_strategy",
    "main",
    "param",
    "rotate",
    "run",
    "strategy",
]

_HOMES = {
    "Market": "backtest.market.market",
    "MarketData": "backtest.market.data",
    "Months": "backtest.parameters",
    "PercentagePoints": "backtest.parameters",
    "Result": "backtest.runs",
    "RotationError": "backtest.errors",
    "Strategy": "backtest.scripting.strategy",
    "UsageError": "backtest.errors",
    "load_market": "backtest.market.load",
    "load_strategy": "backtest.scripting.loading",
    "main": "backtest.cli",
    "param": "backtest.parameters",
    "rotate": "backtest.decisions",
    "run": "backtest.runs",
    "strategy": "backtest.scripting.strategy",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'backtest' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
