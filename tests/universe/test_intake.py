"""Wrong input: each kind set aside or refused by its rule, with count and example, and nothing else lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backtest.errors import DataError, RotationError, UsageError
from backtest.universe.build import Rules, build
from backtest.universe.intake import SetAside, take_in
from backtest.universe.mapping import Issuer, LeaveOut, Mapping, load_mapping
from backtest.universe.schemes import load_scheme
from backtest.universe.workshop import Workshop
from tests.universe.made import companies, saved, taken


@pytest.fixture(scope="module")
def good() -> pd.DataFrame:
    return companies(12, 50, seed=3, gaps=0.0)


def _reasons(aside: list[SetAside]) -> dict[str, int]:
    return {each.reason: each.rows for each in aside}


def _whole(path: Path, mapping: Mapping | None = None) -> tuple[dict[str, int], int]:
    """Return what was set aside on the whole way, and how many rows were used in the end."""
    with Workshop("500MB") as shop:
        table = take_in(shop, path, mapping or Mapping(currency="USD"), "USD")
        portfolios = build(shop, table, load_scheme("us"), Rules("daily"))
        used = shop.value(f"SELECT count(*) FROM {portfolios.members}")
    return _reasons([*table.set_aside, *portfolios.set_aside]), used


def test_good_rows_are_all_used(tmp_path: Path, good: pd.DataFrame) -> None:
    assert _whole(saved(good, tmp_path)) == ({}, len(good))
    assert _whole(saved(good, tmp_path, "companies.csv")) == ({}, len(good))


def test_a_row_that_stands_twice_is_used_once(tmp_path: Path, good: pd.DataFrame) -> None:
    twice = pd.concat([good, good.iloc[100:103]])
    assert _whole(saved(twice, tmp_path)) == ({"the same row twice: one is kept": 3}, len(good))


def test_two_different_rows_for_one_company_and_date_are_both_left_out(
    tmp_path: Path, good: pd.DataFrame
) -> None:
    other = good.iloc[100:102].assign(shares=lambda t: t["shares"] * 1.5)
    reason = "two different rows for one company and date: none is kept"
    assert _whole(saved(pd.concat([good, other]), tmp_path)) == ({reason: 4}, len(good) - 2)


def test_zero_and_negative_numbers(tmp_path: Path, good: pd.DataFrame) -> None:
    wrong = good.copy()
    wrong.loc[10, "price"] = 0.0
    wrong.loc[11, "price"] = -3.0
    wrong.loc[12, "shares"] = -1.0
    wrong.loc[13, "price"] = float("inf")
    wrong.loc[14, "shares"] = float("nan")
    reasons, used = _whole(saved(wrong, tmp_path))
    assert reasons == {"price zero or below": 2, "shares zero or below": 1, "no price": 1, "no shares": 1}
    assert used == len(good) - 5


def test_a_capitalisation_a_thousand_times_its_neighbours_is_left_out(
    tmp_path: Path, good: pd.DataFrame
) -> None:
    wrong = good.copy()
    company = wrong.index[wrong["company"] == "C0003"]
    wrong.loc[company[10], "shares"] *= 1000.0
    wrong.loc[company[20], "shares"] /= 1000.0
    reasons, used = _whole(saved(wrong, tmp_path))
    assert reasons == {"a capitalisation that jumped and that the price does not explain": 2}
    assert used == len(good) - 2


def test_a_new_level_is_believed_at_its_third_row(tmp_path: Path, good: pd.DataFrame) -> None:
    wrong = good.copy()
    company = wrong.index[wrong["company"] == "C0003"]
    wrong.loc[company[20:], "shares"] *= 2000.0
    reasons, used = _whole(saved(wrong, tmp_path))
    assert reasons == {"a capitalisation that jumped and that the price does not explain": 2}
    assert used == len(good) - 2


def test_text_in_numbers_dates_that_are_none_and_ragged_lines(tmp_path: Path, good: pd.DataFrame) -> None:
    path = saved(good.drop(columns="total_return"), tmp_path, "companies.csv")
    lines = path.read_text().splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[2], "n/a")
    lines[6] = "31.12.2019" + lines[6][10:]
    lines[7] = lines[7].rsplit(",", 1)[0]  # a field too few
    lines[8] += ",9,9"  # two too many
    lines[9] = lines[9].replace(lines[9].split(",")[1], "")
    path.write_text("\n".join(lines) + "\n")
    found = taken(path)
    assert _reasons(found.set_aside) == {
        "a ragged line: too many or too few fields, broken quotes, or letters that are not UTF-8": 2,
        "text where a number belongs": 1,
        "no date, or one that cannot be read: written 2024-06-28 or 20240628 it can": 1,
        "no company": 1,
    }
    assert found.used == len(good) - 5
    assert found.rows == len(good)
    examples = {each.reason: each.examples for each in found.set_aside}
    assert "price: n/a" in examples["text where a number belongs"][0]
    ragged = examples[
        "a ragged line: too many or too few fields, broken quotes, or letters that are not UTF-8"
    ]
    assert [e.split(":")[0] for e in ragged] == ["companies.csv, line 8", "companies.csv, line 9"]


def test_a_ticker_called_na_is_a_company(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "date,company,price,shares\n2020-01-31,NA,5,100\n2020-01-31,null,5,100\n2020-02-28,NA,6,100\n"
    )
    found = taken(path)
    assert (found.rows, found.used, found.set_aside) == (3, 3, [])


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"company": "compny"}, "no column 'company'; did you mean 'compny'?"),
        ({"date": "Dat"}, "no column 'date'; did you mean 'Dat'?"),
        ({"shares": "share"}, "no column 'shares'; did you mean 'share'?"),
    ],
)
def test_a_missing_column_is_named_with_the_nearest(
    tmp_path: Path, good: pd.DataFrame, columns: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError) as refused:
        taken(saved(good.rename(columns=columns), tmp_path))
    assert sentence in str(refused.value)
    assert "--mapping" in str(refused.value)


def test_a_mapping_names_other_columns(tmp_path: Path, good: pd.DataFrame) -> None:
    theirs = good.rename(columns={"company": "Ticker", "price": "Close"})
    mapping = tmp_path / "mine.toml"
    mapping.write_text('currency = "USD"\n[columns]\ncompany = "Ticker"\nprice = "Close"\n')
    assert taken(saved(theirs, tmp_path), load_mapping(str(mapping))).used == len(good)
    with pytest.raises(UsageError, match="no column 'Close' for price"):
        taken(saved(good.rename(columns={"company": "Ticker"}), tmp_path), load_mapping(str(mapping)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[columns]\ncompnay = "x"', "line 2: there is no 'compnay' here; did you mean 'company'?"),
        ('capitalisation_of = "all"', "line 1: 'capitalisation_of' must be line or company, not 'all'"),
        (
            '[[leave_out]]\nreason = "x"\ncolumn = "name"\nmatches = "("',
            "line 4: '(' is not a regular expression",
        ),
        ('[[leave_out]]\nreason = "x"\nmatches = "y"', "line 1: 'leave_out' lacks column"),
        (
            "\n".join(
                f'[[leave_out]]\nreason = "x"\ncolumn = "{c}"\nmatches = "y"' for c in ("name", "nam", "name")
            ),
            "line 7: 'column' must be company or issuer or name",
        ),
        ("[columns]\ncompany = 5", "line 2: 'company' must be text, not a whole number; write it in quotes"),
        (
            "leave_out = [1]",
            "a list of tables, not a whole number; write [[leave_out]] above the entries of each",
        ),
        ('issuer = ""', "write [issuer] and its entries below it"),
        ('[issuer]\nstrip = "x"', "line 2: 'strip' must be a list, not text; put it in square brackets"),
        ('[issuer]\ncolumn = ["x"]', "line 2: 'column' must be text, not a list"),
        ("[fundamentals]\nbook = [1]", "line 2: 'book' must be a list of text, not a whole number"),
        ("currency = 1", "line 1: 'currency' must be text, not a whole number"),
        ("colums = 1", "line 1: there is no 'colums' here; did you mean 'columns'?"),
    ],
)
def test_a_mapping_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(DataError) as refused:
        load_mapping(str(path))
    assert sentence in str(refused.value)


def test_mixed_currencies_need_rates(tmp_path: Path, good: pd.DataFrame) -> None:
    mixed = good.drop(columns="total_return").assign(currency="USD")
    mixed.loc[mixed["company"] == "C0002", "currency"] = "THB"
    path = saved(mixed, tmp_path)
    with pytest.raises(UsageError, match=r"mixes currencies: USD \(.*THB \(.*--rates FILE"):
        taken(path)
    rates = tmp_path / "rates.csv"
    rates.write_text("date,currency,rate\n2019-12-02,THB,0.03\n2020-01-02,THB,0.04\n")
    with Workshop("500MB") as shop:
        table = take_in(shop, path, Mapping(), "USD", rates)
        caps = shop.frame(
            f"SELECT date, cap, price FROM {table.raw} WHERE company = 'C0002' AND reason IS NULL ORDER BY date"
        )
    own = mixed[mixed["company"] == "C0002"].set_index("date")
    before = own.index < "2019-12-02"
    assert _reasons(table.set_aside) == {"no exchange rate for its currency": int(before.sum())}
    rate = pd.Series(0.03, own.index).where(own.index < "2020-01-02", 0.04)[~before]
    expected = own["price"][~before] * rate
    assert caps["price"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    assert caps["cap"].tolist() == pytest.approx((expected * own["shares"][~before]).tolist(), rel=1e-12)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("date,currency,rate\n2019-12-02,THB,a lot\n", "rates.csv has 'a lot' for a rate; write it as 31.25"),
        ("date,currency,rate\nsoon,THB,0.03\n", "rates.csv has 'soon' for a date; write it as 2024-06-28"),
        ("date,curency,rate\n2019-12-02,THB,0.03\n", "no column 'currency'; did you mean 'curency'?"),
        ("", "rates.csv is empty"),
    ],
)
def test_rates_that_are_none_are_refused(
    tmp_path: Path, good: pd.DataFrame, content: str, sentence: str
) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text(content)
    with Workshop("500MB") as shop, pytest.raises(RotationError) as refused:
        take_in(shop, saved(good, tmp_path), Mapping(currency="THB"), "USD", rates)
    assert sentence in str(refused.value)


def test_letters_that_are_not_utf8_are_called_so(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    lines = [f"2020-0{m}-28,{name},5,7" for m in (1, 2) for name in ("A", "M\u00f6bel")]
    path.write_bytes("\n".join(["date,company,price,shares", *lines]).encode("latin-1"))
    (aside,) = taken(path).set_aside
    assert aside.rows == 2
    assert aside.reason.endswith("letters that are not UTF-8")


def test_rows_are_left_out_by_rule_and_counted(tmp_path: Path, good: pd.DataFrame) -> None:
    named = good.assign(name="Common Stock")
    named.loc[named["company"] == "C0004", "name"] = "Foo Preferred Stock"
    named.loc[named["company"] == "C0005", "name"] = "Foo Preferred Partners"
    rule = LeaveOut("preferred shares", "name", "(?i)preferred", "(?i)partners")
    found = taken(saved(named, tmp_path), Mapping(currency="USD", leave_out=(rule,)))
    count = int((good["company"] == "C0004").sum())
    assert _reasons(found.set_aside) == {"left out by rule: preferred shares": count}
    assert "C0004 Foo Preferred Stock" in found.set_aside[0].examples[0]
    assert found.used == len(good) - count


def test_one_line_stands_for_a_company_whose_lines_each_carry_all_of_it(
    tmp_path: Path, good: pd.DataFrame
) -> None:
    named = good.assign(name="Firm " + good["company"])
    named.loc[named["company"].isin(["C0000", "C0001"]), "name"] = "Alpha Inc. Class A Common Stock"
    named.loc[named["company"] == "C0001", "name"] = "Alpha Inc. Class C Capital Stock"
    strip = ("(?i)class [a-z]", "(?i)(common|capital) stock")
    mapping = Mapping(currency="USD", capitalisation_of="company", issuer=Issuer("name", strip))
    reasons, used = _whole(saved(named, tmp_path), mapping)
    dates = [set(named.loc[named["company"] == c, "date"]) for c in ("C0000", "C0001")]
    both = len(dates[0] & dates[1])
    assert reasons == {"a second line of its company": both}
    assert used == len(good) - both


def test_a_column_whose_name_is_no_text_is_said(tmp_path: Path, good: pd.DataFrame) -> None:
    path = saved(good, tmp_path, "x.parquet")
    path.write_bytes(path.read_bytes().replace(b"date", b"d\xe9te"))
    with pytest.raises(
        DataError, match=r"^x\.parquet cannot be read: a column has no name in UTF-8; get it again"
    ):
        taken(path)


def test_a_zip_and_a_folder_are_tables_too(tmp_path: Path, good: pd.DataFrame) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    saved(good.iloc[:200], folder, "a.parquet")
    saved(good.iloc[200:].drop(columns="total_return"), folder, "b.parquet")
    assert taken(folder).used == len(good)
    packed = tmp_path / "c.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(saved(good, tmp_path, "companies.csv"), "inside/companies.csv")
    assert taken(packed).used == len(good)
    (folder / "c.csv").write_text("date\n")
    with pytest.raises(UsageError, match="a table is of one kind"):
        taken(folder)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.csv", None, "there is no table"),
        ("x.doc", b"x", "is no table: name a CSV or Parquet file"),
        ("x.parquet", b"not parquet at all", "cannot be read"),
        ("x.zip", b"PK nothing", "cannot be unpacked"),
        ("x.csv.gz", b"no archive", "x.csv.gz cannot be unpacked"),
        ("x.csv", b"", "x.csv is empty; name a file with a header and rows"),
        ("x.csv", "date,company\n2020-01-31,A\n".encode("utf-16"), "x.csv is not UTF-8 text; save it as CSV"),
        ("x.csv", b"date,company,price,shares\n", "has no row that can be used: it is empty"),
        (
            "x.csv",
            b"date,company,price,shares\n2020-01-31,A,0,5\n",
            "no row that can be used: 1 row: price zero or below",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RotationError) as refused:
        taken(path)
    assert sentence in str(refused.value)


def test_names_with_quotes_are_names(tmp_path: Path, good: pd.DataFrame) -> None:
    folder = tmp_path / 'it\'s "here"'
    folder.mkdir()
    odd = good.rename(columns={"price": 'the "price"'})
    mapping = Mapping(columns={"price": 'the "price"'}, currency="USD")
    assert taken(saved(odd, folder, "o'brien.parquet"), mapping).used == len(good)


@pytest.mark.parametrize("zone", ["Asia/Bangkok", "+07:00", "-05:00", "UTC"])
def test_the_day_of_a_stamp_is_that_of_its_own_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    stamps = pa.array([pd.Timestamp("2020-12-31", tz=zone)], pa.timestamp("us", tz=zone))
    columns = {"date": stamps, "company": ["A"], "price": [1.0], "shares": [1.0]}
    pq.write_table(pa.table(columns), tmp_path / "c.parquet")
    try:
        for machine in ("UTC", "Asia/Bangkok", "America/New_York"):
            monkeypatch.setenv("TZ", machine)
            time.tzset()
            with Workshop("500MB") as shop:
                table = take_in(shop, tmp_path / "c.parquet", Mapping(currency="USD"), "USD")
                assert str(shop.value(f"SELECT date FROM {table.bars}")) == "2020-12-31"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_path_is_no_pattern(tmp_path: Path, good: pd.DataFrame, kind: str) -> None:
    folder = tmp_path / "a*b?"
    folder.mkdir()
    saved(good, folder, f"data1.{kind}")
    assert taken(saved(good.iloc[:7], folder, f"data[1].{kind}")).used == 7


def test_the_temporary_folder_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: pd.DataFrame
) -> None:
    folder = tmp_path / "it's [1]"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert _whole(saved(good, tmp_path)) == ({}, len(good))
    assert not list(folder.iterdir())


INTERRUPTED = """
import os, signal, sys, threading
from pathlib import Path
from backtest.universe.workshop import Workshop
endless = "SELECT sum(sin(a.range * b.range)) AS total FROM range(1000000) a, range(1000000) b"
with Workshop("500MB", Path(sys.argv[1])) as shop:
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    sql = " UNION ALL ".join([endless] * 8)
    list(shop.stream(sql, 1000)) if sys.argv[2] == "stream" else shop.value(sql)
"""


@pytest.mark.parametrize("how", ["value", "stream"])
def test_an_interrupted_query_is_an_interruption_on_every_thread(how: str, tmp_path: Path) -> None:
    # A process of its own, because nothing within it could end a query that goes on.
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path), how], check=False, capture_output=True, timeout=120
    )
    assert done.stderr.splitlines()[-1] == b"KeyboardInterrupt"
    assert not list(tmp_path.iterdir())


def test_an_error_that_an_interruption_was_turned_into_is_an_interruption(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Workshop("500MB", tmp_path):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("no compiled object yet") from None
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_memory_that_no_machine_has_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--memory 99999999999999999TB; give a size such as 2GB"):
        Workshop("99999999999999999TB", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_value_that_the_engine_has_and_cannot_hand_out_is_one_sentence() -> None:
    """A flipped bit of a Parquet file makes such a day."""
    far = "SELECT DATE '369478-04-27' AS day"
    with Workshop("500MB") as shop:
        with pytest.raises(DataError, match="the table cannot be read: Conversion Error"):
            shop.frame(far)
        assert shop.value("SELECT 1") == 1


def test_what_a_killed_session_left_is_swept_by_the_next_one_and_a_live_one_is_not(tmp_path: Path) -> None:
    dead = tmp_path / "rotation-universe-dead"
    (dead / "spill").mkdir(parents=True)
    (dead / "spill" / "rows").touch()
    other = tmp_path / "rotation-universe"
    other.mkdir()
    with Workshop(folder=tmp_path) as living:
        assert dead.exists(), "it may just have been begun"
        for place in (dead, other, living.folder):
            os.utime(place, (0, 0))
        with Workshop(folder=tmp_path) as shop:
            assert {place.name for place in tmp_path.iterdir()} == {
                other.name,
                living.folder.name,
                shop.folder.name,
            }
            assert living.value("SELECT 1") == 1
    assert list(tmp_path.iterdir()) == [other]
