"""Backtests of rotating between large and small companies, on index and FRED data.

The public names are imported when they are first used, so that a command that needs little starts fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest.cli import main
    from backtest.decisions import blend, choose, mix, rotate
    from backtest.errors import RotationError, UsageError
    from backtest.market.data import MarketData
    from backtest.market.load import load_market
    from backtest.market.market import Market
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
    from backtest.runs import Result, run
    from backtest.scripting.loading import load_strategy
    from backtest.scripting.strategy import Strategy, strategy
    from backtest.signals.signal import Signal, vote
    from backtest.studies.register import study, study_claims, study_days

__all__ = [
    "Choice",
    "Count",
    "Deviations",
    "Market",
    "MarketData",
    "Months",
    "Percent",
    "PercentagePoints",
    "Result",
    "RotationError",
    "Signal",
    "Strategy",
    "UsageError",
    "blend",
    "choose",
    "compare",
    "load_market",
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
]

_HOMES = {
    "Choice": "backtest.parameters",
    "Count": "backtest.parameters",
    "Deviations": "backtest.parameters",
    "Market": "backtest.market.market",
    "MarketData": "backtest.market.data",
    "Months": "backtest.parameters",
    "Percent": "backtest.parameters",
    "PercentagePoints": "backtest.parameters",
    "Result": "backtest.runs",
    "RotationError": "backtest.errors",
    "Signal": "backtest.signals.signal",
    "Strategy": "backtest.scripting.strategy",
    "UsageError": "backtest.errors",
    "blend": "backtest.decisions",
    "choose": "backtest.decisions",
    "compare": "backtest.reporting.comparison",
    "load_market": "backtest.market.load",
    "load_strategy": "backtest.scripting.loading",
    "main": "backtest.cli",
    "mix": "backtest.decisions",
    "param": "backtest.parameters",
    "rotate": "backtest.decisions",
    "run": "backtest.runs",
    "strategy": "backtest.scripting.strategy",
    "vote": "backtest.signals.signal",
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
