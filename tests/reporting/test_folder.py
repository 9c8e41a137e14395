"""A report is there whole or not at all."""

from __future__ import annotations

import json
import resource
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest import MarketData, RotationError, UsageError, run
from backtest.records.again import repeat
from backtest.records.document import read_document
from backtest.records.record import read_record, record_of
from backtest.records.run_document import RunDocument
from backtest.reporting.folder import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import Run


@pytest.fixture(scope="module")
def result(embedded: MarketData) -> Run:
    return run("rate_cut", embedded)


FILES = ["SHA256SUMS", "bars.parquet", "index.html", "result.json", "sheet.json", "trades.parquet"]


def test_a_report_holds_the_page_its_figures_and_the_numbers_behind_them(result: Run, tmp_path: Path) -> None:
    place = write_report(result, tmp_path / "new" / "folder")
    assert sorted(p.name for p in place.iterdir()) == FILES
    more = write_report(result, tmp_path / "more", also=["png"])
    assert sorted(p.name for p in more.iterdir()) == sorted([*FILES, "figures"])
    pictures = sorted((more / "figures").iterdir())
    assert [p.name for p in pictures] == [
        "drawdown.png",
        "growth.png",
        "rolling.png",
        "seen.png",
        "starts.png",
        "years.png",
    ]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in pictures)
    stored = json.loads((place / "result.json").read_text())
    assert stored["metrics"]["cagr"] == result.metrics["cagr"]
    assert stored["benchmarks"]["market"]["information_ratio"] is None
    bars = pd.read_parquet(place / "bars.parquet").set_index("date").iloc[1:]
    assert bars["return"].tolist() == result.returns.tolist()
    assert bars["weight:small"].tolist() == result.weights["small"].tolist()
    assert bars["sleeve:market"].tolist() == result.benchmark_returns["market"].tolist()


def test_a_report_is_read_as_it_was_written(result: Run, tmp_path: Path) -> None:
    written = record_of(result)
    read = read_record(write_report(result, tmp_path / "report"))
    for name in ("dates", "returns", "sleeve_returns", "weights", "fills"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    for factor in ("SMB", "HML"):
        np.testing.assert_array_equal(read.factors[factor], written.factors[factor])
    assert (read.name, read.sleeves, read.cuts, read.recessions, read.n_years) == (
        written.name,
        written.sleeves,
        written.cuts,
        written.recessions,
        written.n_years,
    )


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("bars.parquet", None, "is not the folder of a report: it has no bars.parquet"),
        ("bars.parquet", b"not parquet", "cannot be read: .*; run it again"),
        ("result.json", b"{", "cannot be read: it is not JSON, or not of this kind; write it again"),
        ("result.json", b"{}", "cannot be read: it lacks 'strategy'; write it again"),
    ],
)
def test_a_report_that_is_not_whole_is_named(
    result: Run, tmp_path: Path, file: str, content: bytes | None, sentence: str
) -> None:
    place = write_report(result, tmp_path / "report")
    (place / file).unlink()
    (place / "SHA256SUMS").unlink()
    if content is not None:
        (place / file).write_bytes(content)
    with pytest.raises(UsageError, match=sentence):
        read_record(place)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("parameters", None, "'parameters' must be a table, not nothing"),
        ("market", 5, "'market' must be text, not a whole number"),
        ("data", [], "'data' must be a table, not a list"),
        ("data", {"last": "2018-11-30"}, "'data' lacks 'series'"),
        ("proxy", 1, "'proxy' must be text, not a whole number"),
        ("start", "30 September 1983", "'start' must be a day, such as 1990-01-31"),
        (
            "shaded",
            {"cuts": [["2001-01-03"]], "recessions": []},
            "'shaded.cuts\\[0\\]' must be a list of 2",
        ),
    ],
)
def test_a_report_changed_by_hand_is_named(
    result: Run, tmp_path: Path, name: str, value: object, sentence: str
) -> None:
    place = write_report(result, tmp_path / "report")
    content = json.loads((place / "result.json").read_text())
    (place / "result.json").write_text(json.dumps({**content, name: value}))
    (place / "SHA256SUMS").unlink()
    with pytest.raises(UsageError, match=f"result.json cannot be read: {sentence}; write it again"):
        read_record(place)


@pytest.mark.parametrize("file", ["bars.parquet", "result.json", "trades.parquet"])
def test_one_changed_bit_of_a_report_is_noticed(result: Run, tmp_path: Path, file: str) -> None:
    place = write_report(result, tmp_path / "report", also=["csv"])
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=place, check=False)  # noqa: S607
    assert done.returncode == 0
    content = bytearray((place / file).read_bytes())
    content[len(content) // 2] ^= 1
    (place / file).write_bytes(content)
    with pytest.raises(UsageError, match=f"{file} cannot be read: it is not what was written"):
        read_record(place)


def test_a_report_of_an_earlier_version_lacks_what_came_later(result: Run, tmp_path: Path) -> None:
    place = write_report(result, tmp_path / "report", tried=7)
    content = json.loads((place / "result.json").read_text())
    assert read_document(place / "result.json", RunDocument).tried == 7
    later = ("doubts", "made_by", "warm_up", "tried", "skill", "proxy", "decide", "delay_fill", "report")
    kept = {key: value for key, value in content.items() if key not in later}
    (place / "SHA256SUMS").unlink()
    (place / "result.json").write_text(json.dumps({**kept, "metrics": {"cagr": None}, "unheard of": 1}))
    early = read_record(place).document
    assert (early.tried, early.made_by, early.decide, early.metrics) == (
        1,
        None,
        "every-fill",
        {"cagr": None},
    )
    with pytest.raises(UsageError, match="does not say which script it ran"):
        repeat(place)


def test_default_places_are_below_the_current_folder_and_never_taken_twice(
    result: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {write_report(result) for _ in range(3)}
    assert len(places) == 3
    assert {p.parent.as_posix() for p in places} == {"reports/rate_cut"}


def test_what_is_there_already_is_not_touched(result: Run, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already; name a new folder with --out"):
        write_report(result, tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        write_report(result, tmp_path / "kept.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_an_empty_folder_is_used(result: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert len(list(write_report(result, tmp_path / "empty").iterdir())) == len(FILES)


def test_a_folder_that_cannot_be_made_is_named(result: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UsageError, match="file is not a folder; name another one with --out"):
        write_report(result, tmp_path / "file" / "report")


def test_a_disk_that_fills_up_leaves_nothing_half_written(result: Run, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(RotationError, match="the report cannot be written to .*: File too large; free"):
            write_report(result, tmp_path / "report")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
