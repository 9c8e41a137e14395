"""Backtests of rotating between large and small companies, on index and FRED data.

The public names are imported when they are first used, so that a command that needs little starts fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest.cli import main
    from backtest.errors import RotationError, UsageError
    from backtest.market.data import MarketData
    from backtest.market.load import load_market, load_series
    from backtest.parameters import (
        Choice,
        Count,
        Deviations,
        Months,
        Percent,
        PercentagePoints,
        param,
    )
    from backtest.reporting.comparison import compare
    from backtest.rules.expressions import Events, Level, Number, Signal, vote, where
    from backtest.rules.holdings import blend, choose, mix, rotate, weigh
    from backtest.rules.market import Market
    from backtest.runs import Run, run
    from backtest.scripting.loading import load_strategy
    from backtest.scripting.strategy import Strategy, strategy
    from backtest.studies.register import study, study_claims, study_days

__all__ = [
    "Choice",
    "Count",
    "Deviations",
    "Events",
    "Level",
    "Market",
    "MarketData",
    "Months",
    "Number",
    "Percent",
    "PercentagePoints",
    "RotationError",
    "Run",
    "Signal",
    "Strategy",
    "UsageError",
    "blend",
    "choose",
    "compare",
    "load_market",
    "load_series",
    "load_strategy",
    "main",
    "mix",
    "param",
    "rotate",
    "run",
    "strategy",
    "study",
    "study_claims",
    "study_days",
    "vote",
    "weigh",
    "where",
]

_HOMES = {
    "Choice": "backtest.parameters",
    "Count": "backtest.parameters",
    "Deviations": "backtest.parameters",
    "Market": "backtest.rules.market",
    "MarketData": "backtest.market.data",
    "Months": "backtest.parameters",
    "Percent": "backtest.parameters",
    "PercentagePoints": "backtest.parameters",
    "Run": "backtest.runs",
    "RotationError": "backtest.errors",
    "Signal": "backtest.rules.expressions",
    "Events": "backtest.rules.expressions",
    "Level": "backtest.rules.expressions",
    "Number": "backtest.rules.expressions",
    "Strategy": "backtest.scripting.strategy",
    "UsageError": "backtest.errors",
    "blend": "backtest.rules.holdings",
    "choose": "backtest.rules.holdings",
    "compare": "backtest.reporting.comparison",
    "load_market": "backtest.market.load",
    "load_series": "backtest.market.load",
    "load_strategy": "backtest.scripting.loading",
    "main": "backtest.cli",
    "mix": "backtest.rules.holdings",
    "param": "backtest.parameters",
    "rotate": "backtest.rules.holdings",
    "run": "backtest.runs",
    "strategy": "backtest.scripting.strategy",
    "vote": "backtest.rules.expressions",
    "weigh": "backtest.rules.holdings",
    "where": "backtest.rules.expressions",
    "study": "backtest.studies.register",
    "study_claims": "backtest.studies.register",
    "study_days": "backtest.studies.register",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'backtest' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
