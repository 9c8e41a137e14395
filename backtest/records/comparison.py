"""Runs side by side on the bars that they share: which differ by more than noise."""

from __future__ import annotations

import itertools
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.analysis.comparison import agreement, sharpe_difference
from backtest.analysis.intervals import FEWEST as FEWEST_BARS
from backtest.analysis.intervals import Influences, difference
from backtest.analysis.long_run import LEVEL
from backtest.analysis.paths import by_period
from backtest.analysis.rolling import rolling
from backtest.errors import UsageError, joined
from backtest.measures import MEASURES, holdings_of, time_in
from backtest.parameters import Value
from backtest.records.document import Day, Metrics, Number
from backtest.records.named import records as made
from backtest.runs import measured
from backtest.shown import Pictured
from backtest.terms import TERMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.dates import Days, Floats
    from backtest.market.data import MarketData
    from backtest.records.named import Named
    from backtest.records.record import RunRecord

FEWEST, MOST = 2, 20

LEAD_YEARS = 3
"""Years over which a lead that moves through time is told."""


class TestedPair(msgspec.Struct, frozen=True):
    """The test of two runs' Sharpe ratios, a year, the runs by their labels."""

    a: str
    b: str
    sharpe_difference: Number
    low: Number
    high: Number
    pvalue: Number


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Pictured):
    """Runs on their common window.

    Parameters
    ----------
    labels
        A name for each run, no two alike.
    records
        The runs, cut to the window.
    metrics
        The measures of each over the window.
    best
        By measure the run that is better than every other by more than noise; absent where none is.
    differences
        The Sharpe test of every pair.
    correlations
        (k, k) of the returns less the benchmark's; NaN where a run is its benchmark.
    alike
        (k, k): the part of the value that two runs held alike, on average.
    together
        (n_bars,): the same, of all pairs, at each bar.
    cautions
        Sentences to be said before any number: in what respect the runs are not alike.

    Examples
    --------
    >>> from backtest import compare
    >>> both = compare("rate_cut", "easing")
    >>> both.to_frame().loc["switches"].astype(int).to_dict()
    {'rate_cut': 12, 'easing': 14}
    """

    labels: list[str]
    records: list[RunRecord]
    metrics: list[dict[str, float]]
    best: dict[str, int]
    differences: list[TestedPair]
    correlations: Floats
    alike: Floats
    together: Floats
    cautions: list[str]

    @property
    def start(self) -> str:
        """The date of the fill before the first common bar."""
        return str(self.records[0].dates[0])

    @property
    def end(self) -> str:
        """The date of the last common bar."""
        return str(self.records[0].dates[-1])

    @cached_property
    def versus(self) -> tuple[str, Floats] | None:
        """Their benchmark's name and returns, where all are held against the same and none has its name."""
        first, *others = self.records
        returns = first.sleeve(first.benchmark)
        same = all(
            record.benchmark == first.benchmark and np.array_equal(record.sleeve(record.benchmark), returns)
            for record in others
        )
        return (first.benchmark, returns) if same and first.benchmark not in self.labels else None

    @cached_property
    def columns(self) -> dict[str, dict[str, float]]:
        """The measures of each run by its label and, where they have one in common, of the benchmark last."""
        found = dict(zip(self.labels, self.metrics, strict=True))
        if self.versus is not None:
            (name, returns), first = self.versus, self.records[0]
            held = {"time_in_small": float(name == "small")}
            own = measured(returns, returns, first.risk_free, first.n_years, held)
            found[name] = {**own, f"time_in_{name}": 1.0}
        return found

    @cached_property
    def years(self) -> tuple[Days, Floats]:
        """The calendar years, and the returns in each: a column a run, and the benchmark's last."""
        each = [record.returns for record in self.records] + ([self.versus[1]] if self.versus else [])
        return by_period(self.records[0].dates[1:], np.column_stack(each), "Y")

    @cached_property
    def leads(self) -> list[Floats]:
        """By how much each led its benchmark a year over ``LEAD_YEARS`` before, (n + 1,); NaN at first."""
        found = []
        for record in self.records:
            window, ppy = round(LEAD_YEARS * record.ppy), record.ppy
            pair = (record.returns, record.sleeve(record.benchmark))
            own, other = (rolling(r, pair[1], record.risk_free, window, ppy).cagr for r in pair)
            missing = np.full(min(window, len(record.returns)) + (len(own) == 0), np.nan)
            found.append(np.r_[missing, own - other])
        return found

    def parameters(self) -> dict[str, list[Any]]:
        """Return every parameter whose value is not the same in all runs; None where a run has none."""
        own = [record.document.parameters for record in self.records]
        names = dict.fromkeys(name for values in own for name in values)
        rows = {name: [values.get(name) for values in own] for name in names}
        return {name: values for name, values in rows.items() if len(set(map(str, values))) > 1}


def written(value: Any) -> str:
    """Return a parameter as a user would write it: 80, not 80.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _labels(records: Sequence[RunRecord]) -> list[str]:
    """Return the runs' names; those of one name are told apart by the parameters in which they differ."""
    labels = []
    for record in records:
        namesakes = [other for other in records if other.name == record.name]
        own = record.document.parameters
        apart = [n for n in own if len({str(o.document.parameters.get(n)) for o in namesakes}) > 1]
        labels.append(", ".join([record.name, *(f"{name} {written(own[name])}" for name in apart)]))
    return [
        label if labels.count(label) == 1 else f"{label} ({labels[: i + 1].count(label)})"
        for i, label in enumerate(labels)
    ]


def _common(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Cut the runs to the bars that they share."""
    if len({record.frequency for record in records}) > 1:
        each = ", ".join(f"{r.name} {r.frequency}" for r in records)
        raise UsageError(f"runs of different frequency cannot be compared: {each}")
    first = max(record.dates[0] for record in records)
    last = min(record.dates[-1] for record in records)
    shared = records[0].dates[(records[0].dates >= first) & (records[0].dates <= last)]
    if len(shared) < 3:
        raise UsageError(
            f"the runs share no window: the latest starts on {first}, the earliest ends on {last}"
        )
    for record in records[1:]:
        own = record.dates[(record.dates >= first) & (record.dates <= last)]
        if not np.array_equal(own, shared):
            odd = np.setxor1d(own, shared)[0]
            raise UsageError(
                f"{records[0].name} and {record.name} have not the same days: {odd} is a bar of only one"
            )
    return [record.part(shared[0], shared[-1]) for record in records]


def _cautions(labels: Sequence[str], whole: Sequence[RunRecord], cut: Sequence[RunRecord]) -> list[str]:
    said = []
    terms = {name: term.differ for name, term in TERMS.items() if term.differ}
    differ = {"market": "markets", **terms, "tried": "numbers of combinations tried"}
    for key, words in differ.items():
        values = [getattr(record.document, key) for record in whole]
        if len(set(map(str, values))) > 1:
            each = "; ".join(
                f"{label}: {written(value)}" for label, value in zip(labels, values, strict=True)
            )
            said.append(f"Different {words}: {each}.")
    said += [
        f"{label}: {doubt}."
        for label, record in zip(labels, whole, strict=True)
        for doubt in record.document.doubts
    ]
    vintages = [{id: series.sha256 for id, series in record.document.data.series.items()} for record in whole]
    shared = set.intersection(*map(set, vintages))
    revised = sorted(id for id in shared if len({vintage[id] for vintage in vintages}) > 1)
    if revised:
        said.append(f"Different vintages of the data: {', '.join(revised)}.")
    if any(len(a.dates) != len(b.dates) for a, b in zip(whole, cut, strict=True)):
        each = "; ".join(
            f"{label}: {record.dates[0]} to {record.dates[-1]}"
            for label, record in zip(labels, whole, strict=True)
        )
        said.append(
            f"Different windows, cut to the common one, {cut[0].dates[0]} to {cut[0].dates[-1]}: {each}."
        )
    taxed = [
        label
        for label, a, b in zip(labels, whole, cut, strict=True)
        if a.document.taxes is not None and a.dates[0] != b.dates[0]
    ]
    if taxed:
        said.append(
            f"What {joined(taxed)} bought before {cut[0].dates[0]} is taxed by what it cost then, within the "
            "common window too."
        )
    proxies = dict.fromkeys(r.document.proxy for r in whole if r.document.proxy)
    if proxies:
        said.append(f"Proxy: {'; '.join(proxies)}.")
    return said


def _metrics(record: RunRecord) -> dict[str, float]:
    benchmark = record.sleeve(record.benchmark)
    trades = record.trades
    owned = holdings_of(record.weights, record.sleeves, trades["turnover"].sum(), trades["switch"].sum())
    found = measured(record.returns, benchmark, record.risk_free, record.n_years, owned)
    return {**found, **time_in(record.weights, record.sleeves)}


def _best(metrics: list[dict[str, float]], own: list[Influences]) -> dict[str, int]:
    """Return the runs that lead every other by more than noise, at 5% over all rivals.

    The deepest drawdown and what follows from it have no best: a path has one by chance, and no test tells.
    """
    n = len(metrics)
    best: dict[str, int] = {}
    if len(own[0].returns) < FEWEST_BARS:
        return best
    for key, sign in ((m.key, m.better) for m in MEASURES if m.best):
        values = np.array([sign * m[key] for m in metrics])
        if np.isnan(values).any():
            continue
        leader = int(values.argmax())
        rivals = [i for i in range(n) if i != leader]
        # One rival's 5% are shared by all of them (Bonferroni). What is no number, as among equals, is false.
        if all(difference(own[leader], own[i], key).pvalue() < (1.0 - LEVEL) / (n - 1) for i in rivals):
            best[key] = leader
    return best


def _weights(record: RunRecord, sleeves: Sequence[str]) -> Floats:
    columns = [
        record.weights[:, record.sleeves.index(s)] if s in record.sleeves else np.zeros(len(record.weights))
        for s in sleeves
    ]
    return np.column_stack(columns)


def compare(
    *runs: Named | Sequence[Named], market: MarketData | str | None = None, **terms: Any
) -> Comparison:
    """Compare two to twenty runs on their common window.

    Parameters
    ----------
    runs
        One after another or in one list: what ``run`` returned, a strategy or its name with
        ``:NAME=VALUE,...`` behind it, or the folder of a report.
    market, terms
        What the strategies among them are run on, ``embedded`` by default, and under: as ``run`` takes them.

    Raises
    ------
    UsageError
        When there are too few or too many, one is neither a run nor a report, they share no window, or
        terms are given and nothing is to be run.
    RotationError
        When a run fails.

    Examples
    --------
    >>> from backtest import compare
    >>> compare("rate_cut", "rate_cut:hold=12", start="1990-01-01").labels
    ['rate_cut, hold 24', 'rate_cut, hold 12']
    """
    named: list[Any] = [one for each in runs for one in (each if isinstance(each, list | tuple) else [each])]
    if not FEWEST <= len(named) <= MOST:
        raise UsageError(f"compare takes {FEWEST} to {MOST} runs, not {len(named)}")
    whole = made(named, market, terms)
    labels = _labels(whole)
    records = [replace(r, name=label) for r, label in zip(_common(whole), labels, strict=True)]
    returns = np.column_stack([record.returns for record in records])
    against = np.column_stack([record.sleeve(record.benchmark) for record in records])
    free = np.column_stack([record.risk_free for record in records])
    ppy, metrics = records[0].ppy, [_metrics(record) for record in records]
    pairs = list(itertools.combinations(range(len(records)), 2))
    own = [
        Influences(*columns, records[0].n_years) for columns in zip(returns.T, against.T, free.T, strict=True)
    ]
    excess = returns - free
    tests = [
        TestedPair(labels[a], labels[b], *astuple(sharpe_difference(excess[:, a], excess[:, b], ppy)))
        for a, b in pairs
    ]
    sleeves = list(dict.fromkeys(s for record in records for s in record.sleeves))
    weights = [_weights(record, sleeves) for record in records]
    shared = [agreement(weights[a], weights[b]) for a, b in pairs]
    alike = np.eye(len(records))
    for (a, b), together in zip(pairs, shared, strict=True):
        alike[a, b] = alike[b, a] = together.mean()
    return Comparison(
        labels=labels,
        records=records,
        metrics=metrics,
        best=_best(metrics, own),
        differences=tests,
        correlations=_correlations(returns - against),
        alike=alike,
        together=np.mean(shared, axis=0),
        cautions=_cautions(labels, whole, records),
    )


def _correlations(active: Floats) -> Floats:
    moved = active - active.mean(axis=0)
    size = np.sqrt((moved**2).sum(axis=0))
    product = np.outer(size, size)
    return np.divide(moved.T @ moved, product, out=np.full(product.shape, np.nan), where=product > 1e-20)


class ComparedRun(msgspec.Struct, frozen=True):
    """One of several runs: its label, what was run, and its measures over the common window."""

    name: str
    strategy: str
    parameters: dict[str, Value]
    market: str
    benchmark: str
    cost_bps: float | dict[str, float]
    metrics: Metrics


class ComparisonDocument(msgspec.Struct, frozen=True):
    """What ``compare --json`` prints; ``best`` has the label of the best run by measure."""

    start: Day
    end: Day
    bars: int
    cautions: list[str]
    runs: list[ComparedRun]
    best: dict[str, str]
    differences: list[TestedPair]
    correlation_of_active_returns: list[list[float | None]]
    held_alike: list[list[float]]
    report: str | None = None

    @classmethod
    def of(cls, comparison: Comparison, report: Path | None = None) -> ComparisonDocument:
        """Return the document of a comparison; ``report`` is the folder of its page, if one was written."""
        labels = comparison.labels
        runs = zip(labels, (r.document for r in comparison.records), comparison.metrics, strict=True)
        return cls(
            comparison.start,
            comparison.end,
            len(comparison.records[0].returns),
            comparison.cautions,
            [
                ComparedRun(label, d.strategy, d.parameters, d.market, d.benchmark, d.cost_bps, metrics)
                for label, d, metrics in runs
            ],
            {key: labels[i] for key, i in comparison.best.items()},
            comparison.differences,
            comparison.correlations.tolist(),
            comparison.alike.tolist(),
            None if report is None else str(report),
        )
