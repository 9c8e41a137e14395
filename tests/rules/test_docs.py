"""The scripts of docs/signals.md run as they stand, and what they hold is what plain pandas says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest import MarketData, Strategy, load_market, load_strategy, run
from backtest.rules.expressions import Decision, Events, Level, Signal
from backtest.rules.market import Market
from backtest.rules.valueless import public
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "docs" / "signals.md").read_text(encoding="utf-8")
SCRIPTS = {
    re.search(r"def (\w+)\(\n?\s*market", block)[1]: block
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
}  # type: ignore[index]


def script(folder: Path, name: str) -> Strategy:
    (folder / f"{name}.py").write_text(SCRIPTS[name])
    return load_strategy(str(folder / f"{name}.py"))


@pytest.fixture(params=["french_monthly", "french_daily"])
def market(request: pytest.FixtureRequest, made_store: Path, monkeypatch: pytest.MonkeyPatch) -> MarketData:
    monkeypatch.setenv("ROTATION_DATA", str(made_store))
    return load_market(request.param)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_runs_as_it_stands(name: str, market: MarketData, tmp_path: Path) -> None:
    given = {"months": 36} if name == "regressed" else {}
    result = run(script(tmp_path, name), market, **given)
    assert len(result.trades) > 1
    assert result.doubts == ()


def test_a_series_that_the_market_does_not_name_is_in_the_report(market: MarketData, tmp_path: Path) -> None:
    assert "DGS2" not in market.observations
    assert "DGS2" in run(script(tmp_path, "resteepening"), market).market.sources


def months(market: MarketData, sleeve: str) -> pd.Series:
    return pd.Series(np.cumprod(1 + market.bars.column(sleeve)), pd.PeriodIndex(market.bars.dates, freq="M"))


def test_dual_momentum_is_that_of_pandas(embedded: MarketData, tmp_path: Path) -> None:
    result = run(script(tmp_path, "dual_momentum"), embedded)
    grown = {name: months(embedded, name).pct_change(12).shift(1) for name in ("small", "large", "cash")}
    small = (grown["small"] > grown["large"]) & (grown["small"] > grown["cash"])
    due = np.where(small, "small", np.where(grown["large"] > grown["cash"], "large", "cash"))
    held = result.weights.idxmax(axis=1)
    assert (held.to_numpy() == due[-len(held) - 1 : -1]).all()


def test_the_regression_sees_the_past_only(embedded: MarketData, tmp_path: Path) -> None:
    result = run(script(tmp_path, "regressed"), embedded, start="1990-01-31", months=120)
    lead = 100 * ((months(embedded, "small") / months(embedded, "large")).pct_change())
    spread = embedded.observations["credit_spread"]
    known = pd.Series(spread.values, pd.PeriodIndex(spread.known_at, freq="M"))  # in the month after its own
    held = result.weights["small"]
    for bar in (10, 100, 200, 300):
        fill = pd.Period(held.index[bar - 1], "M")
        # On the days of news: at each month's end a lead, at the next month's beginning a spread.
        past = []
        for month in pd.period_range(fill - 140, fill - 1):
            past += [(known[month], lead[month - 1]), (known[month], lead[month])]
        past.append((known[fill], lead[fill - 1]))
        spreads, leads = map(np.array, zip(*past, strict=True))
        dates = [m for month in pd.period_range(fill - 140, fill - 1) for m in (month - 1, month)] + [
            fill - 1
        ]
        inside = np.array([date > fill - 1 - 120 for date in dates])
        slope, level = np.polyfit(spreads[inside][:-1], leads[inside][1:], 1)
        assert held.iloc[bar] == (level + slope * spreads[-1] > 0)


def test_the_tables_name_what_there_is() -> None:
    for kind in (Level, Signal, Events, Decision):
        for name in public(kind):
            assert f"{name}(" in TEXT, name
    for name in vars(Market):
        if not name.startswith("_") and name != "name":
            assert f"market.{name}" in TEXT, name
