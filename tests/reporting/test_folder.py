"""A report is there whole or not at all."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from backtest import MarketData, RotationError, UsageError, run
from backtest.reporting.folder import whole_folder, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import Result


@pytest.fixture(scope="module")
def result(embedded: MarketData) -> Result:
    return run("rate_cut", embedded)


def test_a_report_holds_picture_document_and_bars(result: Result, tmp_path: Path) -> None:
    place = write_report(result, tmp_path / "new" / "folder")
    assert sorted(p.name for p in place.iterdir()) == ["bars.csv", "equity.png", "result.json"]
    assert (place / "equity.png").read_bytes().startswith(b"\x89PNG")
    document = json.loads((place / "result.json").read_text())
    assert document["metrics"]["cagr"] == result.metrics["cagr"]
    assert document["benchmarks"]["market"]["information_ratio"] is None
    bars = pd.read_csv(place / "bars.csv", index_col="date", parse_dates=True)
    assert bars["return_rate_cut"].tolist() == result.returns.tolist()
    assert bars["weight_small"].tolist() == result.weights["small"].tolist()


def test_default_places_are_below_the_current_folder_and_never_taken_twice(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {write_report(result) for _ in range(3)}
    assert len(places) == 3
    assert {p.parent.as_posix() for p in places} == {"reports/rate_cut"}


def test_what_is_there_already_is_not_touched(result: Result, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already; name a new folder with --out"):
        write_report(result, tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        write_report(result, tmp_path / "kept.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_an_empty_folder_is_used(result: Result, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert len(list(write_report(result, tmp_path / "empty").iterdir())) == 3


def test_a_folder_that_cannot_be_made_is_named(result: Result, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UsageError, match="file is not a folder; name another one with --out"):
        write_report(result, tmp_path / "file" / "report")


def test_a_disk_that_fills_up_leaves_nothing_half_written(result: Result, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(RotationError, match="the report cannot be written to .*: File too large; free"):
            write_report(result, tmp_path / "report")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "report") as draft:
        (draft / "half").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
