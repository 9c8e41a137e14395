"""The segments engine: what its tables say, when it walks, and that threads change nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.engine import segments, tables
from backtest.engine.curves import Yardstick
from backtest.engine.segments import Segments
from backtest.errors import DataError
from backtest.market.data import Bars
from tests.engine.cases import cases

NAMES = ("small", "large", "market", "cash")


def market(n: int, seed: int = 0) -> Bars:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0004, 0.01, (n, 4))
    returns[:, 3] = 0.0001
    return Bars(np.datetime64("1990-01-01") + np.arange(n), NAMES, returns)


def grid(n_bars: int, n_sets: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    edges = [np.sort(rng.choice(n_bars, 2 * rng.integers(0, 9), replace=False)) for _ in range(n_sets)]
    offsets = np.cumsum([0, *(len(e) // 2 for e in edges)])
    flat = np.concatenate(edges)
    return offsets, flat[::2].astype(np.int64), flat[1::2].astype(np.int64)


def fall_by_hand(growth: np.ndarray) -> tuple[float, float, float, float]:
    value = np.r_[0.0, np.cumsum(growth)]
    fall = (value - np.maximum.accumulate(value)).min()
    return value[-1], value[-1] - value.max(), value.min(), fall


@given(st.lists(st.integers(-64, 64), min_size=1, max_size=40), st.data())
@cases(2)
def test_a_stretch_is_the_join_of_two_entries(parts: list[int], data: st.DataObject) -> None:
    growth = np.array(parts) / 64.0  # exact, whatever the order of adding up
    elements = np.array([[tables.one_bar(g) for g in growth]])
    sparse = tables._sparse(elements)
    start = data.draw(st.integers(0, len(parts) - 1))
    stop = data.draw(st.integers(start + 1, len(parts)))
    final = stop - 1
    level = (start ^ final).bit_length() - 1 if start != final else 0
    got = tuple(sparse[0, level, start])
    if start != final:
        got = tables.join(got, tuple(sparse[0, level, final]))
    assert got == fall_by_hand(growth[start:stop])


def test_prefix_sums_are_rounded_once() -> None:
    rng = np.random.default_rng(5)
    column = rng.normal(0, 1, (1, 5000)) * 10.0 ** rng.integers(-8, 8, 5000)
    zero = np.zeros(5000)
    sums = tables.prefix_sums(column, 0.0, zero, zero)
    for bar in (0, 17, 4999):
        assert sums[0, bar, 0] == math.fsum(column[0, : bar + 1])
        assert sums[0, bar, 1] == pytest.approx(math.fsum(column[0, : bar + 1] ** 2), rel=2e-16)


def test_the_number_of_threads_changes_no_bit() -> None:
    bars = market(3000)
    runs = grid(3000, 1500)
    pair = Segments.of(bars, "large", "small", "large")
    windows = [Yardstick.of(bars, "large", first, last, 5.0) for first, last in ((0, 2999), (700, 900))]
    answers = [
        pair.sweep(runs, [0.001] * 3 + [0.0], windows, threads=threads).tobytes() for threads in (1, 2, 3, 7)
    ]
    assert len(set(answers)) == 1


def test_ordinary_sets_are_looked_up_and_doubtful_ones_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []
    compiled = segments._measure_sets

    def counting(*arguments: object) -> tuple[int, int]:
        answer = compiled(*arguments)
        walked.append(answer[1])
        return answer

    monkeypatch.setattr(segments, "_measure_sets", counting)
    bars = market(5000)
    offsets, starts, stops = grid(5000, 200)
    yardstick = Yardstick.of(bars, "market", 0, 4999, 20.0)
    Segments.of(bars, "large", "small", "market").sweep(
        (offsets, starts, stops), [0.001] * 3 + [0.0], [yardstick], 1
    )
    assert sum(walked) == 0

    # Two sleeves that are the benchmark: without costs nothing is left but rounding, so all that switch are walked.
    walked.clear()
    returns = bars.returns.copy()
    returns[:, 0] = returns[:, 1] = returns[:, 2]
    same = Bars(bars.dates, NAMES, returns)
    yardstick = Yardstick.of(same, "market", 0, 4999, 20.0)
    answer = Segments.of(same, "large", "small", "market").sweep(
        (offsets, starts, stops), [0.0] * 4, [yardstick], 1
    )[0]
    assert sum(walked) == (answer[:, 12] > 0).sum() > 100
    assert (answer[:, 9] == 0.0).all()
    assert np.isnan(answer[:, 10]).all()
    assert (answer[:, 7] == 0.0).all()
    assert (answer[:, 8] == 1.0).all()


def test_a_sleeve_that_is_both_never_switches() -> None:
    bars = market(100)
    yardstick = Yardstick.of(bars, "market", 0, 99, 1.0)
    answer = Segments.of(bars, "small", "small", "market").sweep(
        grid(100, 5), [0.001] * 3 + [0.0], [yardstick]
    )[0]
    assert (answer[:, 12] == 0.0).all()
    assert (answer[:, 13] == 1.0).all()


def test_a_benchmark_without_a_return_is_named() -> None:
    bars = market(50)
    bars.returns[20, 2] = np.nan
    with pytest.raises(
        DataError,
        match="^market has no return on 1990-01-21, which the measures need; choose a window in which it has all$",
    ):
        Yardstick.of(bars, "market", 0, 49, 1.0)
    Yardstick.of(bars, "market", 20, 49, 1.0)  # the return into the first fill is not earned
