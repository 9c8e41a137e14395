"""A study, and all claims, as the records that are their JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec import UNSET, UnsetType

from backtest.records.document import DataDocument, Day
from backtest.studies.findings import FactTable, TextTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.analysis.event_study import Horizon
    from backtest.studies.findings import Cases, Evidence
    from backtest.studies.register import Study

WARNING = "What happened after past cases proves nothing about the next one."


class ClaimDocument(msgspec.Struct, frozen=True):
    """A claim, as ``study list --json`` prints it; ``studies.claim.Claim`` says what each is."""

    study: str
    statement: str
    origin: str
    rule: str


class Gain(msgspec.Struct, frozen=True):
    """A net margin before and after a gain, and the change of earnings; decimal."""

    margin: float
    margin_after: float
    earnings_change: float


class GainDocument(msgspec.Struct, frozen=True):
    """What a gain of net margin does to earnings, as ``study margin --json`` prints it; basis points."""

    study: str
    gain_bps: float
    rows: list[Gain]


class WithoutOne(msgspec.Struct, frozen=True):
    """The case that speaks most for the estimate's sign, and the p-value without it."""

    case: str
    pvalue: float | None


class EvidenceDocument(msgspec.Struct, frozen=True):
    """An estimate that bears on a claim; ``studies.findings.Evidence`` says what each is."""

    label: str
    estimate: float | None
    low: float | None
    high: float | None
    pvalue: float | None
    smallest_visible: float | None
    halves: tuple[float | None, float | None]
    without_one: WithoutOne
    n: int
    claimed_sign: int
    condition_met: bool

    @classmethod
    def of(cls, e: Evidence) -> EvidenceDocument:
        """Return the document of an estimate."""
        numbers = (e.estimate, e.low, e.high, e.pvalue, e.visible, e.halves)
        return cls(e.label, *numbers, WithoutOne(e.carrying, e.without), e.n, e.claimed, e.holds)


class LeaveOneOut(msgspec.Struct, frozen=True):
    """The lowest and the highest mean without one case, and the case whose absence moves it most."""

    low: float | None
    high: float | None
    heaviest: Day | None


class SummaryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """All complete cases at one horizon; ``analysis.event_study.Horizon`` says what each number is."""

    n: int
    mean: float | None
    median: float | None
    positive: float | None
    worst: float | None
    best: float | None
    low: float | None
    high: float | None
    pvalue: float | None
    pvalue_zero: float | None
    pvalue_ordinary: float | None
    ordinary_mean: float | None
    ordinary_months: int
    leave_one_out: LeaveOneOut

    @classmethod
    def of(cls, horizon: Horizon, cases: Cases) -> SummaryDocument:
        """Return the document of a horizon."""
        heaviest = str(cases.dates[horizon.heaviest]) if horizon.heaviest >= 0 else None
        return cls(
            **{name: getattr(horizon, name) for name in cls.__struct_fields__ if hasattr(horizon, name)},
            ordinary_mean=horizon.ordinary,
            ordinary_months=horizon.n_ordinary,
            leave_one_out=LeaveOneOut(horizon.without_low, horizon.without_high, heaviest),
        )


class CaseDocument(msgspec.Struct, frozen=True):
    """A case: by horizon in months what the first and the second earned, by their names, and the difference.

    ``months_after`` counts the months of data after it; ``so_far`` has the same to the end of the data, where
    they cut the longest horizon short.
    """

    date: Day
    months_after: int
    cut_short: bool
    so_far: dict[str, float | None] | None
    horizons: dict[str, dict[str, float | None]]

    @classmethod
    def of(cls, cases: Cases, row: int) -> CaseDocument:
        """Return the document of one of several cases."""
        study, months, names = cases.study, cases.months_after[row], (*cases.names, "difference")

        def named(values: Any) -> dict[str, float | None]:
            return dict(zip(names, map(float, values), strict=True))

        columns = zip(study.first[row], study.second[row], study.difference[row], strict=True)
        cut = months < max(study.horizons)
        return cls(
            date=str(cases.dates[row]),
            months_after=months,
            cut_short=cut,
            so_far=named(cases.so_far[row]) if cut else None,
            horizons={str(h): named(each) for h, each in zip(study.horizons, columns, strict=True)},
        )


class HeldClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim with its verdict and what that rests on: nothing where the market lacks a series.

    ``cases`` and ``summary``, by horizon in months, are of an event study only.
    """

    study: str
    statement: str
    origin: str
    test: str
    rule: str
    published: str | None
    revised: tuple[str, ...]
    verdict: str
    because: str
    headline: str | UnsetType = UNSET
    sample: str | UnsetType = UNSET
    evidence: list[EvidenceDocument] | UnsetType = UNSET
    tables: tuple[TextTable, ...] | UnsetType = UNSET
    notes: tuple[str, ...] | UnsetType = UNSET
    cases: list[CaseDocument] | UnsetType = UNSET
    summary: dict[str, SummaryDocument] | UnsetType = UNSET

    @classmethod
    def of(cls, study: Study, **more: Any) -> Self:
        """Return the document of a claim that was studied; ``more`` are fields that a subclass adds."""
        claim, finding = study.claim, study.finding
        if finding:
            more |= {name: getattr(finding, name) for name in ("headline", "sample", "notes")}
            more["tables"] = tuple(t.document if isinstance(t, FactTable) else t for t in finding.tables)
            more["evidence"] = [EvidenceDocument.of(each) for each in finding.evidence]
        cases = finding.cases if finding else None
        if cases is not None:
            more["cases"] = [CaseDocument.of(cases, row) for row in range(len(cases.dates))]
            more["summary"] = {str(h.bars): SummaryDocument.of(h, cases) for h in cases.study.summary}
        return cls(
            study=claim.id,
            statement=claim.statement,
            origin=claim.origin,
            test=claim.test,
            rule=claim.rule.text,
            published=claim.published or None,
            revised=claim.revised,
            verdict=study.verdict.word,
            because=study.verdict.because,
            **more,
        )


class StudyDocument(HeldClaim, frozen=True, kw_only=True):
    """What ``study NAME --json`` prints; ``report`` is the folder of the page, where one was written."""

    market: str
    proxy: str | None
    data: DataDocument
    warning: str = WARNING
    report: str | None = None


class ClaimsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``study claims --json`` prints: every claim, their data said once for all."""

    study: str = "claims"
    market: str
    proxy: str | None
    counts: dict[str, int]
    claims: list[HeldClaim]
    data: DataDocument
    warning: str = WARNING
    report: str | None = None


def _common(study: Study, report: Path | None) -> dict[str, Any]:
    market = study.market
    return {
        "market": market.name,
        "proxy": market.proxy or None,
        "data": DataDocument.of(market),
        "report": None if report is None else str(report),
    }


def study_document(study: Study, report: Path | None = None) -> StudyDocument:
    """Return the document of a study."""
    return StudyDocument.of(study, **_common(study, report))


def claims_document(studies: Sequence[Study], report: Path | None = None) -> ClaimsDocument:
    """Return the document of all claims on one market."""
    words = [study.verdict.word for study in studies]
    counts = {word: words.count(word) for word in dict.fromkeys(words)}
    claims = [HeldClaim.of(study) for study in studies]
    return ClaimsDocument(counts=counts, claims=claims, **_common(studies[0], report))
