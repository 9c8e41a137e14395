"""``rotation explore``: it prints where it is, ends when it is told to, and says what is wrong before it begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from backtest.cli import explore as module
from backtest.cli.command import dispatch
from backtest.errors import RotationError
from backtest.explore.position import Wanted
from backtest.explore.server import Explorer

COMMAND = [sys.executable, "-c", "from backtest.cli import entry; entry()", "explore"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name one to four strategies: rotation explore STRATEGY [STRATEGY ...]"),
        (["rate_cut"] * 5, "name one to four strategies"),
        (["rate_cutt"], "rate_cut"),
        (["rate_cut:hold=99"], "hold must lie in 1 to 60 months, not 99"),
        (["rate_cut", "--market", "nowhere"], "nowhere"),
        (["rate_cut", "--blind", "2030-01-01"], "--blind 2030-01-01 lies outside the data"),
        (["rate_cut", "--blind", "soon"], "--blind"),
        (["rate_cut", "--port", "0"], "--port"),
        (["rate_cut", "--port", "x"], "--port"),
        (["rate_cut", "--start", "2010-02-31"], "the start"),
        (["rate_cut", "--benchmark", "zzz"], "there is no benchmark 'zzz'"),
        (["concentration"], "the market 'embedded' has no concentration"),
        (["rate_cut", "--blind", "1950-01-31"], "rate_cut cannot run"),
        (
            ["rate_cut", "--blind", "2000-12-29", "--end", "2005-12-30"],
            "the end 2005-12-30 lies in what is hidden",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_served(words: list[str], said: str) -> None:
    with pytest.raises(RotationError) as error:
        dispatch("rotation", None, ["explore", *words])
    assert said in str(error.value)


def test_what_one_page_was_shown_is_hidden_from_no_other() -> None:
    options = module._parser("rotation explore").parse(["rate_cut", "--blind", "2000-12-29"])
    make = module._sittings(["rate_cut"], options)
    first, second = make(), make()
    assert (first.hidden, second.hidden) == ("2000-12-29", "2000-12-29")
    first.reveal(Wanted(({},), {}))
    third = make()
    assert (third.hidden, third.revealed) == (None, first.revealed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_at_once(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "rate_cut", "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert process.stdout.readline() == "Ctrl-C ends it.\n"
    with urllib.request.urlopen(address, timeout=60) as page:  # noqa: S310 - its own address
        assert b"rate_cut on embedded" in page.read()
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - began < 20.0
    assert out.lstrip() == "Ended; 0 positions tried.\n"
    assert err.strip() == ""
    assert list(tmp_path.iterdir()) == []


def test_it_ends_a_while_after_its_last_page_was_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_MINUTE", 0.5)
    monkeypatch.setattr(Explorer, "idle", property(lambda each: 1.0 if each.sittings else 0.0))
    monkeypatch.setattr(module, "_open", lambda address: urllib.request.urlopen(address).read())  # noqa: S310
    assert dispatch("rotation", None, ["explore", "rate_cut", "--port", "9100"]) == 0
    assert capsys.readouterr().out.endswith("Ended; 0 positions tried.\n")


def test_without_a_screen_no_browser_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    module._open("http://127.0.0.1:1/")
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    module._open("http://127.0.0.1:1/")
    assert opened == ["http://127.0.0.1:1/"]
    assert os.environ["DISPLAY"] == ":0"
