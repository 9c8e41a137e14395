"""The objective: which way is better, and what may be chosen."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.errors import UsageError
from backtest.measures import MEASURES, SWEPT
from backtest.tuning.objective import Objective, read_constraint


def test_more_is_better_but_of_risk_and_of_trading() -> None:
    values = np.array([0.1, 0.3, np.nan, -0.2])
    for name in SWEPT:
        score = Objective(name).score(values)
        less = name in ("volatility", "tracking_error", "beta", "turnover", "switches")
        # A drawdown is negative: more of it is a smaller fall.
        assert int(np.nanargmax(score)) == (3 if less else 1)
        np.testing.assert_array_equal(Objective(name).score(score), values)


def test_a_choice_has_an_objective_and_keeps_to_every_constraint() -> None:
    measured = np.random.default_rng(1).normal(size=(50, len(SWEPT)))
    columns = {name: measured[:, place] for place, name in enumerate(SWEPT)}
    columns["calmar"][:5] = np.nan
    columns["alpha"][3:8] = np.inf
    constraints = tuple(read_constraint(text, {}, SWEPT) for text in ("alpha>0", "volatility<0.5"))
    for name in ("calmar", "alpha", "sharpe"):
        objective = Objective(name, constraints)
        np.testing.assert_array_equal(objective.of(measured), columns[name])
        np.testing.assert_array_equal(objective.of(measured[None, :7])[0], columns[name][:7])
        kept = (columns["alpha"] > 0.0) & (columns["volatility"] < 0.5) & np.isfinite(columns[name])
        assert 0 < kept.sum() < 50
        np.testing.assert_array_equal(objective.eligible(measured), kept)
    assert Objective("sharpe").eligible(measured).all()


def test_a_measure_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="^there is no measure 'sharp' to tune by; did you mean 'sharpe'?"):
        Objective("sharp")


@pytest.mark.parametrize("name", sorted({measure.key for measure in MEASURES} - set(SWEPT)))
def test_a_measure_that_hangs_on_the_order_of_returns_is_refused_with_those_that_do_not(name: str) -> None:
    said = f"^'{name}' hangs on the order of the returns, .*: total_return, cagr, "
    with pytest.raises(UsageError, match=said):
        Objective(name)
    with pytest.raises(UsageError, match=said):
        read_constraint(f"{name}<0.1", {}, SWEPT)
