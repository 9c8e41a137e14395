"""Alpha, beta and their errors against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from backtest.analysis.long_run import newey_west_lags
from backtest.analysis.regression import alpha, factor_alpha, ordinary_errors


@given(st.integers(5, 700), st.integers(0, 2**32 - 1), st.floats(0.0, 0.9))
def test_alpha_is_statsmodels_ols_with_hac_errors(n: int, seed: int, persistence: float) -> None:
    random = np.random.default_rng(seed)
    benchmark = random.normal(0.008, 0.05, n)
    noise = random.normal(0.0, 0.02, n)
    for i in range(1, n):
        noise[i] += persistence * noise[i - 1]
    risk_free = random.uniform(0.0, 0.005, n)
    returns = 0.001 + 0.9 * benchmark + noise

    ours = alpha(returns, benchmark, risk_free, 12.0)
    lags = int(np.floor(4 * (n / 100) ** (2 / 9)))
    fit = sm.OLS(returns - risk_free, sm.add_constant(benchmark - risk_free)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags}
    )
    assert ours.alpha == pytest.approx(fit.params[0] * 12.0, rel=1e-9, abs=1e-13)
    assert ours.beta == pytest.approx(fit.params[1], rel=1e-10)
    assert ours.tstat == pytest.approx(fit.tvalues[0], rel=1e-8, abs=1e-10)
    # Student's t with the prewhitened error, whose parts have tests of their own.
    assert ours.pvalue == pytest.approx(
        2.0 * student.sf(abs(ours.alpha) / ours.error.size, ours.error.freedom), nan_ok=True
    )


@given(st.integers(4, 300), st.integers(0, 2**32 - 1))
def test_ordinary_errors_are_those_of_statsmodels(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), random.normal(0.0, 3.0, n)])
    y = 0.5 * design[:, 1] + random.normal(0.2, 2.0, n)
    assert ordinary_errors(y, design) == pytest.approx(sm.OLS(y, design).fit().bse, rel=1e-8)


def test_what_has_no_ordinary_error_has_nan() -> None:
    y = np.array([1.0, 2.0, 4.0, 3.0])
    assert np.isnan(ordinary_errors(y, np.ones((4, 2)))).all()
    assert np.isnan(ordinary_errors(y[:2], np.array([[1.0, 0.0], [1.0, 2.0]]))).all()
    assert np.isfinite(ordinary_errors(y[:3], np.array([[1.0, 0.0], [1.0, 2.0], [1.0, 1.0]]))).all()


@pytest.mark.parametrize(("n", "lags"), [(100, 4), (422, 5), (1000, 6), (25_000, 13), (30, 3)])
def test_the_number_of_lags(n: int, lags: int) -> None:
    assert newey_west_lags(n) == lags


def test_a_benchmark_against_itself_has_nothing_to_test() -> None:
    market = np.array([0.01, -0.02, 0.03, 0.01])
    ours = alpha(market, market, np.zeros(4), 12.0)
    assert (ours.alpha, ours.beta) == (0.0, 1.0)
    assert np.isnan(ours.tstat)
    assert np.isnan(ours.pvalue)
    assert np.isnan(ours.error).all()


def test_an_exact_multiple_has_a_beta_but_no_error() -> None:
    market = np.array([0.01, -0.02, 0.03, 0.01])
    ours = alpha(2.0 * market, market, np.zeros(4), 12.0)
    assert ours.beta == pytest.approx(2.0)
    assert ours.alpha == pytest.approx(0.0, abs=1e-15)
    assert np.isnan(ours.tstat)


@pytest.mark.filterwarnings("error")
def test_a_portfolio_that_is_one_of_its_factors_has_no_t_statistic() -> None:
    random = np.random.default_rng(4)
    factors, risk_free = random.normal(0.0, 0.04, size=(300, 3)), np.full(300, 0.002)
    fit = factor_alpha(factors[:, 0] + risk_free, risk_free, factors)
    assert fit.coefficients == pytest.approx([0.0, 1.0, 0.0, 0.0], abs=1e-12)
    assert np.isnan(fit.tstats).all()
    assert np.isnan(fit.pvalues).all()


def test_a_benchmark_that_never_moves_gives_nan() -> None:
    ours = alpha(np.array([0.01, 0.02, 0.0]), np.full(3, 0.001), np.full(3, 0.001), 12.0)
    assert np.isnan([ours.alpha, ours.beta, ours.tstat, ours.pvalue, *ours.error]).all()


@pytest.mark.parametrize("n", [2, 3, 10, 100])
@pytest.mark.parametrize("size", [1e-6, 0.01, 0.3])
def test_a_benchmark_that_only_rounding_moves_gives_nan(n: int, size: float) -> None:
    still = size * (1.0 + np.where(np.arange(n) % 2, 2.0**-52, 0.0))
    assert 0.0 < np.ptp(still) <= 1e-15 * size
    ours = alpha(np.random.default_rng(n).normal(0.0, 0.04, n), still, np.zeros(n), 12.0)
    assert np.isnan([ours.alpha, ours.beta, ours.tstat, ours.pvalue, *ours.error]).all()


def test_two_returns_are_met_exactly_and_one_says_nothing() -> None:
    returns, benchmark, risk_free = np.array([0.04, 0.02]), np.array([0.02, 0.01]), np.array([0.0, 0.002])
    ours = alpha(returns, benchmark, risk_free, 12.0)
    # Excess returns of 0.04 and 0.018 on 0.02 and 0.008.
    assert ours.beta == pytest.approx(0.022 / 0.012)
    assert ours.alpha == pytest.approx(12.0 * (0.04 - 0.02 * 0.022 / 0.012))
    assert np.isnan([ours.tstat, ours.pvalue, *ours.error]).all()
    one = alpha(returns[:1], benchmark[:1], risk_free[:1], 12.0)
    assert np.isnan([one.alpha, one.beta, one.tstat, one.pvalue, *one.error]).all()
