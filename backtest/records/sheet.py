"""The sheet: everything a tear sheet says of a run, as plain numbers, gathered from the analysis."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.analysis.capture import down_capture, up_capture
from backtest.analysis.intervals import COMPARED, Influences, Interval, difference, intervals
from backtest.analysis.long_run import LEVEL
from backtest.analysis.next_path import SEED, Ranges, next_path
from backtest.analysis.paths import by_period, later, returns_of, switch_gains, worst_falls
from backtest.analysis.regimes import Breakdown, breakdown, decades, halves, policy_regimes, yes_or_no
from backtest.analysis.regression import factor_alpha
from backtest.analysis.rolling import Rolling, rolling
from backtest.dates import DAYS_A_YEAR
from backtest.records.record import RunRecord, record_of
from backtest.records.shading import recession_turns
from backtest.rules.seen import Seen, seen
from backtest.rules.why import facts
from backtest.runs import measured
from backtest.terms import Terms

if TYPE_CHECKING:
    from backtest.dates import Days, Floats, Ints
    from backtest.records.run_document import RunDocument
    from backtest.rules.ruling import Ruling
    from backtest.rules.why import Fact
    from backtest.runs import Run

COSTS = (0.0, 5.0, 10.0, 25.0, 50.0, 100.0)
"""Basis points a side at which the same trades are tried again."""

DELAYS = {"monthly": (0, 1, 2, 3, 6), "daily": (0, 1, 5, 21, 63)}
"""Bars by which the same trades are delayed."""

ROLLING_YEARS = 3


class Loading(msgspec.Struct, frozen=True):
    """A coefficient of a regression: its name, value, t and p."""

    name: str
    value: float
    tstat: float
    pvalue: float


class FactorModel(msgspec.Struct, frozen=True):
    """Alpha a year and the loadings on the factors."""

    name: str
    r_squared: float
    loadings: list[Loading]


class FallDates(msgspec.Struct, frozen=True):
    """A fall with its dates; ``recovery`` is None where there is none yet; ``years`` last from the peak."""

    depth: float
    peak: str
    trough: str
    recovery: str | None
    years: float


class Switch(msgspec.Struct, frozen=True):
    """A trade: what was bought and why, its cost, and its gain against not trading until the next one."""

    date: str
    hold: str
    reason: str
    turnover: float
    cost: float
    gain: float
    until: str


class Variant(msgspec.Struct, frozen=True):
    """The same trades at other terms."""

    at: float
    cagr: float
    sharpe: float
    alpha: float
    tstat: float


def _clause(fact: Fact) -> str:
    """Return a fact as a clause: ``the last cut of FED_TARGET, to 4.75%, known on 2007-09-18``."""
    return f"{fact.text(' ')}, known on {fact.known_at}"


def _because(ruling: Ruling, fill: int) -> str:
    now = facts(ruling, ruling.rule, fill)
    before = set(facts(ruling, ruling.rule, fill - 1)) if fill > 0 else set()
    new = [fact for fact in now if fact not in before]
    if new:
        return "; ".join(map(_clause, new))
    if now:
        return "no news, time passed: " + "; ".join(map(_clause, now))
    return "time passed"


def reasons(result: Run, record: RunRecord) -> list[str]:
    """Return one clause a trade."""
    first = int(np.searchsorted(result.market.bars.dates, record.dates[0]))
    said = []
    for trade, (fill, switch) in enumerate(zip(record.fills, record.trades["switch"], strict=True)):
        if trade == 0:
            said.append("first purchase")
        elif not switch:
            said.append("back to the target")
        else:
            said.append(_because(result.ruling, first + int(fill) - result.terms.delay_fill))
    return said


class Sheet:
    """What a tear sheet shows of a run, each when it is first asked for; returns are decimal, dates ISO.

    Parameters
    ----------
    result
        The run.
    document
        What is kept of it in place of its own: that has no trials, no folder, and one combination tried.
    """

    def __init__(self, result: Run, document: RunDocument | None = None) -> None:
        self.result, self.record = result, record_of(result, document)
        self.window = round(ROLLING_YEARS * self.record.ppy)
        self._benchmark = self.record.sleeve(self.record.benchmark)

    @cached_property
    def seen(self) -> list[Seen]:
        """What the rule looked at."""
        return seen(self.result.ruling, self.result.bars.dates)

    @cached_property
    def ranges(self) -> Ranges | None:
        """Where the measures of a further path like this one would lie; None where it is too short to say."""
        return next_path(self.record.returns, self.record.n_years)

    @property
    def _influences(self) -> Influences:
        record = self.record
        return Influences(record.returns, self._benchmark, record.risk_free, record.n_years)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """The intervals of the measures."""
        return intervals(self._influences)

    @cached_property
    def differences(self) -> dict[str, Interval]:
        """Those of their differences from the benchmark's."""
        ours, theirs = self._influences, replace(self._influences, returns=self._benchmark)
        apart = {key: difference(ours, theirs, key) for key in COMPARED}
        return {key: Interval(d.estimate, *d.ends()) for key, d in apart.items()}

    @cached_property
    def models(self) -> list[FactorModel]:
        """The regressions on the benchmark, three factors, and momentum, as far as there are any."""
        record, free = self.record, self.record.risk_free
        models = [self._model(f"against {record.benchmark}", {record.benchmark: self._benchmark - free})]
        if "market" not in record.sleeves or not {"SMB", "HML"} <= record.factors.keys():
            return models
        three = {"market": record.sleeve("market") - free}
        three |= {name: record.factors[name] for name in ("SMB", "HML")}
        models.append(self._model("three factors", three))
        if "MOM" in record.factors:
            models.append(self._model("with momentum", {**three, "MOM": record.factors["MOM"]}))
        return models

    def _model(self, name: str, factors: dict[str, Floats]) -> FactorModel:
        record, columns = self.record, np.column_stack(list(factors.values()))
        whole = np.isfinite(columns).all(axis=1)
        fit = factor_alpha(record.returns[whole], record.risk_free[whole], columns[whole])
        values = (fit.coefficients * np.r_[record.ppy, np.ones(len(factors))]).tolist()
        rows = zip(["alpha a year", *factors], values, fit.tstats.tolist(), fit.pvalues.tolist(), strict=True)
        return FactorModel(name, fit.r_squared, [Loading(*row) for row in rows])

    @cached_property
    def falls(self) -> list[FallDates]:
        """The worst falls."""
        rows, dates = [], self.record.dates
        for fall in worst_falls(self.record.returns):
            peak, back = dates[fall.peak], None if fall.recovery is None else dates[fall.recovery]
            days = ((dates[-1] if back is None else back) - peak).astype(int)
            ends = (str(peak), str(dates[fall.trough]), None if back is None else str(back))
            rows.append(FallDates(fall.depth, *ends, days / DAYS_A_YEAR))
        return rows

    @cached_property
    def rolling(self) -> Rolling:
        """Measures over ``window`` bars."""
        record = self.record
        return rolling(record.returns, self._benchmark, record.risk_free, self.window, record.ppy)

    @cached_property
    def years(self) -> tuple[Days, Floats]:
        """The calendar years, and the returns of the run and of its benchmark in each, (n, 2)."""
        return self._by("Y")

    @cached_property
    def months(self) -> tuple[Days, Floats]:
        """The same of the months."""
        return self._by("M")

    def _by(self, period: str) -> tuple[Days, Floats]:
        pairs = np.column_stack([self.record.returns, self._benchmark])
        return by_period(self.record.dates[1:], pairs, period)

    @cached_property
    def switches(self) -> list[Switch]:
        """The trades that changed the target, with the reason of each."""
        record, fills, trades = self.record, self.record.fills, self.record.trades
        paid = trades["cost"] + trades.get("tax", 0.0)
        gains = switch_gains(self._after_none, record.weights, fills, paid.to_numpy())
        until = [*record.dates[fills[1:]], record.dates[-1]]
        return [
            Switch(
                str(record.dates[fill]),
                str(trades["hold"].iloc[i]),
                reason,
                float(trades["turnover"].iloc[i]),
                float(trades["cost"].iloc[i]),
                float(gains[i]),
                str(until[i]),
            )
            for i, (fill, reason) in enumerate(zip(fills, reasons(self.result, record), strict=True))
            if trades["switch"].iloc[i]
        ]

    @property
    def _after_none(self) -> Floats:
        """The sleeves' returns, (n + 1, n_sleeves), with none at the first fill."""
        return np.vstack([np.zeros(len(self.record.sleeves)), self.record.sleeve_returns])

    @cached_property
    def regimes(self) -> dict[str, list[Breakdown]]:
        """Mean returns by regime, as far as the market knows any."""
        record, market, dates, found = self.record, self.result.market, self.record.dates, {}
        if market.policy is not None:
            target = market.observations[market.policy]
            labels = policy_regimes(dates, target.known_at, target.values)
            found["policy rate"] = (labels, ["cutting", "rising", "on hold"])
        turns = recession_turns(market)
        if turns is not None:
            found["business cycle"] = (yes_or_no(dates, *turns), ["recession", "expansion"])
        if "discount" in market.roles:
            known = market.known(same_close=self.result.terms.same_close).as_of(market.roles["discount"])
            # The value known at the fill before each bar: what a holder of that bar could have seen.
            at = np.searchsorted(market.bars.dates, dates[:-1])
            found["discount of small"] = (halves(known[at]), ["wide", "narrow"])
        found["decade"] = decades(dates)
        columns = np.column_stack([record.returns, self._benchmark])
        return {name: breakdown(*each, columns, record.ppy) for name, each in found.items()}

    @cached_property
    def capture(self) -> dict[str, tuple[float, float]]:
        """Up and down capture of the benchmark, by name."""
        return {
            name: (up_capture(returns, self._benchmark), down_capture(returns, self._benchmark))
            for name, returns in self.record.curves().items()
            if name != self.record.benchmark
        }

    @cached_property
    def costs(self) -> list[Variant]:
        """The same trades at other costs; none of a taxed run, whose lots they do not follow."""
        fills, targets = self.record.fills, self.record.weights[self.record.fills]
        each = {bps: Terms(cost_bps=bps).costs(self.record.sleeves) for bps in COSTS}
        return self._variants({bps: (fills, targets, costs) for bps, costs in each.items()})

    @cached_property
    def delays(self) -> list[Variant]:
        """The same trades some bars later, 0 being the run itself; none of a taxed run either."""
        record, last = self.record, len(self.record.dates) - 1
        fills, targets = record.fills, record.weights[record.fills]
        costs = self.result.terms.costs(record.sleeves)
        each = DELAYS[record.frequency]
        return self._variants({bars: (*later(fills, targets, bars, last), costs) for bars in each})

    def _variants(self, trades: dict[Any, tuple[Ints, Floats, list[float]]]) -> list[Variant]:
        if self.result.terms.rates:
            return []
        record, found = self.record, []
        for at, each in trades.items():
            returns = returns_of(self._after_none, *each)
            by_key = measured(returns, self._benchmark, record.risk_free, record.n_years, {})
            found.append(Variant(at, *(by_key[key] for key in ("cagr", "sharpe", "alpha", "alpha_tstat"))))
        return found

    @cached_property
    def holds(self) -> dict[str, float]:
        """What is held at the last bar."""
        held = zip(self.record.sleeves, self.record.weights[-1].tolist(), strict=True)
        return {sleeve: weight for sleeve, weight in held if weight > 0.0}

    @property
    def since(self) -> str:
        """The day of the last switch."""
        return str(self.record.dates[self.record.fills[self.record.trades["switch"].to_numpy()][-1]])

    def document(self) -> dict[str, Any]:
        """Return everything on the page that ``result.json`` does not have, as ``sheet.json`` keeps it."""
        leads = self.result.year_leads
        return {
            "intervals": {
                "level": LEVEL,
                "of": "the process that made the returns",
                "method": "delta method, prewhitened long-run variance, Student's t",
                "measures": {key: i._asdict() for key, i in self.intervals.items()},
                "differences_from_benchmark": {key: i._asdict() for key, i in self.differences.items()},
            },
            "next_path": None if self.ranges is None else {**self.ranges._asdict(), "seed": SEED},
            "factor_models": self.models,
            "drawdowns": self.falls,
            "years": self._by_name(self.years),
            "months": self._by_name(self.months),
            "switches": self.switches,
            "regimes": {name: [row._asdict() for row in rows] for name, rows in self.regimes.items()},
            "capture": {name: {"up": up, "down": down} for name, (up, down) in self.capture.items()},
            "costs_bps": self.costs,
            "delay_bars": self.delays,
            "rolling_bars": self.window,
            "start_by_end": {
                "unit": "growth a year less the benchmark's, decimal",
                "rows": "from the start of a year to the end of itself, of the next, and so on",
                "first": leads.first,
                "leads": [np.round(row[i:], 6) for i, row in enumerate(leads.leads)],
            },
            "holds": self.holds,
            "since": self.since,
        }

    def _by_name(self, periods: tuple[Days, Floats]) -> list[dict[str, Any]]:
        return [
            {"period": str(period), self.record.name: own, "benchmark": benchmark}
            for period, (own, benchmark) in zip(periods[0], periods[1].tolist(), strict=True)
        ]
