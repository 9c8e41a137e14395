"""The sheet: everything a tear sheet says of a run, as plain numbers, gathered from the analysis."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from backtest.analysis.rolling import Rolling, YearLeads, rolling
from backtest.records.record import RunRecord, record_of
from backtest.records.run_document import RunDocument
from backtest.records.shading import recession_turns
from backtest.rules.seen import Seen, seen
from backtest.rules.why import facts
from backtest.runs import measured

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.dates import Days, Floats
    from backtest.records.robustness import Robustness
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


@dataclass(frozen=True, eq=False)
class Sheet:
    """What a tear sheet shows beyond the record of the run; all returns decimal, all dates ISO."""

    record: RunRecord
    seen: list[Seen]
    ranges: Ranges | None
    intervals: dict[str, Interval]
    differences: dict[str, Interval]
    models: list[FactorModel]
    falls: list[FallDates]
    window: int
    rolling: Rolling
    year_leads: YearLeads
    years: tuple[Days, Floats]
    months: tuple[Days, Floats]
    switches: list[Switch]
    regimes: dict[str, list[Breakdown]]
    capture: dict[str, tuple[float, float]]
    costs: list[Variant]
    delays: list[Variant]
    holds: dict[str, float]
    since: str


def _intervals(record: RunRecord) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """Return the intervals of the measures, and of their differences from the benchmark's."""
    benchmark = record.sleeve(record.benchmark)
    ours = Influences(record.returns, benchmark, record.risk_free, record.n_years)
    theirs = replace(ours, returns=benchmark)
    apart = {key: difference(ours, theirs, key) for key in COMPARED}
    return intervals(ours), {key: Interval(d.estimate, *d.ends()) for key, d in apart.items()}


def _model(record: RunRecord, name: str, factors: dict[str, Floats]) -> FactorModel:
    columns = np.column_stack(list(factors.values()))
    whole = np.isfinite(columns).all(axis=1)
    fit = factor_alpha(record.returns[whole], record.risk_free[whole], columns[whole])
    scale = np.r_[record.ppy, np.ones(len(factors))]
    rows = zip(["alpha a year", *factors], fit.coefficients * scale, fit.tstats, fit.pvalues, strict=True)
    return FactorModel(name, fit.r_squared, [Loading(n, float(c), float(t), float(p)) for n, c, t, p in rows])


def _models(record: RunRecord) -> list[FactorModel]:
    """Return the regressions on the benchmark, three factors, and momentum, as far as there are any."""
    against = record.sleeve(record.benchmark) - record.risk_free
    models = [_model(record, f"against {record.benchmark}", {record.benchmark: against})]
    if "market" not in record.sleeves or not {"SMB", "HML"} <= record.factors.keys():
        return models
    three = {"market": record.sleeve("market") - record.risk_free}
    three |= {name: record.factors[name] for name in ("SMB", "HML")}
    models.append(_model(record, "three factors", three))
    if "MOM" in record.factors:
        models.append(_model(record, "with momentum", {**three, "MOM": record.factors["MOM"]}))
    return models


def _falls(record: RunRecord) -> list[FallDates]:
    rows = []
    for fall in worst_falls(record.returns):
        peak, trough = record.dates[fall.peak], record.dates[fall.trough]
        back = None if fall.recovery is None else record.dates[fall.recovery]
        years = (back if back is not None else record.dates[-1]) - peak
        recovery = None if back is None else str(back)
        rows.append(FallDates(fall.depth, str(peak), str(trough), recovery, years.astype(int) / 365.2425))
    return rows


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


def _switches(result: Run, record: RunRecord) -> list[Switch]:
    fills, trades = record.fills, record.trades
    returns = np.vstack([np.zeros(len(record.sleeves)), record.sleeve_returns])
    paid = trades["cost"] + trades.get("tax", 0.0)
    gains = switch_gains(returns, record.weights, fills, paid.to_numpy())
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
        for i, (fill, reason) in enumerate(zip(fills, reasons(result, record), strict=True))
        if trades["switch"].iloc[i]
    ]


def _regimes(result: Run, record: RunRecord) -> dict[str, list[Breakdown]]:
    columns = np.column_stack([record.returns, record.sleeve(record.benchmark)])
    market, dates, found = result.market, record.dates, {}
    if market.policy is not None:
        target = market.observations[market.policy]
        labels = policy_regimes(dates, target.known_at, target.values)
        found["policy rate"] = (labels, ["cutting", "rising", "on hold"])
    turns = recession_turns(market)
    if turns is not None:
        found["business cycle"] = (yes_or_no(dates, *turns), ["recession", "expansion"])
    if "discount" in market.roles:
        known = market.known(same_close=result.terms.same_close).as_of(market.roles["discount"])
        # The value known at the fill before each bar: what a holder of that bar could have seen.
        at = np.searchsorted(market.bars.dates, dates[:-1])
        found["discount of small"] = (halves(known[at]), ["wide", "narrow"])
    found["decade"] = decades(dates)
    return {name: breakdown(labels, names, columns, record.ppy) for name, (labels, names) in found.items()}


def _variant(record: RunRecord, at: float, returns: Floats) -> Variant:
    found = measured(returns, record.sleeve(record.benchmark), record.risk_free, record.n_years, {})
    return Variant(at, *(found[key] for key in ("cagr", "sharpe", "alpha", "alpha_tstat")))


def _variants(result: Run, record: RunRecord) -> tuple[list[Variant], list[Variant]]:
    """Return the same trades at other costs and with other delays; at 0 bars later it is the run itself."""
    returns = np.vstack([np.zeros(len(record.sleeves)), record.sleeve_returns])
    fills, last = record.fills, len(record.dates) - 1
    targets = record.weights[fills]
    free = record.sleeves.index("cash")
    costs, delays = [], []
    for bps in COSTS:
        each = np.full(len(record.sleeves), bps / 1e4)
        each[free] = 0.0
        costs.append(_variant(record, bps, returns_of(returns, fills, targets, each.tolist())))
    own = result.terms.costs(record.sleeves)
    for bars in DELAYS[record.frequency]:
        moved = later(fills, targets, bars, last)
        delays.append(_variant(record, bars, returns_of(returns, *moved, own)))
    return costs, delays


def sheet(
    result: Run,
    robust: Robustness | None = None,
    *,
    report: Path | None = None,
    tried: int = 1,
    ranges: bool = True,
) -> Sheet:
    """Gather what the tear sheet of a run shows.

    ``robust`` are trials to be kept in the document, ``report`` the folder that is written; ``tried`` is how
    many combinations of parameters were tried before this one was chosen. Without ``ranges`` no further
    paths are drawn, which takes most of the time.
    """
    record = record_of(result, RunDocument.of(result, report, robust, tried=tried))
    benchmark = record.sleeve(record.benchmark)
    alone, against = _intervals(record)
    window = round(ROLLING_YEARS * record.ppy)
    pairs = np.column_stack([record.returns, benchmark])
    costs, delays = ([], []) if result.terms.rates else _variants(result, record)  # it follows no lots
    held = dict(zip(record.sleeves, record.weights[-1].tolist(), strict=True))
    return Sheet(
        record=record,
        seen=seen(result.ruling, result.bars.dates),
        ranges=next_path(record.returns, record.n_years) if ranges else None,
        intervals=alone,
        differences=against,
        models=_models(record),
        falls=_falls(record),
        window=window,
        rolling=rolling(record.returns, benchmark, record.risk_free, window, record.ppy),
        year_leads=result.year_leads,
        years=by_period(record.dates[1:], pairs, "Y"),
        months=by_period(record.dates[1:], pairs, "M"),
        switches=_switches(result, record),
        regimes=_regimes(result, record),
        capture={
            name: (up_capture(returns, benchmark), down_capture(returns, benchmark))
            for name, returns in record.curves().items()
            if name != record.benchmark
        },
        costs=costs,
        delays=delays,
        holds={sleeve: weight for sleeve, weight in held.items() if weight > 0.0},
        since=str(record.dates[record.fills[record.trades["switch"].to_numpy()][-1]]),
    )


def as_document(sheet: Sheet) -> dict[str, Any]:
    """Return everything on the page that ``result.json`` does not have, as ``sheet.json`` keeps it."""
    return {
        "intervals": {
            "level": LEVEL,
            "of": "the process that made the returns",
            "method": "delta method, prewhitened long-run variance, Student's t",
            "measures": {key: i._asdict() for key, i in sheet.intervals.items()},
            "differences_from_benchmark": {key: i._asdict() for key, i in sheet.differences.items()},
        },
        "next_path": None if sheet.ranges is None else {**sheet.ranges._asdict(), "seed": SEED},
        "factor_models": sheet.models,
        "drawdowns": sheet.falls,
        "years": _by_name(sheet.years, sheet.record),
        "months": _by_name(sheet.months, sheet.record),
        "switches": sheet.switches,
        "regimes": {name: [row._asdict() for row in rows] for name, rows in sheet.regimes.items()},
        "capture": {name: {"up": up, "down": down} for name, (up, down) in sheet.capture.items()},
        "costs_bps": sheet.costs,
        "delay_bars": sheet.delays,
        "rolling_bars": sheet.window,
        "start_by_end": {
            "unit": "growth a year less the benchmark's, decimal",
            "rows": "from the start of a year to the end of itself, of the next, and so on",
            "first": sheet.year_leads.first,
            "leads": [np.round(row[i:], 6) for i, row in enumerate(sheet.year_leads.leads)],
        },
        "holds": sheet.holds,
        "since": sheet.since,
    }


def _by_name(periods: tuple[Days, Floats], record: RunRecord) -> list[dict[str, Any]]:
    return [
        {"period": str(period), record.name: own, "benchmark": benchmark}
        for period, (own, benchmark) in zip(periods[0], periods[1].tolist(), strict=True)
    ]
