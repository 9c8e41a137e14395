"""The pages of studies: whole HTML, everything escaped, every picture drawn, the numbers those of the study."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from backtest.reporting.html import minus, render
from backtest.reporting.study_figures import study_chart
from backtest.reporting.study_pages import claims_page, study_page
from backtest.studies.findings import Finding, Paths
from backtest.studies.register import CLAIMS, Claims, Study, study, study_claims
from tests.conftest import REPOSITORY
from tests.studies.simulated import simulated

VOID = {"meta", "link", "br", "img", "path", "use", "rect", "circle", "line"}


class Tags(HTMLParser):
    """Collects links and text, and insists that every element is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "a":
            self.links.append(named["href"] or "")
        if "id" in named:
            self.ids.append(named["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def studies() -> list[Study]:
    return study_claims(simulated(1))


def test_the_page_of_claims_links_to_every_study_and_draws_each_picture(studies: list[Study]) -> None:
    page = render(claims_page(studies))
    tags = Tags(page)
    for each in CLAIMS:
        assert f"{each.id}.html" in tags.links
        assert f"{each.id}-claim" in tags.ids
        assert each.statement in tags.words
    assert page.count('class="area"') == len([s for s in studies if s.finding])
    assert page.count("their mean thick") == 1
    assert len(tags.ids) == len(set(tags.ids))
    assert "http" not in " ".join(tags.links)  # one file that needs nothing else


def test_every_study_has_its_own_page_with_its_rule_and_its_tables(studies: list[Study]) -> None:
    for each in studies:
        page = render(study_page(each, back="index.html"))
        tags = Tags(page)
        text, cells = " ".join(tags.words), "".join(tags.words)
        assert "index.html" in tags.links
        assert each.claim.rule.text in text
        assert "proves nothing about the next one" in text
        assert str(each.market.bars.dates[-1]) in text
        assert isinstance(each.finding, Finding)
        for table in each.finding.tables:
            assert table.title in text
            for row in table.rows:
                for cell in row:
                    assert minus(cell) in cells


def test_the_pages_say_what_was_changed_after_a_look_at_the_numbers(studies: list[Study]) -> None:
    docs = " ".join((REPOSITORY / "docs" / "studies.md").read_text(encoding="utf-8").split())
    page = " ".join("".join(Tags(render(claims_page(studies))).words).split())
    assert {claim.id for claim in CLAIMS if not claim.revised} == {"widest-gap", "margin"}
    for said in {said for claim in CLAIMS for said in claim.revised}:
        names = [claim.id for claim in CLAIMS if said in claim.revised]
        who = f"{len(names)} rules" if len(names) > 6 else ", ".join(names)
        assert f"{who} {said}" in page
        assert said in docs
        if len(names) <= 6:
            assert f"{', '.join(f'`{name}`' for name in names)} {said}" in docs
    for each in studies:
        own = render(study_page(each))
        assert ("after a look at the number: it " in own) == bool(each.claim.revised)


def test_the_caption_says_why_the_picture_before_a_case_is_not_the_table(studies: list[Study]) -> None:
    first = studies[0]
    assert first.finding is not None
    cases = first.finding.cases
    assert cases is not None
    study = cases.study
    whole = np.isfinite(study.difference[:, study.horizons.index(-36)])
    table = 100.0 * study.difference[whole, study.horizons.index(-36)].mean()
    picture = 100.0 * np.nanmean(study.paths[:, 0])
    said = f"Mean of the 36 months before: {table:+.1f}% in the table, {picture:+.1f} points at the left"
    assert minus(said) in " ".join(Tags(render(study_page(first))).words)


def test_with_few_cases_the_page_says_how_many(studies: list[Study]) -> None:
    first = studies[0]
    assert first.finding is not None
    assert first.finding.cases is not None
    n = len(first.finding.cases.dates)
    assert f"Of {n} cases each thin" in render(study_page(first))


def test_a_hostile_text_stays_text(studies: list[Study]) -> None:
    claim = dataclasses.replace(studies[0].claim, statement="<script>alert(1)</script> & more.")
    page = render(study_page(dataclasses.replace(studies[0], claim=claim)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more." in page


def test_what_cannot_be_told_has_a_page_that_says_why(tmp_path: Path) -> None:
    found = study("concentration", "embedded")
    place = found.report(tmp_path / "page")
    page = (place / "index.html").read_text()
    assert "cannot be told" in page
    assert "french_monthly" in page
    assert "<figure" not in page


def test_a_folder_is_there_whole_or_not_at_all(studies: list[Study], tmp_path: Path) -> None:
    # The last page cannot be drawn: nothing of the others may stay.
    broken = [*studies[:2], dataclasses.replace(studies[2], market=None)]
    with pytest.raises(AttributeError):
        Claims(broken).report(tmp_path / "all")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-2.6%", "\u22122.6%"),
        ("mean -2.6%, to -1", "mean \u22122.6%, to \u22121"),
        ("2026-05-29 to 2027-01, -.5", "2026-05-29 to 2027-01, \u2212.5"),
        ("first-cut", "first-cut"),
        ("--grid hold=-1:2", "--grid hold=-1:2"),
        ("-", "\u2013"),
    ],
)
def test_a_minus_stands_before_numbers_only(text: str, shown: str) -> None:
    assert minus(text) == shown
    assert re.sub("[\u2212\u2013]", "-", minus(text)) == text


def test_one_case_that_went_far_off_is_named_and_does_not_set_the_scale() -> None:
    months = np.arange(0.0, 13.0)
    cases = np.outer(np.array([1.0, -2.0, 1.5, 0.5, -1.0]), months)
    labels = tuple(f"{year}-03-01" for year in (1933, 1950, 1960, 1970, 1980))
    near, _ = study_chart("it", Paths(months, cases, labels, "y")).plots[0].limits
    cases[0] *= 20.0
    (plot,) = study_chart("it", Paths(months, cases, labels, "y")).plots
    low, high = plot.limits
    assert high < 25.0
    assert near == pytest.approx(low, rel=0.1)
    assert plot.note == "beyond the scale: 1933-03-01 to +240"
