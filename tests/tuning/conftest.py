"""A small market and strategies for sweeps that take milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backtest import load_strategy

if TYPE_CHECKING:
    from backtest.scripting.strategy import Strategy


@pytest.fixture(scope="session")
def rate_cut() -> Strategy:
    return load_strategy("rate_cut")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A copy of a shipped strategy's script that a test may change."""
    from backtest.folders import shipped

    place = tmp_path / "rate_cut.py"
    place.write_text((shipped("strategies") / "rate_cut.py").read_text())
    return place
