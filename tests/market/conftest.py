"""A store of one's own for every test, and servers to fill it from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from backtest.market.fetch import fetch, to_fetch
from tests.conftest import REPOSITORY
from tests.market.made import made
from tests.market.server import from_folder, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.market.server import Library


@pytest.fixture(autouse=True)
def store_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store that nothing else uses."""
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    monkeypatch.setenv("ROTATION_TIMEOUT", "5")
    return tmp_path / "store"


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """A server of made files, which the sources ask instead of the real ones."""
    with serving(made) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture(scope="session", params=["made", "shared"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store filled once by the real download code, from made files and from the original ones."""
    folder = tmp_path_factory.mktemp(request.param) / "store"
    shared = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if request.param == "shared" and not shared.is_dir():
        pytest.skip(f"the original files are not here: {shared}")
    body = made if request.param == "made" else from_folder(shared)
    wanted = ["french_monthly", "french_daily", "INTDSRUSM193N", "DFEDTARL", "FEDFUNDS"]
    with serving(body) as running:
        surroundings = {**running.environment, "ROTATION_DATA": str(folder)}
        with mock.patch.dict(os.environ, surroundings):
            outcomes = fetch(to_fetch(wanted))
    assert {outcome.status for outcome in outcomes} == {"new"}, outcomes
    return folder


@pytest.fixture
def stored(filled: Path, monkeypatch: pytest.MonkeyPatch, store_folder: Path) -> Path:
    """The filled store in use; tests only read from it."""
    assert store_folder != filled
    monkeypatch.setenv("ROTATION_DATA", str(filled))
    return filled
