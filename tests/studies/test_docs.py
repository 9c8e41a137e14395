"""What docs/studies.md says of numbers is what the command gives on the real data."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from backtest.cli.study import parse_days
from backtest.studies.register import CLAIMS, study_claims, study_days
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from backtest import MarketData

PAGE = REPOSITORY / "docs" / "studies.md"


@pytest.fixture(scope="module")
def text() -> str:
    return " ".join(PAGE.read_text(encoding="utf-8").split())


def test_the_table_is_what_the_command_gives(french_monthly: MarketData) -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \| ([\w ]+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [name for name, _, _ in rows] == [claim.id for claim in CLAIMS]
    found = study_claims(french_monthly)
    expected = [(s.claim.id, s.verdict.word, s.finding.headline if s.finding else "-") for s in found]
    assert rows == expected


def test_the_list_of_first_cuts_gives_what_the_page_says(french_monthly: MarketData, text: str) -> None:
    dates = re.search(r"--dates (1984-09,[\d,-]+)", text)
    assert dates is not None
    finding = study_days(parse_days(dates[1]), french_monthly).finding
    assert finding is not None
    assert finding.headline == "small minus large over 12 months: mean -2.0%, positive in 3 of 9"
    assert "a mean of -2.0% over twelve months, positive in 3 of 9" in text


def test_sentences_with_numbers_are_those_of_the_studies(french_monthly: MarketData, text: str) -> None:
    found = {s.claim.id: s.finding for s in study_claims(french_monthly)}
    policy = found["expansive-policy"]
    assert policy is not None
    assert policy.tables[1].title == "1966-01 to 2013-12"
    means = [row[3] for row in policy.tables[1].rows]
    assert f"{means[0]} a year in expansive months of these years, {means[1]} in restrictive ones" in text
    assert f"the difference has p = {policy.evidence[0].pvalue:.2f}" in text
    cuts = found["first-cut-discount-rate"]
    assert cuts is not None
    assert cuts.cases is not None
    horizon = next(h for h in cuts.cases.study.summary if h.bars == 12)
    assert f"{round(horizon.positive * horizon.n)} of {horizon.n}, by {100 * horizon.mean:.1f}%" in text
    assert f"small caps gained {100 * horizon.ordinary:.1f}% over twelve ordinary months" in text
    gap = found["widest-gap"]
    assert gap is not None
    month = gap.notes[0].removeprefix("The widest month of the last 20 years was ")[:7]
    name = f"{date.fromisoformat(month + '-01'):%B %Y}"
    assert f"at its widest in 20 years in {name}" in text
