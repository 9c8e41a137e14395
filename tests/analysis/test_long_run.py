"""The long-run variance against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t

from backtest.analysis.long_run import cosine_covariance, critical, long_run_variance, two_sided


@pytest.mark.parametrize("lags", [0, 1, 7])
def test_the_error_of_a_mean_is_that_of_statsmodels(lags: int) -> None:
    values = np.convolve(np.random.default_rng(1).normal(0, 1, 310), np.ones(5), "valid")
    oracle = sm.OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    error = (long_run_variance(values - values.mean(), lags) / len(values)) ** 0.5
    assert error == pytest.approx(oracle.bse[0])


def test_more_lags_than_bars_are_as_many_as_there_are() -> None:
    values = np.array([1.0, -1.0, 2.0])
    assert np.isfinite(long_run_variance(values, 10))


def test_cosine_sums_of_white_bars_have_their_variance_and_the_degrees_of_freedom_of_their_number() -> None:
    drawn = np.random.default_rng(2).normal(0.0, 2.0, (4000, 216))
    found = np.array([float(cosine_covariance(row[:, None] + 5.0)[0][0, 0]) for row in drawn])
    freedom = cosine_covariance(drawn[:1].T)[1]
    assert freedom == int(0.4 * 36)
    assert found.mean() == pytest.approx(4.0, rel=0.03)
    assert 2.0 * found.mean() ** 2 / found.var() == pytest.approx(freedom, rel=0.1)


@pytest.mark.parametrize("freedom", [1.0, 4.3, 30.0])
def test_student_is_that_of_scipy(freedom: float) -> None:
    assert critical(freedom) == pytest.approx(t.ppf(0.975, freedom))
    assert two_sided(-1.7, freedom) == pytest.approx(2 * t.sf(1.7, freedom))
    assert np.isnan(two_sided(float("nan"), freedom))
