"""Parameters chosen on some markets and judged on the one left out, against a plain loop over runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import load_strategy, run
from backtest.cli.tune import tune as verb
from backtest.errors import UsageError
from backtest.panels.definition import load_panel
from backtest.panels.tune import left_out, tune_panel

HEAD = 'title = "Three"\nstart = "1990-01"\nsize = "halves"\ncurrency = "US dollars"\n'
MARKETS = "".join(f'[members.m{i}]\nmarket = "embedded"\n' for i in range(2))


@pytest.fixture
def three(panel_file: Path, tmp_path: Path) -> Path:
    assert panel_file.is_file()
    path = tmp_path / "three.toml"
    path.write_text(HEAD + MARKETS + '[members.AAA]\ndifference = "SMB_AAA"\n')
    return path


@given(st.integers(2, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_the_choice_is_that_of_a_plain_loop(markets: int, combinations: int, seed: int) -> None:
    scores = np.random.default_rng(seed).standard_normal((markets, combinations))
    scores[0, 0] = np.nan
    chosen, overall = left_out(scores)

    def best(rows: list[int]) -> int:
        means = {c: sum(scores[r, c] for r in rows) / len(rows) for c in range(combinations)}
        known = {c: mean for c, mean in means.items() if mean == mean}
        return max(known, key=known.__getitem__) if known else -1

    assert chosen == [best([r for r in range(markets) if r != out]) for out in range(markets)]
    assert overall == best(list(range(markets)))


def test_every_combination_is_what_its_run_is(three: Path) -> None:
    strategy = load_strategy("rate_cut")
    found = tune_panel(
        strategy, load_panel(str(three)), grid={"hold": "12,24,36", "delay": "0,6"}, objective="cagr"
    )
    grid = [(hold, delay) for hold in (12, 24, 36) for delay in (0, 6)]
    pairs = {(hold, delay): run("rate_cut", hold=hold, delay=delay).metrics["cagr"] for hold, delay in grid}
    best = max(pairs, key=pairs.__getitem__)
    for each in found.markets:
        assert (each.parameters["hold"], each.parameters["delay"]) == best
        assert each.value == each.best == pytest.approx(pairs[best])
        assert each.median == pytest.approx(np.median(list(pairs.values())))
        assert each.default == pytest.approx(pairs[(24, 0)])
        assert each.above == pytest.approx(5 / 6)
    assert found.refused == {"AAA": "only the difference of small and large is known, which nobody can hold"}


def test_less_is_better_where_the_measure_says_so(three: Path) -> None:
    found = tune_panel(
        load_strategy("rate_cut"), load_panel(str(three)), grid={"hold": "6,60"}, objective="volatility"
    )
    assert found.markets[0].value == found.markets[0].best <= found.markets[0].median


def test_the_command_says_words_first_and_writes_a_page(
    three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page"
    call = ["rate_cut", "--panel", str(three), "--grid", "hold=12,24"]
    assert verb("rotation tune", None, [*call, "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Chosen on the others, its Sharpe ratio")
    told = json.loads((out / "tune.json").read_text())
    assert [each["name"] for each in told["markets"]] == ["m0", "m1"]
    assert "judged on the one left out" in (out / "index.html").read_text(encoding="utf-8")
    assert verb("rotation tune", None, [*call, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["combinations"] == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--walk-forward", "train=20y,test=5y"], "--walk-forward is of one market"),
        (["--resume", "--out", "x"], "--resume is of one market"),
        (["--market", "embedded"], "--panel has markets of its own"),
        (["--tax", "20"], "a tax hangs on when each lot was bought"),
        (["--flows", "500 a month on 10000"], "flows change no return of a portfolio"),
        (["--objective", "sharp"], "there is no measure 'sharp'"),
        (["--grid", "hold=12", "--constraint", "turnover<0"], "no combination can be chosen in every market"),
    ],
)
def test_a_wrong_call_is_told(options: list[str], sentence: str, three: Path) -> None:
    with pytest.raises(UsageError) as told:
        verb("rotation tune", None, ["rate_cut", "--panel", str(three), *options])
    assert str(told.value).startswith(sentence)


def test_one_market_cannot_be_left_out(panel_file: Path) -> None:
    with pytest.raises(
        UsageError, match="to leave a market out takes two that can be searched; AAA: only the"
    ):
        tune_panel(load_strategy("rate_cut"), load_panel(str(panel_file)))
