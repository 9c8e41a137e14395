"""Studies as pages: one for each study, one for all claims that links to them, and their folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.records.document import DataDocument
from backtest.reporting import blocks as b
from backtest.reporting.html import render
from backtest.reporting.page import data
from backtest.reporting.study_figures import study_chart
from backtest.studies.claim import CANNOT_BE_TOLD, CONTRADICTED, NOT_SUPPORTED, SUPPORTED
from backtest.studies.document import WARNING
from backtest.studies.findings import Fan, Paths
from backtest.wording import signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from backtest.market.data import Sourced
    from backtest.reporting.chart import Chart
    from backtest.studies.findings import Finding
    from backtest.studies.register import Study

CLASSES = {SUPPORTED: "yes", NOT_SUPPORTED: "no", CONTRADICTED: "against", CANNOT_BE_TOLD: "open"}

REVISED = "after a look at the number"
"""When the test or the rule of some claims was changed."""

_THIN = "each thin, their mean thick, dashed where the data do not cover all of them."
_ANEW = (
    "All start anew from 0 at the close of the case's month, before it as after it. So a line above 0 before "
    "the case means that the first fell behind the second on the way to it, by points of what each was worth "
    "at the case."
)
_LONG = 40  # letters of a cell
_MANY = 6  # claims that a sentence names one by one


def vintage(market: Sourced) -> str:
    """Return how far the data reach, and in what respect they are a proxy."""
    proxy = f"; proxy: {market.proxy}" if market.proxy else ""
    return f"{market.name}, bars to {market.last}{proxy}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _chart(study: Study, finding: Finding) -> Chart:
    id = study.claim.id
    return study_chart(id, finding.picture, f"{id}: {finding.headline}", _caption(finding))


def _caption(finding: Finding) -> str:
    if isinstance(finding.picture, Fan):
        return (
            "The mean of all cases thick, that of each member's cases thin, that of each calendar episode "
            "orange: sums of monthly differences from the close of the month of the case. A line above 0 "
            "before the case means that small fell behind on the way to it."
        )
    if not isinstance(finding.picture, Paths):
        return ""
    cases = len(finding.picture.labels)
    return (
        f"Of {cases} cases {_THIN} {_ANEW} The tables count a window before the case from its beginning, "
        "without the month of the case: there the same loss is negative, and of another size."
        f"{_example(finding)}"
    )


def _example(finding: Finding) -> str:
    """Return the longest window before the case as the table and as the picture have it; empty for none."""
    picture, cases = finding.picture, finding.cases
    if cases is None or not isinstance(picture, Paths):
        return ""
    first = min(cases.study.summary, key=lambda horizon: horizon.bars)
    here = picture.mean[picture.months == first.bars]
    if first.bars >= 0 or first.n == 0 or not np.isfinite(here).any():
        return ""
    return (
        f" Mean of the {-first.bars} months before: {signed(first.mean)} in the table, "
        f"{here[0]:+.1f} points at the left end here."
    )


def _badge(word: str) -> b.Badge:
    return b.Badge(word, CLASSES[word])


def _last(market: Sourced) -> str:
    return f"{vintage(market)}. {WARNING} No advice."


def _terms(study: Study) -> b.Definitions:
    claim = study.claim
    pairs = [
        ("claim", claim.statement),
        ("origin", claim.origin),
        ("test", claim.test),
        ("rule", claim.rule.text),
        ("data", vintage(study.market)),
    ]
    if claim.published:
        pairs.append(("published", claim.published))
    if claim.revised:
        pairs.append(("revised", f"{REVISED}: it {'; it '.join(claim.revised)}"))
    return b.Definitions(tuple(pairs), brief=True)


def _wrapped(rows: Sequence[Sequence[str]]) -> str:
    """Return what each column is: one with a text that no page is wide enough for, such as a list, wraps."""
    cells = list(zip(*rows, strict=True))[1:]
    return "l" + "".join("w" if max(map(len, each)) > _LONG else "r" for each in cells) if rows else ""


def study_page(study: Study, back: str = "") -> b.Page:
    """Return one study's page; ``back`` is the address of the page of all claims, where there is one."""
    claim, verdict, finding = study.claim, study.verdict, study.finding
    said = [f"{_sentence(verdict.word)}: {verdict.because}."]
    if finding:
        said.append(f"{_sentence(finding.headline)} ({finding.sample}).")
    blocks: list[b.Block] = [
        *([b.Text(b.Link("All claims", back))] if back else []),
        b.Heading(claim.statement, 1),
        b.Text((_badge(verdict.word), f" {claim.id}"), "note"),
        b.Conclusion(tuple(said), brief=True),
        b.Text(WARNING, "warning", brief=True),
    ]
    if finding:
        blocks.append(_chart(study, finding))
        for each in finding.tables:
            shown = b.table(each.columns, each.rows, _wrapped(each.rows), brief=True)
            blocks += [b.Heading(each.title, brief=True), shown]
        if finding.notes:
            blocks.append(b.Heading("To read this"))
            blocks += [b.Text(note, brief=True) for note in finding.notes]
    blocks += [b.Heading("Terms"), _terms(study)]
    blocks += [b.Heading("Data"), data(DataDocument.of(study.market))]
    return b.Page(f"{claim.id}: {verdict.word}", tuple(blocks), _last(study.market))


def _revised(studies: Sequence[Study]) -> Iterator[b.Block]:
    """Give what was revised after a look at the numbers, each with the claims that it is true of."""
    changes = dict.fromkeys(sentence for study in studies for sentence in study.claim.revised)
    if changes:
        yield b.Heading("Changed after the numbers had been seen")
    for said in changes:
        ids = [study.claim.id for study in studies if said in study.claim.revised]
        if len(ids) > _MANY:
            yield b.Text(f"{len(ids)} rules {said}.", "note")
            continue
        links = [part for id in ids for part in (", ", b.Link(id, f"#{id}-claim"))]
        yield b.Text((*links[1:], f" {said}."), "note")


def _row(study: Study) -> b.Section:
    """Return a claim with its verdict, its number and a small picture; all else stands on its own page."""
    claim, verdict, finding = study.claim, study.verdict, study.finding
    inside: list[b.Block] = [
        b.Heading(claim.statement),
        b.Text((_badge(verdict.word), f" {finding.sample if finding else ''}"), "note"),
    ]
    if finding:
        inside.append(b.Text(_sentence(finding.headline), "number"))
    numbers = b.Link("Test, rule and all numbers", f"{claim.id}.html")
    inside.append(b.Text((f"{_sentence(verdict.because)}. ", numbers)))
    return b.Section(f"{claim.id}-claim", tuple(inside), _chart(study, finding) if finding else None)


def _counted(studies: Sequence[Study]) -> list[tuple[str, int]]:
    words = [study.verdict.word for study in studies]
    return [(word, words.count(word)) for word in CLASSES if word in words]


def claims_page(studies: Sequence[Study]) -> b.Page:
    """Return the page of all claims."""
    market, title = studies[0].market, "The great rotation, claim by claim"
    counted = _counted(studies)
    blocks: list[b.Block] = [
        b.Heading(title, 1),
        b.Counts(tuple((_badge(word), f" {n}") for word, n in counted)),
        b.Text(f"{market.title}. {vintage(market)}.", "lead"),
        b.Text(
            "Each claim has a test and a rule for its verdict. On simulated markets without any effect fewer "
            f"than one claim in twenty comes out supported; among {len(studies)} claims that is still likely "
            "to happen now and then."
        ),
        b.Text(WARNING, "warning"),
        b.Text(f"In the pictures of cases: {_THIN} {_ANEW}", "note"),
        *map(_row, studies),
        *_revised(studies),
        b.Heading("Data"),
        data(DataDocument.of(market)),
    ]
    return b.Page(f"{title}: {market.name}", tuple(blocks), _last(market))


def claims_brief(studies: Sequence[Study]) -> list[b.Block]:
    """Return all claims for a terminal: how many came out how, then a row each."""
    counted = ", ".join(f"{n} {word}" for word, n in _counted(studies))
    rows = [
        (
            f"{study.claim.id}: {study.claim.statement}",
            study.verdict.word,
            f"{study.finding.headline} ({study.finding.sample})" if study.finding else study.verdict.because,
        )
        for study in studies
    ]
    return [
        b.Conclusion((f"{_sentence(counted)}.",), brief=True),
        b.Text(vintage(studies[0].market), brief=True),
        b.table(["claim", "verdict", "number"], rows, "wlw", brief=True),
        b.Text(WARNING, "note", brief=True),
    ]


def claims_short(studies: Sequence[Study]) -> list[b.Block]:
    """Return all claims in a few lines: how many came out how, and the verdict of each."""
    counted, market, *_ = claims_brief(studies)
    rows = [(study.claim.id, study.verdict.word) for study in studies]
    return [counted, market, b.table(["claim", "verdict"], rows, "ll", brief=True)]


def write_each(studies: Sequence[Study], folder: Path) -> None:
    """Write a page for each claim beside the page of them all."""
    for study in studies:
        page = study_page(study, back="index.html")
        (folder / f"{study.claim.id}.html").write_text(render(page), encoding="utf-8")
