"""Decisions: which weights follow from signals, alone and in a sweep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from backtest import MarketData, blend, choose, mix, rotate, run
from backtest.decisions import deciding, filled
from backtest.errors import RotationError, UsageError
from backtest.signals.signal import from_dense
from tests.signals.cases import fills, signals

SLEEVES = ("small", "large", "cash")


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


def test_what_is_not_in_a_sleeve_is_in_cash(embedded: MarketData) -> None:
    market = embedded.known()
    decision = mix(market, {"small": np.array([0.3, 0.5]), "large": 0.5}, every_months=6, band=0.1)
    assert filled(decision, SLEEVES, 0)[0].tolist() == pytest.approx([0.3, 0.5, 0.2])
    assert filled(decision, SLEEVES, 1)[0].tolist() == [0.5, 0.5, 0.0]
    assert decision.every_months.tolist() == [6, 6]
    with pytest.raises(RotationError, match="weights must be 0 or more and at most 1 in sum"):
        mix(market, {"small": 0.8, "large": 0.3})
    with pytest.raises(UsageError, match="the market has no sleeve 'smal'; did you mean 'small'?"):
        filled(mix(market, {"smal": 1.0}), SLEEVES)


@given(signals(1), signals(1), signals(1))
def test_a_signal_decides_where_its_other_answer_would_change_the_target(
    one: tuple, two: tuple, three: tuple
) -> None:
    (a, x), (b, y), (c, z) = one, two, three
    # The last sleeve is that of nobody's yes.
    for held in (["small", "cash", "large", "small"], ["small", "large", "large", "large"]):
        *cases, otherwise = held
        decision = choose(*zip((a, b, c), cases, strict=True), otherwise=otherwise)
        for fill in (0, 7, 30):
            said = [bool(rows[0, fill]) for rows in (x, y, z)]

            def target(answers: list[bool], held: list[str] = held) -> str:
                return held[[*answers, True].index(True)]

            turned = [[answer != (i == j) for j, answer in enumerate(said)] for i in range(3)]
            expected = [
                signal
                for signal, other in zip((a, b, c), turned, strict=True)
                if target(other) != target(said)
            ]
            assert deciding(decision, fill) == expected
    assert deciding(blend(a, b, into="small", otherwise="large"), 7) == [a, b]
    assert deciding(rotate(a, into="small", otherwise="large"), 7) == [a]
    assert deciding(rotate(a, into="small", otherwise="small"), 7) == []


def test_fixed_weights_are_decided_by_nothing(embedded: MarketData) -> None:
    decision = mix(embedded.known(), {"small": 0.5})
    assert deciding(decision, 3) == []
    assert decision.first_fill == 0
    targets = decision.targets(SLEEVES, 5, 9).moved(-5)
    assert targets.fills.tolist() == [0]
    assert targets.weights.tolist() == [[0.5, 0.0, 0.5]]


@given(signals(3), signals(3))
def test_steps_of_weights_from_any_fill_on_are_those_of_every_fill(one: tuple, two: tuple) -> None:
    (a, x), (b, y) = one, two
    decision = choose((a & b, "small"), (a, "large"), otherwise="cash")
    either = choose((a, "small"), (b, "small"), otherwise="cash")
    assert either.every_months.tolist() == either.band.tolist() == [0] * len(either.first)
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


def test_a_mix_is_one_for_each_of_the_longest_row(embedded: MarketData) -> None:
    market, two = embedded.known(), np.array([3, 6])
    for decision, months, band in (
        (mix(market, {"small": 0.5}), [0], [0.0]),
        (mix(market, {"small": 0.5}, every_months=two), [3, 6], [0.0, 0.0]),
        (mix(market, {"small": 0.5}, band=two / 100.0), [0, 0], [0.03, 0.06]),
        (mix(market, {"small": two / 10.0}), [0, 0], [0.0, 0.0]),
    ):
        n_sets = len(months)
        assert decision.every_months.tolist() == months
        assert decision.band.tolist() == band
        assert decision.offsets.tolist() == list(range(n_sets + 1))
        assert decision.first.tolist() == decision.at.tolist() == [0] * n_sets
        assert {decision.first.dtype, decision.at.dtype, decision.every_months.dtype} == {np.dtype(np.int64)}


def test_what_is_no_signal_and_what_are_no_weights_is_said(embedded: MarketData) -> None:
    market = embedded.known()
    said = "^a decision needs a signal, not ndarray; market.signal\\(yes\\) makes one of an array of yes and no, one for each fill$"
    for wrong in (
        lambda: rotate(np.ones(3, dtype=bool), into="small", otherwise="large"),
        lambda: choose((np.ones(3, dtype=bool), "small"), otherwise="large"),
        lambda: blend(np.ones(3, dtype=bool), into="small", otherwise="large"),
    ):
        with pytest.raises(UsageError, match=said):
            wrong()
    with pytest.raises(RotationError, match="not {'small': -0.1, 'large': 0.5}$"):
        mix(market, {"small": np.array([0.3, -0.1]), "large": 0.5})
    for weights in ({"small": -0.1, "large": 0.3}, {"small": 0.7, "large": 0.31}):
        with pytest.raises(RotationError) as error:
            mix(market, weights)
        assert str(error.value) == f"weights must be 0 or more and at most 1 in sum, not {weights}"
    # Ten tenths are a little less than 1 in binary: none of it is cash.
    tenths = mix(market, {"small": 0.1 + 0.2, "large": 0.7 - 1e-16})
    assert filled(tenths, SLEEVES)[0, 2] == 0.0
    for named, arguments in (
        ("the weight of small", {"weights": {"small": np.ones((2, 2))}}),
        ("every_months", {"weights": {"small": 0.5}, "every_months": np.ones((2, 2))}),
        ("band", {"weights": {"small": 0.5}, "band": np.ones((2, 2))}),
    ):
        with pytest.raises(UsageError, match=f"^{named} must be one value, or one for each parameter set"):
            mix(market, **arguments)


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
    with pytest.raises(UsageError, match="delay_fill must be a whole number of bars from 0 to 260, not -1"):
        run("january", embedded, delay_fill=-1)
