"""Files and folders are there whole or not at all, whatever happens and whoever else writes."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backtest import files
from backtest.errors import RotationError, UsageError
from backtest.files import sweep, whole_file, whole_folder
from backtest.reporting.folder import default_place
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


def _write(place: Path, content: bytes = b"new", *, new: bool = False) -> None:
    with whole_file(place, "the table", "free the disk", new=new) as file:
        file.write(content)


WRITER = """
import sys
from pathlib import Path
from backtest.files import whole_file
for turn in range(150):
    with whole_file(Path(sys.argv[1]), "it", "free the disk") as file:
        for piece in range(8):
            file.write(sys.argv[2].encode() * 5000)
            file.flush()
"""


def test_two_processes_that_write_one_file_at_once_never_tear_it(tmp_path: Path) -> None:
    place = tmp_path / "one"
    _write(place, b"a" * 40_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(place), letter]) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        content = place.read_bytes()
        assert len(content) == 40_000
        assert len(set(content)) == 1, "two writers in one file"
        seen.add(content[:1])
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen == {b"a", b"b"}
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_what_stands_under_a_drafts_name_is_neither_followed_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("years of work")
    for make, name in ((_write, "file"), (lambda place: whole_folder(place).__enter__(), "folder")):
        planted = tmp_path / f".{name}.{'0' * 16}.part"
        planted.symlink_to(precious)
        names = iter(["0" * 16, "1" * 16])
        monkeypatch.setattr(files.secrets, "token_hex", lambda _, names=names: next(names))
        make(tmp_path / name)
        assert precious.read_text() == "years of work"
        assert planted.is_symlink()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fills_up_leaves_the_old_file(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    place = tmp_path / "part"
    _write(place, b"old")
    monkeypatch.setattr(files.os, "fsync", full)
    why = "Input/output error" if code == errno.EIO else "the disk is full"
    with pytest.raises(RotationError, match=f"the table cannot be written to .*/part: {why}; free the disk"):
        _write(place)
    with pytest.raises(RotationError, match=why), whole_folder(tmp_path / "folder") as draft:
        (draft / "page").write_text("half")
    assert [path.name for path in tmp_path.iterdir()] == ["part"]
    assert place.read_bytes() == b"old"


def test_a_new_file_never_replaces_one_that_appears_meanwhile(tmp_path: Path) -> None:
    place = tmp_path / "mine.py"
    refused = pytest.raises(UsageError, match="mine.py exists already; choose another name")
    with refused, whole_file(place, "the script", "", new=True) as file:
        file.write(b"second")
        place.write_bytes(b"first")
    assert place.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_file_has_the_rights_that_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        _write(tmp_path / "file")
        with whole_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o750


HOLDER = """
import sys, time
from pathlib import Path
from backtest.files import whole_file, whole_folder
place = Path(sys.argv[1])
with whole_file(place, "it", "free the disk") if sys.argv[2] == "file" else whole_folder(place):
    print("held", flush=True)
    time.sleep(60)
"""


def aged(folder: Path, seconds: float) -> None:
    """Make everything in a folder older."""
    for path in folder.iterdir():
        os.utime(path, (time.time() - seconds,) * 2, follow_symlinks=False)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_draft_stays_while_its_process_lives_and_is_swept_when_it_was_killed(
    kind: str, tmp_path: Path
) -> None:
    arguments = [sys.executable, "-c", HOLDER, str(tmp_path / "one"), kind]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        (draft,) = tmp_path.iterdir()
        for age in (0.0, 90.0, 1e6):
            aged(tmp_path, age)
            sweep(tmp_path)
            assert draft.exists(), "it is being written"
        writer.kill()
    os.utime(draft)
    sweep(tmp_path)
    assert draft.exists(), "it may just have been begun"
    aged(tmp_path, 90.0)
    if kind == "folder":
        (draft / "page").write_text("half")
        aged(tmp_path, 90.0)
    _write(tmp_path / "another")
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_what_died_while_writing_is_swept_and_nothing_else(tmp_path: Path) -> None:
    draft, others = f".x.{'a' * 16}.part", [".x.part", f"x.{'a' * 16}.part", ".mine"]
    for name in (draft, *others):
        (tmp_path / name).touch()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "work").touch()
    (tmp_path / f".y.{'a' * 16}.part").symlink_to(precious)
    aged(tmp_path, 1e6)
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*others, "precious", f".y.{'a' * 16}.part"}
    assert (precious / "work").exists()


def test_where_the_disk_knows_no_locks_a_draft_stays_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: int) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(fcntl, "flock", none)
    (tmp_path / f".x.{'a' * 16}.part").touch()
    for age, left in ((90.0, 1), (86_000.0, 1), (87_000.0, 0)):
        aged(tmp_path, age)
        sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == left
    _write(tmp_path / "written without")


def test_a_place_that_is_being_written_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = default_place("mine")
    with whole_folder(first):
        assert default_place("mine") != first


def test_of_two_that_write_to_one_place_the_first_wins(tmp_path: Path) -> None:
    place = tmp_path / "report"
    refused = pytest.raises(UsageError, match="another command has written .*report meanwhile; name a new")
    with refused, whole_folder(place) as draft:
        (draft / "mine.txt").write_text("second")
        with whole_folder(place) as other:
            (other / "mine.txt").write_text("first")
    assert [p.name for p in tmp_path.iterdir()] == ["report"]
    assert (place / "mine.txt").read_text() == "first"


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "report") as draft:
        (draft / "half").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_replaced_comes_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "gallery"
    for text in ("old", "new"):
        with whole_folder(place, replaces=True) as draft:
            (draft / "page").write_text(text)
        assert (place / "page").read_text() == text
    rename = type(place).rename

    def fails(path: Path, target: Path) -> Path:
        if (path / "page").is_file() and (path / "page").read_text() == "never":
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(type(place), "rename", fails)
    with pytest.raises(RotationError, match="cannot be written"), whole_folder(place, replaces=True) as draft:
        (draft / "page").write_text("never")
    assert (place / "page").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_arrow_reads_from_bytes_of_its_own() -> None:
    written = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1.0, 2.0]}), written)
    content = written.getvalue().to_pybytes()
    before = sys.getrefcount(content)
    file = files.in_arrow(content)
    assert pq.read_table(file).to_pydict() == {"a": [1.0, 2.0]}
    assert sys.getrefcount(content) == before  # else its threads let go of them, when Python may have ended
    python_s = pa.BufferReader(content)
    assert sys.getrefcount(content) > before
    assert python_s.read() == content


def test_whoever_reads_parquet_reads_it_from_there() -> None:
    reads = re.compile(r"(?:pd\.read_parquet|pq\.read_table)\(([^(]*)")
    found = [
        what
        for path in (REPOSITORY / "backtest").rglob("*.py")
        for what in reads.findall(path.read_text(encoding="utf-8"))
    ]
    assert found == ["in_arrow"] * len(found)
    assert len(found) >= 7
