"""The shipped panels on the original files, beside sums made from these files without our statistics."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from backtest import load_strategy, run
from backtest.analysis.panel_events import around_events
from backtest.market.fetch import fetch, to_fetch
from backtest.market.importing import Description, import_file
from backtest.panels.claims import PANEL_CLAIMS
from backtest.panels.definition import load_panel
from backtest.panels.panel import Panel, first_moves
from backtest.panels.run import run_panel
from backtest.studies.findings import FactTable
from backtest.studies.register import hold_against
from backtest.wording import pvalue
from tests.conftest import REPOSITORY
from tests.market.server import from_folder, serving

SHARED = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
WORLD = SHARED / "world"

pytestmark = pytest.mark.skipif(not WORLD.is_dir(), reason=f"the original files are not here: {WORLD}")


@pytest.fixture(scope="module")
def countries(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    folder = str(tmp_path_factory.mktemp("world") / "store")
    with (
        serving(from_folder(SHARED)) as running,
        mock.patch.dict(os.environ, {**running.environment, "ROTATION_DATA": folder}),
    ):
        fetch(to_fetch(["WS_CBPOL_csv_col"]))
        for id in ("AQR_SMB", "AQR_MKT"):
            import_file(WORLD / "aqr" / "Betting Against Beta Equity Factors Monthly.xlsx", Description(id))
        return load_panel("countries")


def test_the_pooled_sum_is_that_of_the_original_file(countries: Panel) -> None:
    """147 first cuts, and what small less large did in the twelve months after them."""
    events, _ = first_moves(countries, -1.0)
    with (WORLD / "aqr" / "SMB.csv").open() as file:
        smb = {(row["DATE"][:7], code): row[code] for row in csv.DictReader(file) for code in row}
    months = [str(day)[:7] for day in countries.ends]
    codes = [member.name for member in countries.members]
    inside: set[tuple[int, str]] = set()
    for month, column in np.argwhere(events):
        inside |= {(month + lag, codes[column]) for lag in range(1, 13) if month + lag < len(months)}
    values = [float(smb[months[month], code]) for month, code in inside if smb[months[month], code]]
    assert events.sum() == 147
    assert len(values) == 1751
    ours = countries.differences[around_events(events, 1, 12)]
    assert 12.0 * np.nanmean(ours) == pytest.approx(12.0 * np.mean(values), abs=1e-12)
    assert 12.0 * np.mean(values) == pytest.approx(0.012, abs=0.0005)


def _cells(text: str) -> list[list[str]]:
    """The rows of the summary's table: sum, interval, p and verdict."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [row[1:] for row in rows[1:]]


def test_what_the_summary_says_is_what_the_studies_say(countries: Panel) -> None:
    """Every figure of the page that is there to be quoted."""
    text = (REPOSITORY / "docs" / "world.md").read_text(encoding="utf-8")
    studies = {claim.id: hold_against(claim, countries) for claim in PANEL_CLAIMS}
    found = {id: study.finding for id, study in studies.items()}
    of = {id: finding.evidence for id, finding in found.items() if finding}
    asked = [
        *of["first-cut"],
        *of["before-first-cut"],
        *of["first-rise"],
        of["last-move"][0],
    ]
    words = ["nothing to be seen", "not supported", "supported", "cannot be told", "supported"]
    rows = _cells(text)
    assert len(rows) == len(asked) == 5
    for row, each, word in zip(rows, asked, words, strict=True):
        interval = f"{100 * each.low:+.1f} to {100 * each.high:+.1f}"
        assert row[:3] == [f"{each.estimate:+.1%}", interval, pvalue(each.pvalue)]
        assert row[3].startswith(word)
    assert [study.verdict.word for study in studies.values()] == words[1:]
    assert of["first-cut"][0].high > 0.05 > of["first-cut"][1].high
    assert "the smallest p is 0.007 after adjustment for 3 tests" in studies["last-move"].verdict.because
    assert "0.007 for the best of three delays" in text
    first = found["first-cut"]
    assert first is not None
    assert "147 cases of 23 countries" in first.sample
    assert "27 calendar episodes worth 11.0 equal ones" in first.sample
    for said in ("147, of 23 countries", "27 calendar episodes of twelve months, worth\nabout eleven"):
        assert said in text
    (late,) = (note for note in first.notes if note.startswith("Less than 24 months"))
    assert late.count("2024-") == len(late.partition(": ")[2].split(", ")) == 18

    def fact(id: str, question: str, how: str) -> dict[str, Any]:
        table = studies[id].finding.tables[0]  # type: ignore[union-attr]
        assert isinstance(table, FactTable)
        (row,) = (r for r in table.facts if (r["question"], r["how"]) == (question, how))
        return row

    others = fact("before-first-cut", "months -6 to 0", "months out too")
    assert f"{others['sum']:+.1%} ({100 * others['low']:+.1f} to {100 * others['high']:+.1f})" in text
    cycle = fact("last-move", "known 1 month before", "months out too")
    assert f"({cycle['sum']:+.1%} a year)" in text
    earlier = fact("first-cut", "months -12 to -7", "as it is")
    largest = max(earlier["pvalue"], earlier["pvalue_placebo"])
    assert f"months -12 to -7 ({earlier['sum']:+.1%}, p {pvalue(largest)})" in text


def test_what_the_summary_says_of_what_can_be_held_is_what_runs_give(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = " ".join((REPOSITORY / "docs" / "world.md").read_text(encoding="utf-8").split())
    folder = str(tmp_path_factory.mktemp("regions") / "store")
    with (
        serving(from_folder(SHARED)) as running,
        mock.patch.dict(os.environ, {**running.environment, "ROTATION_DATA": folder}),
    ):
        fetch(to_fetch(["japan", "europe", "asia_pacific", "north_america", "emerging", "french_monthly"]))
        panel = load_panel("french_world")
        beside = [run("easing", market).metrics for market in ("french_monthly", "emerging")]
    runs = {
        name: run_panel(load_strategy(name), panel, terms={}, parameters={})
        for name in ("easing", "rate_cut")
    }
    easing, cut = (each.pooled for each in runs.values())
    assert easing is not None
    assert cut is not None
    low, high = 100.0 * easing.low, 100.0 * easing.high
    assert (
        f"alpha of {easing.alpha:+.1%} a year ({low:+.1f} to {high:+.1f}, p {pvalue(easing.alpha_pvalue)})"
        in text
    )
    assert f"`rate_cut` has {cut.alpha:+.1%} (p {pvalue(cut.alpha_pvalue)}) over all" in text
    assert runs["easing"].beaten()["market"] == (1, 4)
    europe = runs["easing"].runs["europe"].metrics
    assert (
        f"Europe, where its alpha is {europe['alpha']:+.1%} (p {pvalue(europe['alpha_pvalue'])} by itself"
        in text
    )
    america, emerging = (f"{each['alpha']:+.1%} (p {pvalue(each['alpha_pvalue'])})" for each in beside)
    assert f"{america} in the United States from 1982 on, and {emerging} in emerging" in text
    assert europe["alpha_pvalue"] == min(
        each.metrics["alpha_pvalue"] for each in runs["easing"].runs.values()
    )


def test_no_case_is_known_before_it_was_announced(countries: Panel) -> None:
    events, said = first_moves(countries, -1.0)
    months = [str(day)[:7] for day in countries.ends]
    cases = {
        m.name: [months[i] for i in np.flatnonzero(events[:, c])] for c, m in enumerate(countries.members)
    }
    assert {"2001-01", "2007-09", "2019-07", "2024-09"} <= set(cases["USA"])  # July 2019, not August
    assert {"2001-05", "2008-10", "2011-11"} <= set(cases["DEU"])
    assert "1999-04" not in cases["DEU"]  # nobody knows a German rate of the twelve months before
    assert "2000-08" not in cases["JPN"]
    assert cases["SGP"] == []
    assert any("SGP" in sentence for sentence in said)
