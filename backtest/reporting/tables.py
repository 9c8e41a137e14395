"""Results as tables for other programs: one frame each, and the sheets of a workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd

from backtest.measures import BY_KEY, entry, listed
from backtest.reporting.saving import WorkbookSheet, flat
from backtest.reporting.sentences import terms, verdict
from backtest.reporting.standing import standing_lines
from backtest.studies.document import WARNING
from backtest.wording import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest.analysis.rolling import YearLeads
    from backtest.dates import Ints
    from backtest.records.comparison import Comparison, ComparisonDocument
    from backtest.records.record import RunRecord
    from backtest.records.standing import Standing
    from backtest.reporting.saving import Workbook
    from backtest.runs import Run
    from backtest.studies.register import Claims, Study
    from backtest.tuning.tune import Sweep

MOST_TRIALS = 100_000
"""The rows of a workbook's sheet of trials, the best ones: more, and no spreadsheet is of use."""


def _measures(columns: Mapping[str, Mapping[str, float]]) -> WorkbookSheet:
    measures = listed(columns.values())
    rows = [(m.label, *(entry(metrics, m) for metrics in columns.values())) for m in measures]
    forms = {m.label: m.form for m in measures}
    return WorkbookSheet(pd.DataFrame(rows, columns=["measure", *columns]), forms)


def _lines(pairs: Any) -> WorkbookSheet:
    return WorkbookSheet(pd.DataFrame(list(pairs), columns=["", "said"]))


def _all_percent(table: pd.DataFrame) -> WorkbookSheet:
    return WorkbookSheet(
        table, {str(name): percent for name, kind in table.dtypes.items() if kind.kind == "f"}
    )


def run_sheets(run: Run, record: RunRecord, tried: int = 1) -> Workbook:
    """Return the workbook of a run: summary, how much depends on the start, bars, trades, terms."""
    return {
        "summary": _measures({run.strategy.name: run.metrics, **run.benchmarks}),
        "starts": _all_percent(pd.DataFrame(map(msgspec.structs.asdict, run.starts.windows))),
        "start by end": _all_percent(_by_year(run.year_leads)),
        "bars": _all_percent(flat(record.bars())),
        "trades": _all_percent(run.trades),
        "terms": _lines([("verdict", verdict(run, tried)), *terms(run, tried)]),
    }


def _by_year(found: YearLeads) -> pd.DataFrame:
    """Return a row for each year of the start, and a column for each year of the end."""
    years = range(found.first, found.first + len(found.leads))
    table = pd.DataFrame(found.leads, columns=list(map(str, years)))
    table.insert(0, "start", years)
    return table


def comparison_frame(comparison: Comparison) -> pd.DataFrame:
    """Return the measures by key, a column for each run."""
    measures = listed(comparison.metrics)
    by_label = {
        label: [entry(metrics, m) for m in measures]
        for label, metrics in zip(comparison.labels, comparison.metrics, strict=True)
    }
    return pd.DataFrame(by_label, pd.Index([m.key for m in measures], name="measure"))


def returns_of(comparison: Comparison) -> pd.DataFrame:
    """Return what each run earned at each common bar, and the part of the value that all held alike."""
    runs = zip(comparison.labels, comparison.records, strict=True)
    columns = {f"return:{label}": record.returns for label, record in runs}
    dates = comparison.records[0].dates[1:].astype("datetime64[s]")
    return pd.DataFrame({"date": dates, **columns, "held_alike": comparison.together})


def comparison_sheets(comparison: Comparison, document: ComparisonDocument, said: str) -> Workbook:
    """Return the workbook of a comparison; ``said`` is its verdict."""
    runs = {run.name: f"{run.strategy} {run.parameters} on {run.market}" for run in document.runs}
    pairs = [("window", f"{comparison.start} to {comparison.end}"), *runs.items()]
    cautions = [("caution", each) for each in comparison.cautions]
    return {
        "summary": _measures(dict(zip(comparison.labels, comparison.metrics, strict=True))),
        "returns": _all_percent(returns_of(comparison)),
        "differences": WorkbookSheet(
            pd.DataFrame([msgspec.structs.asdict(pair) for pair in document.differences])
        ),
        "terms": _lines([("verdict", said), *cautions, *pairs]),
    }


def sweep_frame(sweep: Sweep, places: Ints | None = None) -> pd.DataFrame:
    """Return trials by their combination's number: parameters, status, measures, window.

    ``places`` are those of the trials wanted, rising; by default every one. Of a long sweep no more is held.
    """
    import pyarrow as pa

    parts, begin = [], 0
    for which in sweep.results.whole():
        part = sweep.results.table(which)
        n = len(part)
        if places is not None:
            part = part.take(places[slice(*np.searchsorted(places, [begin, begin + n]))] - begin)
        parts.append(part)
        begin += n
    rows: pd.DataFrame = pa.concat_tables(parts).unify_dictionaries().to_pandas()
    return rows.set_index("combination")


def sweep_sheets(sweep: Sweep, said: list[str], worth: list[tuple[str, str, str]]) -> Workbook:
    """Return the workbook of a sweep: its choices, what they are worth, and the best trials.

    ``said`` is the verdict, ``worth`` has the statistics with what each says.
    """
    order = np.argsort(-np.nan_to_num(sweep.scores, nan=-np.inf), kind="stable")
    trials = sweep_frame(sweep, np.sort(order[:MOST_TRIALS]))
    left = f"the {MOST_TRIALS:,} best of {len(sweep.scores):,}" if len(trials) < len(sweep.scores) else "all"
    forms = {key: measure.form for key, measure in BY_KEY.items()}
    tried = sweep.counts["combinations"]
    return {
        "summary": _measures(sweep.columns),
        "worth": WorkbookSheet(pd.DataFrame(worth, columns=["", "value", "what it says"])),
        "trials": WorkbookSheet(flat(trials), forms),
        "terms": _lines(
            [("verdict", " ".join(said)), ("trials", left), *terms(sweep.recommended.result, tried)]
        ),
    }


def cases_of(study: Study) -> pd.DataFrame | None:
    """Return a row for each case and horizon (months, negative for before it); None where it has no cases."""
    cases = None if study.finding is None else study.finding.cases
    if cases is None:
        return None
    found = cases.study
    grid = {name: getattr(found, name).ravel() for name in ("first", "second", "difference")}
    names = dict(zip(("first", "second"), cases.names, strict=True))
    return pd.DataFrame(
        {
            "date": np.repeat(cases.dates.astype("datetime64[s]"), len(found.horizons)),
            "months": np.tile(found.horizons, len(cases.dates)),
            **grid,
        }
    ).rename(columns=names)


_EVIDENCE = ("label", "estimate", "low", "high", "pvalue", "n", "claimed", "holds")


def evidence_of(study: Study) -> pd.DataFrame:
    """Return what bears on the claim, a row for each estimate."""
    evidence = () if study.finding is None else study.finding.evidence
    return pd.DataFrame([[getattr(e, name) for name in _EVIDENCE] for e in evidence], columns=list(_EVIDENCE))


def study_frame(study: Study) -> pd.DataFrame:
    """Return a study's cases, or the evidence where it has none."""
    cases = cases_of(study)
    return evidence_of(study) if cases is None else cases


def study_sheets(study: Study) -> Workbook:
    """Return the workbook of a study: evidence, cases, every table of its page, terms."""
    claim, cases = study.claim, cases_of(study)
    sheets = {"evidence": WorkbookSheet(evidence_of(study))}
    if cases is not None:
        sheets["cases"] = _all_percent(cases)
    for i, table in enumerate(study.finding.tables if study.finding else (), 1):
        sheets[f"table {i}"] = WorkbookSheet(pd.DataFrame(table.rows, columns=list(table.columns)))
    pairs = [("verdict", f"{study.verdict.word}: {study.verdict.because}"), ("claim", claim.statement)]
    rest = [("origin", claim.origin), ("test", claim.test), ("rule", claim.rule.text), ("warning", WARNING)]
    return {**sheets, "terms": _lines([*pairs, *rest])}


def claims_frame(claims: Claims) -> pd.DataFrame:
    """Return a row for each claim, by its id: verdict, statement, number, sample, reason."""
    rows = [(s.claim.id, s.verdict.word, s.claim.statement, *_number(s), s.verdict.because) for s in claims]
    columns = ["claim", "verdict", "statement", "number", "sample", "because"]
    return pd.DataFrame(rows, columns=columns).set_index("claim")


def _number(study: Study) -> tuple[str, str]:
    return (study.finding.headline, study.finding.sample) if study.finding else ("", "")


def claims_sheets(claims: Claims) -> Workbook:
    """Return the workbook of all claims: a row for each, all evidence, terms."""
    evidence = pd.concat([evidence_of(s).assign(claim=s.claim.id) for s in claims if s.finding])
    market = claims[0].market
    terms_of = [("market", market.name), ("proxy", market.proxy), ("warning", WARNING)]
    return {
        "claims": WorkbookSheet(flat(claims_frame(claims))),
        "evidence": WorkbookSheet(evidence[["claim", *_EVIDENCE]]),
        "terms": _lines(pair for pair in terms_of if pair[1]),
    }


def standing_frame(standing: Standing) -> pd.DataFrame:
    """Return the facts that decide: what is known, its value and unit, since when, of which series."""
    rows = [(f.fact, f.value, f.unit, f.known_at, ", ".join(f.series)) for f in standing.because]
    table = pd.DataFrame(rows, columns=["fact", "value", "unit", "known_at", "series"])
    return table.astype({"value": "float64", "known_at": "datetime64[s]"})


def standing_sheets(standing: Standing) -> Workbook:
    """Return the workbook of a standing: what is said, and the facts."""
    return {"signal": _lines(standing_lines(standing)), "facts": WorkbookSheet(standing_frame(standing))}
