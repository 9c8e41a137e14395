"""How far a search is: seen on a terminal and in a notebook, and nowhere else."""

from __future__ import annotations

import pytest
import rich.console

from backtest.tuning.progress import shown
from backtest.tuning.sweep import Estimate


def _work() -> None:
    with shown() as (tell, announce):
        announce(Estimate(1000, 3.0, 2_000_000))
        tell("measuring", 1, 2)
        tell("measuring", 2, 2)


def test_nothing_is_seen_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    _work()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_it_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    _work()
    said = capsys.readouterr()
    assert not said.out
    assert "1,000 combinations; about 3 seconds and 2.0 MB" in said.err
    assert "measuring" in said.err


def test_a_notebook_shows_it_in_a_widget(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    display = pytest.importorskip("IPython.display")
    seen: list[object] = []
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    monkeypatch.setattr(display, "display", seen.append)
    _work()
    assert type(seen[0]).__name__ == "Output"
    assert not capsys.readouterr().err
