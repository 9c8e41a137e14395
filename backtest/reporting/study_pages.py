"""Studies as pages: one for each study, and one for all claims that links to them."""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.reporting.html import drawing, render
from backtest.reporting.study_document import WARNING
from backtest.reporting.study_figures import study_figure
from backtest.reporting.study_table import vintage
from backtest.studies.claim import CANNOT_BE_TOLD, CONTRADICTED, NOT_SUPPORTED, SUPPORTED
from backtest.studies.findings import Paths
from backtest.studies.wording import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.market.data import MarketData
    from backtest.reporting.html import Drawing
    from backtest.studies.findings import Finding
    from backtest.studies.register import Study

CLASSES = {SUPPORTED: "yes", NOT_SUPPORTED: "no", CONTRADICTED: "against", CANNOT_BE_TOLD: "open"}


REVISED = "after a look at the number"
"""When the test or the rule of some claims was changed."""

_HYPHEN = re.compile(r"(?<![\w-])-(?=\d)")


def minus(text: str) -> str:
    """Return a text with a minus sign in place of each hyphen that stands before a number."""
    return _HYPHEN.sub("\u2212", text)


def sentence(text: str) -> str:
    """Return a text with a capital at its beginning."""
    return minus(text[:1].upper() + text[1:])


def _drawing(study: Study, finding: Finding) -> Drawing:
    shown, _ = drawing(
        study.claim.id,
        lambda size: study_figure(finding.picture, size),
        f"{study.claim.id}: {finding.headline}",
    )
    return shown


def _caption(finding: Finding) -> str:
    if not isinstance(finding.picture, Paths):
        return ""
    cases = len(finding.picture.labels)
    return (
        f"Each of the {cases} cases thin, their mean thick, dashed where the data do not cover all of them. "
        "All start anew from 0 at the close of the case's month, before it as after it. So a line above 0 "
        "before the case means that the first fell behind the second on the way to it, by points of what "
        "each was worth at the case. The tables count a window before the case from its beginning, without "
        "the month of the case: there the same loss is negative, and of another size."
        f"{_example(finding)}"
    )


def _example(finding: Finding) -> str:
    """Return the longest window before the case as the table and as the picture have it; empty for none."""
    picture, cases = finding.picture, finding.cases
    if cases is None or not isinstance(picture, Paths):
        return ""
    first = min(cases.study.summary, key=lambda horizon: horizon.bars)
    here = picture.cases[:, picture.months == first.bars]
    if first.bars >= 0 or first.n == 0 or not np.isfinite(here).any():
        return ""
    return minus(
        f" Mean of the {-first.bars} months before: {percent(first.mean)} in the table, "
        f"{np.nanmean(here):+.1f} points at the left end here."
    )


def _data(market: MarketData) -> list[list[str]]:
    return [[id, p.origin, str(p.last), p.sha256[:12]] for id, p in sorted(market.sources.items())]


def _common(market: MarketData) -> dict[str, Any]:
    return {
        "vintage": vintage(market),
        "data": _data(market),
        "warning": WARNING,
        "version": importlib.metadata.version("size-rotation"),
    }


def study_page(study: Study, back: str = "") -> str:
    """Return one study's page; ``back`` is the address of the page of all claims, where there is one."""
    finding = study.finding
    terms = [
        ("origin", study.claim.origin),
        ("test", study.claim.test),
        ("rule", study.claim.rule.text),
        ("data", vintage(study.market)),
    ]
    if study.claim.published:
        terms.insert(1, ("published", study.claim.published))
    if study.claim.revised:
        terms.append(("revised", f"{REVISED}: it {'; it '.join(study.claim.revised)}"))
    return render(
        "study.html",
        title=f"{study.claim.id}: {study.verdict.word}",
        name=study.claim.id,
        statement=study.claim.statement,
        word=study.verdict.word,
        kind=CLASSES[study.verdict.word],
        because=sentence(study.verdict.because),
        headline=sentence(finding.headline) if finding else "",
        sample=finding.sample if finding else "",
        terms=terms,
        figure=_drawing(study, finding) if finding else None,
        caption=_caption(finding) if finding else "",
        tables=[
            {
                "title": t.title,
                "columns": [minus(c) for c in t.columns],
                "rows": [[minus(cell) for cell in row] for row in t.rows],
            }
            for t in (finding.tables if finding else ())
        ],
        notes=[minus(note) for note in finding.notes] if finding else [],
        back=back,
        **_common(study.market),
    )


def _revised(studies: Sequence[Study]) -> list[tuple[str, list[str]]]:
    """Return what was revised after a look at the numbers, each with the claims that it is true of."""
    said = dict.fromkeys(sentence for study in studies for sentence in study.claim.revised)
    return [(each, [study.claim.id for study in studies if each in study.claim.revised]) for each in said]


def claims_page(studies: Sequence[Study]) -> str:
    """Return the page of all claims."""
    words = [study.verdict.word for study in studies]
    claims = [
        {
            "id": study.claim.id,
            "statement": study.claim.statement,
            "origin": study.claim.origin,
            "word": study.verdict.word,
            "kind": CLASSES[study.verdict.word],
            "because": sentence(study.verdict.because),
            "headline": sentence(study.finding.headline) if study.finding else "",
            "sample": study.finding.sample if study.finding else "",
            "figure": _drawing(study, study.finding) if study.finding else None,
            "caption": _caption(study.finding) if study.finding else "",
        }
        for study in studies
    ]
    market = studies[0].market
    return render(
        "claims.html",
        title=f"The great rotation, claim by claim: {market.name}",
        counts=[(word, words.count(word), CLASSES[word]) for word in CLASSES if word in words],
        claims=claims,
        revised=_revised(studies),
        market=market.title,
        **_common(market),
    )
