"""Decisions: which weights follow from signals, alone and in a sweep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from backtest import MarketData, blend, choose, mix, rotate, run
from backtest.decisions import filled
from backtest.errors import RotationError, UsageError
from tests.signals.cases import signals

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
