"""Results show themselves: a short table of letters, a part of a notebook, a figure, a table, a page, files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from backtest import compare, run, signal, study, study_claims, tune
from backtest.errors import UsageError
from backtest.records.comparison import ComparisonDocument
from backtest.records.document import plain, read_document
from backtest.records.run_document import RunDocument
from backtest.studies.document import ClaimsDocument, StudyDocument
from backtest.tuning.document import SweepDocument
from tests.reporting.browser import chromium, opened

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import Claims, Comparison, MarketData, Run, Standing, Study, Sweep

DRAWN = ("run", "comparison", "sweep", "study")
KINDS = (*DRAWN, "claims", "standing")


@pytest.fixture(scope="module")
def results(embedded: MarketData, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sweep") / "it"
    one = run("rate_cut", embedded)
    return {
        "run": one,
        "comparison": compare(one, run("easing", embedded), run("balanced", embedded)),
        "sweep": tune("rate_cut", embedded, grid={"hold": "12,24"}, placebo=0, out=folder),
        "study": study("first-cut", embedded),
        "claims": study_claims(embedded),
        "standing": signal("rate_cut", embedded, as_of="2019-08-15"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_it_prints_as_a_few_plain_lines(results: dict[str, Any], kind: str) -> None:
    said = repr(results[kind])
    assert 3 < len(said.splitlines()) <= 36
    assert "\x1b" not in said
    assert "object at 0x" not in said
    assert all(line == line.rstrip() for line in said.splitlines())


def test_a_run_prints_its_verdict_and_every_measure(results: dict[str, Any]) -> None:
    one: Run = results["run"]
    said = repr(one)
    assert said.startswith("Cannot be told: Alpha against market")
    assert "1 combination tried" in said
    assert f"{one.metrics['sharpe']:.2f}" in said
    assert "time in large" in said
    assert "led its benchmark" in said


def test_a_sweep_prints_first_that_it_may_be_luck(results: dict[str, Any]) -> None:
    said = repr(results["sweep"])
    assert said.index("The best of 2 combinations") < said.index("Sharpe ratio  ")


def test_a_comparison_of_many_is_cut_and_says_so(embedded: MarketData) -> None:
    many = compare(*(run("rate_cut", embedded, hold=hold) for hold in range(12, 32)))
    lines = repr(many).splitlines()
    assert len(lines) <= 36
    assert any("rate_cut, hold 12" in line for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_a_notebook_shows_the_brief_page(results: dict[str, Any], kind: str) -> None:
    shown = results[kind]._repr_html_()
    assert shown.startswith('<div class="size-rotation">')
    assert shown.count("<style>") == 1
    assert "<html" not in shown
    assert "<script" not in shown
    assert "<svg" not in shown
    outside = re.sub(r"\{.*\}", "", re.findall(r"<style>(.*?)</style>", shown, re.DOTALL)[0], flags=re.DOTALL)
    assert outside.split() == [".size-rotation"]  # every rule stands within


def test_a_notebook_keeps_its_own_look(results: dict[str, Any], tmp_path: Path) -> None:
    own = '<p id="own">own</p><table><tr><td id="cell">1</td></tr></table>'
    page = tmp_path / "notebook.html"
    style = "getComputedStyle(document.getElementById('{}')).{}"
    looks = []
    with chromium() as browser:
        for inside in ("", results["run"]._repr_html_()):
            page.write_text(
                f'<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">{own}{inside}',
                encoding="utf-8",
            )
            with opened(browser, page, scheme="dark") as seen:
                asked = [("own", "color"), ("own", "fontSize"), ("cell", "padding"), ("cell", "textAlign")]
                looks.append([seen.page.evaluate(style.format(*each)) for each in asked])
                assert not seen.complaints
                if inside:
                    cell = "getComputedStyle(document.querySelector('.size-rotation td:nth-child(2)')).{}"
                    assert seen.page.evaluate(cell.format("textAlign")) == "right"
                    assert seen.page.evaluate(cell.format("color")) == "rgb(236, 236, 236)"
    assert looks[0] == looks[1]


@pytest.mark.parametrize("kind", DRAWN)
def test_it_draws_a_figure_that_a_notebook_shows(results: dict[str, Any], kind: str) -> None:
    figure = results[kind].plot()
    assert isinstance(figure, Figure)
    assert figure.axes
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_the_frame_of_a_run_has_every_bar(results: dict[str, Any]) -> None:
    one: Run = results["run"]
    frame = one.to_frame()
    assert frame.index.equals(one.equity.index.as_unit("s"))
    assert np.array_equal(frame["return"].to_numpy()[1:], one.returns.to_numpy())
    assert np.array_equal(frame["weight:small"].to_numpy()[1:], one.weights["small"].to_numpy())


def test_the_frame_of_a_comparison_has_the_measures(results: dict[str, Any]) -> None:
    both: Comparison = results["comparison"]
    assert both.to_frame().loc["sharpe", "easing"] == both.metrics[1]["sharpe"]


def test_the_frame_of_a_sweep_has_every_trial(results: dict[str, Any]) -> None:
    sweep: Sweep = results["sweep"]
    frame = sweep.to_frame()
    assert frame["hold"].tolist() == [12, 24]
    assert frame.loc[sweep.best.number, "sharpe"] == pytest.approx(
        sweep.best.result.metrics["sharpe"], abs=1e-9
    )


def test_the_frame_of_a_study_has_its_cases_or_the_evidence(
    results: dict[str, Any], embedded: MarketData
) -> None:
    cuts: Study = results["study"]
    frame = cuts.to_frame()
    found = cuts.finding.cases  # type: ignore[union-attr]
    assert len(frame) == len(found.dates) * len(found.study.horizons)  # type: ignore[union-attr]
    assert np.allclose(frame["small"] - frame["large"], frame["difference"], equal_nan=True)
    other = study("more-volatile", embedded)
    assert other.to_frame()["estimate"].tolist() == [e.estimate for e in other.finding.evidence]  # type: ignore[union-attr]


def test_all_claims_have_a_row_each_and_their_evidence_is_in_the_workbook(
    results: dict[str, Any], tmp_path: Path
) -> None:
    found: Claims = results["claims"]
    words = [each.verdict.word for each in found]
    assert found.to_frame()["verdict"].tolist() == words
    assert [line.split("│")[1].strip() for line in repr(found).splitlines() if "│" in line] == words
    evidence = pd.read_excel(found.save(tmp_path / "it.xlsx"), "evidence")
    assert evidence["estimate"].tolist() == pytest.approx(
        [e.estimate for each in found if each.finding for e in each.finding.evidence], nan_ok=True
    )


def test_the_frame_of_a_standing_has_the_facts(results: dict[str, Any]) -> None:
    now: Standing = results["standing"]
    frame = now.to_frame()
    assert frame["fact"].tolist() == [fact.fact for fact in now.because]


def test_a_standing_is_its_document(results: dict[str, Any], tmp_path: Path) -> None:
    now: Standing = results["standing"]
    assert read_document(now.save(tmp_path / "now.json"), type(now)) == now


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_in_four_kinds_of_file(results: dict[str, Any], kind: str, tmp_path: Path) -> None:
    it = results[kind]
    frame = it.to_frame()
    assert it.save(tmp_path / "it.csv") == tmp_path / "it.csv"
    assert len(pd.read_csv(tmp_path / "it.csv")) == len(frame)
    it.save(str(tmp_path / "it.parquet"))
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "it.parquet"), frame, check_dtype=False, check_index_type=False
    )
    it.save(tmp_path / "it.json")
    assert json.loads((tmp_path / "it.json").read_text(encoding="utf-8"))
    it.save(tmp_path / "it.xlsx")
    assert (tmp_path / "it.xlsx").read_bytes().startswith(b"PK")
    it.save(tmp_path / "it.csv")  # what is there is replaced
    assert len(list(tmp_path.iterdir())) == 4


def test_another_kind_of_file_is_refused_with_the_four(results: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"'it.xls' says no kind of file; end it in .csv, .xlsx, .parquet, .json"
    ):
        results["run"].save(tmp_path / "it.xls")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "file", "document"),
    [
        ("run", "result.json", RunDocument),
        ("comparison", "comparison.json", ComparisonDocument),
        ("study", "study.json", StudyDocument),
        ("claims", "claims.json", ClaimsDocument),
    ],
)
def test_it_writes_the_page_of_its_command_and_its_document_is_read_back(
    results: dict[str, Any], kind: str, file: str, document: type[Any], tmp_path: Path
) -> None:
    folder = results[kind].report(str(tmp_path / "page"))
    assert folder == tmp_path / "page"
    assert (folder / "index.html").is_file()
    assert plain(read_document(folder / file, document)) == json.loads((folder / file).read_text())


def test_a_sweep_writes_its_page_beside_its_trials_or_takes_them_along(
    results: dict[str, Any], tmp_path: Path
) -> None:
    sweep: Sweep = results["sweep"]
    for folder in (sweep.report(tmp_path / "other"), sweep.report()):
        assert (folder / "index.html").is_file()
        assert len(list(folder.glob("trials/part-000000-*.parquet"))) == 1
        document = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
        assert document["results"] == str((folder / "trials").resolve())
        assert plain(read_document(folder / "sweep.json", SweepDocument)) == document
    with pytest.raises(UsageError, match="exists already"):
        sweep.report(tmp_path / "other")
