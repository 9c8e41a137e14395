"""The store: whole or not at all, every vintage kept, damage noticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backtest.errors import DataError, RotationError
from backtest.market.catalogue import entry
from backtest.market.entry import SourceTable
from backtest.market.fetch import compare, fetch, keep, verify
from backtest.market.store import Store
from tests.market.made import FILES
from tests.market.server import Library, answer

MONTHS = np.arange(np.datetime64("2000-01"), np.datetime64("2010-01")).astype("datetime64[D]")


def _table(values: np.ndarray | float, dates: np.ndarray = MONTHS) -> SourceTable:
    column = np.broadcast_to(np.asarray(values, dtype=float), len(dates)).copy()
    return SourceTable(dates, ("AAA",), column[:, None], "here", "0" * 64)


WRITER = """
import sys, numpy as np
from backtest.market.entry import SourceTable
from backtest.market.store import Store
dates = np.arange(np.datetime64("1900-01-01"), np.datetime64("1930-01-01"))
values = [np.full((len(dates), 1), level) for level in (1.0, 2.0)]
for i in range(int(sys.argv[1])):
    Store().save("AAA", SourceTable(dates, ("AAA",), values[i % 2], "here", "0" * 64))
    if i == 1:
        print("ready", flush=True)
"""


def _writer(times: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(times)], stdout=subprocess.PIPE, text=True)


def test_killed_at_any_moment_the_store_has_the_old_or_the_new() -> None:
    seen = set()
    for attempt in range(6):
        with _writer(100_000) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.013 * attempt)
            process.send_signal(signal.SIGKILL)
        for record in Store().vintages("AAA"):
            level = Store().read(record).values
            assert len(level) == 10957
            assert len(np.unique(level)) == 1
            seen.add(level[0, 0])
    assert seen == {1.0, 2.0}


def test_two_processes_may_store_at_once() -> None:
    with _writer(40) as one, _writer(40) as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)
    store = Store()
    assert [store.read(record).values[0, 0] for record in store.vintages("AAA")] == [1.0, 2.0]
    assert not list(store.folder.rglob("*.part"))


def test_what_is_stored_is_read_back_to_the_last_bit() -> None:
    values = np.random.default_rng(1).normal(size=len(MONTHS))
    values[3] = np.nan
    record = Store().save("AAA", _table(values), ["a note"])
    table = Store().read(Store().find("AAA"))
    np.testing.assert_array_equal(table.values[:, 0], values)
    np.testing.assert_array_equal(table.dates, MONTHS)
    assert (record.first, record.last, record.rows, record.notes) == (
        "2000-01-01",
        "2009-12-01",
        120,
        ["a note"],
    )


def test_a_changed_history_is_said_and_both_vintages_can_be_read() -> None:
    about = entry("AAA")
    first = np.full(len(MONTHS), 5.0)
    assert keep(Store(), about, _table(first)).status == "new"
    assert keep(Store(), about, _table(first)).status == "same"
    second = first.copy()
    second[[10, 50]] += [0.25, -1.75]
    outcome = keep(Store(), about, _table(second))
    assert outcome.status == "changed"
    assert "2 values changed since 2000-11-01, the largest by 1.75 on 2004-03-01" in outcome.said
    old, new = Store().vintages("AAA")
    assert Store().read(Store().find("AAA", old.vintage[:5])).values[50, 0] == 5.0
    assert Store().read(Store().find("AAA")).values[50, 0] == 3.25
    assert Store().find("AAA") == new


def test_more_months_are_no_change_of_history() -> None:
    assert compare(_table(5.0, MONTHS[:100]), _table(5.0)) == ("longer", "")


def test_values_withdrawn_or_added_to_the_past_are_counted() -> None:
    holes = np.full(len(MONTHS), 5.0)
    holes[[7, 8]] = np.nan
    assert "2 values were withdrawn" in compare(_table(5.0), _table(holes))[1]
    assert "2 values were added to the past" in compare(_table(holes), _table(5.0))[1]
    assert "20 values were added to the past" in compare(_table(5.0, MONTHS[20:]), _table(5.0))[1]


def test_a_source_that_shows_the_latest_years_only_loses_no_history() -> None:
    about = entry("BAMLH0A0HYM2")
    assert about.rolling
    days = np.arange(np.datetime64("2000-01-03"), np.datetime64("2000-06-01"))
    long, late = np.full(len(days), 4.0), np.full(60, 6.0)
    later = days[-1] + np.arange(-29, 31)
    keep(Store(), about, SourceTable(days, (about.id,), long[:, None], "here", "0" * 64))
    keep(Store(), about, SourceTable(later, (about.id,), late[:, None], "here", "0" * 64))
    table = Store().read(Store().find(about.id))
    assert (table.dates[0], table.dates[-1]) == (days[0], later[-1])
    assert table.values[0, 0] == 4.0
    assert (table.values[-60:, 0] == 6.0).all()


def test_a_damaged_file_is_noticed_said_and_healed_by_a_new_one(library: Library) -> None:
    library.fails("AAA", answer(FILES["AAA"]))
    fetch([entry("AAA")])
    record = Store().find("AAA")
    path = Store().folder / "AAA" / record.file
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    with pytest.raises(DataError, match="is damaged"):
        Store().read(record)
    assert [each for each in verify() if each.wrong]
    fetch([entry("AAA")], force=True)
    assert not [each for each in verify() if each.wrong]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "AAA"}'])
def test_a_damaged_record_is_one_sentence(text: str) -> None:
    record = Store().save("AAA", _table(5.0))
    path = Store().folder / "AAA" / f"{record.vintage}.json"
    path.write_text(text)
    with pytest.raises(DataError, match="is damaged"):
        Store().find("AAA")
    assert "is damaged" in (verify()[0].wrong or "")


def test_a_record_of_which_a_word_was_changed_is_not_believed() -> None:
    record = Store().save("AAA", _table(5.0))
    path = Store().folder / "AAA" / f"{record.vintage}.json"
    for old, new in (("here", "there"), (record.downloaded, "2999-01-01T00:00:00+00:00"), (record.seal, "")):
        whole = path.read_text()
        assert old in whole
        path.write_text(whole.replace(old, new))
        with pytest.raises(DataError, match="is not what was stored; delete it and store AAA again"):
            Store().find("AAA")
        assert "is not what was stored" in (verify()[0].wrong or "")
        path.write_text(whole)
    path.rename(path.with_name("0123456789ab.json"))
    with pytest.raises(DataError, match="is not what was stored"):
        Store().find("AAA")


def test_what_is_fresh_is_not_downloaded_again(library: Library) -> None:
    assert [o.status for o in fetch([entry("AAA")])] == ["new"]
    assert [o.status for o in fetch([entry("AAA")])] == ["fresh"]
    assert [o.status for o in fetch([entry("AAA")], force=True)] == ["same"]
    assert library.asked == ["AAA", "AAA"]


def test_a_folder_that_cannot_be_written_is_one_sentence(store_folder: Path) -> None:
    store_folder.parent.mkdir(exist_ok=True)
    store_folder.write_text("a file where the folder should be")
    with pytest.raises(
        RotationError, match="AAA cannot be written to .*AAA.*; free the disk, or name another folder"
    ):
        Store().save("AAA", _table(5.0))


def test_the_folder_is_where_the_environment_says_else_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Store().folder == Path(os.environ["ROTATION_DATA"])
    monkeypatch.delenv("ROTATION_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    if sys.platform == "linux":
        assert Store().folder == Path("/somewhere/size-rotation")


def test_folders_of_others_beside_the_series_are_passed_over(store_folder: Path) -> None:
    keep(Store(), entry("AAA"), _table(1.0))
    for name in ("sweep/manifest.json", "my notes/list.json", "AAA/notes.json", ".hidden/0123456789ab.json"):
        (store_folder / name).parent.mkdir(exist_ok=True)
        (store_folder / name).write_text('{"made": "by somebody else"}')
    assert Store().ids() == ["AAA"]
    assert len(Store().vintages("AAA")) == 1
    assert Store().current("sweep") is None
