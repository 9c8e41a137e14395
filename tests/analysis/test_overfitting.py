"""The statistics of many trials, against published examples, planted structures and other implementations."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import stats

from backtest.analysis.crossvalidation import overfitting, splits
from backtest.analysis.overfitting import (
    deflated_sharpe,
    effective_trials,
    expected_maximum,
    kurtosis,
    probabilistic_sharpe,
    skewness,
)
from backtest.engine.parallel import share
from backtest.errors import UsageError


# Bailey and Lopez de Prado (2014), "A numerical example": a Sharpe ratio of 2.5 a year over 1250 days, skewness -3,
# kurtosis 10, variance 1/2 a year across trials, 250 days a year.
@pytest.mark.parametrize(
    ("trials", "skew", "kurt", "probability"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_deflated_sharpe_ratio_of_the_paper(
    trials: int, skew: float, kurt: float, probability: float
) -> None:
    threshold = expected_maximum(trials, math.sqrt(0.5 / 250))
    if trials == 100:
        assert threshold == pytest.approx(0.1132, abs=5e-5)
    found = probabilistic_sharpe(2.5 / math.sqrt(250), threshold, 1250, skew, kurt)
    assert found == pytest.approx(probability, abs=5e-5)


def test_more_draws_never_lower_the_expected_maximum() -> None:
    found = [expected_maximum(n, 1.0) for n in (1.0, 1.0 + 1e-9, 1.01, 1.1, 1.3, 1.5, 2.0, 3.0, 10.0)]
    assert found[0] == 0.0
    assert found == sorted(found)


def test_the_expected_maximum_is_that_of_normal_draws() -> None:
    random = np.random.default_rng(1)
    for n in (100, 400):  # an approximation for many draws
        simulated = random.normal(size=(20_000, n)).max(axis=1).mean()
        assert expected_maximum(n, 1.0) == pytest.approx(simulated, rel=0.02)
    assert expected_maximum(1, 3.0) == 0.0


def test_moments_are_those_of_scipy() -> None:
    values = np.random.default_rng(2).gamma(2.0, size=500)
    assert skewness(values) == pytest.approx(stats.skew(values), rel=1e-12)
    assert kurtosis(values) == pytest.approx(stats.kurtosis(values, fisher=False), rel=1e-12)


def test_a_series_gives_what_its_moments_give() -> None:
    shocks = np.random.default_rng(3).standard_t(5, size=800) * 0.01 + 0.001
    lingering = shocks + 0.4 * np.r_[0.0, shocks[:-1]]
    for returns in (shocks, lingering):
        found = deflated_sharpe(returns, 0.05, 40)
        sharpe = returns.mean() / returns.std(ddof=1)
        around = returns - returns.mean()
        memory = max((around[1:] * around[:-1]).sum() / (around**2).sum(), 0.0)
        moments = stats.skew(returns), stats.kurtosis(returns, fisher=False)
        n = 800 * (1.0 - memory) / (1.0 + memory)
        expected = probabilistic_sharpe(sharpe, expected_maximum(40, 0.05), n, *moments)
        assert found.sharpe == pytest.approx(sharpe)
        assert found.probability == pytest.approx(expected, rel=1e-12)
    assert memory > 0.25
    reversing = shocks - 0.4 * np.r_[0.0, shocks[:-1]]  # tells no more than 800 returns without memory
    moments = stats.skew(reversing), stats.kurtosis(reversing, fisher=False)
    sharpe = reversing.mean() / reversing.std(ddof=1)
    assert deflated_sharpe(reversing, 0.05, 40).probability == pytest.approx(
        probabilistic_sharpe(sharpe, expected_maximum(40, 0.05), 800, *moments), rel=1e-12
    )


def test_what_has_no_moments_no_variance_or_no_length_has_no_probability() -> None:
    assert np.isnan([skewness(np.full(5, 0.01)), kurtosis(np.zeros(5))]).all()
    # 1 - skew s + (kurt - 1) / 4 s^2 is -5, then 0, then 1.
    assert np.isnan(probabilistic_sharpe(2.0, 0.0, 100, 3.0, 1.0))
    assert np.isnan(probabilistic_sharpe(1.0, 0.0, 100, 1.0, 1.0))
    assert probabilistic_sharpe(0.0, 0.0, 100, 1.0, 3.0) == 0.5
    assert np.isnan(probabilistic_sharpe(0.5, 0.0, 1.9, 0.0, 3.0))
    assert probabilistic_sharpe(0.5, 0.0, 2, 0.0, 3.0) == pytest.approx(stats.norm.cdf(0.5 / np.sqrt(1.125)))


def test_fewer_than_one_trial_are_refused_and_little_more_than_one_expect_nothing() -> None:
    with pytest.raises(UsageError, match="^the number of trials must be 1 or more, not 0.5$"):
        expected_maximum(0.5, 1.0)
    assert expected_maximum(1.0001, 2.0) == 0.0


def test_a_deflated_ratio_says_what_it_was_held_against() -> None:
    winner = np.array([0.02, -0.01, 0.03, 0.01, -0.02, 0.015])
    found = deflated_sharpe(winner, 0.1, 20.0)
    assert found.sharpe == pytest.approx(winner.mean() / winner.std(ddof=1))
    assert deflated_sharpe(winner[:2], 0.1, 20.0).sharpe == pytest.approx(0.005 / (0.03 / np.sqrt(2.0)))
    for returns in (winner, np.full(6, 0.01), winner[:1]):
        found = deflated_sharpe(returns, 0.1, 20.0)
        assert (found.threshold, found.trials) == (expected_maximum(20.0, 0.1), 20.0)
    assert np.isnan([found.sharpe, found.probability]).all()


def test_the_scale_of_a_trial_does_not_matter() -> None:
    returns = np.random.default_rng(9).normal(size=(4, 60))
    scaled = returns * np.array([[1.0], [1e-13], [1e6], [1.0]])
    assert effective_trials(scaled) == pytest.approx(effective_trials(returns))


def test_more_trials_and_wilder_ones_deflate_more() -> None:
    returns = np.random.default_rng(4).normal(0.001, 0.01, size=1000)
    probabilities = [deflated_sharpe(returns, 0.03, n).probability for n in (1, 10, 1000, 10**6)]
    assert probabilities == sorted(probabilities, reverse=True)
    assert deflated_sharpe(returns, 0.06, 10).probability < deflated_sharpe(returns, 0.03, 10).probability


def test_returns_without_volatility_have_no_deflated_sharpe_ratio() -> None:
    assert math.isnan(deflated_sharpe(np.zeros(10), 0.1, 5).probability)


@pytest.mark.parametrize(("groups", "each"), [(1, 40), (5, 20), (12, 3), (30, 1)])
def test_groups_of_equal_trials_count_as_one_each(groups: int, each: int) -> None:
    random = np.random.default_rng(5)
    # Columns of an orthonormal matrix, less their mean, are uncorrelated exactly.
    basis = np.linalg.qr(np.column_stack([np.ones(400), random.normal(size=(400, groups))]))[0][:, 1:].T
    scales = random.uniform(0.5, 3.0, size=groups * each)
    assert effective_trials(np.repeat(basis, each, axis=0) * scales[:, None]) == pytest.approx(
        groups, rel=1e-6
    )


def test_correlation_lowers_the_effective_number() -> None:
    random = np.random.default_rng(6)
    common, own = random.normal(size=(1, 2000)), random.normal(size=(25, 2000))
    found = [effective_trials(math.sqrt(rho) * common + math.sqrt(1 - rho) * own) for rho in (0.0, 0.5, 0.95)]
    assert found[0] == pytest.approx(25.0, rel=0.01)
    assert 25.0 > found[0] > found[1] > found[2] > 1.0


def test_trials_that_never_move_do_not_count() -> None:
    assert effective_trials(np.full((3, 50), 0.01)) == 0.0
    moving = np.random.default_rng(7).normal(size=(2, 50))
    assert effective_trials(np.vstack([moving, np.zeros((4, 50))])) == pytest.approx(effective_trials(moving))


def _block_sums(returns: np.ndarray, n_blocks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    edges = np.linspace(0, returns.shape[1], n_blocks + 1).round().astype(int)
    parts = [returns[:, a:b] for a, b in pairwise(edges)]
    sums = np.column_stack([p.sum(axis=1) for p in parts])
    squares = np.column_stack([(p**2).sum(axis=1) for p in parts])
    return sums, squares, np.diff(edges)


def _by_the_book(returns: np.ndarray, n_blocks: int) -> tuple[float, list[float]]:
    """The steps of Bailey, Borwein, Lopez de Prado and Zhu, on the returns themselves."""
    edges = np.linspace(0, returns.shape[1], n_blocks + 1).round().astype(int)
    blocks = [np.arange(a, b) for a, b in pairwise(edges)]
    logits = []
    for half in combinations(range(n_blocks), n_blocks // 2):
        inside = returns[:, np.concatenate([blocks[b] for b in half])]
        outside = returns[:, np.concatenate([blocks[b] for b in range(n_blocks) if b not in half])]
        best = int((inside.mean(axis=1) / inside.std(axis=1, ddof=1)).argmax())
        rank = stats.rankdata(outside.mean(axis=1) / outside.std(axis=1, ddof=1))[best] / (len(returns) + 1)
        logits.append(math.log(rank / (1 - rank)))
    return float((np.array(logits) <= 0.0).mean()), logits


@pytest.mark.parametrize("seed", range(4))
def test_the_probability_of_overfitting_follows_the_paper_step_by_step(seed: int) -> None:
    random = np.random.default_rng(seed)
    returns = random.normal(0.0, 0.01, size=(13, 203)) + random.normal(0.0, 0.001, size=(13, 1))
    returns[5] = returns[2]  # equal trials share a rank
    expected, logits = _by_the_book(returns, 8)
    found = overfitting(*_block_sums(returns, 8))
    assert found.probability == expected
    np.testing.assert_allclose(np.log(found.ranks / (1.0 - found.ranks)), logits, rtol=1e-9, atol=1e-9)


def test_winners_that_tie_share_a_split_in_whatever_order_they_come() -> None:
    # Few different values, so that many trials tie for the best of a half and differ in the other.
    random = np.random.default_rng(12)
    returns = np.repeat(random.choice([-0.01, 0.0, 0.01, 0.02], size=(30, 8)), 6, axis=1)
    returns += np.tile([0.001, -0.001], 24)
    edges = np.arange(0, 49, 6)
    blocks = [np.arange(a, b) for a, b in pairwise(edges)]
    lower, losses, ranks, n_tied = [], [], [], []
    for half in combinations(range(8), 4):
        inside = returns[:, np.concatenate([blocks[b] for b in half])]
        outside = returns[:, np.concatenate([blocks[b] for b in range(8) if b not in half])]
        inner, outer = (np.round(r.mean(axis=1) / r.std(axis=1, ddof=1), 10) for r in (inside, outside))
        tied = inner == inner.max()
        shares = stats.rankdata(outer)[tied] / (len(returns) + 1)
        ranks.append(shares.mean())
        lower.append((shares <= 0.5).mean())
        losses.append((outer[tied] < 0.0).mean())
        n_tied.append(len(set(outer[tied])))
    assert max(n_tied) > 2
    for order in (np.arange(30), random.permutation(30), random.permutation(30)):
        found = overfitting(*_block_sums(returns[order], 8))
        np.testing.assert_allclose(found.ranks, ranks, rtol=1e-12)
        assert found.probability == pytest.approx(np.mean(lower), rel=1e-12)
        assert found.behind == pytest.approx(np.mean(losses), rel=1e-12)


def test_there_are_12870_splits_and_each_meets_its_complement() -> None:
    masks = splits()
    assert len(masks) == 12_870 == math.comb(16, 8)
    assert (masks + masks[::-1] == 2**16 - 1).all()
    assert len(set(masks.tolist())) == 12_870


def test_noise_overfits_half_of_the_time_and_a_true_edge_never() -> None:
    random = np.random.default_rng(8)
    noise = [
        overfitting(*_block_sums(random.normal(0.0, 0.01, size=(60, 640)), 16)).probability for _ in range(25)
    ]
    assert np.mean(noise) == pytest.approx(0.5, abs=0.06)
    returns = random.normal(0.0, 0.01, size=(300, 640))
    returns[123] += 0.004
    found = overfitting(*_block_sums(returns, 16))
    assert found.probability < 0.01
    assert (found.chosen == 123).mean() > 0.95
    assert found.behind < 0.01


def test_the_choice_is_held_against_the_benchmark_in_the_half_that_judges() -> None:
    returns = np.random.default_rng(12).normal(0.001, 0.01, size=(9, 205))
    benchmark = returns[:1] + np.linspace(-0.002, 0.004, 205)  # the halves of a benchmark differ
    sums, squares, bars = _block_sums(returns[1:], 4)
    of_it = _block_sums(benchmark, 4)
    found = overfitting(sums, squares, bars, np.array([of_it[0][0], of_it[1][0]]))
    edges = np.linspace(0, 205, 5).round().astype(int)
    behind = 0
    for chosen, half in zip(found.chosen, combinations(range(4), 2), strict=True):
        rest = np.concatenate([np.arange(edges[b], edges[b + 1]) for b in range(4) if b not in half])
        own, versus = returns[1 + chosen, rest], benchmark[0, rest]
        behind += own.mean() / own.std(ddof=1) < versus.mean() / versus.std(ddof=1)
    assert 0 < behind < 6
    assert found.behind == pytest.approx(behind / 6)


def test_threads_change_nothing() -> None:
    sums = _block_sums(np.random.default_rng(9).normal(0.0, 0.01, size=(700, 320)), 16)
    alone, together = overfitting(*sums), overfitting(*sums, share=lambda work, n: share(work, n, 3))
    for name in ("chosen", "inside", "outside", "ranks"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(together, name))


def test_trials_without_a_sharpe_ratio_are_left_out_and_counted() -> None:
    returns = np.random.default_rng(10).normal(0.0, 0.01, size=(5, 160))
    sums, squares, bars = _block_sums(np.vstack([np.zeros((2, 160)), returns]), 16)
    sums[1] = np.nan
    found = overfitting(sums, squares, bars)
    assert (found.trials, found.undefined) == (5, 2)
    assert set(found.chosen.tolist()) <= {2, 3, 4, 5, 6}
    with pytest.raises(UsageError, match="at least two trials"):
        overfitting(sums[:3], squares[:3], bars)
    with pytest.raises(UsageError, match="must be even"):
        splits(15)
