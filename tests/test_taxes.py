"""Taxes by lots: against a ledger in decimals, closed forms, an example of the tax office, what must hold."""

from __future__ import annotations

from decimal import Decimal, getcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest import MarketData, UsageError, run, tune
from backtest.decisions import Targets
from backtest.engine import path, reference
from backtest.engine.lots import Account, Tax, due
from backtest.engine.reference import Rebalance
from backtest.market.data import Bars
from backtest.records.again import differences
from backtest.records.robustness import robustness
from backtest.records.run_document import RunDocument
from backtest.records.sheet import Sheet
from backtest.reporting.page import brief, run_page
from backtest.reporting.terminal import text
from tests.cli.test_command import assert_sentence, rotation

NAMES = ("small", "large", "cash")
COSTS = [0.0025, 0.0005, 0.0]


def _bars(returns: np.ndarray, frequency: str = "monthly") -> Bars:
    n = len(returns)
    if frequency == "monthly":
        dates = ((np.datetime64("1990-01") + np.arange(n + 1)).astype("datetime64[D]") - 1)[1:]
    else:
        days = np.arange("1990-01-01", "2030-01-01", dtype="datetime64[D]")
        dates = days[np.is_busday(days)][:n]
    return Bars(dates, NAMES, returns)


class Ledger:
    """Money in decimals of 45 digits: what is left after each trade is found by halving, not by our chords."""

    def __init__(
        self, bars: Bars, costs: list[float], rates: tuple[float, float], frequency: str, highest: bool
    ) -> None:
        getcontext().prec = 45
        self.dates = [day.item() for day in bars.dates]
        self.returns = [[Decimal(r) for r in row] for row in bars.returns.tolist()]
        self.costs, self.rates = [Decimal(c) for c in costs], [Decimal(r) for r in rates]
        self.frequency, self.highest = frequency, highest
        self.lots = {s: [] for s in range(len(bars.sleeves))}
        self.lots[bars.sleeves.index("cash")] = [[0, Decimal(1), Decimal(1)]]
        self.carried, self.paid = Decimal(0), Decimal(0)
        self.equity = []

    def value(self) -> Decimal:
        return sum((lot[1] for lots in self.lots.values() for lot in lots), Decimal(0))

    def held(self, sleeve: int) -> Decimal:
        return sum((lot[1] for lot in self.lots[sleeve]), Decimal(0))

    def is_long(self, bought: int, bar: int) -> bool:
        then, now = self.dates[bought], self.dates[bar]
        if self.frequency == "monthly":
            return 12 * (now.year - then.year) + now.month - then.month > 12
        last = 28 if (then.month, then.day) == (2, 29) else then.day
        return now > then.replace(year=then.year + 1, day=last)

    def gains(self, sleeve: int, amount: Decimal, bar: int) -> list[tuple[bool, Decimal]]:
        queue = list(self.lots[sleeve])
        if self.highest:
            queue.sort(key=lambda lot: lot[2] / lot[1], reverse=True)
        found = []
        for bought, held, cost in queue:
            part = min(held, amount)
            if part <= 0:
                break
            found.append((self.is_long(bought, bar), part * (1 - self.costs[sleeve]) - cost * part / held))
            amount -= part
        return found

    def tax(self, after: Decimal, weights: list[Decimal], bar: int) -> tuple[Decimal, Decimal]:
        kinds = {True: Decimal(0), False: Decimal(0)}
        for sleeve, weight in enumerate(weights):
            for long, gain in self.gains(sleeve, self.held(sleeve) - weight * after, bar):
                kinds[long] += gain
        losses = self.carried
        if kinds[True] + kinds[False] <= 0 or min(kinds.values()) >= 0:
            losses -= sum(
                min(g, 0)
                for g in (kinds.values() if min(kinds.values()) >= 0 else [kinds[True] + kinds[False]])
            )
            left = kinds if min(kinds.values()) >= 0 else {True: Decimal(0), False: Decimal(0)}
        else:
            whole = kinds[True] + kinds[False]
            left = {long: whole if gain > 0 else Decimal(0) for long, gain in kinds.items()}
        owed = Decimal(0)
        for long in (False, True):
            used = min(losses, left[long])
            losses -= used
            owed += self.rates[long] * (left[long] - used)
        return owed, losses

    def trade(self, weights: list[float], bar: int) -> None:
        wanted, whole = [Decimal(w) for w in weights], self.value()
        low, high = Decimal(0), whole
        for _ in range(140):
            middle = (low + high) / 2
            fees = sum(
                c * abs(w * middle - self.held(s))
                for s, (c, w) in enumerate(zip(self.costs, wanted, strict=True))
            )
            low, high = (
                (middle, high) if whole - fees - self.tax(middle, wanted, bar)[0] > middle else (low, middle)
            )
        owed, self.carried = self.tax(low, wanted, bar)
        self.paid += owed
        for sleeve, weight in enumerate(wanted):
            self.move(sleeve, weight * low - self.held(sleeve), bar)

    def move(self, sleeve: int, amount: Decimal, bar: int) -> None:
        if amount > 0:
            self.lots[sleeve].append([bar, amount, amount * (1 + self.costs[sleeve])])
            return
        queue = (
            sorted(self.lots[sleeve], key=lambda lot: lot[2] / lot[1], reverse=True)
            if self.highest
            else list(self.lots[sleeve])
        )
        for lot in queue:
            part = min(lot[1], -amount)
            amount += part
            lot[2] -= lot[2] * part / lot[1]
            lot[1] -= part
        self.lots[sleeve] = [lot for lot in self.lots[sleeve] if lot[1] > Decimal("1e-30")]

    def run(self, trades: dict[int, list[float]]) -> list[float]:
        for bar in range(len(self.dates)):
            if bar:
                for sleeve, lots in self.lots.items():
                    for lot in lots:
                        lot[1] *= 1 + self.returns[bar][sleeve]
            if bar in trades:
                self.trade(trades[bar], bar)
            self.equity.append(float(self.value()))
        return self.equity


def _case(seed: int) -> tuple[Bars, Targets, Rebalance, str]:
    random = np.random.default_rng(seed)
    frequency = "monthly" if seed % 2 else "daily"
    n = int(random.integers(30, 90)) * (1 if seed % 2 else 8)
    scale = 1.0 if seed % 2 else 0.2
    returns = np.column_stack(
        [
            random.normal(0.004, 0.08 * scale, n),
            random.normal(0.006, 0.05 * scale, n),
            np.full(n, 0.002 * scale),
        ]
    )
    fills = np.unique(np.r_[0, random.integers(1, n - 1, int(random.integers(1, 9)))])
    weights = (
        np.eye(3)[random.integers(0, 3, len(fills))]
        if seed % 3 == 0
        else random.dirichlet([0.6] * 3, len(fills))
    )
    rebalance = (Rebalance(), Rebalance(every_months=4), Rebalance(band=0.05))[seed % 3]
    return _bars(returns, frequency), Targets(fills, weights), rebalance, frequency


@pytest.mark.parametrize("engine", [reference.simulate, path.simulate])
@pytest.mark.parametrize("highest", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_money_is_that_of_a_ledger_in_decimals(seed: int, highest: bool, engine: object) -> None:
    bars, targets, rebalance, frequency = _case(seed)
    rates = (0.37, 0.15)
    found = engine(bars, targets, COSTS, rebalance, Tax.over(bars, frequency, rates, highest=highest))
    made = dict(zip(found.trades.bars.tolist(), found.trades.after.tolist(), strict=True))
    ledger = Ledger(bars, COSTS, rates, frequency, highest)
    np.testing.assert_allclose(found.equity[1:], ledger.run(made)[1:], rtol=1e-12)
    taxes = found.taxes
    assert taxes.paid == pytest.approx(float(ledger.paid), rel=1e-11, abs=1e-14)
    assert taxes.losses == pytest.approx(float(ledger.carried), rel=1e-11, abs=1e-14)
    last = len(bars.dates) - 1
    owed, _ = ledger.tax(Decimal(0), [Decimal(0)] * 3, last)
    fees = sum(c * ledger.held(s) for s, c in enumerate(ledger.costs))
    assert taxes.sold == pytest.approx(float(ledger.value() - fees - owed), rel=1e-12)


def test_what_is_held_for_24_months_is_not_what_is_held_for_2() -> None:
    """In closed form: bought with all, its costs paid; sold, its costs paid; the rest is gain."""
    growth, n = 1.01, 30
    for months, rate in ((2, 0.4), (12, 0.4), (13, 0.1), (24, 0.1)):
        bars = _bars(np.tile([growth - 1.0, 0.0, 0.0], (n, 1)))
        targets = Targets(np.array([0, months]), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
        found = reference.simulate(
            bars, targets, COSTS, tax=Tax.over(bars, "monthly", (0.4, 0.1), highest=False)
        )
        proceeds = growth**months / (1.0 + COSTS[0]) * (1.0 - COSTS[0])
        assert found.equity[-1] == pytest.approx(proceeds - rate * (proceeds - 1.0), rel=1e-14)
        assert found.trades.tax[1] * found.trades.value[1] == pytest.approx(
            rate * (proceeds - 1.0), rel=1e-13
        )


def test_daily_lots_are_long_after_the_day_of_the_next_year() -> None:
    bars = _bars(np.zeros((900, 3)), "daily")
    long_from = Tax.over(bars, "daily", (0.4, 0.1), highest=False).long_from
    first = [str(bars.dates[long_from[bar]]) for bar in (0, 1, 42)]
    assert [str(bars.dates[bar]) for bar in (0, 1, 42)] == ["1990-01-01", "1990-01-02", "1990-02-28"]
    assert first == ["1991-01-02", "1991-01-03", "1991-03-01"]


@pytest.mark.parametrize(("highest", "cost"), [(False, 1380.0), (True, 1430.0)])
def test_the_tax_offices_example_of_the_oldest_lots(highest: bool, cost: float) -> None:
    """Internal Revenue Service, Publication 550, "Identifying stock or bonds sold", its example.

    100 shares bought at $10, 200 at $11, 100 at $9; 50 given away; then 130 sold: their cost is $1,380, of 50
    shares at $10 and of 80 at $11. Of the dearest it would be 130 at $11.
    """
    price, sold = 20.0, 130.0
    account = Account(Tax(0.0, 0.0, highest, np.zeros(9, dtype=np.int64)), ("stock", "cash"))
    account.lots = [[(0, 50 * price, 500.0), (1, 200 * price, 2200.0), (2, 100 * price, 900.0)], []]
    weight = 220.0 / 350.0
    after, taxed = account.trade([350 * price, 0.0], [weight, 1.0 - weight], [0.0, 0.0], 3)
    assert (after, taxed) == (pytest.approx(350 * price), 0.0)
    assert account.long_gains == pytest.approx(sold * price - cost)


GAINS = st.floats(-5.0, 5.0)
RATES = st.floats(0.0, 0.9)


@given(GAINS, GAINS, st.floats(0.0, 5.0), RATES, RATES)
def test_of_any_gains_and_losses(short: float, long: float, carried: float, low: float, high: float) -> None:
    tax = Tax(max(low, high), min(low, high), False, np.zeros(0, dtype=np.int64))
    owed, left = due(short, long, carried, tax)
    assert owed >= 0.0
    assert left >= 0.0
    assert owed <= tax.short * max(short, 0.0) + tax.long * max(long, 0.0) + 1e-12
    assert owed <= tax.short * max(short + long - carried, 0.0) + 1e-12, "losses are used up first"
    assert left == pytest.approx(max(carried - short - long, 0.0), abs=1e-12), (
        "and what is left of them is carried"
    )
    assert due(short, long, carried, Tax(0.0, 0.0, False, tax.long_from))[0] == 0.0
    assert due(short, long, carried + 1.0, tax)[0] <= owed + 1e-12


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.booleans())
def test_of_any_path(seed: int, highest: bool) -> None:
    bars, targets, rebalance, frequency = _case(seed)
    tax = Tax.over(bars, frequency, (0.35, 0.2), highest=highest)
    one, other = (
        engine(bars, targets, COSTS, rebalance, tax) for engine in (reference.simulate, path.simulate)
    )
    np.testing.assert_allclose(one.equity, other.equity, rtol=1e-11)
    np.testing.assert_allclose(one.taxes, other.taxes, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(one.trades.bars, other.trades.bars)
    none = reference.simulate(bars, targets, COSTS, rebalance)
    free = reference.simulate(bars, targets, COSTS, rebalance, tax._replace(short=0.0, long=0.0))
    np.testing.assert_allclose(free.equity, none.equity, rtol=1e-12)
    assert free.taxes.paid == 0.0
    assert none.taxes is None
    assert not none.trades.tax.any()
    assert (
        one.equity[-1] <= none.equity[-1] * (1 + 1e-12)
        or targets.weights.max() < 1.0
        or len(targets.fills) > 1
    )
    gains = one.taxes.short_gains + one.taxes.long_gains
    assert one.taxes.paid <= 0.35 * (gains + one.taxes.losses) + 1e-9, "no more than the rate of all gains"
    assert one.taxes.paid == pytest.approx(float((one.trades.tax * one.trades.value).sum()), abs=1e-12)


def test_a_run_pays_and_says_what_it_came_to(embedded: MarketData) -> None:
    result = run("rate_cut", embedded, tax={"short": 37, "long": 20})
    plain = run("rate_cut", embedded)
    assert result.metrics["cagr"] < plain.metrics["cagr"]
    assert result.path.taxes.paid == pytest.approx((result.trades["tax"] * result.path.trades.value).sum())
    assert "tax" not in plain.trades
    value = np.prod(1.0 + result.benchmark_returns["market"])
    market = result.sold["market"]
    assert market.after == pytest.approx(value - 0.2 * (value - 1.0))
    assert market.cagr == pytest.approx(market.after ** (12.0 / len(result.returns)) - 1.0)
    assert result.sold["rate_cut"].after < result.sold["rate_cut"].before == result.path.equity[-1]
    document = RunDocument.of(result)
    assert (document.tax, document.lots) == ({"short": 37.0, "long": 20.0}, "fifo")
    assert document.taxes.sold["market"].after == market.after
    assert document.terms.rates == (0.37, 0.2)
    assert RunDocument.of(plain).taxes is None
    said = " ".join(text(brief(result), most=400).split())
    assert "37% of gains on lots held up to 12 months and 20% on older ones withheld at each sale" in said
    assert "return a year, sold at the end" in said
    assert not any(
        differences(document, RunDocument.of(run("rate_cut", embedded, tax="short=37,long=20"))).metrics
    )


def test_the_ledger_follows_the_money_that_is_withheld(embedded: MarketData) -> None:
    for strategy, lots in (("rate_cut", "fifo"), ("balanced", "highest"), ("trend", "fifo")):
        result = run(strategy, embedded, tax={"short": 45, "long": 25}, lots=lots)
        value = result.portfolio.value().to_numpy()
        np.testing.assert_allclose(value[1:] / value[0], result.path.equity[1:] / value[0], rtol=1e-9)
        assert result.path.taxes.paid > 0.0


def test_pages_trials_and_sheets_are_made_after_tax(embedded: MarketData) -> None:
    result = run("rate_cut", embedded, tax=25)
    made = Sheet(result)
    headings = [block.words for block in run_page(result, made).blocks if type(block).__name__ == "Heading"]
    assert "Taxes" in headings
    assert "If trading were dearer, or later" not in headings, "these follow no lots"
    trials = {(t["cost_bps"], t["delay_fill"]): t["cagr"] for t in robustness(result).trials}
    same = run("rate_cut", embedded, tax=25, start=robustness(result).start)
    assert trials[10.0, 0] == pytest.approx(same.metrics["cagr"], rel=1e-10)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"tax": 25, "real": True}, "gains are taxed in the money that was paid"),
        ({"tax": 25, "flows": "-4% a year"}, "each flow would be a lot of its own"),
        ({"tax": "medium=3"}, "a tax is on short or on long gains, not 'medium'"),
        ({"tax": 0.25}, "tax counts in percent, and 0.25 is 0.25%: write 25 for 25%"),
        ({"tax": 99}, "tax must lie in 0 to 95 percent, not 99"),
        ({"tax": "short=x"}, "tax short must be a number"),
        ({"tax": "short=3,short=4"}, "short is given more than once"),
        ({"tax": 25, "lots": "lifo"}, "lots are sold by fifo or highest, not by 'lifo'"),
    ],
)
def test_what_cannot_be_used_is_refused(terms: dict[str, object], said: str, embedded: MarketData) -> None:
    with pytest.raises(UsageError, match=said):
        run("rate_cut", embedded, **terms)


def test_a_sweep_refuses_a_tax_and_flows_in_a_sentence(embedded: MarketData, tmp_path: Path) -> None:
    for option in (["--tax", "25"], ["--flows", "5% a month"]):
        refused = rotation(tmp_path, "tune", "rate_cut", "--grid", "hold=12,24", *option)
        assert_sentence(refused, 2, "sweep")
    with pytest.raises(
        UsageError, match="a tax hangs on when each lot was bought, which a sweep does not follow"
    ):
        tune("rate_cut", embedded, grid={"hold": "12,24"}, tax=25)
    with pytest.raises(UsageError, match="flows change no return"):
        tune("rate_cut", embedded, grid={"hold": "12,24"}, flows="5% a month")
