"""Alpha against several factors, and means by group, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from backtest import MarketData, run
from backtest.analysis.long_run import newey_west_lags, prewhitened_error
from backtest.analysis.regression import alpha, factor_alpha, group_means, least_squares


def hac(y: np.ndarray, design: np.ndarray) -> object:
    return sm.OLS(y, design).fit(cov_type="HAC", cov_kwds={"maxlags": newey_west_lags(len(y))})


@given(st.integers(12, 600), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_factor_alphas_are_statsmodels(n: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    factors = random.normal(0.003, 0.04, (n, k))
    noise = np.convolve(random.normal(0.0, 0.02, n + 3), [1.0, 0.5, 0.2, 0.1], "valid")
    risk_free = random.uniform(0.0, 0.004, n)
    returns = risk_free + 0.001 + factors @ random.normal(0.5, 0.5, k) + noise
    ours = factor_alpha(returns, risk_free, factors)
    theirs = hac(returns - risk_free, sm.add_constant(factors))
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(ours.tstats, theirs.tvalues, rtol=1e-9, atol=1e-9)
    assert ours.r_squared == pytest.approx(theirs.rsquared, abs=1e-10)


def test_errors_that_are_tested_are_those_of_the_derivative_by_each_bars_weight() -> None:
    random = np.random.default_rng(8)
    n, step = 40, 1e-6
    design = np.column_stack([np.ones(n), random.normal(0.0, 1.0, (n, 2))])
    y = design @ [0.1, 1.0, -0.5] + random.standard_t(4, n)

    def weighed(bar: int, by: float) -> np.ndarray:
        weights = np.full(n, (1.0 - by) / n)
        weights[bar] += by
        return sm.WLS(y, design, weights=weights).fit().params

    influence = np.array([(weighed(bar, step) - weighed(bar, -step)) / (2.0 * step) for bar in range(n)])
    fit = least_squares(y, design)
    for column, error, p in zip(influence.T, fit.tested, fit.pvalues, strict=True):
        known = prewhitened_error(column)
        assert (error.size, error.freedom) == pytest.approx((known.size, known.freedom), rel=1e-4)
        assert 0.0 <= p <= 1.0


def test_alpha_and_t_of_a_run_against_three_factors_are_statsmodels_to_ten_digits(
    embedded: MarketData,
) -> None:
    result = run("rate_cut", embedded)
    first = int(np.searchsorted(embedded.bars.dates, np.datetime64(result.start))) + 1
    rf = embedded.bars.column("cash")[first:]
    market = embedded.bars.column("market")[first:] - rf
    factors = np.column_stack([market, embedded.factors["SMB"][first:], embedded.factors["HML"][first:]])
    ours = factor_alpha(result.returns.to_numpy(), rf, factors)
    theirs = hac(result.returns.to_numpy() - rf, sm.add_constant(factors))
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-10)
    np.testing.assert_allclose(ours.tstats, theirs.tvalues, rtol=1e-10)
    # With the benchmark as its only factor it is the alpha of the measures.
    one = alpha(result.returns.to_numpy(), market + rf, rf, 12.0)
    alone = factor_alpha(result.returns.to_numpy(), rf, market[:, None])
    assert (one.alpha, one.tstat) == (12.0 * alone.coefficients[0], alone.tstats[0])
    assert one.alpha == result.metrics["alpha"]


@given(st.integers(20, 300), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_means_by_group_are_the_means_with_errors_of_statsmodels(n: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    groups = random.integers(-1, k, n)
    values = random.normal(0.0, 1.0, n)
    ours = group_means(values, groups, k)
    present = [g for g in range(k) if (groups == g).any()]
    for group in range(k):
        own = values[groups == group]
        assert ours.coefficients[group] == pytest.approx(own.mean() if len(own) else np.nan, nan_ok=True)
    indicators = np.column_stack([groups == g for g in present]).astype(float)
    theirs = hac(np.where(groups >= 0, values, 0.0), indicators)
    alone = np.array([(groups == g).sum() == 1 for g in present], dtype=bool)
    np.testing.assert_allclose(ours.errors[present][~alone], theirs.bse[~alone], rtol=1e-8, atol=1e-12)
    assert np.isnan(ours.errors[present][alone]).all()


def test_what_cannot_be_estimated_is_nan() -> None:
    twice = np.column_stack([np.ones(10), np.ones(10)])
    assert np.isnan(least_squares(np.arange(10.0), twice).coefficients).all()
    few = least_squares(np.arange(2.0), np.eye(2, 3))
    assert np.isnan(few.coefficients).all()
    exact = least_squares(np.arange(10.0), np.column_stack([np.ones(10), np.arange(10.0)]))
    np.testing.assert_allclose(exact.coefficients, [0.0, 1.0], atol=1e-12)
    assert np.isnan(exact.errors).all()
    assert np.isnan(exact.pvalues).all()
