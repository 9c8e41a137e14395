"""Series in Parquet files beside a market file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from backtest import load_market
from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.reading import read
from backtest.market.sources.file import beside, describe, write_local

ABOUT = {
    "title": "two",
    "unit": "percent a month",
    "frequency": "monthly",
    "known_at": "the last business day of the month",
    "kind": "total-return",
}
MARKET = """title = "mine"
frequency = "monthly"
benchmark = "market"
[sleeves]
small = "two.parquet[a]"
market = { "two.parquet[a]" = 0.5, "two.parquet[b]" = 0.5 }
cash = "rate.parquet"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dates = to_days(["2020-01-31", "2020-02-28", "2020-03-31"])
    write_local(
        tmp_path / "two.parquet", dates, {"a": np.array([1.0, 2, 3]), "b": np.array([3.0, 2, 1])}, ABOUT
    )
    rate = {
        **ABOUT,
        "unit": "percent",
        "kind": "rate",
        "frequency": "irregular",
        "known_at": "the day itself",
    }
    write_local(tmp_path / "rate.parquet", dates[:1], {"rate": np.array([3.652425])}, rate)
    (tmp_path / "market.toml").write_text(MARKET)
    return tmp_path


def test_a_market_reads_the_files_beside_it(folder: Path) -> None:
    market = load_market(str(folder))
    np.testing.assert_allclose(market.bars.column("small"), [0.01, 0.02, 0.03])
    np.testing.assert_allclose(market.bars.column("market"), [0.02, 0.02, 0.02])
    # 0.01% a day from the last business day of January to that of February.
    np.testing.assert_allclose(market.bars.column("cash")[1], 28 * 1e-4)
    assert f"{folder.name}/two.parquet" in market.sources
    assert len(market.sources[f"{folder.name}/two.parquet"].sha256) == 64


def test_a_wrong_column_is_answered_with_the_first(folder: Path) -> None:
    (folder / "market.toml").write_text(MARKET.replace("[a]", "[c]"))
    with pytest.raises(DataError, match="line 5: .*has no column 'c'|has several columns|has no column"):
        load_market(str(folder))


def test_only_plain_file_names_are_local(tmp_path: Path) -> None:
    found = beside({"x.parquet[a]": 1.0, "BAA": ["y.parquet", "z/y.parquet", "../y.parquet"]}, tmp_path)
    assert found == {
        f"{tmp_path}/x.parquet[a]": 1.0,
        "BAA": [f"{tmp_path}/y.parquet", "z/y.parquet", "../y.parquet"],
    }


def test_a_file_describes_itself(folder: Path) -> None:
    about = entry(f"{folder}/two.parquet")
    assert (about.columns, about.kind, about.frequency) == (("a", "b"), "total-return", "monthly")
    assert entry(f"{folder}/rate.parquet").columns == ()


@pytest.mark.parametrize("said", [b"{not json", b"[1]", b'{"title": 5}', b"\xff", b'"text"'])
def test_a_file_whose_own_words_are_damaged_is_refused(folder: Path, said: bytes) -> None:
    path = next(folder.glob("*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({b"size-rotation": said}), path)
    with pytest.raises(DataError, match="says of itself is damaged; make it anew"):
        describe(path)


def test_a_column_whose_name_is_no_text_is_refused(folder: Path) -> None:
    path = folder / "rate.parquet"
    path.write_bytes(path.read_bytes().replace(b"rate", b"r\xe9te"))
    with pytest.raises(DataError, match=r"rate\.parquet is not a Parquet file"):
        describe(path)


def test_a_file_whose_values_are_damaged_is_refused(folder: Path) -> None:
    path = next(folder.glob("*.parquet"))
    about, content = entry(str(path)), bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        read(about)
