"""The compiled measures are those of the table."""

from pathlib import Path

import numpy as np
import pytest

import backtest.measures
from backtest.engine import curves
from backtest.engine.curves import Yardstick
from backtest.market.data import Bars
from backtest.measures import SWEPT, Sums, values_of

HELD = (3.5, 3.0, 0.25)


def yardstick(risk_free: np.ndarray, benchmark: np.ndarray, n_years: float) -> Yardstick:
    dates = np.datetime64("2000-01-01") + np.arange(len(benchmark) + 1)
    returns = np.vstack([np.zeros(2), np.column_stack([benchmark, risk_free])])
    return Yardstick.of(Bars(dates, ("market", "cash"), returns), "market", 0, len(benchmark), n_years)


@pytest.mark.parametrize("seed", range(20))
def test_they_are_the_formulas_of_the_table(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, n_years = int(rng.integers(3, 2000)), float(rng.uniform(0.5, 40))
    b, rf = rng.normal(0.005, 0.04, n), np.abs(rng.normal(0.002, 0.001, n))
    r = 0.8 * b + rng.normal(0.001, 0.03, n)
    out = np.empty(curves.N_MEASURES)
    curves.measure(out, r, HELD, yardstick(rf, b, n_years))
    held = dict(zip(("turnover", "switches", "time_in_small"), HELD, strict=True))
    due = values_of(Sums.of(r, b, rf, n_years)._replace(**held), r)
    np.testing.assert_allclose(out, [due[key] for key in SWEPT], rtol=1e-12, atol=1e-12)


def test_constant_returns_have_no_ratios() -> None:
    same = np.full(10, 0.01)
    moving = np.linspace(-0.05, 0.05, 10)
    out = np.empty(curves.N_MEASURES)
    curves.measure(out, same, HELD, yardstick(np.zeros(10), moving, 1.0))
    named = dict(zip(SWEPT, out.tolist(), strict=True))
    assert named["volatility"] == 0.0
    assert named["max_drawdown"] == 0.0
    assert all(np.isnan(named[key]) for key in ("sharpe", "sortino", "calmar"))


def test_a_benchmark_that_never_moves_fixes_no_line() -> None:
    flat = np.full(10, 0.001)
    out = np.empty(curves.N_MEASURES)
    curves.measure(out, np.linspace(0, 0.1, 10), HELD, yardstick(flat, flat, 1.0))
    assert np.isnan(out[7:9]).all()


def test_a_formula_that_changes_is_compiled_anew() -> None:
    # Machine code is kept under a digest of the modules that name what compiles them.
    assert "backtest.compiling" in Path(backtest.measures.__file__).read_text(encoding="utf-8")
