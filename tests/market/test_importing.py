"""Importing: good files arrive to the last digit, broken ones never get in."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtest import load_series
from backtest.errors import DataError, RotationError, UsageError
from backtest.market.catalogue import entry
from backtest.market.fetch import fetch, to_fetch, verify
from backtest.market.importing import Description, from_fred, import_file
from backtest.market.release import PHRASES
from backtest.market.store import Store
from tests.market.made import fred_csv
from tests.market.server import serving

INDEX = Description("MY_INDEX", "total-return", "level")
GOOD = "date,close\n2020-01-31,100.5\n2020-02-28,99.25\n2020-03-31,101\n2020-04-30,104\n"


def _import(tmp_path: Path, text: str | bytes, described: Description = INDEX, name: str = "my.csv") -> str:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_file(path, described).status


def _refused(tmp_path: Path, text: str | bytes, described: Description = INDEX) -> str:
    with pytest.raises(RotationError) as caught:
        _import(tmp_path, text, described)
    assert Store().ids() == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_file_is_stored_with_what_was_said_of_it(tmp_path: Path) -> None:
    assert _import(tmp_path, GOOD) == "new"
    about = entry("MY_INDEX")
    assert (about.frequency, about.kind, about.unit) == ("monthly", "total-return", "level")
    assert about.known_at == "the last business day of the month"
    table = Store().read(Store().find("MY_INDEX"))
    assert table.values[:, 0].tolist() == [100.5, 99.25, 101.0, 104.0]


BROKEN = {
    "empty": ("", "is empty"),
    "blank": ("\n\n", "is empty"),
    "an HTML page": ("<html><body>no</body></html>", "HTML page"),
    "a header alone": ("date,close\n", "has no line of data"),
    "no header": ("2020-01-31,100\n2020-02-28,101\n", "is no header"),
    "a mangled header": ("date,2-Dec\n2020-01-31,1\n", "'2-Dec' was mangled by a spreadsheet"),
    "a mangled formula": ("date,#REF!\n2020-01-31,1\n", "mangled by a spreadsheet"),
    "an American date": (GOOD + "05/29/2020,100\n", "line 6 has '05/29/2020' for a date"),
    "a serial number": (GOOD + "43980,100\n", "line 6 has '43980' for a date"),
    "no such day": (GOOD + "2020-02-30,100\n", "'2020-02-30' for a date"),
    "a date twice": (
        GOOD + "\n2020-04-30,100\n",
        "2020-04-30 stands twice, on lines 5 and 7; keep one of the two lines",
    ),
    "out of order": (
        GOOD + "2020-04-15,100\n",
        "on line 6 2020-04-15 comes after 2020-04-30; sort the lines",
    ),
    "newest first": (
        "date,close\n2020-02-28,99.25\n2020-01-31,100.5\n",
        "on line 3 2020-01-31 comes after 2020-02-28; sort the lines by date, oldest first",
    ),
    "semicolons": (
        GOOD.replace(",", ";"),
        "line 1 has ';' between its columns; separate the columns by commas",
    ),
    "tabs": (GOOD.replace(",", "\t"), "line 1 has a tab between its columns; separate the columns by commas"),
    "semicolons below the header": (
        GOOD + "2020-05-29;100\n",
        "line 6 has 1 field, the header 2; separate the columns by commas",
    ),
    "a decimal comma": (
        GOOD + "2020-05-29,100,5\n",
        "line 6 has 3 fields, the header 2; write decimals with a point",
    ),
    "a decimal comma in quotes": (
        GOOD + '2020-05-29,"1.100,5"\n',
        "line 6 has '1.100,5' for a number; write decimals with a point, as in 1234.5",
    ),
    "in the future": (GOOD + "2199-05-29,100\n", "it has a value of 2199-05-29, a day that is to come"),
    "a thousands comma": (GOOD + '2020-05-29,"1,234.5"\n', "'1,234.5' for a number"),
    "a percent sign": (GOOD + "2020-05-29,5%\n", "'5%' for a number"),
    "infinity": (GOOD + "2020-05-29,inf\n", "'inf' for a number"),
    "a level of zero": (GOOD + "2020-05-29,0\n", "is no possible level"),
    "a negative level": (GOOD + "2020-05-29,-4\n", "is no possible level"),
    "a field too many": (GOOD + "2020-05-29,4,5\n", "line 6 has 3 fields"),
    "two columns": ("date,a,b\n2020-01-31,1,2\n", "choose one with --column"),
    "the same header twice": ("date,a,a\n2020-01-31,1,2\n", "stands twice"),
    "nothing but gaps": ("date,a\n2020-01-31,\n2020-02-28,.\n2020-03-31,-99.99\n", "has no value"),
    "no text": (b"\xff\xfe\x00d\x00a", "not UTF-8 text, as which it must be saved"),
    "a null": (b"date,a\n2020-01-31,1\x00\n", "not text"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    text, said = BROKEN[case]
    assert said in _refused(tmp_path, text)


@pytest.mark.parametrize(
    ("described", "said"),
    [
        (Description("AAA", "rate", "percent"), "the catalogue has a series 'AAA' already"),
        (Description("X", "total-returns", "level"), "did you mean 'total-return'?"),
        (Description("X", "price", "levels"), "did you mean 'level'?"),
        (Description("X", "price", "percent"), "not percent"),
        (Description("X", "rate", "level"), "a rate counts percent"),
        (Description("X", "price", "level", frequency="weekly"), "there is no frequency 'weekly'"),
        (Description("X", "price", "level", known_at="soon"), "no release rule 'soon'"),
        (
            Description("X", "price", "level", known_at="the 99th of the next month"),
            "no release rule 'the 99th",
        ),
        (
            Description("X", "price", "level", known_at="the 0th of the next month"),
            "no release rule 'the 0th",
        ),
        (Description("../X", "price", "level"), "cannot name a series"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(
    described: Description, said: str, tmp_path: Path
) -> None:
    assert said in _refused(tmp_path, GOOD, described)


def test_an_unknown_release_rule_is_a_wrong_call_and_the_rules_are_listed(tmp_path: Path) -> None:
    said = _refused(tmp_path, GOOD, Description("X", "price", "level", known_at="whenever"))
    for phrase in PHRASES:
        assert phrase in said
    with pytest.raises(UsageError):
        _import(tmp_path, GOOD, Description("X", "price", "level", known_at="whenever"))


@pytest.mark.parametrize(("kind", "unit"), [("rate", "percent"), ("other", "level"), ("other", "index")])
def test_what_is_published_later_is_refused_until_its_rule_is_said(
    kind: str, unit: str, tmp_path: Path
) -> None:
    # A figure of each month, such as Sahm's: weeks pass from the month's end to its publication.
    sahm = Description("SAHM", kind, unit)
    said = _refused(tmp_path, GOOD, sahm)
    assert "only prices and returns are known on the day that they are about" in said
    assert "--known-at RULE" in said
    for phrase in PHRASES:
        assert phrase in said
    with pytest.raises(UsageError):
        _import(tmp_path, GOOD, sahm)
    rule = "the third Friday after the week of the 12th"
    assert _import(tmp_path, GOOD, dataclasses.replace(sahm, known_at=rule)) == "new"
    assert entry("SAHM").known_at == rule


@pytest.mark.parametrize(
    ("unit", "days", "rule"),
    [
        ("level", ("2020-01-31", "2020-02-28", "2020-03-31"), "the last business day of the month"),
        ("level", ("2020-01-30", "2020-01-31", "2020-02-03"), "the day itself"),
        ("level", ("2020-01-15", "2020-02-20", "2020-06-03"), "the day itself"),
        ("percent a day", ("2020-01-30", "2020-01-31", "2020-02-03"), "the day itself"),
        # Stamped in the middle of its month a month's return is over at its end all the same.
        ("percent a month", ("2020-01-15", "2020-02-15", "2020-03-15"), "the last business day of the month"),
        ("decimal", ("2020-01-01", "2020-02-01", "2020-03-01"), "the last business day of the month"),
    ],
)
def test_prices_and_returns_are_known_at_the_close_that_they_end_at(
    unit: str, days: tuple[str, ...], rule: str, tmp_path: Path
) -> None:
    text = "date,x\n" + "".join(f"{day},1\n" for day in days)
    assert _import(tmp_path, text, Description("X", "total-return", unit)) == "new"
    assert entry("X").known_at == rule


def test_returns_over_who_knows_what_time_are_refused(tmp_path: Path) -> None:
    text = "date,x\n2020-01-15,0.1\n2020-02-15,0.1\n2020-03-15,0.1\n"
    returns = Description("X", "total-return", "decimal")
    assert "nothing says when the returns of X end; say it with --frequency" in _refused(
        tmp_path, text, returns
    )
    assert _import(tmp_path, text, dataclasses.replace(returns, frequency="monthly")) == "new"
    assert entry("X").known_at == "the last business day of the month"


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_rule_that_is_listed_can_be_used(phrase: str, tmp_path: Path) -> None:
    rule = phrase.partition(" (")[0].replace("2024-01-31", "2020-05-01")
    assert _import(tmp_path, GOOD, Description("X", "price", "level", known_at=rule)) == "new"


def test_rows_of_parquet_out_of_order_are_refused_by_their_number(tmp_path: Path) -> None:
    dates = pd.to_datetime(["2020-01-31", "2020-02-28", "2020-02-28"])
    pd.DataFrame({"date": dates, "close": [1.0, 2.0, 2.5]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(RotationError, match="2020-02-28 stands twice, on rows 2 and 3; keep one"):
        import_file(tmp_path / "a.parquet", INDEX)


@pytest.mark.parametrize("end", ["", " ", "\t"])
def test_a_last_line_without_an_end_is_said_and_written_down(end: str, tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text(GOOD.rstrip("\n") + end)
    outcome = import_file(path, INDEX)
    note = "the last line of my.csv has no end, so the file may be cut in its last number: 2020-04-30,104"
    assert outcome.said == note
    assert Store().find("MY_INDEX").notes == [note]


def test_a_level_that_jumps_more_than_tenfold_is_said_and_written_down(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("date,value\n2020-01-31,100\n2020-02-28,101500\n2020-03-31,102\n2020-04-30,103\n")
    note = "from 2020-01-31 to 2020-02-28 it goes from 100 to 101500; see whether a point or a digit is lost"
    assert import_file(path, INDEX).said == note
    assert Store().find("MY_INDEX").notes == [note]
    assert import_file(path, replace(INDEX, kind="other", known_at="the day itself")).said == ""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_a_last_line_with_an_end_is_not_spoken_of(end: str, tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_bytes(GOOD.strip("\n").encode() + end.encode())
    assert import_file(path, INDEX).said == ""
    assert Store().find("MY_INDEX").notes == []


def test_missing_months_are_named(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    rows = [f"2020-{month:02d}-28,1" for month in (1, 2, 5, 6, 8, 9, 10, 11)]
    path.write_text("date,x\n" + "\n".join(rows) + "\n2020-12-28,.\n2021-01-28,2\n")
    outcome = import_file(path, INDEX)
    assert outcome.said == "no value for 2020-03 to 2020-04, 2020-07, 2020-12"


def test_a_damaged_record_stands_in_the_way_of_its_own_series_only(tmp_path: Path) -> None:
    for id in ("FIRST", "SECOND"):
        _import(tmp_path, GOOD, dataclasses.replace(INDEX, id=id))
    (record,) = (Store().folder / "FIRST").glob("*.json")
    record.write_text("{")
    assert entry("SECOND").kind == "total-return"
    assert [(each.id, bool(each.wrong)) for each in verify()] == [("FIRST", True), ("SECOND", False)]


def test_a_few_long_silences_are_named_and_the_others_counted(tmp_path: Path) -> None:
    days = [f"20{year}-{month:02}-28,1" for year in (18, 19, 20) for month in range(1, 13)]
    (tmp_path / "rare.csv").write_text("\n".join(["date,x", *days, ""]))
    outcome = import_file(tmp_path / "rare.csv", Description("RARE", "price", "level", frequency="daily"))
    said = outcome.said.split("; ")
    assert said[0] == "no value between 2018-01-28 and 2018-02-28"
    assert said[5:] == ["nor in 30 other stretches of more than 10 days"]


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    dates = pd.date_range("2020-01-31", periods=24, freq="ME")
    frame = pd.DataFrame({"date": dates, "close": np.arange(24) + 100.0})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.set_index("date").to_parquet(tmp_path / "b.parquet")
    frame.to_csv(tmp_path / "c.csv", index=False)
    for name in ("a.parquet", "b.parquet", "c.csv"):
        import_file(tmp_path / name, Description(f"MY_{name[0]}", "total-return", "level"))
    values = [Store().find(f"MY_{letter}").vintage for letter in "abc"]
    tables = [Store().read(Store().find(f"MY_{letter}")).values for letter in "abc"]
    np.testing.assert_array_equal(tables[0], tables[1])
    np.testing.assert_array_equal(tables[0], tables[2])
    assert len(values) == 3
    (tmp_path / "d.parquet").write_bytes(b"PAR1 and then nonsense")
    with pytest.raises(RotationError, match="is not a Parquet file"):
        import_file(tmp_path / "d.parquet", Description("MY_d", "total-return", "level"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    row=st.integers(0, 3),
    start=st.integers(0, 14),
    junk=st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6),
)
def test_junk_in_a_file_is_refused_or_changes_nothing_but_its_own_value(
    row: int, start: int, junk: str, tmp_path: Path
) -> None:
    """Whatever text lands in a line: a sentence, or numbers of which all other lines' are as they were."""
    lines = GOOD.splitlines()
    line = lines[row + 1]
    lines[row + 1] = line[:start] + junk + line[start:]
    path = tmp_path / "my.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    try:
        import_file(path, Description("JUNK", "total-return", "level", frequency="irregular"))
    except RotationError as error:
        assert "\n" not in str(error).replace(junk, "")  # noqa: PT017 - either outcome is right
        return
    table = Store().read(Store().find("JUNK"))
    kept = dict(zip(table.dates.astype(str), table.values[:, 0], strict=True))
    for other in GOOD.splitlines()[1:]:
        date, _, value = other.partition(",")
        if other != line:
            assert kept[date] == float(value)
    assert len(kept) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(content=st.binary(max_size=300))
def test_bytes_of_any_kind_never_end_in_a_traceback(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    with pytest.raises(RotationError):
        import_file(path, Description("ANY", "total-return", "level"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(levels=st.lists(st.floats(0.001, 1e9), min_size=3, max_size=40))
def test_any_levels_survive_the_way_through_csv_and_store(levels: list[float], tmp_path: Path) -> None:
    dates = np.arange(np.datetime64("1990-01"), np.datetime64("1990-01") + len(levels)).astype(
        "datetime64[D]"
    )
    path = tmp_path / "levels.csv"
    path.write_text("date,x\n" + "".join(f"{d},{v!r}\n" for d, v in zip(dates, levels, strict=True)))
    identity = f"L{abs(hash(tuple(levels)))}"
    import_file(path, Description(identity, "total-return", "level"))
    assert Store().read(Store().find(identity)).values[:, 0].tolist() == levels


@pytest.mark.parametrize("zone", ["Asia/Bangkok", "America/New_York", "UTC", None])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_time_zone_does_not_move_a_date(tmp_path: Path, zone: str | None, as_text: bool) -> None:
    stamps = pd.date_range("2020-09-30", "2020-12-31", freq="ME", tz=zone)
    dates = [stamp.isoformat() for stamp in stamps] if as_text and zone != "America/New_York" else stamps
    path = tmp_path / "zoned.parquet"
    pd.DataFrame({"date": dates, "close": [100.0, 101.0, 102.0, 103.0]}).to_parquet(path)
    import_file(path, INDEX)
    stored = Store().read(Store().find("MY_INDEX")).dates
    assert [str(day) for day in stored] == ["2020-09-30", "2020-10-31", "2020-11-30", "2020-12-31"]


DAYS = np.arange(np.datetime64("2010-01-04"), np.datetime64("2011-01-04"), 7)


def test_any_series_of_fred_comes_by_its_name_and_is_known_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.linspace(2000.0, 2500.0, len(DAYS))
    with serving(lambda _: fred_csv("WALCL", DAYS, values)) as library:
        monkeypatch.setenv("ROTATION_FRED_URL", f"{library.address}/fred")
        with pytest.raises(
            UsageError, match="nothing to fetch of the name 'WALCL'.*any other series of FRED"
        ):
            to_fetch(["WALCL"])
        said = Description(
            "WALCL", "other", "level", known_at="the next business day", title="The Fed's assets"
        )
        outcome = from_fred(said)
        assert (outcome.status, outcome.last) == ("new", str(DAYS[-1]))
        about = entry("WALCL")
        assert (about.source, about.frequency, about.title) == ("fred", "irregular", "The Fed's assets")
        series = load_series("WALCL")
        assert series.values.tolist() == pytest.approx(values.tolist(), abs=1e-4)
        assert (series.known_at > series.dates).all()
        # From then on it is fetched as any other, and keeps what was said of it.
        assert [each.id for each in to_fetch(["WALCL"])] == ["WALCL"]
        (again,) = fetch(to_fetch(["WALCL"]), force=True)
        assert (again.status, entry("WALCL")) == ("same", about)


def test_of_a_series_of_fred_its_unit_and_its_rule_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, sentence in (
        (Description("WALCL", "other"), "say what WALCL is with --unit, one of"),
        (Description("WALCL", "other", "level"), "when a value of WALCL became known with --known-at"),
        (
            Description("UNRATE", "other", "percent", known_at="the day itself"),
            "has a series 'UNRATE' already",
        ),
    ):
        with pytest.raises(UsageError, match=sentence):
            from_fred(said)
    with serving(lambda _: b"<html>no such series</html>") as library:
        monkeypatch.setenv("ROTATION_FRED_URL", f"{library.address}/fred")
        with pytest.raises(DataError, match="NOPE"):
            from_fred(Description("NOPE", "other", "level", known_at="the next business day"))
    assert Store().ids() == []
