"""What commands print is folded to the terminal: no word is lost or cut, and a command stays whole."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import UsageError
from backtest.arguments import folded, named_with_parameters
from backtest.cli.signal import signal
from tests.cli.test_command import ROTATION, rotation
from tests.conftest import REPOSITORY

WORDS = st.text("abcdefgh-_/.", min_size=1, max_size=30)
LINES = st.builds(
    lambda indent, first, gap, words: " " * indent + (first + " " * gap if first else "") + " ".join(words),
    st.integers(0, 8),
    st.one_of(st.just(""), WORDS),
    st.integers(2, 9),
    st.lists(WORDS, min_size=1, max_size=30),
)


@given(st.lists(LINES, min_size=1, max_size=4), st.integers(40, 100))
def test_folding_keeps_every_word_and_the_width(lines: list[str], columns: int) -> None:
    text = "\n".join(lines)
    found = folded(text, columns)
    assert found.split() == text.split()
    assert all(
        len(line) <= columns or len(line.split()) == 1 or "  " in line.strip() for line in found.split("\n")
    )
    short = [line for line in lines if len(line) <= columns]
    assert all(line in found.split("\n") for line in short), "what fits is left as it is"


def test_a_second_column_goes_below_itself_and_a_command_is_not_folded() -> None:
    assert folded("  fetch   " + "word " * 12, 40).split("\n")[1] == "          word word word word word word"
    command = "  rotation tune rate_cut --grid delay=0:12:1 --grid hold=6:48:1"
    assert folded(command, 40) == command
    assert folded(command + "  says", 50) == f"{command}\n      says"


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    "call",
    [
        ["--help"],
        ["--version"],
        ["data", "--help"],
        ["data", "list"],
        ["universe", "schemes"],
        ["explain", "ensemble"],
        ["signal", "--help"],
        ["doctor"],
    ],
)
def test_what_is_printed_fits(call: list[str], columns: int, tmp_path: Path) -> None:
    environment = {
        "COLUMNS": str(columns),
        "ROTATION_DATA": str(tmp_path / ("a-rather-long-name-of-a-folder" * 2)),
    }
    said = rotation(tmp_path, *call, **environment).stdout.splitlines()
    long = [
        line for line in said if len(line) > columns and not line.startswith(("  rotation ", "stored in "))
    ]
    assert said
    assert [line for line in long if len(line.split()) > 1] == []
    assert "…" not in "".join(said), "nothing is cut"


def test_a_file_keeps_the_table_of_all_series(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [ROTATION, "data", "list"], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    head, first = done.stdout.splitlines()[:2]
    assert head.index("known at") == first.index("the last business day of the month")


def _on_a_terminal(*call: str) -> str:
    """Return what a command says on standard error where that is a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run(
        [ROTATION, *call],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        stdin=theirs,
        env=environment,
        check=False,
        cwd=REPOSITORY,
    )
    os.close(theirs)
    return os.read(ours, 10000).decode().replace("\r\n", "\n")


def test_an_error_on_a_terminal_is_folded_and_its_command_can_be_copied(tmp_path: Path) -> None:
    said = _on_a_terminal("run", "trend", "--market", "french_daily", "--data-dir", str(tmp_path))
    *sentence, command = said.rstrip("\n").split("\n")
    assert command == "  rotation data fetch"
    assert sentence[0].startswith("rotation: ")
    assert all(len(line) <= 80 for line in sentence)
    assert _on_a_terminal("run", "trent") == "rotation: there is no strategy 'trent'; did you mean 'trend'?\n"


def test_what_another_command_calls_so_is_named() -> None:
    with pytest.raises(UsageError, match=r"there is no option '--end'; did you mean '--as-of'\?"):
        signal("rotation signal", None, ["rate_cut", "--end", "2020-01-31"])
    with pytest.raises(UsageError, match=r"parted by commas: mine.py:hold=6,delay=3$"):
        named_with_parameters("mine.py:hold=6:delay=3")
    assert named_with_parameters("a:b/mine.py:hold=6") == ("a:b/mine.py", {"hold": "6"})
