"""Cases small enough to work out by hand, for every engine."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.decisions import Targets
from backtest.engine import ledger, path, reference
from backtest.engine.curves import Yardstick
from backtest.engine.path import Schedules
from backtest.engine.reference import Rebalance
from backtest.engine.segments import Segments
from backtest.errors import DataError, UsageError
from backtest.market.data import Bars

ENGINES = pytest.mark.parametrize("engine", [reference, path])


def monthly(n: int) -> np.ndarray:
    return (np.datetime64("2000-01") + np.arange(n)).astype("datetime64[D]") + 27


def bars(small: list[float], large: list[float], dates: np.ndarray | None = None) -> Bars:
    dates = monthly(len(small)) if dates is None else dates
    returns = np.column_stack([small, large, np.zeros(len(small))])
    return Bars(dates, ("small", "large", "cash"), returns)


SMALL, LARGE, CASH = np.eye(3)


@ENGINES
def test_a_switch_costs_one_less_the_sale_over_one_plus_the_purchase(engine) -> None:
    # Buy small at 2%: 1 / 1.02. It gains 10%; sell it at 2% and buy large at 1%: 0.98 / 1.01. Large loses 50%.
    market = bars([0.3, 0.1, 0.7], [0.3, 0.2, -0.5])
    run = engine.simulate(market, Targets(np.array([0, 1]), np.array([SMALL, LARGE])), [0.02, 0.01, 0.0])
    after_switch = 1.1 / 1.02 * 0.98 / 1.01
    assert run.equity == pytest.approx([1.0, after_switch, after_switch / 2], rel=1e-14)
    assert run.returns == pytest.approx([after_switch - 1.0, -0.5], rel=1e-14)
    assert run.returns[1] == -0.5  # untraded: the bar's return to the last bit
    assert run.weights.tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert run.trades.turnover.tolist() == [1.0, 1.0]
    assert run.trades.cost == pytest.approx([1 - 1 / 1.02, 1 - 0.98 / 1.01])
    assert run.trades.switches == 1


@ENGINES
def test_holdings_drift_until_the_next_decision(engine) -> None:
    # Half and half; small doubles, large stands still: 2/3 and 1/3 of 1.5. Then small halves: 1 of 1.5.
    market = bars([0.0, 1.0, -0.5], [0.0, 0.0, 0.0])
    run = engine.simulate(market, Targets(np.array([0]), np.array([[0.5, 0.5, 0.0]])), [0.0, 0.0, 0.0])
    assert run.equity == pytest.approx([1.0, 1.5, 1.0])
    assert run.weights[1] == pytest.approx([2 / 3, 1 / 3, 0.0])


@ENGINES
def test_trading_back_costs_what_is_traded(engine) -> None:
    # As above, but back to half and half after the first month, small at 10% a side: V' = 1.5 - 0.1 (1 - V'/2).
    market = bars([0.0, 1.0, -0.5], [0.0, 0.0, 0.0])
    run = engine.simulate(
        market,
        Targets(np.array([0]), np.array([[0.5, 0.5, 0.0]])),
        [0.1, 0.0, 0.0],
        Rebalance(every_months=1),
    )
    first = Fraction(100, 105)  # 1 = V + 0.1 V/2
    after = first * Fraction(140, 95)
    assert run.equity[1:] == pytest.approx([float(after), float(after * Fraction(3, 4))], rel=1e-14)
    assert run.trades.switched.tolist() == [True, False]
    assert run.trades.switches == 0
    assert run.trades.turnover[1] == pytest.approx(1 / 6)


@ENGINES
def test_months_are_counted_from_the_last_trade_and_the_last_bar_never_trades(engine) -> None:
    dates = np.array(
        ["2000-01-20", "2000-01-31", "2000-02-01", "2000-03-31", "2000-04-03", "2000-04-04", "2000-06-01"],
        dtype="datetime64[D]",
    )
    market = bars([0.1] * 7, [0.0] * 7, dates)
    mixed = Targets(np.array([0]), np.array([[0.5, 0.5, 0.0]]))
    free = [0.0, 0.0, 0.0]
    assert engine.simulate(market, mixed, free, Rebalance(1)).trades.bars.tolist() == [0, 2, 3, 4]
    assert engine.simulate(market, mixed, free, Rebalance(2)).trades.bars.tolist() == [0, 3]
    assert engine.simulate(market, mixed, free, Rebalance(3)).trades.bars.tolist() == [0, 4]
    # A decision starts the count anew.
    decided = Targets(np.array([0, 2]), np.array([[0.5, 0.5, 0.0], [0.4, 0.6, 0.0]]))
    assert engine.simulate(market, decided, free, Rebalance(2)).trades.bars.tolist() == [0, 2, 4]


@ENGINES
def test_a_band_trades_when_a_weight_is_further_off_than_that(engine) -> None:
    # 0.5 drifts to 1.1 / 2.1 = 0.5238, then to 1.21 / 2.21 = 0.5475.
    market = bars([0.1] * 5, [0.0] * 5)
    mixed = Targets(np.array([0]), np.array([[0.5, 0.5, 0.0]]))
    trades = {
        band: engine.simulate(market, mixed, [0.0] * 3, Rebalance(band=band)).trades.bars.tolist()
        for band in (0.0, 0.03, 0.1)
    }
    assert trades == {0.0: [0, 1, 2, 3], 0.03: [0, 2], 0.1: [0]}


@ENGINES
def test_a_weight_that_has_drifted_just_as_far_as_the_band_is_left_alone(engine) -> None:
    # 1/2 becomes 3/2 of 2: a quarter off, to the last bit.
    market = bars([0.0, 2.0, 0.0, 0.0], [0.0] * 4)
    mixed = Targets(np.array([0]), np.array([[0.5, 0.5, 0.0]]))
    assert engine.simulate(market, mixed, [0.0] * 3, Rebalance(band=0.25)).trades.bars.tolist() == [0]
    assert engine.simulate(market, mixed, [0.0] * 3, Rebalance(band=0.2499)).trades.bars.tolist() == [0, 1]


AMOUNTS = st.lists(st.sampled_from([0.0, 0.001, 0.3, 1.0, 7.0, 1e6]), min_size=3, max_size=3)
SHARES = st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0]), min_size=3, max_size=3)
FEES = st.lists(st.sampled_from([0.0, 0.00003, 0.01, 0.3, 0.9]), min_size=3, max_size=3)


@given(AMOUNTS, SHARES, FEES)
def test_what_is_left_is_the_value_less_the_cost_of_what_is_traded(
    holdings: list[float], shares: list[float], costs: list[float]
) -> None:
    if sum(holdings) == 0.0 or sum(shares) == 0.0:
        return
    weights = [share / sum(shares) for share in shares]
    left = reference.value_after_costs(holdings, weights, costs)
    traded = [abs(w * left - h) for w, h in zip(weights, holdings, strict=True)]
    paid = sum(c * t for c, t in zip(costs, traded, strict=True))
    assert left == pytest.approx(sum(holdings) - paid, rel=1e-12)


@given(st.floats(1e-6, 1e6), st.integers(0, 2), FEES)
def test_a_sleeve_that_is_on_target_is_worth_what_it_was_to_the_last_bit(
    amount: float, which: int, costs: list[float]
) -> None:
    weights = [float(i == which) for i in range(3)]
    assert reference.value_after_costs([amount * w for w in weights], weights, costs) == amount


@ENGINES
def test_a_single_sleeve_is_never_traded_back(engine) -> None:
    market = bars([0.1, 0.01, -0.3, 0.123], [0.0] * 4)
    run = engine.simulate(market, Targets(np.array([0]), SMALL[None]), [0.01] * 2 + [0.0], Rebalance(1, 0.0))
    assert len(run.trades.bars) == 1
    assert run.returns[1:].tolist() == [-0.3, 0.123]


@ENGINES
def test_a_repeated_target_is_a_trade_but_no_switch(engine) -> None:
    market = bars([0.0, 1.0, 0.0, 0.0], [0.0] * 4)
    half = [0.5, 0.5, 0.0]
    run = engine.simulate(market, Targets(np.array([0, 1]), np.array([half, half])), [0.0] * 3)
    assert run.trades.bars.tolist() == [0, 1]
    assert run.trades.switches == 0
    assert run.trades.turnover[1] == pytest.approx(1 / 6)


@ENGINES
@pytest.mark.parametrize("cost", [0.00003, 0.001, 0.0457])
def test_a_trade_to_what_is_held_changes_no_bit(engine, cost: float) -> None:
    returns = [0.1, -0.0163, 0.37, -0.99, 0.123, 0.0]
    market = bars(returns, [0.0] * 6)
    targets = Targets(np.arange(5), np.tile(SMALL, (5, 1)))
    run = engine.simulate(market, targets, [cost, cost, 0.0])
    assert run.returns[1:].tolist() == returns[2:]


@ENGINES
def test_what_is_not_held_needs_no_return(engine) -> None:
    nan = float("nan")
    market = bars([nan, nan, 0.1], [nan, 0.1, nan])
    run = engine.simulate(market, Targets(np.array([0, 1]), np.array([LARGE, SMALL])), [0.0] * 3)
    assert run.equity == pytest.approx([1.0, 1.1, 1.21])
    with pytest.raises(
        DataError, match="^small has no return on 2000-02-28, but is held then; give .* --start$"
    ):
        engine.simulate(market, Targets(np.array([0]), SMALL[None]), [0.0] * 3)
    with pytest.raises(DataError, match="^large has no return on 2000-03-28"):
        engine.simulate(market, Targets(np.array([0, 1]), np.array([LARGE, LARGE])), [0.0] * 3)
    # Of a mix the one that lacks it is named, and not one that lacks it as well but is not held.
    mixed = bars([0.0, nan, 0.1], [0.0, nan, 0.1])
    for weights, name in (([0.0, 0.5, 0.5], "large"), ([0.5, 0.0, 0.5], "small"), ([0.5, 0.5, 0.0], "small")):
        with pytest.raises(DataError, match=f"^{name} has no return on 2000-02-28"):
            engine.simulate(mixed, Targets(np.array([0]), np.array([weights])), [0.0] * 3)
    with pytest.raises(DataError, match="^large has no return on 2000-02-28"):
        engine.simulate(
            bars([0.0, 0.1], [0.0, nan]), Targets(np.array([0]), np.array([[0.5, 0.5, 0.0]])), [0.0] * 3
        )


@pytest.mark.parametrize("cost", [0.001, 0.02, 0.05, 0.3])
def test_the_ledger_follows_a_portfolio_to_its_ruin(cost: float) -> None:
    # A switch at every close: at 30% a side next to nothing is left after a year.
    random = np.random.default_rng(3)
    market = bars(random.normal(0.01, 0.05, 300).tolist(), random.normal(0.01, 0.05, 300).tolist())
    targets = Targets(np.arange(299), np.where(np.arange(299)[:, None] % 2 == 0, SMALL, LARGE))
    run = reference.simulate(market, targets, [cost, cost, 0.0])
    value = ledger.replay(market, run, [cost, cost, 0.0], 252.0).value().to_numpy()
    start = value[1] / run.equity[1]
    np.testing.assert_allclose(value[1:] / start, run.equity[1 : len(value)], rtol=1e-9)
    lost = 1.0 - run.equity / np.maximum.accumulate(run.equity)
    assert (len(value) == len(run.equity)) == (lost.max() <= 1.0 - ledger.RUIN)
    assert (lost[: len(value)] <= 1.0 - ledger.RUIN).all()


def test_all_engines_on_six_months_worked_out_by_hand() -> None:
    # Large, small in the second and third month, large again; 1% a side everywhere.
    market = bars([0.0, 0.1, 0.2, -0.1, 0.0, 0.3], [0.0, -0.1, 0.1, 0.1, 0.0, 0.2])
    targets = Targets(np.array([0, 1, 3]), np.array([LARGE, SMALL, LARGE]))
    costs, full = [0.01, 0.01, 0.0], 0.99 / 1.01
    net = [0.9 / 1.01 * full - 1, 0.2, 0.9 * full - 1, 0.0, 0.2]
    for engine in (reference, path):
        assert engine.simulate(market, targets, costs).returns == pytest.approx(net, rel=1e-14)
    run = reference.simulate(market, targets, costs)
    assert ledger.replay(market, run, costs, 12.0).value().iloc[-1] == pytest.approx(
        np.prod(1 + np.array(net))
    )

    yardstick = Yardstick.of(market, "large", 0, 5, 5 / 12)
    by_path = path.sweep(market, Schedules.one(targets), costs, yardstick)[0]
    by_segments = Segments.of(market, "large", "small", "large").sweep(
        (np.array([0, 1]), np.array([1]), np.array([3])), costs, [yardstick]
    )[0, 0]
    deepest = 0.9 / 1.01 * full - 1  # of the first month; after it the peak is 1 still
    assert net[0] < net[2]
    for answer in (by_path, by_segments):
        assert answer[0] == pytest.approx(np.prod(1 + np.array(net)) - 1, rel=1e-13)
        assert answer[2] == pytest.approx(np.std(net, ddof=1) * 12**0.5, rel=1e-13)
        assert answer[5] == pytest.approx(min(deepest, (1 + deepest) * 1.2 * (1 + net[2]) - 1), rel=1e-13)
        assert answer[11:].tolist() == pytest.approx([2 / (5 / 12), 2, 2 / 5])


def test_sleeves_that_do_not_match_are_no_portfolio() -> None:
    two, three = [0.5, 0.5], [0.5, 0.5, 0.0]
    with pytest.raises(ValueError, match="shorter|longer"):
        Rebalance(band=0.1).due(1, two, three)
    for amounts in ((two, three, three), (three, two, three), (three, three, two)):
        with pytest.raises(ValueError, match="shorter|longer"):
            reference.value_after_costs(*amounts)
    with pytest.raises(ValueError, match="shorter|longer"):
        reference.grow(three, two)
    with pytest.raises(ValueError, match="shorter|longer"):
        reference.simulate(bars([0.0] * 3, [0.0] * 3), Targets(np.array([0]), np.eye(3)[:2]), [0.0] * 3)


def test_rebalancing_settings_are_checked() -> None:
    with pytest.raises(UsageError, match="every 1 month or more, not -1"):
        Rebalance(every_months=-1)
    for band in (-0.1, 1.0, 1.5):
        with pytest.raises(UsageError, match="must lie in 0 to 1"):
            Rebalance(band=band)
    assert Rebalance(every_months=1, band=0.0).due(1, [0.6, 0.4], [0.5, 0.5])
