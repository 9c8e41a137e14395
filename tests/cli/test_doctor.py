"""What ``rotation doctor`` finds, and what a shell's Tab key completes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from backtest.cli import doctor as doctor_module
from backtest.cli.completion import SHELLS
from backtest.cli.doctor import doctor
from backtest.errors import RotationError
from backtest.market.entry import SourceTable
from backtest.market.store import Store, sealed
from tests.cli.test_command import ROTATION, rotation

MONTHS = np.arange("2000-01", "2020-01", dtype="datetime64[M]").astype("datetime64[D]")


BASH = shutil.which("bash")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    kept = Store()
    values = np.linspace(4.0, 5.0, len(MONTHS))[:, None]
    kept.save("AAA", SourceTable(MONTHS, ("value",), values, "here", "0" * 64))
    return kept


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, str]]]:
    lines: dict[str, list[dict[str, str]]] = {}
    for line in json.loads(capsys.readouterr().out):
        lines.setdefault(line["about"], []).append(line)
    return lines


def test_it_says_what_is_stored_and_what_gets_the_rest(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor("rotation doctor", None, ["--json"]) == 0
    lines = found(capsys)
    assert lines["store"][0]["said"] == f"{store.folder} can be written"
    assert lines["series"][0]["said"] == "1 stored and whole"
    assert lines["market embedded"][0]["state"] == "fine"
    assert lines["market french_monthly"][0]["command"] == "rotation data fetch french_monthly"


def test_what_is_old_is_stale(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record = store.current("AAA")
    assert record is not None
    path = store.folder / "AAA" / f"{record.vintage}.json"
    old = sealed(replace(record, downloaded="2020-01-01T00:00:00.000000+00:00"))
    path.write_bytes(msgspec.json.encode(old))
    assert doctor("rotation doctor", None, ["--json"]) == 0
    assert found(capsys)["series"][1] == {
        "about": "series",
        "state": "stale",
        "said": "1 (AAA)",
        "command": "rotation data fetch AAA",
    }


def test_what_is_damaged_is_named_and_is_status_1(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record = store.current("AAA")
    assert record is not None
    path = store.folder / "AAA" / record.file
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RotationError, match="AAA is unusable: .* its checksum is not"):
        doctor("rotation doctor", None, ["--json"])
    assert found(capsys)["AAA"][0]["command"] == "rotation data verify"


def test_a_missing_extra_has_the_command_that_installs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path))
    monkeypatch.setattr(doctor_module, "_installed", lambda package: package != "optuna")
    assert doctor("rotation doctor", None, []) == 0
    said = capsys.readouterr().out
    assert "optuna not installed" in said
    assert "pip install 'size-rotation[optuna]'" in said
    assert "mutants" not in said


@pytest.mark.parametrize(
    ("before", "some"),
    [
        ((), {"run", "tune", "--version"}),
        (("run",), {"rate_cut", "--market"}),
        (("run", "rate_cut"), {"--hold", "--min-cut", "--cost-bps"}),
        (("run", "rate_cut", "--market"), {"embedded", "french_daily"}),
        (("data",), {"fetch", "verify"}),
        (("study",), {"claims", "first-cut"}),
        (("replicate",), {"alquist-2018", "blitz-2020-japan", "--out"}),
        (("completion",), set(SHELLS)),
        (("run", "no_such_strategy"), set()),
    ],
)
def test_what_may_stand_next(before: tuple[str, ...], some: set[str], tmp_path: Path) -> None:
    done = rotation(tmp_path, "completion", "words", "--", *before)
    assert done.returncode == 0, done.stderr
    assert some <= set(done.stdout.split())


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
def test_bash_completes(tmp_path: Path) -> None:
    script = f"""
        {SHELLS["bash"]}
        COMP_WORDS=(rotation run rate_cut --ho); COMP_CWORD=3; _rotation; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(rotation run valu); COMP_CWORD=2; _rotation; echo "${{COMPREPLY[@]}}"
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(BASH), "-c", script],
        env={**os.environ, "PATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["--hold", "valuation_discount"]


def test_another_shell_is_refused(tmp_path: Path) -> None:
    done = rotation(tmp_path, "completion", "tcsh", command=ROTATION)
    assert done.returncode == 2
    assert done.stderr == "rotation: rotation completion takes one of bash, zsh, fish, not 'tcsh'\n"
