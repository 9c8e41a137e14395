"""First prints: each figure as its first vintage has it, known when that was, beside readers that share no code."""

from __future__ import annotations

import csv
import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pytest

from backtest import load_market
from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.fetch import fetch, to_fetch
from backtest.market.importing import Description, import_file
from backtest.market.load import load_series
from backtest.market.sources.philadelphia import first_prints
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from backtest.market.entry import SourceTable

SHARED = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
VINTAGES = SHARED / "world" / "vintages"
original = pytest.mark.skipif(not VINTAGES.is_dir(), reason=f"the original files are not here: {VINTAGES}")

NA = "#N/A"
ROWS: list[list[Any]] = [
    ["DATE", "IPT98M12", "IPT99M1", "IPT99M2", "IPT99M3", "IPT99M4", "IPT99M5"],
    ["1998:09", NA, NA, NA, 48.0, 48.0, 48.0],  # history that a later vintage added
    ["1998:10", 100.0, 100.0, 101.0, 50.0, 50.0, 50.0],
    ["1998:11", 102.0, 103.0, 103.0, 51.0, 51.0, 51.0],
    ["1998:12", NA, 104.0, 105.0, 52.0, 52.0, 52.0],
    ["1999:01", NA, NA, 105.0, 54.0, 54.0, 54.0],
    ["1999:02", NA, NA, NA, NA, 55.0, 55.0],  # late: it came with the next one
    ["1999:03", NA, NA, NA, NA, 56.0, 57.0],
    ["1999:04", NA, NA, NA, NA, NA, NA],  # never published
]


def _book(rows: list[list[Any]]) -> bytes:
    book, content = openpyxl.Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def _read(rows: list[list[Any]], id: str = "FIRST_INDPRO") -> SourceTable:
    return first_prints(entry(id), _book(rows), "book.xlsx")


def _known(table: SourceTable) -> dict[str, str]:
    assert table.announced is not None
    return {str(day)[:7]: str(known) for day, known in zip(table.dates, table.announced, strict=True)}


def test_each_month_is_to_the_one_before_as_in_the_vintage_that_first_holds_it() -> None:
    table = _read(ROWS)
    december = 102.0 * 104 / 103
    january = december * 105 / 105
    february = january * 55 / 54
    expected = [100.0, 102.0, december, january, february, february * 56 / 55]
    assert table.values[:, 0] == pytest.approx(expected, rel=1e-15)
    assert [str(day) for day in table.dates] == [f"{m}-01" for m in ("1998-10", "1998-11", "1998-12", "1999-01", "1999-02", "1999-03")]  # fmt: skip


def test_the_day_is_that_of_the_rule_in_the_month_of_the_vintage_else_its_last() -> None:
    assert _known(_read(ROWS)) == {
        "1998-10": "1998-11-17",
        "1998-11": "1998-12-17",
        "1998-12": "1999-01-17",
        "1999-01": "1999-02-17",
        "1999-02": "1999-04-30",  # by the rule 1999-03-17, but no vintage of March has it
        "1999-03": "1999-04-30",  # by the rule 1999-04-17, but not before its predecessor
    }


def test_what_comes_later_changes_nothing_of_what_was_known() -> None:
    rng = np.random.default_rng(3)
    n = 40
    head = ["DATE", *(f"IPT{(98 + (i // 12)) % 100:02d}M{i % 12 + 1}" for i in range(n))]
    rows: list[list[Any]] = [head]
    for month in range(n + 2):
        known_from = max(month - 2, 0)  # a month comes in the vintage of the next one
        values = (100.0 + rng.standard_normal(n - known_from) if known_from < n else np.array([])).tolist()
        rows.append(
            [f"{1997 + (month + 9) // 12}:{(month + 9) % 12 + 1:02d}", *[NA] * min(known_from, n), *values]
        )
    whole = _read(rows)
    for cut in (5, 17, 30):
        part = _read([row[: cut + 1] for row in rows])
        there = len(part.dates)
        assert 3 < there < len(whole.dates)
        np.testing.assert_array_equal(part.values, whole.values[:there])
        np.testing.assert_array_equal(part.announced, whole.announced[:there])  # type: ignore[index]


def test_a_vintage_of_a_quarter_is_known_in_the_middle_of_its_second_month() -> None:
    rows = [
        ["DATE", "RUC65Q4", "RUC66Q1", "RUC66Q2"],
        ["1965:10", NA, 4.3, 4.2],
        ["1965:11", NA, 4.2, 4.1],
        ["1965:12", NA, 4.1, 4.1],
        ["1966:01", NA, 4.0, 4.0],
        ["1966:02", NA, NA, 3.7],
        ["1966:03", NA, NA, 3.8],
        ["1966:04", NA, NA, 3.7],
    ]
    table = _read(rows, "FIRST_UNRATE")
    assert table.values[:, 0].tolist() == [4.3, 4.2, 4.1, 4.0, 3.7, 3.8, 3.7]  # not chained: no base moves
    known = _known(table)
    assert list(known.values())[-3:] == ["1966-05-15"] * 3
    assert max(known[f"1965-{month}"] for month in (10, 11, 12)) <= known["1966-01"] <= "1966-02-15"


def _with(row: int, column: int, cell: Any) -> list[list[Any]]:
    return [[cell if (i, j) == (row, column) else c for j, c in enumerate(r)] for i, r in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["DATE", "EMPLOY98M12"], ["1998:10", 5.0]], "its first row must be DATE and vintages such as IPT08M9, and has EMPLOY98M12; FIRST_INDPRO is in iptMvMd.xlsx"),
        ([["Month", "IPT98M12"], ["1998:10", 5.0]], "its first row must be DATE"),
        ([["DATE"], ["1998:10"]], "its first row must be DATE and vintages such as IPT08M9, and has nothing"),
        (_with(0, 2, "IPT99M13"), "and has IPT99M13"),
        (_with(0, 2, "IPT98M11"), "its vintages or its months are out of order, or one is missing"),
        (_with(3, 0, "1998:10"), "its vintages or its months are out of order, or one is missing"),
        (_with(3, 0, "1998-11"), "row 4 has '1998-11' for a month; the Philadelphia Fed writes 1947:01"),
        (_with(3, 3, "n.a."), "row 4 has 'n.a.' for a number"),
        (_with(3, 3, True), "row 4 has 'True' for a number"),
        ([["DATE", "IPT98M12"], ["1998:10", NA]], "it has no value"),
    ],
)  # fmt: skip
def test_what_is_not_that_workbook_is_refused(rows: list[list[Any]], said: str) -> None:
    with pytest.raises(DataError) as error:
        _read(rows)
    assert str(error.value).startswith("book.xlsx was refused: ")
    assert said in str(error.value)


def test_what_is_no_workbook_at_all_is_refused() -> None:
    with pytest.raises(DataError, match=r"book\.xlsx was refused: it is not a workbook in Excel's format"):
        first_prints(entry("FIRST_CPI"), b"DATE,PCPI98M11\n", "book.xlsx")


def test_it_is_brought_and_nothing_asks_a_server_for_it(tmp_path: Path) -> None:
    assert not [each.id for each in to_fetch([]) if each.id.startswith("FIRST_")]
    (outcome,) = fetch([entry("FIRST_CPI")])
    assert outcome.status == "failed"
    assert "get pcpiMvMd.xlsx from the bank's pages and bring it: rotation data import pcpiMvMd.xlsx --id FIRST_CPI" in outcome.said  # fmt: skip
    with pytest.raises(DataError, match=r"get them with: rotation data fetch, and rotation data import rucQvMd\.xlsx --id FIRST_UNRATE, and rotation data import iptMvMd\.xlsx --id FIRST_INDPRO$"):  # fmt: skip
        load_market("french_first_prints")
    (path := tmp_path / "iptMvMd.xlsx").write_bytes(_book(ROWS))
    assert import_file(path, Description("FIRST_INDPRO")).status == "new"
    (again,) = fetch([entry("FIRST_INDPRO")])
    assert (again.status, again.said) == (
        "fresh",
        "it is brought, a newer file with: rotation data import iptMvMd.xlsx --id FIRST_INDPRO",
    )


@original
@pytest.mark.parametrize(
    ("id", "name", "months"),
    [
        ("FIRST_PAYEMS", "payrolls", 733),
        ("FIRST_INDPRO", "industrial production", 758),
        ("FIRST_CPI", "consumer prices", 325),
        ("FIRST_UNRATE", "unemployment rate", 718),
    ],
)
def test_first_prints_are_those_that_others_drew_from_the_file(id: str, name: str, months: int) -> None:
    import_file(VINTAGES / entry(id).download, Description(id))
    series = load_series(id)
    at = {str(day)[:7]: i for i, day in enumerate(series.dates)}
    with (VINTAGES / "first_prints.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["series"] == name]
    assert len(rows) == months
    for row in rows:
        i, value = at[row["month"]], float(row["value"])
        known, vintage = str(series.known_at[i]), row["vintage"]
        if id == "FIRST_UNRATE":
            assert series.values[i] == value, row
            year, quarter = vintage.split("Q")
            assert known == f"{year}-{3 * int(quarter) - 1:02d}-15", row
            continue
        assert known[:7] == vintage, row
        if row["previous"]:
            assert series.values[i] / series.values[i - 1] == pytest.approx(value / float(row["previous"])), (
                row
            )


@original
@pytest.mark.parametrize(
    ("id", "told"),
    [
        ("FIRST_PAYEMS", [("EMPLOY08M9", "2008:08", "2008:07", -84.0), ("EMPLOY20M5", "2020:04", "2020:03", -20500.0)]),
        ("FIRST_INDPRO", [("IPT08M10", "2008:09", "2008:08", -2.8)]),
    ],
)  # fmt: skip
def test_the_releases_of_the_day_are_in_it(id: str, told: list[tuple[str, str, str, float]]) -> None:
    """What was said on the day, by hand from the cells of the workbook: thousands of jobs, or per cent."""
    path = VINTAGES / entry(id).download
    import_file(path, Description(id))
    series = load_series(id)
    at = {str(day)[:7].replace("-", ":"): i for i, day in enumerate(series.dates)}
    head, *rows = (
        openpyxl.load_workbook(BytesIO(path.read_bytes()), read_only=True)
        .worksheets[0]
        .iter_rows(values_only=True)
    )
    cells = {str(row[0]): row for row in rows}
    for vintage, month, earlier, said in told:
        column = head.index(vintage)
        now, before = float(cells[month][column]), float(cells[earlier][column])
        change = now - before if id == "FIRST_PAYEMS" else 100.0 * (now / before - 1.0)
        assert change == pytest.approx(said, rel=0.01)
        ours = series.values[at[month]] / series.values[at[earlier]]
        assert ours == pytest.approx(now / before, rel=1e-12)
