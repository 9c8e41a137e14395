"""Signals of a sweep: the compiled windows are those of one set at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backtest.dates import Fills
from backtest.series import Series
from backtest.signals.policy import PolicyRate
from backtest.signals.rows import combinations, distinct
from tests.engine.cases import cases


@st.composite
def rates(draw: st.DrawFn) -> PolicyRate:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
    n = draw(st.integers(1, 40), label="moves")
    known_at = np.datetime64("1990-01-31") + np.cumsum(rng.integers(1, 200, n + 1))
    values = 20.0 + np.cumsum(rng.choice([-0.5, -0.25, -0.1, 0.0, 0.25], n + 1))
    days = np.datetime64("1990-01-01") + np.cumsum(rng.integers(1, 30, 400))
    same_close = draw(st.booleans(), label="same close")
    return PolicyRate(Fills(days, same_close), Series("POLICY", known_at, values, known_at))


def row(draw: st.DrawFn, n: int, values: list[float]) -> np.ndarray | float:
    """One value for all sets, or one for each."""
    if draw(st.booleans()):
        return draw(st.sampled_from(values))
    return np.array(draw(st.lists(st.sampled_from(values), min_size=n, max_size=n)))


@given(st.data())
@cases(1.5)
def test_a_sweep_is_each_of_its_sets(data: st.DataObject) -> None:
    policy = data.draw(rates())
    n = data.draw(st.integers(2, 12), label="sets")
    quiet = data.draw(st.composite(row)(n, [0, 1, 6, 12, 60]), label="quiet")
    at_least = data.draw(st.composite(row)(n, [0.0, 0.25, 0.5]), label="at least")
    after = data.draw(st.composite(row)(n, [0, 1, 7, 24]), label="after")
    until = data.draw(st.composite(row)(n, [1, 6, 24, 60]), label="until")
    events = policy.first_cuts(quiet, at_least)
    signal = events.within(after, until)
    for which in range(signal.n_sets):
        one = [np.broadcast_to(values, n)[which : which + 1] for values in (quiet, at_least, after, until)]
        alone = policy.first_cuts(*one[:2]).within(*one[2:])  # united by the loop's twin
        for got, due in zip(signal.runs(which), alone.runs(), strict=True):
            assert np.array_equal(got, due)
        assert signal.first[which] == alone.first[0]


@given(st.lists(st.sampled_from([0.1, 0.25, 1.0, -3.0]), min_size=1, max_size=50))
def test_distinct_values_are_found_as_numpy_does(values: list[float]) -> None:
    found, which = distinct(np.array(values))
    due, places = np.unique(values, return_inverse=True)
    assert np.array_equal(found, due)
    assert np.array_equal(which, places)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=40), st.booleans())
def test_distinct_combinations_are_found_whatever_their_span(
    pairs: list[tuple[int, int]], wide: bool
) -> None:
    one, other = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    step = 10**6 if wide else 1  # too many for a table
    (first, second), which = combinations(one * step, other)
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == sorted(
        {(a * step, b) for a, b in pairs}
    )
    assert (first[which] == one * step).all()
    assert (second[which] == other).all()
