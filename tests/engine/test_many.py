"""Many sets at once: the right engine, the same answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.dates import Fills
from backtest.decisions import Targets, Weights, answered
from backtest.engine import many, reference
from backtest.engine.curves import Yardstick
from backtest.engine.many import Measurer
from backtest.engine.reference import Rebalance
from backtest.errors import UsageError
from backtest.signals.spells import Spells
from backtest.signals.together import Changes, Together
from tests.engine.cases import World, assert_close, cases, truth, worlds


def mixes(
    sleeves: tuple[str, ...],
    offsets: np.ndarray,
    at: np.ndarray,
    weights: np.ndarray,
    every: np.ndarray,
    band: np.ndarray,
) -> Weights:
    """Decisions of fractions, as a strategy may make them; the fills are those of the test's own world."""
    fills = Fills(np.arange("2000-01-01", "2000-01-03", dtype="datetime64[D]"))
    n_sets = len(offsets) - 1
    given = Changes(offsets, at, np.arange(len(at)))
    return Weights(
        fills, sleeves, weights, np.zeros(n_sets, dtype=np.int64), every, np.where(band, band, np.inf), given
    )


def targets_by_hand(mix: Weights, which: int, sleeves: tuple[str, ...], first: int, last: int) -> Targets:
    """Go through the bars and write down each change of what is wanted."""
    changes = mix.changes
    part = slice(changes.offsets[which], changes.offsets[which + 1])
    fills, rows = [], []
    for bar in range(first, last):
        wanted = mix.weights[part][np.flatnonzero(changes.at[part] <= bar)[-1]]
        full = np.zeros(len(sleeves))
        for name, weight in zip(mix.sleeves, wanted, strict=True):
            full[sleeves.index(name)] += weight
        full[sleeves.index("cash")] += 1.0 - full.sum()
        if not rows or (full != rows[-1]).any():
            fills.append(bar - first)
            rows.append(full)
    return Targets(np.array(fills), np.array(rows))


@given(st.data())
@cases(1)
def test_mixes_are_the_reference_in_every_window(data: st.DataObject) -> None:
    world = data.draw(worlds())
    bars, n_bars = world.bars, len(world.bars.dates)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    held = bars.sleeves[: int(rng.integers(1, len(bars.sleeves)))]
    at = [np.unique(np.r_[0, rng.integers(0, n_bars, rng.integers(0, 6))]) for _ in range(4)]
    n = sum(map(len, at))
    parts = rng.multinomial(4, np.full(len(held) + 1, 1 / (len(held) + 1)), n)[:, :-1]
    mix = mixes(
        held,
        np.cumsum([0, *map(len, at)]),
        np.concatenate(at),
        parts / 4.0,
        np.sort(rng.choice([0, 1, 3], 4)),
        rng.choice([0.0, 0.02, 0.021, 0.05], 4),
    )
    first = int(rng.integers(0, n_bars - 1))
    last = int(rng.integers(first + 1, n_bars))
    n_years = (last - first) / 12.0
    yardstick = Yardstick.of(bars, world.benchmark, first, last, n_years)
    answer = Measurer(bars, world.benchmark, world.costs).measure(mix, [yardstick])[0]
    part = World(bars.window(first, last), world.benchmark, world.costs, n_years)
    for which in range(4):
        rebalance = Rebalance(int(mix.every_months[which]), float(mix.band[which]))
        wanted = targets_by_hand(mix, which, bars.sleeves, first, last)
        due = reference.simulate(part.bars, wanted, world.costs, rebalance)
        assert_close(answer[which], truth(part, due))


def rotation(n_bars: int) -> Weights:
    dates = np.datetime64("2000-01-01") + np.arange(n_bars)
    offsets, starts = np.array([0, 1, 2]), np.array([2, 5])
    signal = Spells(Fills(dates), offsets, starts, starts + 3, np.zeros(2, np.int64))
    return answered("rotated", ("small", "cash"), Together.of(signal))


@pytest.fixture
def world() -> World:
    from backtest.market.data import Bars

    dates = np.datetime64("2000-01-01") + np.arange(12)
    returns = np.random.default_rng(3).normal(0, 0.02, (12, 2))
    return World(Bars(dates, ("small", "cash"), returns), "small", [0.001, 0.0], 1.0)


def test_the_engine_follows_from_the_decision(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    yardstick = Yardstick.of(world.bars, "small", 0, 11, 1.0)
    measurer = Measurer(world.bars, "small", [0.0, 0.0])
    settings = np.array([[0.5], [1.0]]), np.array([1, 1]), np.array([0.0, 0.0])
    halves = mixes(("small",), np.array([0, 1, 2]), np.array([0, 0]), *settings)
    called = []
    path = many.by_path
    monkeypatch.setattr(many, "by_path", lambda *given: called.append(given[1]) or path(*given))
    assert measurer.measure(rotation(12), [yardstick]).shape == (1, 2, 14)
    assert called == []
    answer = measurer.measure(halves, [yardstick, yardstick])
    assert answer.shape == (2, 2, 14)
    # All of it in the benchmark leaves nothing but rounding: that one is walked, in both windows.
    assert [given.weights[given.rows].tolist() for given in called] == [[[1.0, 0.0]]] * 2
    assert (answer[:, :, 9] == 0.0).tolist() == [[False, True]] * 2


def test_a_sleeve_that_does_not_exist_is_named(world: World) -> None:
    yardstick = Yardstick.of(world.bars, "small", 0, 11, 1.0)
    mix = mixes(("smal",), np.array([0, 1]), np.array([0]), np.array([[0.5]]), np.array([0]), np.array([0.0]))
    with pytest.raises(UsageError, match="did you mean 'small'"):
        Measurer(world.bars, "small", world.costs).measure(mix, [yardstick])
