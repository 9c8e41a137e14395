"""The real markets, filled once by the real download code from the original files."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest

from backtest import MarketData, load_market
from backtest.market.fetch import fetch, to_fetch
from tests.market.server import from_folder, serving


@pytest.fixture(scope="session")
def store(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of all that the French markets need."""
    folder = tmp_path_factory.mktemp("studies") / "store"
    with serving(from_folder(shared_data)) as running:
        surroundings = {**running.environment, "ROTATION_DATA": str(folder)}
        with mock.patch.dict(os.environ, surroundings):
            outcomes = fetch(to_fetch(["french_monthly", "french_daily"]))
    assert {outcome.status for outcome in outcomes} == {"new"}, outcomes
    return folder


@pytest.fixture(scope="session")
def french_monthly(store: Path) -> MarketData:
    with mock.patch.dict(os.environ, {"ROTATION_DATA": str(store)}):
        return load_market("french_monthly")


@pytest.fixture(scope="session")
def french_daily(store: Path) -> MarketData:
    with mock.patch.dict(os.environ, {"ROTATION_DATA": str(store)}):
        return load_market("french_daily")
