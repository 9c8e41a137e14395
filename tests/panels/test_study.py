"""Claims about panels: what is planted is found, noise is not, and the command says it in words and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest.cli.run import run as run_verb
from backtest.cli.study import study as verb
from backtest.cli.tune import tune as tune_verb
from backtest.errors import UsageError
from backtest.panels.claims import PANEL_CLAIMS, panel_claim
from backtest.panels.definition import load_panel
from backtest.studies.register import hold_against
from tests.panels.conftest import EFFECT

if TYPE_CHECKING:
    from backtest.panels.panel import Panel
    from backtest.studies.claim import Claim


def noise(panel: Panel, seed: int) -> Panel:
    """The panel with its rates, and with returns in which nothing happens."""
    rng = np.random.default_rng(seed)
    common = 0.02 * rng.standard_normal(len(panel.ends))
    members = [
        replace(each, differences=common + 0.02 * rng.standard_normal(len(panel.ends)))
        for each in panel.members
    ]
    return replace(panel, members=tuple(members))


def test_what_is_planted_is_supported(panel_file: Path) -> None:
    study = hold_against(panel_claim("last-move"), load_panel(str(panel_file)))
    assert study.verdict.word == "supported"
    assert study.finding is not None
    first = study.finding.evidence[0]
    assert first.low < 12 * EFFECT < first.high


@pytest.mark.parametrize("claim", PANEL_CLAIMS, ids=lambda claim: claim.id)
def test_noise_is_hardly_ever_supported(claim: Claim, panel_file: Path) -> None:
    panel = load_panel(str(panel_file))
    words = [hold_against(claim, noise(panel, seed)).verdict.word for seed in range(20)]
    assert words.count("supported") <= 3, words


def test_no_policy_rate_at_all_cannot_be_told(panel_file: Path) -> None:
    panel = load_panel(str(panel_file))
    bare = replace(panel, members=tuple(replace(each, policy=None) for each in panel.members))
    study = hold_against(PANEL_CLAIMS[0], bare)
    assert (study.verdict.word, study.finding) == ("cannot be told", None)
    assert study.verdict.because == "no member of the panel 'made' has a policy rate"


def test_the_command_says_words_and_writes_a_page(
    panel_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page"
    assert verb("rotation study", None, ["first-cut", "--panel", str(panel_file), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "calendar" in said
    assert "placebo" in said
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "The mean of all cases thick" in page
    assert "No policy rate, so no case; in what the other members did: FFF." in page
    assert json.loads((out / "study.json").read_text())["market"] == "made"


def test_the_document_has_the_evidence(panel_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb("rotation study", None, ["claims", "--panel", str(panel_file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["study"] for each in told["claims"]] == [claim.id for claim in PANEL_CLAIMS]
    evidence = told["claims"][0]["evidence"]
    assert [each["label"] for each in evidence] == ["months 1 to 12", "months 13 to 24"]
    assert all(each["low"] < each["estimate"] < each["high"] for each in evidence)


def test_the_tables_of_the_document_are_numbers(panel_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And they are the numbers that the page writes, held here against sums made by hand."""
    assert verb("rotation study", None, ["first-cut", "--panel", str(panel_file), "--json"]) == 0
    told = {table["title"]: table for table in json.loads(capsys.readouterr().out)["tables"]}
    shown = hold_against(panel_claim("first-cut"), load_panel(str(panel_file)))
    assert shown.finding is not None
    assert list(told) == [table.title for table in shown.finding.tables]
    pooled = [dict(zip(told["pooled"]["columns"], row, strict=True)) for row in told["pooled"]["rows"]]
    for row, text in zip(pooled, shown.finding.tables[0].rows, strict=True):
        assert text[:2] == (row["question"], row["how"])
        assert text[3] == f"{row['sum']:+.1%}"
        assert text[4] == f"{row['low']:+.1%} to {row['high']:+.1%}"
        assert row["low"] < row["sum"] < row["high"]
        assert text[2] == f"{row['months']} in {row['episodes']} ({row['equal_episodes']:.1f})"
        assert all(0.0 <= row[key] <= 1.0 for key in row if key.startswith("pvalue"))
    panel = load_panel(str(panel_file))
    table = told["one by one, as it is"]
    months = [str(day)[:7] for day in panel.ends]
    for row in (dict(zip(table["columns"], each, strict=True)) for each in table["rows"]):
        (member,) = (each for each in panel.members if each.name == row["member"])
        after = {months.index(case) + k for case in row["cases"] for k in range(1, 13)}
        found = [member.differences[at] for at in sorted(after) if at < len(months)]
        if member.policy is None:
            assert row["cases"] == []
            assert row["months 1 to 12"] is None
        else:
            assert row["months 1 to 12"] == pytest.approx(12.0 * float(np.mean(found)))


def test_all_numbers_of_a_run_and_of_a_search_are_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel = tmp_path / "two.toml"
    head = 'title = "Two"\nstart = "1990-01"\nsize = "halves"\ncurrency = "US dollars"\n'
    panel.write_text(head + '[members.a]\nmarket = "embedded"\n[members.b]\nmarket = "embedded"\n')
    assert run_verb("rotation run", None, ["rate_cut", "--panel", str(panel), "--json"]) == 0
    for each in json.loads(capsys.readouterr().out)["markets"].values():
        for measures in (each["metrics"], *each["benchmarks"].values()):
            assert {type(value) for value in measures.values()} <= {int, float, type(None)}
    assert (
        tune_verb(
            "rotation tune", None, ["rate_cut", "--panel", str(panel), "--grid", "hold=12,24", "--json"]
        )
        == 0
    )
    for row in json.loads(capsys.readouterr().out)["markets"]:
        numbers = [row[key] for key in ("value", "median", "best", "default", "benchmark", "above")]
        assert all(isinstance(value, float) for value in numbers)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (["last-move"], "'last-move' is asked of many markets together; name them with --panel countries"),
        (["credit-spreads", "--panel", "X"], "'credit-spreads' is asked of one market, with --market; of a panel can be asked: first-cut, before-first-cut, first-rise, last-move"),
        (["first-cut", "--panel", "X", "--market", "embedded"], "--panel has markets of its own; leave out --market"),
        (["last-mve"], "there is no study 'last-mve'; did you mean 'last-move'?"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_told(call: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        verb("rotation study", None, call)
    assert str(told.value) == sentence
