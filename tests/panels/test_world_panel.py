"""The shipped panels on the original files, beside sums made from these files without our statistics."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from backtest.analysis.panel_events import around_events
from backtest.market.fetch import fetch, to_fetch
from backtest.market.importing import Description, import_file
from backtest.panels.definition import load_panel
from backtest.panels.panel import Panel, first_moves
from tests.conftest import REPOSITORY
from tests.market.server import from_folder, serving

SHARED = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
WORLD = SHARED / "world"

pytestmark = pytest.mark.skipif(not WORLD.is_dir(), reason=f"the original files are not here: {WORLD}")


@pytest.fixture(scope="module")
def countries(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    folder = str(tmp_path_factory.mktemp("world") / "store")
    with (
        serving(from_folder(SHARED)) as running,
        mock.patch.dict(os.environ, {**running.environment, "ROTATION_DATA": folder}),
    ):
        fetch(to_fetch(["WS_CBPOL_csv_col"]))
        for id in ("AQR_SMB", "AQR_MKT"):
            import_file(WORLD / "aqr" / "Betting Against Beta Equity Factors Monthly.xlsx", Description(id))
        return load_panel("countries")


def test_the_pooled_sum_is_that_of_the_original_file(countries: Panel) -> None:
    """147 first cuts, and what small less large did in the twelve months after them."""
    events, _ = first_moves(countries, -1.0)
    with (WORLD / "aqr" / "SMB.csv").open() as file:
        smb = {(row["DATE"][:7], code): row[code] for row in csv.DictReader(file) for code in row}
    months = [str(day)[:7] for day in countries.ends]
    codes = [member.name for member in countries.members]
    inside: set[tuple[int, str]] = set()
    for month, column in np.argwhere(events):
        inside |= {(month + lag, codes[column]) for lag in range(1, 13) if month + lag < len(months)}
    values = [float(smb[months[month], code]) for month, code in inside if smb[months[month], code]]
    assert events.sum() == 147
    assert len(values) == 1751
    ours = countries.differences[around_events(events, 1, 12)]
    assert 12.0 * np.nanmean(ours) == pytest.approx(12.0 * np.mean(values), abs=1e-12)
    assert 12.0 * np.mean(values) == pytest.approx(0.012, abs=0.0005)


def test_no_case_is_known_before_it_was_announced(countries: Panel) -> None:
    events, said = first_moves(countries, -1.0)
    months = [str(day)[:7] for day in countries.ends]
    cases = {
        m.name: [months[i] for i in np.flatnonzero(events[:, c])] for c, m in enumerate(countries.members)
    }
    assert {"2001-01", "2007-09", "2019-07", "2024-09"} <= set(cases["USA"])  # July 2019, not August
    assert {"2001-05", "2008-10", "2011-11"} <= set(cases["DEU"])
    assert "1999-04" not in cases["DEU"]  # nobody knows a German rate of the twelve months before
    assert "2000-08" not in cases["JPN"]
    assert cases["SGP"] == []
    assert any("SGP" in sentence for sentence in said)
