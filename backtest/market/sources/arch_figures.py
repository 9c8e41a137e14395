"""The figures that the arch package carries: Ken French's factors and Moody's yields, to 2018."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import importlib.util
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.sources.base import Table

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


class ArchFigures:
    """Reads the files themselves: arch's own loader misreads ``192607`` under pandas 3."""

    def read(self, entry: Entry) -> Table:
        """Return one column of one file, dated on the first of the month.

        Raises
        ------
        DataError
            When the file is missing, or its figures are not the ones the catalogue was written for.
        """
        file, column = entry.options["file"], entry.options["column"]
        content = _content(file)
        sha256 = hashlib.sha256(content).hexdigest()
        origin = f"arch {importlib.metadata.version('arch')}, {file}"
        if sha256 != entry.options["sha256"]:
            raise DataError(
                f"{origin} carries other figures than the ones tested (sha256 {sha256[:12]}, expected "
                f"{entry.options['sha256'][:12]}); install the tested release with: pip install arch==8.0.0"
            )
        table = pd.read_csv(BytesIO(content), dtype={"Date": str})
        layout = "%Y%m" if table["Date"].str.fullmatch(r"\d{6}").all() else "%m/%d/%Y"
        dates = to_days(pd.to_datetime(table["Date"], format=layout).to_numpy())
        values = table[column].to_numpy(dtype=np.float64)
        return Table(dates, (entry.id,), values[:, None], origin, sha256)
