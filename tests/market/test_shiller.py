"""Shiller's table: what is taken of it, and what is refused; beside a reader of the bytes without a library."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.fetch import fetch, to_fetch
from backtest.market.importing import Description, import_file
from backtest.market.load import load_series
from backtest.market.sources import shiller
from tests.conftest import REPOSITORY
from tests.market.shiller import consumer_prices

SHARED = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
BOOK = SHARED / "world" / "shiller" / "ie_data.xls"
HEAD = [["Stock Market Data", "", ""], ["Date", "P", "CPI"]]

reads = pytest.mark.skipif(importlib.util.find_spec("xlrd") is None, reason="xlrd is not installed")


def _table(*rows: list[object], head: list[list[str]] = HEAD) -> dict[str, float]:
    with mock.patch.object(shiller, "_rows", return_value=[*head, *rows]):
        found = shiller.table(entry("SHILLER_CPI"), b"", "ie_data.xls")
    return {str(day): value for day, value in zip(found.dates, found.values[:, 0].tolist(), strict=True)}


def test_a_date_with_one_digit_is_october() -> None:
    rows = [[1929.01, 24.9, 17.1], [1929.09, 30.2, 17.3], [1929.1, 28.0, 17.4], [1929.11, 20.6, 17.5]]
    assert _table(*rows) == {
        "1929-01-01": 17.1,
        "1929-09-01": 17.3,
        "1929-10-01": 17.4,
        "1929-11-01": 17.5,
    }


def test_what_is_no_figure_of_the_bureau_is_left_out() -> None:
    rows = [
        [1912.12, 9.4, 10.1],  # another's
        [1913.01, 9.3, 9.8],
        [2025.09, 6584.0, 324.8],
        [2025.1, 6735.7, 325.212],  # an estimate, which has as many decimals as a figure
        [2026.05, 7412.6, 335.123],
        [2026.06, 7450.0, 336.1745],  # an estimate
        ["", "June CPI estimated", ""],
        [2026.07, 7503.9, ""],
    ]
    assert _table(*rows) == {"1913-01-01": 9.8, "2025-09-01": 324.8, "2026-05-01": 335.123}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([[1929.13, 1.0, 17.3]], "row 3 has '1929.13' for a month; Shiller writes 1929.09"),
        ([[1929.0, 1.0, 17.3]], "row 3 has '1929.0' for a month"),
        ([[3.5, 1.0, 17.3]], "row 3 has '3.5' for a month"),
        ([[1929.01, 1.0, 17.3], [1929.02, 1.0, "n/a"]], "row 4 has 'n/a' for a number"),
        ([[1929.02, 1.0, 17.3], [1929.01, 1.0, 17.3]], "a month stands there twice, or out of order"),
        ([[1900.01, 1.0, 17.3]], "it has no CPI from 1913-01 on"),
        ([], "it has no CPI from 1913-01 on"),
    ],
)
def test_what_cannot_be_right_is_refused(rows: list[list[object]], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        _table(*rows)


@pytest.mark.parametrize(
    "head", [[["Date", "P", "HICP"]], [["Month", "P", "CPI"]], [["Date", "CPI", "CPI"]], []]
)
def test_another_sheet_is_refused(head: list[list[str]]) -> None:
    with pytest.raises(DataError, match="its sheet 'Data' has no column CPI in a row that begins with Date"):
        _table([1929.01, 1.0, 17.3], head=head)


@pytest.mark.usefixtures("store_folder")
def test_it_has_to_be_brought() -> None:
    (outcome,) = fetch(to_fetch(["SHILLER_CPI"]))
    assert outcome.status == "failed"
    told = (
        "rotation data import ie_data.xls --id SHILLER_CPI"
        if reads.args[0] is False
        else "size-rotation[shiller]"
    )
    assert told in outcome.said


@reads
@pytest.mark.usefixtures("store_folder")
@pytest.mark.skipif(not BOOK.is_file(), reason=f"the original file is not here: {BOOK}")
def test_the_original_workbook_is_that_of_a_reader_without_library() -> None:
    assert import_file(BOOK, Description("SHILLER_CPI")).status == "new"
    series = load_series("SHILLER_CPI")
    expected = {
        month: value
        for month, value in consumer_prices(BOOK).items()
        if month >= "1913" and month not in ("2025-10", "2026-06", "2026-07")
    }
    assert [str(day)[:7] for day in series.dates] == list(expected)
    assert series.values == pytest.approx(list(expected.values()), abs=1e-12)
    assert series.known_at[-1] == np.datetime64("2026-06-17")


@reads
@pytest.mark.usefixtures("store_folder")
@pytest.mark.parametrize(
    "content", [b"", b"no workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"PK\x03\x04"]
)
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "ie_data.xls").write_bytes(content)
    with pytest.raises(DataError, match="ie_data.xls was refused: it is not Shiller's workbook"):
        import_file(tmp_path / "ie_data.xls", Description("SHILLER_CPI"))


@reads
@pytest.mark.usefixtures("store_folder")
@pytest.mark.skipif(not BOOK.is_file(), reason=f"the original file is not here: {BOOK}")
def test_a_damaged_workbook_is_refused_or_read(tmp_path: Path) -> None:
    """Whatever is broken in it, the answer is a sentence or a table."""
    content, random = bytearray(BOOK.read_bytes()), np.random.default_rng(3)
    for length in (512, 5000, 480_000, 1_000_000):
        for at in random.integers(0, length, 40):
            content[at] = random.integers(0, 256)
        (tmp_path / "ie_data.xls").write_bytes(bytes(content[:length] if length < 10**6 else content))
        said = "SHILLER_CPI"
        try:
            import_file(tmp_path / "ie_data.xls", Description("SHILLER_CPI"))
        except DataError as error:
            said = str(error)
        assert "SHILLER_CPI" in said or "ie_data.xls was refused" in said
