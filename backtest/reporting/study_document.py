"""Studies as JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtest.records.document import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.analysis.event_study import Horizon
    from backtest.market.data import MarketData
    from backtest.studies.findings import Cases, Finding
    from backtest.studies.register import Study

WARNING = "What happened after past cases proves nothing about the next one."


def data_of(market: MarketData) -> dict[str, Any]:
    """Return which data a study rests on, each series with its source, checksum and last day."""
    return {
        "last": str(market.bars.dates[-1]),
        "series": {
            id: {"source": p.origin, "sha256": p.sha256, "last": str(p.last)}
            for id, p in sorted(market.sources.items())
        },
    }


def _summary(horizon: Horizon, cases: Cases) -> dict[str, Any]:
    heaviest = horizon.heaviest
    return {
        "n": horizon.n,
        "mean": horizon.mean,
        "median": horizon.median,
        "positive": horizon.positive,
        "worst": horizon.worst,
        "best": horizon.best,
        "low": horizon.low,
        "high": horizon.high,
        "pvalue": horizon.pvalue,
        "pvalue_zero": horizon.pvalue_zero,
        "pvalue_ordinary": horizon.pvalue_ordinary,
        "ordinary_mean": horizon.ordinary,
        "ordinary_months": horizon.n_ordinary,
        "leave_one_out": {
            "low": horizon.without_low,
            "high": horizon.without_high,
            "heaviest": str(cases.dates[heaviest]) if heaviest >= 0 else None,
        },
    }


def _case(cases: Cases, row: int) -> dict[str, Any]:
    study = cases.study
    first, second = cases.names
    months = cases.months_after[row]
    keys = (first, second, "difference")
    horizons = {
        str(h): dict(
            zip(
                keys,
                (float(x[row, c]) for x in (study.first, study.second, study.difference)),
                strict=True,
            )
        )
        for c, h in enumerate(study.horizons)
    }
    cut = months < max(study.horizons)
    return {
        "date": str(cases.dates[row]),
        "months_after": months,
        "cut_short": cut,
        "so_far": dict(zip(keys, cases.so_far[row].tolist(), strict=True)) if cut else None,
        "horizons": horizons,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    content: dict[str, Any] = {
        "headline": finding.headline,
        "sample": finding.sample,
        "evidence": [
            {
                "label": e.label,
                "estimate": e.estimate,
                "low": e.low,
                "high": e.high,
                "pvalue": e.pvalue,
                "smallest_visible": e.visible,
                "halves": e.halves,
                "without_one": {"case": e.carrying, "pvalue": e.without},
                "n": e.n,
                "claimed_sign": e.claimed,
                "condition_met": e.holds,
            }
            for e in finding.evidence
        ],
        "tables": [{"title": t.title, "columns": t.columns, "rows": t.rows} for t in finding.tables],
        "notes": finding.notes,
    }
    cases = finding.cases
    if cases is not None:
        content["cases"] = [_case(cases, row) for row in range(len(cases.dates))]
        content["summary"] = {str(h.bars): _summary(h, cases) for h in cases.study.summary}
    return content


def study_document(study: Study, report: Path | None) -> dict[str, Any]:
    """Return what ``study NAME --json`` prints."""
    claim, market = study.claim, study.market
    return plain(
        {
            "study": claim.id,
            "market": market.name,
            "proxy": market.proxy or None,
            "statement": claim.statement,
            "origin": claim.origin,
            "test": claim.test,
            "rule": claim.rule.text,
            "published": claim.published or None,
            "revised": list(claim.revised),
            "verdict": study.verdict.word,
            "because": study.verdict.because,
            **(_finding(study.finding) if study.finding else {}),
            "data": data_of(market),
            "warning": WARNING,
            "report": None if report is None else str(report),
        }
    )


def claims_document(studies: Sequence[Study], report: Path | None) -> dict[str, Any]:
    """Return what ``study claims --json`` prints: every study, its data said once for all."""
    market = studies[0].market
    words = [study.verdict.word for study in studies]
    each = [study_document(study, None) for study in studies]
    for document in each:
        for common in ("data", "warning", "report", "market", "proxy"):
            del document[common]
    return plain(
        {
            "study": "claims",
            "market": market.name,
            "proxy": market.proxy or None,
            "counts": {word: words.count(word) for word in dict.fromkeys(words)},
            "claims": each,
            "data": data_of(market),
            "warning": WARNING,
            "report": None if report is None else str(report),
        }
    )
