"""The alpha of several markets against dummies and statsmodels, and its size where markets move together."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped, unused-ignore]

from backtest.analysis.long_run import newey_west_lags
from backtest.analysis.pooled_alpha import pooled_alpha
from backtest.analysis.regression import alpha


def drawn(seed: int, n: int = 200, markets: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    against = 0.005 + 0.03 * rng.standard_normal((n, 1)) + 0.03 * rng.standard_normal((n, markets))
    excess = (
        against * rng.uniform(0.7, 1.2, markets)
        + 0.01 * rng.standard_normal((n, 1))
        + 0.01 * rng.standard_normal((n, markets))
    )
    excess[: n // 4, 0] = np.nan
    return excess, against


@pytest.mark.parametrize("seed", range(5))
def test_it_is_that_of_statsmodels(seed: int) -> None:
    excess, against = drawn(seed)
    found = pooled_alpha(excess, against)
    rows = [
        {
            "y": excess[t, m],
            "constant": 1.0,
            "month": t,
            **{f"x{k}": against[t, m] * (k == m) for k in range(4)},
        }
        for t in range(200)
        for m in range(4)
        if not math.isnan(excess[t, m])
    ]
    frame = pd.DataFrame(rows)
    fit = sm.OLS(frame["y"], frame.drop(columns=["y", "month"])).fit(
        cov_type="hac-groupsum",
        cov_kwds={
            "time": frame["month"].to_numpy(),
            "maxlags": newey_west_lags(200),
            "use_correction": False,
        },
    )
    assert found.alpha == pytest.approx(fit.params["constant"], rel=1e-9)
    assert found.tstat == pytest.approx(fit.tvalues["constant"], rel=1e-9)
    assert (found.months, found.cells) == (200, 750)


def test_of_one_market_it_is_the_alpha_of_a_run() -> None:
    excess, against = drawn(3)
    alone = alpha(excess[:, 1], against[:, 1], np.zeros(200), 12.0)
    found = pooled_alpha(excess[:, 1:2], against[:, 1:2])
    assert 12.0 * found.alpha == pytest.approx(alone.alpha)
    assert found.tstat == pytest.approx(alone.tstat)
    assert found.pvalue == pytest.approx(alone.pvalue)


def test_markets_that_move_together_count_once() -> None:
    excess, against = drawn(2, markets=1)
    one = pooled_alpha(excess, against)
    many = pooled_alpha(np.repeat(excess, 6, axis=1), np.repeat(against, 6, axis=1))
    assert (many.alpha, many.tstat, many.pvalue) == pytest.approx((one.alpha, one.tstat, one.pvalue))


def test_it_rejects_one_true_null_in_twenty() -> None:
    hits = sum(pooled_alpha(*drawn(seed)).pvalue < 0.05 for seed in range(400))
    # Four standard errors of a share of 400 are 17 of them.
    assert 3 < hits < 37


def test_nothing_is_said_of_nothing() -> None:
    none = np.full((5, 2), np.nan)
    assert math.isnan(pooled_alpha(none, none).alpha)
    same = np.random.default_rng(1).standard_normal((50, 2))
    assert math.isnan(pooled_alpha(same, same).pvalue)
