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
    assert one.alpha == pytest.approx(result.metrics["alpha"], rel=1e-12)


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
    assert ours.n == (groups >= 0).sum()
    # What a bar adds to the mean of its group: its distance from it, times all bars over those of the group.
    for group in range(k):
        own = np.where(groups == group, values - ours.coefficients[group], 0.0)
        size = (groups == group).sum()
        known = prewhitened_error(own * n / size) if size > 1 else (np.nan, np.nan)
        assert ours.tested[group] == pytest.approx(known, nan_ok=True)


def test_bars_of_no_group_and_groups_of_few_bars() -> None:
    values = np.random.default_rng(3).normal(size=30)
    groups = np.r_[np.zeros(20), np.full(4, -1), [2], [3, 3], np.full(3, 5)].astype(np.int64)
    unknown = np.where(groups < 0, np.nan, values)
    found = group_means(unknown, groups, 7)
    assert found.n == 26
    for group, size in enumerate([20, 0, 1, 2, 0, 3, 0]):
        own = values[groups == group]
        assert found.coefficients[group] == pytest.approx(own.mean() if size else np.nan, nan_ok=True)
        there = size > 1
        assert np.isfinite(found.errors[group]) == there
        assert np.isfinite(found.tested[group]).all() == there
        assert np.isfinite(found.pvalues[group]) == there
    nobody = group_means(values, np.full(30, -1), 2)
    assert nobody.n == 0
    assert np.isnan([*nobody.coefficients, *nobody.errors, *nobody.pvalues]).all()


def test_groups_explain_the_variance_between_them() -> None:
    random = np.random.default_rng(4)
    groups = random.integers(0, 3, 60)
    values = groups + random.normal(size=60)
    found = group_means(values, groups, 3)
    inside = sum(((own := values[groups == g]) - own.mean()) @ (own - own.mean()) for g in range(3))
    assert found.r_squared == pytest.approx(1.0 - inside / (60.0 * values.var()))


@given(st.sampled_from([1e-9, 1e-6, 1e6]), st.integers(0, 2**32 - 1))
def test_a_fit_is_of_the_unit_of_what_is_fitted(unit: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    design = np.column_stack([np.ones(50), random.normal(size=50)])
    y = design @ [0.1, 0.5] + random.normal(size=50)
    one, other = least_squares(y, design), least_squares(unit * y, design)
    np.testing.assert_allclose(other.errors, unit * one.errors, rtol=1e-9)
    np.testing.assert_allclose(other.pvalues, one.pvalues, rtol=1e-7)
    assert other.r_squared == pytest.approx(one.r_squared)
    assert one.n == other.n == 50


@pytest.mark.filterwarnings("error")
def test_what_never_moves_has_no_r_squared_and_no_error() -> None:
    for value in (0.0, 0.5):
        fit = least_squares(np.full(20, value), np.ones((20, 1)))
        assert fit.coefficients[0] == value
        assert np.isnan([fit.r_squared, *fit.errors, *fit.pvalues]).all()


def test_what_cannot_be_estimated_is_nan() -> None:
    twice = np.column_stack([np.ones(10), np.ones(10)])
    for y, design in (
        (np.arange(10.0), twice),
        (np.arange(2.0), np.eye(2, 3)),
        (np.ones(1), np.ones((1, 2))),
    ):
        none = least_squares(y, design)
        n, k = design.shape
        assert none.n == n
        assert np.isnan(none.r_squared)
        for each in (none.coefficients, none.errors, none.tstats, none.pvalues):
            assert each.shape == (k,)
            assert np.isnan(each).all()
    met = least_squares(np.array([1.0, 3.0]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(met.coefficients, [1.0, 2.0])
    assert np.isnan([*met.errors, *met.pvalues]).all()
    assert (met.r_squared, met.n) == (pytest.approx(1.0), 2)
    # As many values as coefficients leave nothing to judge an error by, whatever rounding leaves.
    random = np.random.default_rng(5)
    square = least_squares(random.normal(size=9), np.vander(np.linspace(0.0, 1.0, 9)))
    assert np.isfinite(square.coefficients).all()
    assert np.isnan(square.errors).all()
    exact = least_squares(np.arange(10.0), np.column_stack([np.ones(10), np.arange(10.0)]))
    np.testing.assert_allclose(exact.coefficients, [0.0, 1.0], atol=1e-12)
    assert np.isnan(exact.errors).all()
    assert np.isnan(exact.pvalues).all()
