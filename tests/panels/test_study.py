"""Claims about panels: what is planted is found, noise is not, and the command says it in words and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest.cli.study import study as verb
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
    assert verb("rotation study", ["first-cut", "--panel", str(panel_file), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "calendar" in said
    assert "placebo" in said
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "The mean of all cases thick" in page
    assert "No policy rate, so no case; in what the other members did: FFF." in page
    assert json.loads((out / "study.json").read_text())["market"] == "made"


def test_the_document_has_the_evidence(panel_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb("rotation study", ["claims", "--panel", str(panel_file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["study"] for each in told["claims"]] == [claim.id for claim in PANEL_CLAIMS]
    evidence = told["claims"][0]["evidence"]
    assert [each["label"] for each in evidence] == ["months 1 to 12", "months 13 to 24"]
    assert all(each["low"] < each["estimate"] < each["high"] for each in evidence)


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
        verb("rotation study", call)
    assert str(told.value) == sentence
