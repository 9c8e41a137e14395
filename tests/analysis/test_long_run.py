"""The long-run variance against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from backtest.analysis.long_run import long_run_variance


@pytest.mark.parametrize("lags", [0, 1, 7])
def test_the_error_of_a_mean_is_that_of_statsmodels(lags: int) -> None:
    values = np.convolve(np.random.default_rng(1).normal(0, 1, 310), np.ones(5), "valid")
    oracle = sm.OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    error = (long_run_variance(values - values.mean(), lags) / len(values)) ** 0.5
    assert error == pytest.approx(oracle.bse[0])


def test_more_lags_than_bars_are_as_many_as_there_are() -> None:
    values = np.array([1.0, -1.0, 2.0])
    assert np.isfinite(long_run_variance(values, 10))
