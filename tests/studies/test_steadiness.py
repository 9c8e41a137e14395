"""A coefficient as evidence: its interval, its halves, and the case that carries it, against plain fits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from backtest.analysis.regression import least_squares
from backtest.dates import last_business_day, to_days
from backtest.studies.steadiness import coefficient, spells


def drawn(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, n)
    return 0.2 * x + rng.normal(0.0, 1.0, n), np.column_stack([np.ones(n), x])


@pytest.mark.parametrize("seed", range(40))
def test_the_interval_leaves_zero_out_where_the_test_rejects_it(seed: int) -> None:
    y, design = drawn(seed)
    found = coefficient("slope", y, design, 1, np.arange(120).astype(str), 120, str, scale=12.0)
    fit = least_squares(y, design)
    assert found.estimate == pytest.approx(12.0 * fit.coefficients[1])
    assert found.pvalue == pytest.approx(fit.pvalues[1])
    assert (found.low > 0.0 or found.high < 0.0) == (found.pvalue < 0.05)
    assert (found.low + found.high) / 2.0 == pytest.approx(found.estimate)


def test_few_spells_widen_the_interval_and_many_months_do_not_narrow_it() -> None:
    y, design = drawn(1)
    few, many = (coefficient("slope", y, design, 1, np.arange(120).astype(str), n, str) for n in (6, 120))
    error = least_squares(y, design).tested[1]
    assert many.pvalue == pytest.approx(2 * t.sf(abs(few.estimate) / error.size, error.freedom))
    assert few.pvalue == pytest.approx(2 * t.sf(abs(few.estimate) / error.size, 12))
    assert few.high - few.low > many.high - many.low


def test_halves_are_fits_of_their_own_and_the_carrying_case_is_the_one_that_moves_it_most() -> None:
    y, design = drawn(3)
    y[50:53] += 4.0 * np.sign(design[50:53, 1])  # one case of three months, all for the slope
    cases = np.array([f"case {t // 3 if 48 < t < 54 else t}" for t in range(120)])
    cases[50:53] = "crash"
    found = coefficient("slope", y, design, 1, cases, 120, str)
    halves = [least_squares(y[part], design[part]).coefficients[1] for part in (slice(60), slice(60, None))]
    assert found.halves == pytest.approx(tuple(halves))
    assert found.carrying == "crash"
    left = cases != "crash"
    assert found.without == pytest.approx(least_squares(y[left], design[left]).pvalues[1])
    assert found.without > found.pvalue


def test_a_spell_is_named_by_its_first_month() -> None:
    ends = last_business_day(to_days(np.arange("1990-01", "1990-07", dtype="datetime64[M]")))
    bad = np.array([False, False, True, True, False, True])
    names = [*["1990-01 on"] * 2, *["1990-03 on"] * 2, "1990-05 on", "1990-06 on"]
    assert spells(ends, bad).tolist() == names
