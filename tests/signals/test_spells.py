"""Signals kept as runs answer as dense rows would, for one set and for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.signals.spells import Spells, from_dense, unite
from backtest.signals.together import Together
from tests.signals.cases import MONTHS, dense, fills, rest, signals, walk


@given(signals(3), signals(3), signals(3), st.integers(1, 3))
def test_votes_are_those_of_the_dense_rows(one: tuple, two: tuple, three: tuple, needed: int) -> None:
    made, rows = zip(one, two, three, strict=True)
    voted = Together.of(*made).vote(needed)
    assert (dense(voted) == (sum(r.astype(int) for r in np.broadcast_arrays(*rows)) >= needed)).all()
    assert (voted.first == np.max(np.broadcast_arrays(*(m.first for m in made)), axis=0)).all()


@given(signals(3), signals(3))
def test_and_or_not_are_those_of_the_dense_rows(one: tuple, two: tuple) -> None:
    (a, x), (b, y) = one, two
    assert (dense(Together.of(a, b).vote(2)) == (x & y)).all()
    assert (dense(Together.of(a, b).vote(1)) == (x | y)).all()
    assert (dense(~a) == ~x).all()
    assert ((~a).first == a.first).all()
    assert (dense(~Together.of(a, b).vote(2)) == dense(Together.of(~a, ~b).vote(1))).all()


@given(signals(4))
def test_runs_increase_and_never_touch(made: tuple[Spells, np.ndarray]) -> None:
    signal, rows = made
    assert (dense(signal) == rows).all()
    for which in range(signal.n_sets):
        starts, stops = signal.runs(which)
        assert (starts < stops).all()
        assert (starts[1:] > stops[:-1]).all()
        assert [signal.at(fill, which) for fill in range(len(MONTHS))] == rows[which].tolist()


@settings(max_examples=40)
@given(
    signals(3, daily=True),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
)
def test_holding_and_pausing_are_those_of_a_state_machine(
    made: tuple, least: list[int], pause: list[int]
) -> None:
    signal, rows = made
    held, apart = signal.at_least(np.array(least)), signal.paused(np.array(pause))
    for which in range(3):
        known = rows[which % len(rows)].copy()
        known[: signal.first[which % len(rows)]] = False
        dates = signal.fills.dates
        assert held.dense(which).tolist() == walk(known.tolist(), dates, least[which], 0, 0)
        assert apart.dense(which).tolist() == walk(known.tolist(), dates, 0, 0, pause[which])


@settings(max_examples=60)
@given(signals(3, daily=True), st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_a_cooldown_is_that_of_a_loop_over_the_fills(made: tuple, months: list[int]) -> None:
    signal, rows = made
    cooled = signal.cooldown(np.array(months))
    assert (cooled.first == np.broadcast_to(signal.first, 3)).all()
    for which in range(3):
        yes, first = rows[which % len(rows)], int(signal.first[which % len(rows)])
        due = rest(yes[first:].tolist(), signal.fills.dates[first:], months[which])
        assert cooled.dense(which).tolist() == [False] * first + due


@pytest.mark.parametrize("months", [1, 5, 6, 12])
def test_no_two_changes_lie_closer_together_than_the_cooldown(months: int) -> None:
    # The two of a hold and a pause do not do it: a hold that began inside the pause is still running.
    yes = np.random.default_rng(7).random((50, len(MONTHS))) < 0.5
    raw = from_dense(fills(), yes, np.zeros(50, dtype=np.int64))

    def closest(signal: Spells) -> int:
        edges = (np.sort(np.r_[signal.runs(which)]) for which in range(50))
        return min(int(gap) for each in edges for gap in np.diff(each[(each > 0) & (each < len(MONTHS))]))

    assert closest(raw.cooldown(months)) >= months
    if months > 4:
        assert closest(raw.paused(months).at_least(months)) < months


@settings(max_examples=40)
@given(signals(5), st.integers(0, 12), st.integers(1, 48))
def test_sets_that_say_the_same_within_a_window_are_found(made: tuple, begin: int, length: int) -> None:
    signal, rows = made
    each = np.arange(40) % len(rows)
    found, which = signal.take(each).unlike(begin, begin + length)
    known = signal.first[each] <= begin
    said = [row.tobytes() for row in rows[each, begin : begin + length]]
    assert ((which >= 0) == known).all()
    assert all(said[found[number]] == said[s] for s, number in enumerate(which) if known[s])
    assert len(found) == len({says for s, says in enumerate(said) if known[s]})


@given(signals(5))
def test_sets_that_are_the_same_are_one(made: tuple) -> None:
    signal, rows = made
    each = np.arange(20) % len(rows)
    few, which = signal.take(each).distinct()
    assert few.n_sets == len({(row.tobytes(), first) for row, first in zip(rows, signal.first, strict=True)})
    assert (dense(few)[which] == rows[each]).all()
    assert (few.first[which] == signal.first[each]).all()


@given(signals(3), st.lists(st.integers(1, 8), min_size=3, max_size=3))
def test_a_time_limit_is_that_of_a_state_machine(made: tuple, most: list[int]) -> None:
    signal, rows = made
    limited = signal.at_most(np.array(most))
    for which in range(3):
        known = rows[which % len(rows)].copy()
        known[: signal.first[which % len(rows)]] = False
        assert limited.dense(which).tolist() == walk(known.tolist(), signal.fills.dates, 0, most[which], 0)


def test_holding_from_one_months_end_to_anothers_is_whole_months() -> None:
    # 30 June 1993 to 30 September is three months although some ends fall on weekends in between.
    yes = np.zeros((1, len(MONTHS)), dtype=bool)
    for months in range(1, 13):
        for start in range(len(MONTHS) - 13):
            yes[:] = False
            yes[0, start] = True
            held = from_dense(fills(), yes, np.zeros(1, dtype=np.int64)).at_least(months)
            assert held.runs()[1][0] == start + months


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 59), st.integers(0, 12), st.booleans()), min_size=4, max_size=4),
        min_size=1,
        max_size=3,
    )
)
def test_windows_unite_as_sets_of_fills_do(windows: list) -> None:
    starts = np.array([sorted(s for s, _, _ in row) for row in windows])
    lengths = np.array([[n for _, n, _ in row] for row in windows])
    stops = np.minimum(np.maximum.accumulate(starts + lengths, axis=1), 60)
    counts = np.array([[used for _, _, used in row] for row in windows])
    rows, first = np.arange(len(windows)), np.zeros(len(windows), dtype=np.int64)
    made = unite(fills(), (counts, rows), (starts, rows), (stops, rows), first)
    for which in rows:  # one set is united by the loop's twin
        alone = unite(
            fills(), *((table, rows[which : which + 1]) for table in (counts, starts, stops)), first
        )
        assert [edges.tolist() for edges in alone.runs()] == [edges.tolist() for edges in made.runs(which)]
    for which in range(len(windows)):
        covered = {
            fill
            for s, e, used in zip(starts[which], stops[which], counts[which], strict=True)
            if used
            for fill in range(s, e)
        }
        assert set(np.flatnonzero(made.dense(which))) == covered
