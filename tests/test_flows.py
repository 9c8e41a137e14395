"""Flows of money: against a ledger of sums in each sleeve, a textbook, and what must hold of any rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from backtest import MarketData, Run, UsageError, run
from backtest.analysis.money_weighted import internal_rate, money_weighted
from backtest.flows import Flow, flow_of
from backtest.records.run_document import RunDocument
from backtest.reporting.page import brief
from backtest.reporting.terminal import text


def _ledger(result: Run, part: Fraction, months: int) -> tuple[list[tuple[int, Fraction]], Fraction]:
    """Return the flows by bar and what is left: a plain ledger of the sums in each sleeve, in fractions.

    It follows the trades of the run by their weights, and knows nothing of units or of a portfolio's growth.
    """
    bars, costs = result.bars, [Fraction(c) for c in result.terms.costs(result.bars.sleeves)]
    traded = dict(zip(result.path.trades.bars.tolist(), result.path.trades.after.tolist(), strict=True))
    month = bars.dates.astype("datetime64[M]").astype(int).tolist()
    held = [Fraction(int(s == "cash")) for s in bars.sleeves]
    flows, last = [(0, Fraction(-1))], len(month) - 1
    for bar in range(last + 1):
        if bar:
            held = [
                h * (1 + Fraction(r)) if h else h
                for h, r in zip(held, bars.returns[bar].tolist(), strict=True)
            ]
        if bar in traded:
            wanted, before = [Fraction(w) for w in traded[bar]], held
            low, high = Fraction(0), sum(held)
            for _ in range(90):  # what is left after costs, by halving: the equation itself, no closed form
                middle = (low + high) / 2
                paid = sum(c * abs(w * middle - h) for c, w, h in zip(costs, wanted, before, strict=True))
                low, high = (middle, high) if sum(before) - paid > middle else (low, middle)
            held = [w * low for w in wanted]
        if bar and bar != last and month[bar] != month[bar - 1] and (month[bar] - month[0]) % months == 0:
            whole = sum(held)
            rate = sum(c * h for c, h in zip(costs, held, strict=True)) / whole
            bought = part / (1 + rate) if part > 0 else part / (1 - rate)
            held = [h * (1 + bought / whole) for h in held]
            flows.append((bar, -part))
        held = [Fraction(float(h)) for h in held]  # or the digits grow with every bar
    return flows, sum(held)


@pytest.mark.parametrize(("strategy", "written"), [("rate_cut", "5% a month"), ("balanced", "-2% a year")])
def test_what_an_investor_has_is_that_of_a_plain_ledger(
    strategy: str, written: str, embedded: MarketData
) -> None:
    result = run(strategy, embedded, flows=written, start="1990-01-31", cost_bps={"small": 80, "large": 20})
    part, months = (Fraction(5, 100), 1) if "month" in written else (Fraction(-2, 100), 12)
    flows, left = _ledger(result, part, months)
    own = result.money[result.strategy.name]
    assert own.value == pytest.approx(float(left), rel=1e-11)
    sums = [float(value) for _, value in flows] + [float(left)]
    times = [bar / 12 for bar, _ in flows] + [(len(result.bars.dates) - 1) / 12]
    assert own.paid_in == pytest.approx(-sum(s for s in sums if s < 0), rel=1e-12)
    assert own.taken_out == pytest.approx(sum(s for s in sums[:-1] if s > 0), rel=1e-12)

    def worth(rate: float) -> float:
        return sum(s / (1 + rate) ** t for s, t in zip(sums, times, strict=True))

    assert own.irr == pytest.approx(brentq(worth, -0.5, 2.0, xtol=1e-15), abs=1e-12)
    assert own.exhausted is None


def test_a_textbook_case() -> None:
    """A share bought for 200, another for 225 a year later, dividends of 5 and 10, both sold for 235: 9.39%.

    CFA Institute, Quantitative Investment Analysis, 3rd ed. (2015), section on the money-weighted return.
    """
    assert (
        round(internal_rate(np.array([-200.0, -225.0 + 5.0, 470.0 + 10.0]), np.array([0.0, 1.0, 2.0])), 4)
        == 0.0939
    )


@given(
    st.lists(st.floats(-0.3, 0.4), min_size=3, max_size=60),
    st.floats(-0.05, 0.5).filter(lambda part: abs(part) > 1e-6),
    st.integers(1, 12),
)
def test_of_any_rate(returns: list[float], part: float, months: int) -> None:
    growth = np.cumprod(np.r_[1.0, 1.0 + np.array(returns)])
    times = np.arange(len(growth)) / 12.0
    dates = np.datetime64("1990-01-31") + np.arange(len(growth)) * 31
    none, free = np.zeros(0, dtype=np.int64), np.zeros(len(growth))
    still = money_weighted(growth, free, times, dates, (part, none))
    assert still.irr == pytest.approx(growth[-1] ** (1.0 / times[-1]) - 1.0, rel=1e-9, abs=1e-12)
    assert still.value == growth[-1]
    at = np.arange(months, len(growth) - 1, months)
    steady = money_weighted(
        np.cumprod(np.r_[1.0, np.full(len(returns), 1.01)]), free, times, dates, (part, at)
    )
    assert steady.irr == pytest.approx(1.01**12 - 1.0, rel=1e-9), "a steady return is that of every weighting"
    own, dear = (money_weighted(growth, free + cost, times, dates, (part, at)) for cost in (0.0, 0.01))
    assert dear.value <= own.value
    assert (own.exhausted is None) or own.value == 0.0
    low, high = min(returns), max(returns)
    if own.exhausted is None:
        assert (1 + low) ** 12 - 1 - 1e-9 <= own.irr <= (1 + high) ** 12 - 1 + 1e-9


def test_all_that_is_left_is_taken_and_the_day_is_said(embedded: MarketData) -> None:
    result = run("buy_and_hold", embedded, flows="-12% a year", start="1999-12-31")
    own = result.money["buy_and_hold"]
    assert own.value == 0.0
    day = str(own.exhausted)
    assert day.endswith(("-12-29", "-12-30", "-12-31")), "once a year, at the close of the month of the start"
    assert own.taken_out > 0.0
    assert "nothing left since" in text(brief(result), most=400)
    assert RunDocument.of(result).money["buy_and_hold"].exhausted == day


def test_flows_change_no_return_and_stand_in_every_place(embedded: MarketData) -> None:
    plain, flowing = run("rate_cut", embedded), run("rate_cut", embedded, flows="500 a month on 10000")
    np.testing.assert_array_equal(plain.returns, flowing.returns)
    assert plain.money == {}
    assert RunDocument.of(plain).money is None
    document = RunDocument.of(flowing)
    assert (document.flows, document.terms.flows) == ("5% a month", "5% a month")
    said = " ".join(text(brief(flowing), most=400).split())
    assert "0.05 of the first sum paid in every month" in said
    assert "money-weighted return a year (IRR)" in said
    assert {*flowing.money} == {"rate_cut", *flowing.benchmarks}
    assert flowing.money["market"].costs == 0.0


def test_daily_money_flows_at_the_first_close_of_a_month() -> None:
    dates = np.arange("2020-01-15", "2021-04-10", dtype="datetime64[D]")
    dates = dates[np.is_busday(dates)]
    monthly, yearly = (
        dates[flow_of(f"1% a {unit}").bars(dates)].astype(str).tolist() for unit in ("month", "year")
    )
    assert monthly[:2] == ["2020-02-03", "2020-03-02"]
    assert len(monthly) == 15
    assert yearly == ["2021-01-01"]


@pytest.mark.parametrize(
    ("written", "flow"),
    [
        ("500 a month on 10000", Flow(0.05, 1)),
        ("-4% a year", Flow(-0.04, 12)),
        ("+1.5%/month", Flow(0.015, 1)),
        ("12e3 per year on 1e5", Flow(0.12, 12)),
    ],
)
def test_how_a_flow_is_written(written: str, flow: Flow) -> None:
    assert flow_of(written) == pytest.approx(flow)
    assert flow_of(flow_of(written).written) == pytest.approx(flow)


@pytest.mark.parametrize(
    "written",
    ["500", "4%", "500 a month", "5% a month on 3", "x a year on 5", "1% a week", "", "nan% a year"],
)
def test_what_is_no_flow_is_refused(written: str, embedded: MarketData) -> None:
    with pytest.raises(UsageError, match="flows"):
        run("rate_cut", embedded, flows=written)


@pytest.mark.parametrize("written", ["0% a year", "2000% a month", "5 a month on 0"])
def test_a_flow_of_nothing_or_of_far_too_much_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="flows"):
        flow_of(written)
