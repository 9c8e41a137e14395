"""The stages engine: what it remembers changes nothing, and what it cannot tell is left to another."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from backtest.dates import Fills
from backtest.decisions import Targets, Weights, answered, mixed
from backtest.engine import elements, reference, stages
from backtest.engine.curves import Yardstick
from backtest.engine.many import Measurer
from backtest.engine.reference import Rebalance
from backtest.engine.stages import Stages
from backtest.errors import DataError
from backtest.market.data import Bars
from backtest.signals.spells import Spells
from backtest.signals.together import Together
from tests.engine.cases import World, assert_close, cases, truth, with_gaps, worlds

NAMES = ("small", "large", "market", "cash")


def market(n: int, seed: int = 0) -> Bars:
    returns = np.random.default_rng(seed).normal(0.005, 0.04, (n, 4))
    returns[:, 3] = 0.003
    dates = (np.datetime64("1950-01") + np.arange(n)).astype("datetime64[D]") + 27
    return Bars(dates, NAMES, returns)


def signal(rng: np.random.Generator, dates: np.ndarray, n_sets: int, share: float) -> Spells:
    """Random runs; their edges may lie at the first fill and past the last."""
    edges = [np.flatnonzero(rng.random(len(dates) + 1) < share) for _ in range(n_sets)]
    edges = [e[: len(e) // 2 * 2] for e in edges]
    flat = np.concatenate(edges).astype(np.int64)
    offsets = np.cumsum([0, *(len(e) // 2 for e in edges)])
    return Spells(Fills(dates), offsets, flat[::2], flat[1::2], np.zeros(n_sets, np.int64))


def decided(rng: np.random.Generator, dates: np.ndarray, n_sets: int, share: float = 0.1) -> Weights:
    """What four signals of a few sets each decide together: one sleeve of three, or so many quarters of one."""
    signals = [signal(rng, dates, n, share) for n in (5, 3, 4, 2)]
    which = [rng.integers(0, each.n_sets, n_sets) for each in signals]
    if rng.random() < 0.5:
        return answered(
            "chosen", (("small", "cash", "small", "large"), "large"), Together(tuple(signals), tuple(which))
        )
    return answered("blended", ("small", "large"), Together(tuple(signals), tuple(which)))


def fixed(dates: np.ndarray, small: np.ndarray, every: np.ndarray, band: np.ndarray) -> Weights:
    made, _ = mixed(Fills(dates), ("small", "large"), np.column_stack([small, 1.0 - small]), every, band)
    return made


def by_hand(mix: Weights, which: int, sleeves: tuple[str, ...], first: int, last: int) -> Targets:
    """Ask each signal at each bar, and write down each change of what is wanted."""
    pairs = zip(mix.given.signals, mix.given.sets, strict=True)
    masks = sum(each.dense(int(sets[which])).astype(int) << i for i, (each, sets) in enumerate(pairs))
    weights = mix.weights[masks[first:last]]
    full = np.zeros((last - first, len(sleeves)))
    for column, name in enumerate(mix.sleeves):
        full[:, sleeves.index(name)] += weights[:, column]
    new = np.r_[True, (full[1:] != full[:-1]).any(axis=1)]
    return Targets(np.flatnonzero(new), full[new])


def two_sleeves(bars: Bars) -> bool:
    """Whether small and large differ: a mix of two that are alike differs from them by rounding alone."""
    return "large" in bars.sleeves and (bars.returns[:, 0] != bars.returns[:, 1]).any()


@given(st.data())
@cases(2)
def test_what_signals_decide_is_the_reference_in_every_window(data: st.DataObject) -> None:
    world = data.draw(worlds())
    bars, n_bars = world.bars, len(world.bars.dates)
    if not two_sleeves(bars):
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    mix = decided(rng, bars.dates, 12, data.draw(st.sampled_from([0.02, 0.1, 0.5, 1.0])))
    first = int(rng.integers(0, n_bars - 1))
    last = int(rng.integers(first + 1, n_bars))
    n_years = (last - first) / 12.0
    yardstick = Yardstick.of(bars, world.benchmark, first, last, n_years)
    measurer = Measurer(bars, world.benchmark, world.costs)
    with mock.patch.object(stages, "_STAGES", data.draw(st.sampled_from([1, 3, 8, 50]))):
        answer = measurer.measure(mix, [yardstick])[0]
    returns = measurer.returns(mix, first, last)
    part = World(bars.window(first, last), world.benchmark, world.costs, n_years)
    for which in range(12):
        note(f"set {which} from {first} to {last}")
        due = reference.simulate(part.bars, by_hand(mix, which, bars.sleeves, first, last), world.costs)
        assert_close(answer[which], truth(part, due))
        np.testing.assert_allclose(returns[which], due.returns, rtol=0, atol=1e-12)


@given(st.data())
@cases(2)
def test_fixed_mixes_are_the_reference(data: st.DataObject) -> None:
    world = data.draw(worlds())
    bars, last = world.bars, len(world.bars.dates) - 1
    if not two_sleeves(bars):
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    small, every = (
        np.repeat(rng.choice([0.0, 0.5, 0.6, 1.0], 3), 8),
        np.repeat(rng.choice([0, 1, 2, 12], 3), 8),
    )
    band = np.tile(rng.permutation([0.0, 0.001, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3]), 3)
    yardstick = Yardstick.of(bars, world.benchmark, 0, last, world.n_years)
    with mock.patch.object(stages, "_STAGES", data.draw(st.sampled_from([1, 3, 8, 50]))):
        answer = Measurer(bars, world.benchmark, world.costs).measure(
            fixed(bars.dates, small, every, band), [yardstick]
        )[0]
    for which in range(len(small)):
        weights = np.zeros((1, len(bars.sleeves)))
        weights[0, :2] = small[which], 1.0 - small[which]
        rebalance = Rebalance(int(every[which]), float(band[which]) or np.inf)
        due = reference.simulate(bars, Targets(np.zeros(1, np.int64), weights), world.costs, rebalance)
        assert_close(answer[which], truth(world, due))


def test_sets_that_are_unlike_decide_otherwise_and_the_others_alike() -> None:
    dates = market(60).dates
    mix = decided(np.random.default_rng(4), dates, 300, 0.03)
    mix.first[::7] = 21
    found, which = mix.unlike(20, 40)
    assert 1 < len(found) < 100
    assert (which == -1).tolist() == [s % 7 == 0 for s in range(300)]
    pairs = list(zip(mix.given.signals, mix.given.sets, strict=True))
    seen = {s: tuple(each.dense(int(sets[s]))[20:40].tobytes() for each, sets in pairs) for s in range(300)}
    assert len({seen[s] for s in found}) == len(found)
    assert all(seen[s] == seen[found[which[s]]] for s in range(300) if s % 7)


def test_neither_threads_nor_memory_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = market(700)
    rng = np.random.default_rng(1)
    grid = np.meshgrid([0.2, 0.5, 0.7], [0, 1, 5, 12], np.linspace(0.0, 0.2, 120), indexing="ij")
    for mix in (
        decided(rng, bars.dates, 1500),
        fixed(bars.dates, *(each.reshape(-1) for each in grid)),
    ):
        windows = [Yardstick.of(bars, "market", first, last, 5.0) for first, last in ((0, 699), (300, 500))]
        engine = Stages(bars, "market", [0.001] * 3 + [0.0])
        ordered = [engine.sweep(mix, window, 1)[0] for window in windows]
        for threads in (2, 3, 7):  # with what was remembered
            assert engine.sweep(mix, windows[1], threads)[0].tobytes() == ordered[1].tobytes()
        backwards = np.arange(mix.n_sets)[::-1]
        monkeypatch.setattr(elements, "_ROOM", 16_000)  # a few dozen elements at a time
        small = Stages(bars, "market", [0.001] * 3 + [0.0])
        assert small.sweep(mix.take(backwards), windows[0], 1)[0][backwards].tobytes() == ordered[0].tobytes()
        monkeypatch.undo()


def test_ordinary_mixes_are_looked_up_and_doubtful_ones_are_left() -> None:
    bars = market(700)
    yardstick = Yardstick.of(bars, "market", 0, 699, 58.0)
    engine = Stages(bars, "market", [0.001] * 3 + [0.0])
    ones = np.ones(200)
    band = np.linspace(0.01, 0.2, 200)
    mix = fixed(bars.dates, 0.6 * ones, (12 * ones).astype(np.int64), band)
    assert engine.sweep(mix, yardstick)[1].all()

    # A band that is as wide as a drift that there is: rounding decides.
    held = 0.6 * (1.0 + bars.returns[1, 0])
    drift = abs(held / (held + 0.4 * (1.0 + bars.returns[1, 1])) - 0.6)
    mix = fixed(bars.dates, 0.6 * ones[:3], np.zeros(3, np.int64), drift * np.array([0.99, 1.0, 1.01]))
    assert engine.sweep(mix, yardstick)[1].tolist() == [True, False, True]


def test_a_missing_return_is_named_where_it_is_held_and_nowhere_else() -> None:
    bars = market(200)
    rng = np.random.default_rng(2)
    signals = [signal(rng, bars.dates, 1, 0.1), signal(rng, bars.dates, 1, 0.1)]
    mix = answered("chosen", (("small", "cash"), "large"), Together.of(*signals))
    costs = [0.001] * 3 + [0.0]
    due = reference.simulate(bars, by_hand(mix, 0, NAMES, 0, 199), costs)
    world = with_gaps(World(bars, "market", costs, 16.0), due, seed=3)
    assert np.isnan(world.bars.returns).sum() > 50
    yardstick = Yardstick.of(world.bars, "market", 0, 199, 16.0)
    answer = Measurer(world.bars, "market", costs).measure(mix, [yardstick])[0, 0]
    assert_close(answer, truth(world, due))
    assert Stages(world.bars, "market", costs).sweep(mix, yardstick)[1].all()

    bar = int(np.flatnonzero(due.weights[:, 0] > 0.0)[5]) + 1
    world.bars.returns[bar, 0] = np.nan
    measurer = Measurer(world.bars, "market", costs)
    for ask in (lambda: measurer.measure(mix, [yardstick]), lambda: measurer.returns(mix, 0, 199)):
        with pytest.raises(DataError, match=f"^small has no return on {bars.dates[bar]}, but is held then"):
            ask()


def test_a_mix_that_rounding_moves_is_on_target() -> None:
    bars = market(200)
    bars.returns[:, 1] = bars.returns[:, 0]
    weights = np.array([[0.3, 0.7, 0.0, 0.0]])
    path = reference.simulate(bars, Targets(np.zeros(1, np.int64), weights), [0.001] * 4, Rebalance(1, 0.0))
    assert len(path.trades.bars) == 1
    assert (path.weights[:, :2] != weights[0, :2]).any()
