"""Superior predictive ability held against the definitions written out, and against noise of many kinds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest.analysis.superior import FEWEST_BLOCKS, persistence, settled, superior

if TYPE_CHECKING:
    from backtest.dates import Floats

BLOCKS = 40


def written_out(blocks: Floats, repetitions: int, level: float, seed: int) -> tuple[float, list[int]]:
    """Return Hansen's consistent p-value and whom StepM names, resample by resample and row by row."""
    n = blocks.shape[1]
    random = np.random.default_rng(seed)
    own = [float(row.sum() / math.sqrt((row**2).sum())) for row in blocks]
    drawn = []
    for _ in range(repetitions):
        times = random.multinomial(n, [1.0 / n] * n)
        sample = np.repeat(np.arange(n), times)
        around = [row - row.mean() for row in blocks]
        drawn.append([float(row[sample].sum() / math.sqrt((row[sample] ** 2).sum())) for row in around])
    bad = -math.sqrt(2.0 * math.log(math.log(n)))
    kept = [k for k, value in enumerate(own) if value >= bad]
    more = sum(max(0.0, *(each[k] for k in kept)) >= max(0.0, *own) for each in drawn)
    named: list[int] = []
    while True:
        rest = [k for k in range(len(blocks)) if k not in named]
        highest = sorted((max(each[k] for k in rest) for each in drawn), reverse=True)
        limit = highest[int(level * (repetitions + 1)) - 1]
        new = [k for k in rest if own[k] > limit]
        if not new:
            return (1 + more) / (1 + repetitions), sorted(named)
        named += new
        if len(named) == len(blocks):
            return (1 + more) / (1 + repetitions), sorted(named)


@pytest.mark.parametrize("at_a_time", [3, 1024])
@pytest.mark.parametrize("edge", [0.0, 0.3, 0.8])
def test_it_is_what_the_papers_say(edge: float, at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtest.analysis.superior._GROUP", at_a_time)
    blocks = np.random.default_rng(4).standard_t(4.0, (12, BLOCKS)) - 0.3
    blocks[3:6] += 0.3 + edge * np.array([[0.8], [1.0], [1.2]])
    found = superior(blocks, repetitions=199, seed=7)
    pvalue, named = written_out(blocks, 199, 0.05, 7)
    assert found.pvalue == pytest.approx(pvalue, abs=1e-12)
    assert found.better.tolist() == named
    assert found.strategies == 12


def test_a_second_step_names_what_the_first_could_not() -> None:
    random = np.random.default_rng(2)
    blocks = random.normal(size=(60, BLOCKS))
    blocks[:59] += 1.5
    blocks[59] += 0.45 - blocks[59].mean()
    found = superior(blocks)
    statistic = blocks[59].mean() / blocks[59].std(ddof=1) * math.sqrt(BLOCKS)
    assert statistic < found.hurdle
    assert 59 in found.better


def test_the_hurdle_is_a_t_statistic() -> None:
    blocks = np.random.default_rng(5).normal(size=(1, 400))
    assert superior(blocks, repetitions=4000).hurdle == pytest.approx(1.65, abs=0.1)


def test_a_steady_gain_does_not_drown_among_wild_ones() -> None:
    random = np.random.default_rng(3)
    gains = np.vstack([random.normal(0.0, 0.08, (20, 400)), random.normal(0.001, 0.005, (1, 400))])
    found = superior(settled(gains))
    assert found.pvalue < 0.05
    assert found.better.tolist() == [20]
    scaled = gains * np.geomspace(0.01, 3.0, 21)[:, None]
    assert superior(settled(scaled)).pvalue == found.pvalue


def test_what_is_the_benchmark_itself_is_left_out() -> None:
    gains = np.random.default_rng(3).normal(0.001, 0.005, (1, 400))
    with_none = superior(settled(np.vstack([np.zeros((1, 400)), gains])))
    assert with_none.better.tolist() == [1]
    assert with_none.pvalue == superior(settled(gains)).pvalue
    assert math.isnan(superior(settled(np.zeros((1, 400)))).pvalue)


def test_few_draws_make_no_pvalue_of_nothing() -> None:
    gains = np.random.default_rng(1).normal(0.05, 0.01, (3, 100))
    assert superior(settled(gains), repetitions=99).pvalue == pytest.approx(0.01)


def test_hopeless_strategies_have_a_pvalue_of_one() -> None:
    gains = np.random.default_rng(1).normal(-0.05, 0.01, (3, 100))
    found = superior(settled(gains))
    assert found.pvalue == 1.0
    assert len(found.better) == 0


def test_a_few_blocks_say_nothing() -> None:
    blocks = np.random.default_rng(1).normal(5.0, 1.0, (3, FEWEST_BLOCKS))
    assert superior(blocks).pvalue < 0.05
    few = superior(blocks[:, 1:])
    assert math.isnan(few.pvalue)
    assert math.isnan(few.hurdle)
    assert len(few.better) == 0
    assert settled(np.ones((3, 1))).shape == (3, 0)


def test_memory_is_taken_out_and_the_mean_kept() -> None:
    random = np.random.default_rng(6)
    shocks = random.normal(size=(2, 6000))
    lingering = shocks.copy()
    for t in range(1, 6000):
        lingering[:, t] += 0.5 * lingering[:, t - 1]
    np.testing.assert_allclose(persistence(lingering), 0.5, atol=0.04)
    blocks = settled(lingering + 0.2)
    assert blocks.shape[1] == 5999 // round(5999 ** (1 / 3))
    np.testing.assert_allclose(blocks.sum(axis=1) / 5999, 0.2 * 0.5, atol=0.04)
    np.testing.assert_allclose(persistence(blocks), 0.0, atol=0.1)
    own = lingering[0] - lingering[0].mean()
    assert persistence(lingering)[0] == pytest.approx((own[1:] * own[:-1]).sum() / (own**2).sum(), rel=1e-9)
    assert persistence(np.zeros((1, 9))).tolist() == [0.0]


def test_noise_is_called_superior_as_seldom_as_promised() -> None:
    """Of 120 sweeps of 300 trials at 5% a few; with the errors of the sample in every resample it was a fourth."""
    named = called = 0
    for sample in range(120):
        gains = np.random.default_rng(sample).standard_t(4.0, (300, 240))
        found = superior(settled(gains), repetitions=200, seed=sample)
        called += found.pvalue <= 0.05
        named += len(found.better) > 0
    assert 0 < called <= 14
    assert named <= called


def test_a_planted_edge_among_many_is_found() -> None:
    found = 0
    for sample in range(20):
        gains = np.random.default_rng(sample).normal(0.0, 1.0, (300, 480))
        gains[7] += 0.25  # an information ratio of 0.87 a year
        found += superior(settled(gains), repetitions=200, seed=sample).better.tolist() == [7]
    assert found >= 16
