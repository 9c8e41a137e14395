"""Archives: the one file of a zip, read without ever writing it to disk."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from pathlib import PurePosixPath

from backtest.errors import DataError
from backtest.files import LIMIT
from backtest.market.text import decoded

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


def unzipped(content: bytes, what: str, limit: int = LIMIT) -> bytes:
    """Return the one file of a zip, without ever writing it to disk.

    Raises
    ------
    DataError
        When it is no zip, is damaged, holds anything but one plain file, or unpacks to more than ``limit``.
    """
    if not content.startswith(b"PK"):
        decoded(content, what)  # says so where it is empty or an HTML page
        raise DataError(f"{what} was refused: it is not a zip file")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].is_dir():
                raise DataError(
                    f"{what} was refused: the zip holds {len(members)} entries instead of one file"
                )
            path = PurePosixPath(members[0].filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                raise DataError(f"{what} was refused: the zip holds a path out of its folder, {path}")
            with archive.open(members[0]) as file:
                text = file.read(limit + 1)
    except _DAMAGED as error:
        raise DataError(f"{what} was refused: the zip is damaged or cut off ({error})") from None
    if len(text) > limit:
        raise DataError(f"{what} was refused: the zip unpacks to more than {limit / 2**20:,.0f} MB")
    return text
