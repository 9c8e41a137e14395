"""Files: written beside their place and renamed, so that each is whole or not there; read with a limit."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from backtest.errors import RotationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    T = TypeVar("T")

ANOTHER_FOLDER = "free the disk, or name another folder with --out"

_DRAFT = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.DOTALL)
_MINUTE, _DAY = 60.0, 86400.0


SEAL = "SHA256SUMS"
"""The checksums of a folder's files, in the folder."""

LIMIT = 200 * 2**20
"""The most that is read at once, in bytes, unpacked; the largest real answer has 10 million."""


def content_of(place: Path, limit: int = LIMIT) -> bytes:
    """Return the bytes of a regular file; OSError with the reason for a pipe, a device or one too large."""
    require_regular(place)
    with place.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit // 2**20:,} MB", str(place))
    return content


def unchanged(place: Path) -> bytes:
    """Return the bytes of a file after comparing them with the checksums of its folder, where that has any.

    Raises
    ------
    OSError
        When the file cannot be read, or is another than was written.
    """
    content, seal = content_of(place), place.parent / SEAL
    if seal.exists():
        listed = f"{hashlib.sha256(content).hexdigest()}  {place.name}"
        if listed.encode() not in content_of(seal).splitlines():
            raise OSError(errno.EIO, f"it is not what was written: {SEAL} beside it says so", str(place))
    return content


def in_arrow(content: bytes) -> Any:
    """Return a copy of a file's bytes as a file of Arrow's own, which is how Parquet is read here.

    Arrow's threads let go of what they read a moment after it has been read. Bytes of Python are let go of
    with Python's lock, and where Python has begun to end by then the whole process is aborted.
    """
    import pyarrow as pa

    copied = pa.BufferOutputStream()
    copied.write(content)
    return pa.BufferReader(copied.getvalue())


def _seal(folder: Path) -> None:
    """Write the checksums of a folder's files into it, as ``sha256sum --check`` takes them."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in found
    )
    (folder / SEAL).write_text("".join(lines), encoding="utf-8")


def require_regular(place: Path) -> None:
    """Raise OSError where a place is a folder, a pipe or a device, which may never end."""
    mode = place.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(place))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(place))


def _draft(place: Path, make: Callable[[Path], T]) -> tuple[Path, T]:
    """Make something under a name of its own beside its place, never what somebody has put there before."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _tidy(place.parent.absolute())
    while True:
        draft = place.with_name(f".{place.name[:60]}.{secrets.token_hex(8)}.part")
        with contextlib.suppress(FileExistsError):
            return draft, make(draft)


def being_written(place: Path) -> bool:
    """Return whether a draft stands beside a place."""
    return any(_DRAFT.fullmatch(path.name) for path in place.parent.glob(f".{place.name}.*.part"))


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file or folder that is being made: the system lets go of it when this process ends, however."""
    try:
        import fcntl
    except ImportError:  # no system of the kind; what is left behind is then swept a day later
        yield
        return
    number = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a disk that knows no locks
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(number)


@cache
def _tidy(folder: Path) -> None:
    """Sweep a folder once in the life of this process."""
    sweep(folder)


def sweep(folder: Path, names: re.Pattern[str] = _DRAFT) -> None:
    """Remove what processes that died while writing left in a folder: files and folders of some names.

    What somebody still holds stays, and so does what is younger than a minute, for it may not be held yet.
    Where the disk knows no locks, what is younger than a day stays.
    """
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            if names.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    _discard(path)


def _discard(path: Path) -> None:
    """Remove one of them unless somebody holds it or it is too young; OSError where that cannot be done."""
    age = time.time() - path.lstat().st_mtime
    if age < _MINUTE:
        return
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        if _nobodys(number, age):
            folder = stat.S_ISDIR(os.fstat(number).st_mode)
            shutil.rmtree(path, ignore_errors=True) if folder else path.unlink()
    finally:
        os.close(number)


def _nobodys(number: int, age: float) -> bool:
    """Return whether nobody holds an open file; where the disk cannot tell, whether it is a day old."""
    try:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return age >= _DAY
    return True


def refused(error: OSError, what: str, place: Path, cure: str) -> RotationError:
    """Return the error for people that a file could not be written, with what they can do about it."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    why = "the disk is full" if full else error.strerror or str(error)
    return RotationError(f"{what} cannot be written to {place}: {why}; {cure}")


@contextmanager
def whole_file(place: Path, what: str, cure: str, *, new: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write into that becomes ``place`` at the end, or leaves all as it was.

    Parameters
    ----------
    place
        The file; folders above it are made.
    what, cure
        For the sentence: what is written, and what to do where it cannot be.
    new
        Refuse to replace a file that is there.

    Raises
    ------
    UsageError
        When it is to be new and is there.
    RotationError
        When it cannot be written: no permission, a full disk.
    """
    draft = None
    try:
        draft, file = _draft(place, lambda path: path.open("xb"))
        with held(draft):
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            (_link if new else Path.replace)(draft, place)
    except OSError as error:
        raise refused(error, what, place, cure) from None
    finally:
        if draft is not None:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _link(draft: Path, place: Path) -> None:
    """Give a draft its place, which, unlike a rename, never replaces a file that appeared meanwhile."""
    try:
        os.link(draft, place)
    except FileExistsError:
        raise UsageError(f"{place} exists already; choose another name") from None


def require_free(place: Path, *, replaces: bool = False) -> None:
    """Raise UsageError where no folder can be written at a place: it is taken, or lies below a file.

    Better said before the work than after it; ``replaces`` lets a folder that is there be.
    """
    if not replaces and place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place} exists already; name a new folder with --out")
    there = next(parent for parent in place.absolute().parents if parent.exists())
    if not there.is_dir():
        raise UsageError(f"{there} is not a folder; name another one with --out")


@contextmanager
def whole_folder(
    place: Path,
    what: str = "the report",
    *,
    replaces: bool = False,
    sealed: bool = False,
) -> Iterator[Path]:
    """Give a folder to write into that becomes ``place`` at the end, or leaves all as it was.

    Parameters
    ----------
    place
        The folder; folders above it are made.
    what
        What is written, for the sentence where it cannot be.
    replaces
        Put it in the place of the folder that is there; otherwise that must be empty.
    sealed
        Put the checksums of its files beside them, for ``unchanged``.

    Raises
    ------
    UsageError
        When ``place`` is taken, or lies below something that is no folder.
    RotationError
        When it cannot be written: no permission, a full disk.
    """
    draft = None
    try:
        require_free(place, replaces=replaces)
        draft, _ = _draft(place, Path.mkdir)
        with held(draft):
            yield draft
            if sealed:
                _seal(draft)
            for path in draft.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
            _put(draft, place, replaces=replaces)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and error.filename2 == str(place):
            raise UsageError(
                f"another command has written {place} meanwhile; name a new folder with --out"
            ) from None
        if draft is not None and _elsewhere(error, draft):
            raise
        raise refused(error, what, place, ANOTHER_FOLDER) from None
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _put(draft: Path, place: Path, *, replaces: bool) -> None:
    """Rename a draft to its place; what it replaces goes when it is there, and comes back where it fails."""
    if not (replaces and place.exists()):
        draft.rename(place)
        return
    before, _ = _draft(place, Path.mkdir)
    try:
        place.rename(before)
        try:
            draft.rename(place)
        except OSError:
            before.rename(place)
            raise
    finally:
        shutil.rmtree(before, ignore_errors=True)


def _elsewhere(error: OSError, draft: Path) -> bool:
    """Return whether an error is of another file than those being written: one that could not be read."""
    if not isinstance(error.filename, str):
        return False
    return draft.absolute() not in [Path(error.filename).absolute(), *Path(error.filename).absolute().parents]
