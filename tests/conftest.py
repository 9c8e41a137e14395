"""What several tests need: the embedded market, and where the real data lie."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings

from backtest import MarketData, load_market

# The machines that run this are slow and noisy: a deadline would test them, not the code. By default the same
# cases are tried at every run, so that a commit is judged by its change; the nightly profile looks further.
settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "nightly", parent=settings.get_profile("default"), derandomize=False, max_examples=5000
)
# `make mutants`: of thousands of changes to the code each meets a few cases, and nobody reads which of them failed.
settings.register_profile(
    "mutants",
    parent=settings.get_profile("default"),
    max_examples=20,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every process that they
# start; the tests that interrupt one would then wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def embedded() -> MarketData:
    return load_market("embedded")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data are not there: {folder}")
    return folder


WORLD = ("asia_pacific", "developed", "emerging", "europe", "japan", "north_america")
"""The markets of other regions."""


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small store of the same shape as the real one, from made files; every shipped market loads from it."""
    from backtest.market.catalogue import entry
    from backtest.market.entry import SourceTable
    from backtest.market.fetch import fetch, keep, to_fetch
    from backtest.market.reading import known
    from backtest.market.store import Store
    from tests.market.made import made
    from tests.market.server import serving

    store = tmp_path_factory.mktemp("made") / "store"
    with serving(made) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in {**running.environment, "ROTATION_DATA": str(store)}.items():
            patch.setenv(name, value)
        wanted = [
            each
            for each in to_fetch(["french_monthly", "french_daily", *WORLD, "TB3MS", "DGS2"])
            if "Mom" not in each.id
        ]
        outcomes = fetch(wanted)
        assert {outcome.status for outcome in outcomes} == {"new"}, outcomes
        random, days = np.random.default_rng(5), np.arange("2005-01-03", "2010-06-30", dtype="datetime64[D]")
        days = days[np.is_busday(days)]
        for fund in ("IWM", "IWB", "IWD", "IWF", "IWV"):
            closes = 50.0 * np.exp(np.cumsum(random.normal(0.0003, 0.01, (len(days), 1)), axis=0))
            keep(Store(), entry(fund), SourceTable(days, (fund,), closes, "made", "0" * 64))
        for of in ("UNRATE", "INDPRO"):
            table = Store().read(Store().find(of))
            late = known(entry(of), table) + np.timedelta64(5, "D")
            first = replace(table, columns=(f"FIRST_{of}",), announced=late)
            keep(Store(), entry(f"FIRST_{of}"), first)
    return store


def fill_store(store: Path) -> None:
    """Fill a store by the real download code from the original files; leave it where they are not there."""
    from backtest.market.fetch import fetch, to_fetch
    from tests.market.server import from_folder, serving

    folder = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if folder.is_dir():
        with serving(from_folder(folder)) as running, pytest.MonkeyPatch.context() as patch:
            for name, value in {**running.environment, "ROTATION_DATA": str(store)}.items():
                patch.setenv(name, value)
            outcomes = fetch(to_fetch(["french_monthly", "french_daily"]))
        assert {outcome.status for outcome in outcomes} == {"new"}, outcomes


@pytest.fixture(scope="session")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the original files; empty where they are not there."""
    store = tmp_path_factory.mktemp("real") / "store"
    fill_store(store)
    return store
