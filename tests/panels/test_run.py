"""A strategy on a panel: each market as by itself, one alpha of all, and what does not run or add up by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backtest import load_strategy, run
from backtest.cli.run import run as verb
from backtest.errors import UsageError
from backtest.panels.claims import panel_claim
from backtest.panels.definition import load_panel
from backtest.panels.run import run_panel
from backtest.studies.register import hold_against

HEAD = 'title = "Mixed"\nstart = "1990-01"\nsize = "halves"\ncurrency = "US dollars"\n'
MARKETS = '[members.one]\nmarket = "embedded"\n[members.two]\nmarket = "embedded"\n'


@pytest.fixture
def mixed(panel_file: Path, tmp_path: Path) -> Path:
    assert panel_file.is_file()
    path = tmp_path / "mixed.toml"
    path.write_text(HEAD + MARKETS + '[members.AAA]\ndifference = "SMB_AAA"\n')
    return path


def test_each_market_is_run_as_by_itself_and_all_have_one_alpha(mixed: Path) -> None:
    strategy = load_strategy("rate_cut")
    found = run_panel(strategy, load_panel(str(mixed)), terms={"cost_bps": 20.0}, parameters={"hold": 18})
    alone = run("rate_cut", "embedded", cost_bps=20.0, hold=18)
    assert list(found.runs) == ["one", "two"]
    assert found.runs["one"].metrics == pytest.approx(alone.metrics, nan_ok=True)
    assert found.pooled is not None
    # The same market twice is one market.
    assert found.pooled.alpha == pytest.approx(alone.metrics["alpha"])
    assert found.pooled.alpha_pvalue == pytest.approx(alone.metrics["alpha_pvalue"])
    assert found.pooled.cells == 2 * found.pooled.months == 2 * len(alone.path.returns)
    assert found.refused == {"AAA": "only the difference of small and large is known, which nobody can hold"}
    above = {name: alone.metrics["sharpe"] > alone.benchmarks[name]["sharpe"] for name in alone.benchmarks}
    assert found.beaten() == {name: (2 * yes, 2) for name, yes in above.items()}


def test_markets_in_unlike_currencies_have_no_common_alpha(mixed: Path) -> None:
    mixed.write_text(HEAD + MARKETS + 'currency = "yen"\n')
    found = run_panel(load_strategy("rate_cut"), load_panel(str(mixed)), terms={}, parameters={})
    assert found.pooled is None
    assert found.apart == "the markets differ in currency (US dollars, yen)"


def test_markets_of_unlike_bars_have_no_common_alpha_and_every_page_says_so(
    made_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTATION_DATA", str(made_store))
    path = tmp_path / "bars.toml"
    members = "".join(f'[members.{m}]\nmarket = "{m}"\n' for m in ("french_monthly", "french_daily"))
    path.write_text(HEAD + members)
    found = run_panel(load_strategy("rate_cut"), load_panel(str(path)), terms={}, parameters={})
    assert found.pooled is None
    assert found.apart == "the markets differ in frequency (daily, monthly)"
    said = "Members differ. Returns are: monthly (french_monthly); daily (french_daily)."
    assert said in found.panel.notes
    study = hold_against(panel_claim("first-cut"), found.panel)
    assert study.finding is not None
    assert said in study.finding.notes


def test_the_command_says_words_first_and_writes_a_page(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page"
    assert verb("rotation run", None, ["rate_cut", "--panel", str(mixed), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Its Sharpe ratio is above that of holding")
    assert "Not run on AAA" in said
    told = json.loads((out / "run.json").read_text())
    assert told["markets"]["one"]["metrics"]["cagr"] == told["markets"]["two"]["metrics"]["cagr"]
    assert told["pooled"]["low"] < told["pooled"]["alpha"] < told["pooled"]["high"]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Alpha of all markets" in page
    for words in (said, page):
        assert "10 bp of traded notional a side, in the strategy only" in " ".join(words.split())
    assert told["terms"]["cost_bps"] == 10.0


def test_the_document_is_one(mixed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb("rotation run", None, ["rate_cut", "--panel", str(mixed), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["panel"], told["strategy"], told["report"]) == ("mixed", "rate_cut", None)
    assert np.isfinite(told["pooled"]["alpha_pvalue"])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (["--panel", "nowhere"], "there is no panel 'nowhere'"),
        (["--panel", "X", "--market", "embedded"], "--panel has markets of its own; leave out --market"),
        (["--panel", "X", "--robustness"], "--robustness is of one market; leave it out"),
        (["trend", "--panel", "X"], "--panel takes one strategy at a time"),
    ],
)
def test_a_wrong_call_is_told(call: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        verb("rotation run", None, ["rate_cut", *call])
    assert str(told.value).startswith(sentence)


def test_a_strategy_that_runs_nowhere_is_told(mixed: Path) -> None:
    panel = load_panel(str(mixed))
    with pytest.raises(UsageError, match="rate_cut runs on no member of the panel 'mixed'"):
        run_panel(load_strategy("rate_cut"), panel, terms={"start": "2018-11-30"}, parameters={})
