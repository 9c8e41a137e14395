"""Four engines, one truth: on random markets, decisions, costs and gaps they agree."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

from backtest.engine import ledger, path, reference
from backtest.engine.curves import Yardstick
from backtest.engine.path import Schedules
from backtest.engine.segments import Segments
from backtest.errors import DataError
from backtest.market.data import Bars
from tests.engine.cases import World, assert_close, cases, rebalances, targets, truth, with_gaps, worlds


@given(st.data())
@cases(3)
def test_path_is_the_reference_to_the_last_bit(data: st.DataObject) -> None:
    world = data.draw(worlds())
    wanted, rebalance = data.draw(targets(world)), data.draw(rebalances)
    due = reference.simulate(world.bars, wanted, world.costs, rebalance)
    world = with_gaps(world, due, seed=7)
    got = path.simulate(world.bars, wanted, world.costs, rebalance)
    for name in ("equity", "returns", "weights"):
        assert np.array_equal(getattr(got, name), getattr(due, name)), name
    for field in fields(due.trades):
        assert np.array_equal(getattr(got.trades, field.name), getattr(due.trades, field.name)), field.name

    schedules = Schedules.one(wanted, rebalance)
    last = len(world.bars.dates) - 1
    yardstick = Yardstick.of(world.bars, world.benchmark, 0, last, world.n_years)
    assert_close(path.sweep(world.bars, schedules, world.costs, yardstick)[0], truth(world, due))


def _runs(rng: np.random.Generator, n_bars: int, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Return disjoint runs that do not touch; their edges may lie at the first and past the last bar."""
    edges = np.arange(n_bars + 1)
    if how == "some":
        edges = edges[rng.random(n_bars + 1) < rng.random() ** 2]
    elif how == "ends":
        edges = np.unique(np.r_[edges[:3], edges[-3:]])[rng.integers(0, 2) :]
    elif how == "none":
        edges = edges[:0]
    edges = edges[: len(edges) // 2 * 2].astype(np.int64)
    return edges[::2], edges[1::2]


def _targets_of(starts: np.ndarray, stops: np.ndarray, first: int, last: int, rows: np.ndarray) -> object:
    """Return the targets of runs over a window, found bar by bar."""
    from backtest.decisions import Targets

    yes = [bool(((starts <= bar) & (bar < stops)).any()) for bar in range(first, last)]
    at = [bar for bar in range(last - first) if bar == 0 or yes[bar] != yes[bar - 1]]
    return Targets(np.array(at), rows[[int(yes[bar]) for bar in at]])


@given(st.data())
@cases(3)
def test_segments_are_the_reference(data: st.DataObject) -> None:
    world = data.draw(worlds())
    bars, n_bars = world.bars, len(world.bars.dates)
    otherwise = data.draw(st.sampled_from(bars.sleeves), label="otherwise")
    into = data.draw(st.sampled_from(bars.sleeves), label="into")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    sets = [_runs(rng, n_bars, how) for how in ("all", "some", "some", "ends", "none")]
    offsets = np.cumsum([0, *(len(starts) for starts, _ in sets)])
    windows = [(0, n_bars - 1)]
    for _ in range(2):
        first = int(rng.integers(0, n_bars - 1))
        windows.append((first, int(rng.integers(first + 1, n_bars))))
    spans = [(last - first) / 12.0 for first, last in windows]
    yardsticks = [
        Yardstick.of(bars, world.benchmark, *window, n_years)
        for window, n_years in zip(windows, spans, strict=True)
    ]
    answers = Segments.of(bars, otherwise, into, world.benchmark).sweep(
        (
            offsets,
            np.concatenate([starts for starts, _ in sets]),
            np.concatenate([stops for _, stops in sets]),
        ),
        world.costs,
        yardsticks,
    )
    rows = np.eye(len(bars.sleeves))[[bars.sleeves.index(otherwise), bars.sleeves.index(into)]]
    for page, (first, last), n_years in zip(answers, windows, spans, strict=True):
        part = World(bars.window(first, last), world.benchmark, world.costs, n_years)
        for answer, (starts, stops) in zip(page, sets, strict=True):
            note(f"window {first} to {last}, runs {starts} to {stops}")
            wanted = _targets_of(starts, stops, first, last, rows)
            assert_close(answer, truth(part, reference.simulate(part.bars, wanted, world.costs)))


@given(st.data())
@cases(0.6)
def test_the_ledger_follows_and_its_cash_never_goes_negative(data: st.DataObject) -> None:
    world = data.draw(worlds(largest=40))
    wanted, rebalance = data.draw(targets(world)), data.draw(rebalances)
    due = reference.simulate(world.bars, wanted, world.costs, rebalance)
    # vectorbt takes prices and amounts below about 1e-9 for nothing, and drops what an order leaves of a position or of the
    # cash if that is a billionth of it: it cannot follow a sleeve, or an order, that is next to nothing.
    trades = due.trades
    moved = np.abs(trades.after * (1.0 - trades.cost)[:, None] - trades.before)
    tiny = [((part > 1e-15) & (part < 1e-5)).any() for part in (trades.before, trades.after, moved)]
    prices = (1.0 + world.bars.returns).cumprod(axis=0)
    assume(due.equity.min() > 1e-6 and prices.min() > 1e-6 and not any(tiny))
    bars = with_gaps(world, due, seed=11).bars
    portfolio = ledger.replay(bars, due, world.costs, 12.0)
    # It starts with more than 1 where next to nothing will be left.
    start = float(portfolio.init_cash)
    assert (start == 1.0) == (due.equity.min() >= ledger.RUIN**0.5)
    np.testing.assert_allclose(portfolio.value().to_numpy()[1:] / start, due.equity[1:], rtol=1e-9, atol=0.0)
    assert portfolio.cash().min() >= -1e-9 * start * due.equity.max()


@given(st.data())
@cases(1)
def test_a_missing_return_that_is_held_is_named_by_every_engine(data: st.DataObject) -> None:
    world = data.draw(worlds())
    n_bars = len(world.bars.dates)
    wanted = data.draw(targets(world))
    due = reference.simulate(world.bars, wanted, world.costs)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    held = np.argwhere(due.weights > 0.0)
    bar, sleeve = held[rng.integers(0, len(held))]
    returns = world.bars.returns.copy()
    returns[bar + 1, sleeve] = np.nan
    bars = Bars(world.bars.dates, world.bars.sleeves, returns)
    sentence = f"{bars.sleeves[sleeve]} has no return on {bars.dates[bar + 1]}, but is held then"
    for engine in (reference, path):
        with pytest.raises(DataError, match=sentence):
            engine.simulate(bars, wanted, world.costs)

    if bars.sleeves[sleeve] not in ("cash", world.benchmark):
        yardstick = Yardstick.of(bars, world.benchmark, 0, n_bars - 1, world.n_years)
        schedules = Schedules.one(wanted)
        with pytest.raises(DataError, match=sentence):
            path.sweep(bars, schedules, world.costs, yardstick)


@given(st.data())
@cases(1)
def test_segments_name_a_missing_return_that_is_held_and_pass_over_others(data: st.DataObject) -> None:
    world = data.draw(worlds())
    bars, last = world.bars, len(world.bars.dates) - 1
    if len(bars.sleeves) < 4:
        return
    otherwise, into = "large" if world.benchmark == "small" else "small", "cash"
    if otherwise == world.benchmark:
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    starts, stops = _runs(rng, len(bars.dates), "some")
    rows = np.eye(len(bars.sleeves))[[bars.sleeves.index(otherwise), bars.sleeves.index(into)]]
    due = reference.simulate(bars, _targets_of(starts, stops, 0, last, rows), world.costs)
    yardstick = Yardstick.of(bars, world.benchmark, 0, last, world.n_years)
    offsets = np.array([0, len(starts)])

    column = bars.sleeves.index(otherwise)
    idle = np.flatnonzero(due.weights[:, column] == 0.0) + 1
    returns = bars.returns.copy()
    returns[idle, column] = np.nan
    gaps = Bars(bars.dates, bars.sleeves, returns)
    answer = Segments.of(gaps, otherwise, into, world.benchmark).sweep(
        (offsets, starts, stops), world.costs, [yardstick]
    )
    assert_close(answer[0, 0], truth(world, due))

    held = np.flatnonzero(due.weights[:, column] > 0.0) + 1
    if len(held):
        bad = held[rng.integers(0, len(held))]
        returns[bad, column] = np.nan
        gaps = Bars(bars.dates, bars.sleeves, returns)
        sentence = f"{otherwise} has no return on {bars.dates[bad]}, but is held then"
        with pytest.raises(DataError, match=sentence):
            Segments.of(gaps, otherwise, into, world.benchmark).sweep(
                (offsets, starts, stops), world.costs, [yardstick]
            )
