"""The robustness table: each cell is the run that it stands for."""

from __future__ import annotations

import pytest

from backtest import MarketData, run
from backtest.records.robustness import robustness


@pytest.mark.parametrize("name", ["rate_cut", "trend", "balanced"])
def test_each_trial_is_a_run_over_the_same_window(name: str, embedded: MarketData) -> None:
    table = robustness(run(name, embedded))
    for trial in table.trials[::5]:
        terms = {key: trial[key] for key in ("cost_bps", "delay_fill")}
        alone = run(name, embedded, start=table.start, **terms)
        assert (alone.start, alone.end) == (table.start, table.end)
        assert trial == pytest.approx({**terms, **alone.metrics}, rel=1e-12, nan_ok=True)


def test_dearer_trading_never_pays(embedded: MarketData) -> None:
    trials = robustness(run("january", embedded)).trials
    for delay in (0, 1, 2):
        returns = [t["total_return"] for t in trials if t["delay_fill"] == delay]
        assert returns == sorted(returns, reverse=True)
