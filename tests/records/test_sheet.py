"""The sheet of a run: what it says at other costs is what a run at those costs says."""

from __future__ import annotations

import pytest

from backtest import Market, MarketData, Strategy, rotate, run, strategy
from backtest.records.sheet import Sheet


@strategy
def composed(market: Market):
    """Hold a mix while credit is wide."""
    return rotate(market.level("credit_spread") > 1, into="60% small, 40% cash", otherwise="large")


@strategy
def spread(market: Market):
    """Hold a spread while credit is wide."""
    return rotate(market.level("credit_spread") > 1, into="small - large", otherwise="large")


@pytest.mark.parametrize("mine", [composed, spread], ids=lambda s: s.name)
def test_its_rows_of_costs_are_runs_of_sleeves_that_cost_as_their_parts(
    mine: Strategy, embedded: MarketData
) -> None:
    found = {variant.at: variant for variant in Sheet(run(mine, embedded)).costs}
    for bps in (0.0, 10.0, 25.0):
        alone = run(mine, embedded, cost_bps=bps).metrics
        own = (found[bps].cagr, found[bps].sharpe, found[bps].alpha)
        assert own == pytest.approx([alone[key] for key in ("cagr", "sharpe", "alpha")], rel=1e-12)
