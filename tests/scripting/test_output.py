"""A script's own words go to standard error, and standard output comes back in whatever order threads leave."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from backtest import run
from backtest.scripting.output import printing_to_stderr
from tests.scripting.test_loading import GOOD, written


def test_what_a_script_prints_goes_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talking = GOOD.replace("    cuts =", '    print("deciding")\n    cuts =') + 'print("loaded")\n'
    run(written(tmp_path, talking))
    sys.stdout.write("after\n")
    captured = capsys.readouterr()
    assert captured.out == "after\n"
    assert set(captured.err.split()) == {"loaded", "deciding"}


def test_threads_that_overlap_leave_standard_output_as_it_was() -> None:
    before, inside, first_left = sys.stdout, Barrier(2), Barrier(2)

    def first() -> None:
        with printing_to_stderr():
            inside.wait(10)
        first_left.wait(10)

    def second() -> None:
        with printing_to_stderr():
            inside.wait(10)
            first_left.wait(10)
            assert sys.stdout is sys.stderr

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.stdout is before
    with pytest.raises(ValueError, match="x"), printing_to_stderr():
        raise ValueError("x")
    assert sys.stdout is before
