"""Decisions: which weights follow from signals, alone and in a sweep."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backtest
from backtest import MarketData, run
from backtest.dates import CALENDARS
from backtest.decisions import (
    Weights,
    answered,
    deciding,
    filled,
    mixed,
    on_calendar,
    said_of,
)
from backtest.errors import UsageError
from backtest.rules import expressions as rules
from backtest.signals.spells import Spells, from_dense
from backtest.signals.together import Together
from tests.signals.cases import fills, signals

SLEEVES = ("small", "large", "cash")


def rotate(signal: Spells, *, into: str, otherwise: str) -> Weights:
    """What the expression of this name means."""
    return answered("rotated", (into, otherwise), Together.of(signal))


def choose(*cases: tuple[Spells, str], otherwise: str) -> Weights:
    """The same."""
    together = Together.of(*(signal for signal, _ in cases))
    return answered("chosen", ([sleeve for _, sleeve in cases], otherwise), together)


def blend(*signals: Spells, into: str, otherwise: str) -> Weights:
    """The same."""
    return answered("blended", (into, otherwise), Together.of(*signals))


def mix(weights: dict[str, Any], every_months: Any = 0, band: Any = 0.0) -> Weights:
    """The same; the sets are those of the longest row."""
    *columns, every, drift = np.broadcast_arrays(
        *(np.atleast_1d(v) for v in (*weights.values(), every_months, band))
    )
    made, refused = mixed(
        fills(), tuple(weights), np.column_stack(columns).astype(float), every, drift.astype(float)
    )
    assert not refused.any()
    return made


@given(signals(3), signals(3))
def test_the_first_case_that_says_yes_is_chosen(one: tuple, two: tuple) -> None:
    (a, x), (b, y) = one, two
    decision = choose((a, "small"), (b, "large"), otherwise="cash")
    for which, (p, q) in enumerate(zip(*np.broadcast_arrays(x, y), strict=True)):
        weights = filled(decision, SLEEVES, which)
        first = decision.first[which]
        assert np.isnan(weights[:first]).all()
        expected = [[1, 0, 0] if s else [0, 1, 0] if t else [0, 0, 1] for s, t in zip(p, q, strict=True)]
        np.testing.assert_array_equal(weights[first:], np.array(expected)[first:])


@given(signals(3), signals(3), signals(3))
def test_a_blend_holds_the_share_of_the_votes(one: tuple, two: tuple, three: tuple) -> None:
    made, rows = zip(one, two, three, strict=True)
    decision = blend(*made, into="small", otherwise="large")
    for which, votes in enumerate(sum(np.broadcast_arrays(*[r.astype(int) for r in rows]))):
        weights, first = filled(decision, SLEEVES, which), decision.first[which]
        np.testing.assert_allclose(weights[first:, 0], votes[first:] / 3.0)
        np.testing.assert_allclose(weights[first:].sum(axis=1), 1.0)


@given(signals(3))
def test_targets_are_decided_at_changes_only(made: tuple) -> None:
    signal, rows = made
    n = rows.shape[1]
    for decision in (
        rotate(signal, into="small", otherwise="large"),
        choose((signal, "small"), otherwise="large"),
    ):
        for which in range(signal.n_sets):
            targets = decision.targets(SLEEVES, 7, n - 1, which)
            inside = rows[which, 7 : n - 1]
            changes = [0, *(1 + np.flatnonzero(inside[1:] != inside[:-1]))]
            assert targets.fills.tolist() == [7 + c for c in changes]
            assert targets.weights[:, 0].tolist() == [float(inside[c]) for c in changes]


def test_what_is_not_in_a_sleeve_is_in_cash() -> None:
    weights = np.array([[0.3, 0.5], [0.5, 0.5], [0.8, 0.3]])
    decision, refused = mixed(fills(), ("small", "large"), weights, np.full(3, 6), np.full(3, 0.1))
    assert refused.tolist() == [False, False, True]
    assert said_of(("small", "large"), weights).endswith(
        "at most 1 in sum (0.6 is 60%), not {'small': 0.8, 'large': 0.3}"
    )
    assert filled(decision, SLEEVES, 0)[0].tolist() == pytest.approx([0.3, 0.5, 0.2])
    assert filled(decision, SLEEVES, 1)[0].tolist() == [0.5, 0.5, 0.0]
    with pytest.raises(UsageError, match="the market has no sleeve 'smal'; did you mean 'small'?"):
        filled(mixed(fills(), ("smal",), np.ones((1, 1)), np.zeros(1, int), np.zeros(1))[0], SLEEVES)


@pytest.mark.parametrize("said", list(product([False, True], repeat=3)))
def test_a_signal_decides_where_its_other_answer_would_change_the_target(said: tuple[bool, ...]) -> None:
    some = [rules.Signal("months_of_year", (), ((month,),)) for month in (1, 2, 3)]
    # The last sleeve is that of nobody's yes.
    for held in (["small", "cash", "large", "small"], ["small", "large", "large", "large"]):
        *cases, otherwise = held
        rule = backtest.choose(*zip(some, cases, strict=True), otherwise=otherwise)

        def target(answers: Any, held: list[str] = held) -> str:
            return held[[*answers, True].index(True)]

        turned = [[answer != (i == j) for j, answer in enumerate(said)] for i in range(3)]
        assert deciding(rule, said) == [target(other) != target(said) for other in turned]
    assert deciding(backtest.blend(*some, into="small", otherwise="large"), said) == [True] * 3
    assert deciding(backtest.blend(*some, into="small", otherwise="small"), said) == [False] * 3
    assert deciding(backtest.rotate(some[0], into="small", otherwise="large"), said[:1]) == [True]
    assert deciding(backtest.rotate(some[0], into="small", otherwise="small"), said[:1]) == [False]


def test_fixed_weights_are_decided_by_nothing() -> None:
    decision = mix({"small": 0.5})
    assert decision.first_fill == 0
    targets = decision.targets(SLEEVES, 5, 9).moved(-5)
    assert targets.fills.tolist() == [0]
    assert targets.weights.tolist() == [[0.5, 0.0, 0.5]]


@given(signals(3), signals(3))
def test_steps_of_weights_from_any_fill_on_are_those_of_every_fill(one: tuple, two: tuple) -> None:
    (a, x), (b, y) = one, two
    decision = choose((Together.of(a, b).vote(2), "small"), (a, "large"), otherwise="cash")
    either = choose((a, "small"), (b, "small"), otherwise="cash")
    assert either.every_months.tolist() == [0] * len(either.first)
    assert either.band.tolist() == [np.inf] * len(either.first)
    assert either.every_months.dtype == np.int64
    n = x.shape[1]
    for which, (p, q) in enumerate(zip(*np.broadcast_arrays(x, y), strict=True)):
        wanted = np.array(
            [
                SLEEVES.index("small" if s and t else "large" if s else "cash")
                for s, t in zip(p, q, strict=True)
            ]
        )
        for first, last in ((5, n - 1), (20, 21), (20, 40)):
            changes = [first, *(i for i in range(first + 1, last) if wanted[i] != wanted[i - 1])]
            targets = decision.targets(SLEEVES, first, last, which)
            assert targets.fills.tolist() == changes
            assert targets.weights.argmax(axis=1).tolist() == wanted[changes].tolist()
            np.testing.assert_array_equal(targets.weights.sum(axis=1), 1.0)
        # Another answer that leads to the same sleeve is no new target.
        small = p | q
        targets = either.targets(SLEEVES, 5, n - 1, which)
        assert targets.fills.tolist() == [5, *(i for i in range(6, n - 1) if small[i] != small[i - 1])]
        assert targets.weights[:, 0].tolist() == small[targets.fills].tolist()
        assert decision.first[which] == max(a.first[which % a.n_sets], b.first[which % b.n_sets])


def test_what_is_never_known_is_never_held() -> None:
    where = fills()
    n = len(where.dates)
    never = from_dense(where, np.ones((1, n), dtype=bool), np.array([n]))
    for decision in (
        rotate(never, into="small", otherwise="large"),
        choose((never, "small"), otherwise="large"),
    ):
        assert np.isnan(filled(decision, SLEEVES)).all()


@given(signals(1))
def test_a_sleeve_that_is_named_twice_has_both_shares(made: tuple) -> None:
    weights = filled(blend(made[0], into="small", otherwise="small"), SLEEVES)
    assert (weights[made[0].first[0] :] == [1.0, 0.0, 0.0]).all()


def test_a_mix_is_one_for_each_of_the_longest_row() -> None:
    two = np.array([3, 6])
    for decision, months, band in (
        (mix({"small": 0.5}), [0], [0.0]),
        (mix({"small": 0.5}, every_months=two), [3, 6], [0.0, 0.0]),
        (mix({"small": 0.5}, band=two / 100.0), [0, 0], [0.03, 0.06]),
        (mix({"small": two / 10.0}), [0, 0], [0.0, 0.0]),
    ):
        n_sets = len(months)
        assert decision.every_months.tolist() == months
        assert decision.band.tolist() == [each or np.inf for each in band]
        assert decision.changes.offsets.tolist() == list(range(n_sets + 1))
        assert decision.first.tolist() == decision.changes.at.tolist() == [0] * n_sets
        assert {decision.first.dtype, decision.changes.at.dtype, decision.every_months.dtype} == {
            np.dtype(np.int64)
        }


def test_what_is_no_signal_and_what_are_no_weights_is_said() -> None:
    wrong = np.ones(3, dtype=bool)
    for said in (
        lambda: backtest.rotate(wrong, into="small", otherwise="large"),  # type: ignore[arg-type]
        lambda: backtest.choose((wrong, "small"), otherwise="large"),  # type: ignore[arg-type]
        lambda: backtest.blend(wrong, into="small", otherwise="large"),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError, match="need signals, not ndarray; a comparison such as"):
            said()
    with pytest.raises(UsageError, match="^band must be a number or a parameter, not a signal$"):
        backtest.mix(None, {"small": 0.5}, band=rules.Signal("months_of_year"))  # type: ignore[arg-type]
    with pytest.raises(
        UsageError, match="^the weight of small must be a number or a parameter, not ndarray$"
    ):
        backtest.mix(None, {"small": np.ones(2)})  # type: ignore[arg-type]
    for weights in ({"small": -0.1, "large": 0.3}, {"small": 0.7, "large": 0.31}):
        table = np.array([[0.5, 0.5], [*weights.values()]])
        made, refused = mixed(fills(), tuple(weights), table, np.zeros(2, int), np.zeros(2))
        assert refused.tolist() == [False, True]
        assert (made.weights[made.changes.rows[1]] == 0.0).all()
        assert (
            said_of(tuple(weights), table)
            == f"weights must be 0 or more and at most 1 in sum (0.6 is 60%), not {weights}"
        )
    # Ten tenths are a little less than 1 in binary: none of it is cash.
    tenths = mix({"small": 0.1 + 0.2, "large": 0.7 - 1e-16})
    assert filled(tenths, SLEEVES)[0, 2] == 0.0


def test_a_balanced_mix_is_brought_back_by_the_calendar_and_by_bands(embedded: MarketData) -> None:
    drifting = run("balanced", embedded, every=0)
    assert len(drifting.trades) == 1
    yearly = run("balanced", embedded, every=12)
    assert len(yearly.trades) == len(yearly.returns) // 12 + 1
    banded = run("balanced", embedded, every=0, band=10)
    away = np.abs(banded.weights["small"] - 0.5)
    assert 1 < len(banded.trades) < len(yearly.trades)
    assert (away < 0.2).all()
    assert run("buy_and_hold", embedded, sleeve="market", cost_bps=0).metrics["tracking_error"] == 0.0


def test_a_delayed_fill_earns_what_the_decision_would_have_earned_later(embedded: MarketData) -> None:
    at_once, late = run("january", embedded), run("january", embedded, delay_fill=2)
    held, later = at_once.weights["small"].to_numpy(), late.weights["small"].to_numpy()
    np.testing.assert_array_equal(later, held[: len(held) - 2])
    assert late.start == str(at_once.equity.index[2].date())
    with pytest.raises(UsageError, match="delay_fill must lie in 0 to 260 bars, not -1"):
        run("january", embedded, delay_fill=-1)


@given(signals(3, daily=True), signals(3, daily=True), st.sampled_from(CALENDARS[1:]))
def test_a_calendar_lets_decisions_wait_for_the_last_fill_of_their_period(
    one: tuple, two: tuple, decide: str
) -> None:
    (a, _), (b, _) = one, two
    days = pd.DatetimeIndex(a.fills.dates)
    periods = days.to_period({"week-end": "W-SUN", "month-end": "M", "quarter-end": "Q"}[decide])
    last = [p != q for p, q in pairwise(periods)]
    # 28 April 2000 is a Friday and the last business day of its month, not of its quarter.
    last.append(decide != "quarter-end")
    on = [replace(signal, fills=replace(signal.fills, decide=decide)) for signal in (a, b)]
    for free in (
        rotate(on[0], into="small", otherwise="large"),
        answered("chosen", (["small", "large"], "cash"), Together.of(*on)),
        answered("blended", ("small", "large"), Together.of(*on)),
    ):
        bound = on_calendar(free)
        for which in range(free.n_sets):
            every, some = filled(free, SLEEVES, which), filled(bound, SLEEVES, which)
            now = np.full(3, np.nan)
            for fill, decides in enumerate(last):
                now = every[fill] if decides and np.isfinite(every[fill]).all() else now
                np.testing.assert_array_equal(some[fill], now)


def test_daily_bars_can_be_held_by_decisions_made_at_month_ends(embedded: MarketData) -> None:
    monthly = run("small_momentum", embedded)
    quarterly = run("small_momentum", embedded, decide="quarter-end")
    assert 0 < quarterly.metrics["switches"] < monthly.metrics["switches"]
    assert {day.month for day in quarterly.trades["date"]} <= {3, 6, 9, 12}
    assert run("small_momentum", embedded, decide="month-end").metrics == monthly.metrics
    with pytest.raises(UsageError, match="no decision calendar 'monthly'; did you mean 'month-end'?"):
        run("small_momentum", embedded, decide="monthly")
