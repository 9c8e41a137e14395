"""The numbers of a sheet of an old Excel workbook (BIFF8 in OLE2), read byte by byte without any library."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOUNDSHEET, END, NUMBER, FORMULA, RK, MULRK = 0x85, 0x0A, 0x203, 0x06, 0x27E, 0xBD


def _stream(content: bytes) -> bytes:
    """Return the stream Workbook of a compound file."""
    size = 1 << struct.unpack_from("<H", content, 30)[0]
    count, directory = struct.unpack_from("<II", content, 44)
    following: list[int] = []
    for place in range(count):
        (sector,) = struct.unpack_from("<I", content, 76 + 4 * place)
        following += struct.unpack_from(f"<{size // 4}I", content, (sector + 1) * size)

    def chain(sector: int) -> bytes:
        parts = []
        while sector < len(following):
            parts.append(content[(sector + 1) * size : (sector + 2) * size])
            sector = following[sector]
        return b"".join(parts)

    entries = chain(directory)
    starts = range(0, len(entries), 128)
    (place,) = (at for at in starts if entries[at : at + 18] == "Workbook\0".encode("utf-16le"))
    return chain(struct.unpack_from("<I", entries, place + 116)[0])


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    kind = -1
    while kind != END:
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _packed(bits: int) -> float:
    """Return an RK number: the upper 30 bits of a double or a whole number, perhaps of hundredths."""
    if bits & 2:
        value = float((bits - (1 << 32) if bits >> 31 else bits) >> 2)
    else:
        value = struct.unpack("<d", struct.pack("<Q", (bits & 0xFFFFFFFC) << 32))[0]
    return value / 100.0 if bits & 1 else value


def numbers(file: Path, sheet: str) -> dict[tuple[int, int], float]:
    """Return the numbers of a sheet by row and column from 0."""
    stream = _stream(file.read_bytes())
    (begin,) = (
        struct.unpack_from("<I", body)[0]
        for kind, body in _records(stream, 0)
        if kind == BOUNDSHEET and body[8:] == sheet.encode("latin1")
    )
    found = {}
    for kind, body in _records(stream, begin):
        if kind in (NUMBER, FORMULA, RK, MULRK):
            row, column = struct.unpack_from("<HH", body)
        if kind in (NUMBER, FORMULA):
            found[row, column] = struct.unpack_from("<d", body, 6)[0]
        elif kind == RK:
            found[row, column] = _packed(struct.unpack_from("<I", body, 6)[0])
        elif kind == MULRK:
            for place in range((len(body) - 6) // 6):
                found[row, column + place] = _packed(struct.unpack_from("<I", body, 6 + 6 * place)[0])
    return found


def consumer_prices(file: Path) -> dict[str, float]:
    """Return the consumer prices of Shiller's workbook by month, ``1929-10``, estimates too."""
    cells = numbers(file, "Data")
    found = {}
    for (row, column), date in sorted(cells.items()):
        if column == 0 and (row, 4) in cells:
            year, month = divmod(round(100 * date), 100)
            found[f"{year}-{month:02d}"] = cells[row, 4]
    return found
