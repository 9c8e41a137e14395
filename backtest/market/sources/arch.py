"""The figures that the arch package carries: Ken French's factors and Moody's yields, to 2018."""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.metadata
import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.entry import SourceTable
from backtest.market.sources import source

if TYPE_CHECKING:
    from backtest.market.entry import Entry


@cache
def _content(file: str) -> bytes:
    # find_spec finds the folder without importing arch, which would cost a second.
    spec = importlib.util.find_spec("arch")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the embedded figures need the arch package; install it with: pip install arch")
    path = Path(spec.submodule_search_locations[0], "data", file)
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise DataError(
            f"the arch package's {file} cannot be read ({error}); reinstall it with: "
            "pip install --force-reinstall arch"
        ) from None


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which file of the package, by its checksum, and which column of it."""

    file: str
    column: str
    sha256: str


@source("arch", options=Figures, carried=True)
def arch(entry: Entry) -> SourceTable:
    """Return one column of one file, dated on the first of the month.

    The file is read itself: arch's own loader misreads ``192607`` under pandas 3. DataError where it is
    missing, or its figures are not the ones the catalogue was written for.
    """
    figures = entry.told(Figures)
    content = _content(figures.file)
    sha256 = hashlib.sha256(content).hexdigest()
    origin = f"arch {importlib.metadata.version('arch')}, {figures.file}"
    if sha256 != figures.sha256:
        raise DataError(
            f"{origin} carries other figures than the ones tested (sha256 {sha256[:12]}, expected "
            f"{figures.sha256[:12]}); install the tested release with: pip install arch==8.0.0"
        )
    # Read as the text that it is: pandas takes longer to be imported than all else that a signal needs.
    rows = list(csv.DictReader(content.decode("utf-8").splitlines()))
    dates = to_days([_iso(row["Date"]) for row in rows])
    values = np.array([float(row[figures.column] or "nan") for row in rows])
    return SourceTable.of(entry.id, dates, values, origin, content)


def _iso(text: str) -> str:
    """Return ``192607`` or ``7/31/1926`` as an ISO date."""
    if "/" not in text:
        return f"{text[:4]}-{text[4:]}-01"
    month, day, year = text.split("/")
    return f"{year}-{month:0>2}-{day:0>2}"
